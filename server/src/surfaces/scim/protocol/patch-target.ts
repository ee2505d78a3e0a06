import type { Attribute, ResourceType, Schema } from './attribute.ts'
import { type FoundAttribute, findAttribute, findByName } from './attribute-path.ts'
import { parseValuePath } from './filter.ts'
import type { Filter } from './filter-syntax.ts'
import { isJsonObject, type JsonObject } from './json-object.ts'
import type { PatchOperation } from './patch-request.ts'
import { invalidValue } from './read-text.ts'
import { ScimError } from './scim-error.ts'

/** A change of one attribute: what an operation of a PATCH comes to once its names are looked up. */
export interface AttributeChange {
  readonly op: PatchOperation['op']
  readonly extension: Schema | null
  readonly attribute: Attribute
  /** Which entries of the list; null: no filter was given. */
  readonly where: Filter | null
  readonly sub: Attribute | null
  readonly value: unknown
}

/** Of all operations, those without a path counted by their members. */
const changesMax = 10_000

/**
 * Looks up what operations are about. An operation without a path, or with the URN of a schema as its path, becomes one
 * change per member of its value, whose names may be paths themselves (Entra: `"name.givenName"`,
 * `"emails[type eq \"work\"].value"`). Unknown extensions are left out everywhere; unknown and read-only attributes in
 * such a value too, since clients send whole resources there.
 *
 * @throws ScimError 400: `invalidPath` for a path that is none, or names an unknown attribute; `invalidFilter` for its
 *   filter; `mutability` for a path to a read-only attribute; `invalidValue` for a value without a path that is no
 *   object; 413 for more than 10,000 changes
 */
export function findChanges(
  type: ResourceType,
  operations: readonly PatchOperation[],
): readonly AttributeChange[] {
  const changes: AttributeChange[] = []
  for (const operation of operations) {
    for (const change of changesOf(type, operation)) changes.push(change)
    if (changes.length > changesMax) {
      throw new ScimError(413, undefined, `A PATCH must change at most ${changesMax} values.`)
    }
  }
  return changes
}

function changesOf(type: ResourceType, { op, path, value }: PatchOperation): readonly AttributeChange[] {
  if (path === undefined) {
    if (!isJsonObject(value))
      throw invalidValue('The value of an operation without a path must be an object.')
    return changesOfMembers(type, op, value, '')
  }
  const target = parseTarget(type, path)
  switch (target.kind) {
    case 'unknownExtension':
      return []
    case 'unknownAttribute':
      throw invalidPath(`There is no attribute ${JSON.stringify(path)}.`)
    case 'schema':
      return changesOfSchema(type, op, target.schema, value)
    case 'attribute': {
      const fixed = [target.attribute, target.sub].find((each) => each?.mutability === 'readOnly')
      if (fixed) throw new ScimError(400, 'mutability', `${JSON.stringify(path)} is read-only.`)
      return [{ op, ...target, value }]
    }
  }
}

/** `prefix` is empty, or a schema's URN with the colon behind it. */
function changesOfMembers(
  type: ResourceType,
  op: PatchOperation['op'],
  value: JsonObject,
  prefix: string,
): readonly AttributeChange[] {
  return Object.keys(value).flatMap((key): readonly AttributeChange[] => {
    const name = prefix + key
    // A name that is no path is one of an unknown attribute; only what has a bracket must be right.
    const target = name.includes('[') ? parseTarget(type, name) : withoutFilter(findAttribute(type, name))
    if (target.kind === 'schema') return changesOfSchema(type, op, target.schema, value[key])
    if (target.kind !== 'attribute') return []
    const isFixed = target.attribute.mutability === 'readOnly' || target.sub?.mutability === 'readOnly'
    return isFixed ? [] : [{ op, ...target, value: value[key] }]
  })
}

function changesOfSchema(
  type: ResourceType,
  op: PatchOperation['op'],
  schema: Schema,
  value: unknown,
): readonly AttributeChange[] {
  if (op !== 'remove' && isJsonObject(value)) return changesOfMembers(type, op, value, `${schema.id}:`)
  if (schema === type.schema)
    throw invalidPath(`${schema.id} can only be changed with an object as the value.`)
  if (op !== 'remove' && value !== null) throw invalidValue(`The value of ${schema.id} must be an object.`)
  const whole = { op: 'remove', extension: schema, where: null, sub: null, value: undefined } as const
  return schema.attributes.map((attribute) => ({ ...whole, attribute }))
}

type Target = Exclude<FoundAttribute, { kind: 'attribute' }> | AttributeTarget
type AttributeTarget = Extract<FoundAttribute, { kind: 'attribute' }> & { readonly where: Filter | null }

const withoutFilter = (found: FoundAttribute): Target =>
  found.kind === 'attribute' ? { ...found, where: null } : found

function parseTarget(type: ResourceType, text: string): Target {
  const { path, where, sub } = parseValuePath(text)
  const found = findAttribute(type, path)
  if (where === null || found.kind === 'unknownExtension' || found.kind === 'unknownAttribute') {
    return withoutFilter(found)
  }
  if (found.kind === 'schema' || found.sub !== null || !found.attribute.multiValued) {
    throw invalidPath(`${JSON.stringify(path)} is no list: it takes no filter in brackets.`)
  }
  if (sub === null) return { ...found, where }
  const named = findByName(found.attribute.subAttributes ?? [], sub)
  if (named === undefined) throw invalidPath(`There is no sub-attribute ${JSON.stringify(sub)} of ${path}.`)
  return { ...found, where, sub: named }
}

const invalidPath = (detail: string) => new ScimError(400, 'invalidPath', detail)
