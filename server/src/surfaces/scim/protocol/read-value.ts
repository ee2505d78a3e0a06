import type { Attribute } from './attribute.ts'
import { findByName } from './attribute-path.ts'
import { toBoolean } from './boolean-text.ts'
import { addEntries, type Entry, saysSomething } from './entries.ts'
import { isJsonObject, type JsonObject, memberOf } from './json-object.ts'
import { invalidValue, readText } from './read-text.ts'
import { entriesMaxOf } from './value-limits.ts'

const noAttributes: readonly Attribute[] = []

/**
 * Reads what a client sent for an attribute, as lenient as identity providers need: `"True"` for a boolean, one value
 * in a list (`[{"value": …}]`) for an attribute that has one, a bare text for `{"value": …}`, one entry for a list.
 * Names ignore case; unknown, read-only and unkept sub-attributes are dropped. Texts stay as sent.
 *
 * @param place the attribute's canonical path, for messages and limits
 * @returns undefined for what RFC 7643 section 2.5 calls unassigned (null, an empty list), for an empty text, and for
 *   an object of which nothing is kept
 * @throws ScimError 400 `invalidValue`
 */
export function readValue(attribute: Attribute, given: unknown, place: string): unknown {
  if (attribute.multiValued) {
    const entries = readEntries(attribute, given, place)
    return entries.length === 0 ? undefined : entries
  }
  if (attribute.type === 'complex') {
    const read = readSubAttributes(attribute, given, place)
    return read === undefined ? undefined : assigned(read)
  }
  return readSimple(attribute, given, place)
}

/**
 * Reads the entries of a list, of which exact repetitions and those that say nothing are dropped, and at most one is
 * primary: the last that says so.
 *
 * @throws ScimError 400 `invalidValue`, also for more entries than the list may have
 */
export function readEntries(attribute: Attribute, given: unknown, place: string): readonly Entry[] {
  if (isUnassigned(given)) return []
  const list = Array.isArray(given) ? given : [given]
  refuseTooMany(list, place)
  const entries: Entry[] = []
  for (const element of list) {
    if (Array.isArray(element)) throw invalidValue(`${place} must be a list of objects.`)
    const read = readSubAttributes(attribute, element, place)
    const entry = read === undefined ? undefined : assigned(read)
    if (entry !== undefined && saysSomething(entry)) entries.push(entry)
  }
  return addEntries([], entries)
}

/** @throws ScimError 400 `invalidValue` for more entries than the list may have */
export function refuseTooMany(list: readonly unknown[], place: string): void {
  const max = entriesMaxOf(place)
  if (list.length > max) throw invalidValue(`${place} must have at most ${max} entries.`)
}

/**
 * Reads the sub-attributes of one complex value.
 *
 * @returns what was sent, with undefined for what is sent as unassigned; undefined: the whole value is unassigned
 * @throws ScimError 400 `invalidValue`
 */
export function readSubAttributes(attribute: Attribute, given: unknown, place: string): Entry | undefined {
  const value = onlyOne(given, place)
  const subAttributes = attribute.subAttributes ?? noAttributes
  if (isUnassigned(value)) return undefined
  const main = findByName(subAttributes, 'value')
  if (isJsonObject(value)) return readMembers(subAttributes, value, `${place}.`)
  if (typeof value !== 'string' || main === undefined) throw invalidValue(`${place} must be an object.`)
  return { value: readSimple(main, value, `${place}.value`) }
}

/**
 * Reads the attributes of an object by their names in any letter case; those that are unknown, read-only or never kept
 * are left out. Only canonical names become keys, so `__proto__` and the like reach nothing.
 *
 * @param prefix of the attributes' paths
 * @throws ScimError 400 `invalidValue`
 */
export function readMembers(attributes: readonly Attribute[], object: JsonObject, prefix: string): Entry {
  const read: Record<string, unknown> = {}
  for (const key of Object.keys(object)) {
    const attribute = findByName(attributes, key)
    if (attribute === undefined || !isKept(attribute)) continue
    read[attribute.name] = readValue(attribute, object[key], prefix + attribute.name)
  }
  return read
}

/** Whether clients' values of an attribute are stored. */
export const isKept = (attribute: Attribute): boolean =>
  attribute.mutability !== 'readOnly' && attribute.returned !== 'never'

/** An object without what is undefined; undefined if nothing is left. */
export function assigned(object: Entry): Entry | undefined {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined)
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

/** RFC 7643 section 2.5; an empty text too, with which clients clear a value. */
const isUnassigned = (given: unknown): boolean =>
  given === undefined || given === null || given === '' || (Array.isArray(given) && given.length === 0)

function readSimple(attribute: Attribute, given: unknown, place: string): unknown {
  const only = onlyOne(given, place)
  const value = isJsonObject(only) ? memberOf(only, 'value') : only
  if (isUnassigned(value)) return undefined
  switch (attribute.type) {
    case 'boolean':
      return readBoolean(value, place)
    case 'decimal':
    case 'integer':
      if (typeof value !== 'number' || !Number.isFinite(value))
        throw invalidValue(`${place} must be a number.`)
      return value
    default:
      return readText(attribute, value, place)
  }
}

function readBoolean(value: unknown, place: string): boolean {
  const truth = toBoolean(value)
  if (truth === undefined) throw invalidValue(`${place} must be true or false.`)
  return truth
}

function onlyOne(given: unknown, place: string): unknown {
  if (!Array.isArray(given)) return given
  if (given.length > 1) throw invalidValue(`${place} has one value, not a list.`)
  return given[0]
}
