import { isDeepStrictEqual } from 'node:util'
import type { Attribute, ResourceDocument } from './attribute.ts'
import { toBoolean } from './boolean-text.ts'
import { addEntries, type Entry, saysSomething } from './entries.ts'
import type { Filter } from './filter-syntax.ts'
import { isJsonObject } from './json-object.ts'
import { changeEntries } from './patch-list.ts'
import type { PatchOperation } from './patch-request.ts'
import { type AttributeChange, findChanges } from './patch-target.ts'
import { refuseMissing } from './read-resource.ts'
import { assigned, isKept, readSubAttributes, readValue } from './read-value.ts'
import { userType } from './registry.ts'
import { ScimError } from './scim-error.ts'

/** In the filters of all operations. */
const comparisonsMax = 1000

/**
 * Applies a PATCH to a user's document, all operations in order or none (RFC 7644 section 3.5.2). Where identity
 * providers need more than the RFC: docs of `findChanges`, `changeEntries` and `readValue`.
 *
 * @param document canonical; not changed
 * @returns the new document, as canonical as `readResource` would make it; the very same one when nothing changes
 * @throws ScimError 400 `invalidPath`, `invalidFilter`, `invalidValue`, `mutability`, `noTarget`; 413
 */
export function patchUser(
  document: ResourceDocument,
  operations: readonly PatchOperation[],
): ResourceDocument {
  const changes = findChanges(userType, operations)
  refuseTooManyComparisons(changes)
  const patched = changes.reduce(change, document)
  const tidied = tidy(patched, document)
  return isDeepStrictEqual(tidied, document) ? document : tidied
}

/**
 * What a PATCH makes of `active`, if it is clear without the user and says nothing else: what identity providers send
 * most. Undefined: it is to be applied as a whole.
 */
export function activeOnly(operations: readonly PatchOperation[]): boolean | undefined {
  const [operation, ...others] = operations
  if (operation === undefined || others.length > 0 || operation.op === 'remove') return undefined
  return toBoolean(activeIn(operation))
}

/** The value of `active` in an operation that has no other. */
function activeIn({ path, value }: PatchOperation): unknown {
  if (path !== undefined) return path.toLowerCase() === 'active' ? value : undefined
  if (!isJsonObject(value)) return undefined
  const [name, ...others] = Object.keys(value)
  return others.length === 0 && name?.toLowerCase() === 'active' ? value[name] : undefined
}

/** Each is made with every entry of a list: a thousand keep the work of a request below a moment. */
function refuseTooManyComparisons(changes: readonly AttributeChange[]): void {
  const count = changes.reduce((sum, { where }) => sum + (where === null ? 0 : countComparisons(where)), 0)
  if (count <= comparisonsMax) return
  throw new ScimError(
    413,
    undefined,
    `The filters of a PATCH must have at most ${comparisonsMax} comparisons.`,
  )
}

function countComparisons(filter: Filter): number {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.of.reduce((sum, part) => sum + countComparisons(part), 0)
    case 'not':
      return countComparisons(filter.of)
    default:
      return 1
  }
}

function change(document: ResourceDocument, wanted: AttributeChange): ResourceDocument {
  const { extension, attribute } = wanted
  if (!isKept(attribute)) return document
  if (extension === null) return withValue(document, attribute.name, changedValue(wanted, document, ''))
  const values = toObject(document[extension.id])
  const changed = changedValue(wanted, values, `${extension.id}:`)
  return withValue(document, extension.id, assigned(withValue(values, attribute.name, changed)))
}

/** The new value of the attribute in what holds it; undefined: it has none any more. */
function changedValue(wanted: AttributeChange, holder: ResourceDocument, prefix: string): unknown {
  const { op, attribute } = wanted
  const place = prefix + attribute.name
  const current = holder[attribute.name]
  if (attribute.multiValued) {
    const entries = changeEntries(wanted, Array.isArray(current) ? current : [], place)
    return entries.length === 0 ? undefined : entries
  }
  const value =
    attribute.type === 'complex'
      ? changedComplex(wanted, toObject(current), place)
      : changedSimple(wanted, place)
  if (attribute.required) {
    if (op === 'remove') throw new ScimError(400, 'mutability', `${place} is required and cannot be removed.`)
    refuseMissing(attribute, value)
  }
  return value
}

const changedSimple = ({ op, attribute, value }: AttributeChange, place: string): unknown =>
  op === 'remove' ? undefined : readValue(attribute, value, place)

/** Sub-attributes that are not mentioned stay (RFC 7644 section 3.5.2.3). */
function changedComplex(
  { op, attribute, sub, value }: AttributeChange,
  current: Entry,
  place: string,
): unknown {
  if (sub !== null) {
    const read = op === 'remove' ? undefined : readValue(sub, value, `${place}.${sub.name}`)
    return assigned({ ...current, [sub.name]: read })
  }
  const read = op === 'remove' ? undefined : readSubAttributes(attribute, value, place)
  return read === undefined ? undefined : assigned({ ...current, ...read })
}

function withValue(object: ResourceDocument, name: string, value: unknown): ResourceDocument {
  if (value !== undefined) return { ...object, [name]: value }
  const { [name]: _, ...rest } = object
  return rest
}

/** Entries that several operations left empty or made the same are not kept. */
function tidy(patched: ResourceDocument, original: ResourceDocument): ResourceDocument {
  const lists = userType.schema.attributes.filter(
    ({ name, multiValued }) => multiValued && patched[name] !== original[name],
  )
  return lists.reduce((document, { name }: Attribute) => {
    const entries = document[name]
    if (!Array.isArray(entries)) return document
    const kept = addEntries([], entries.filter(saysSomething))
    return withValue(document, name, kept.length === 0 ? undefined : kept)
  }, patched)
}

const toObject = (value: unknown): Entry => (isJsonObject(value) ? value : {})
