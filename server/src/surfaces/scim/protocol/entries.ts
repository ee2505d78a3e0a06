import type { JsonObject } from './json-object.ts'

/** One entry of a list: its sub-attributes under their canonical names. */
export type Entry = JsonObject

/** What says only how an entry is meant, not what it is. */
const isTrait = (name: string) => name === 'type' || name === 'primary'

/** Whether an entry says anything: `{"type": "work"}` alone is the shell of a value that was cleared. */
export const saysSomething = (entry: Entry): boolean => Object.keys(entry).some((name) => !isTrait(name))

/**
 * Adds entries to a list. One with the `value` and `type` of an entry that is there (RFC 7643 section 2.4: no two such)
 * or, without a `value`, equal to it but for `primary`, is written over that entry. Of several that say they are
 * primary, the last one stays it.
 */
export function addEntries(list: readonly Entry[], added: readonly Entry[]): readonly Entry[] {
  const result = [...list]
  const places = new Map(list.map((entry, at) => [keyOf(entry), at]))
  let primary = -1
  for (const entry of added) {
    const key = keyOf(entry)
    const at = places.get(key) ?? result.length
    result[at] = { ...result[at], ...entry }
    places.set(key, at)
    if (entry.primary === true) primary = at
  }
  return primary === -1 ? result : withPrimary(result, primary)
}

/** The list with no other primary entry than the one at an index. */
export const withPrimary = (list: readonly Entry[], index: number): readonly Entry[] =>
  list.map((entry, at) => (at !== index && entry.primary === true ? { ...entry, primary: false } : entry))

/** The same for entries that are one. */
function keyOf(entry: Entry): string {
  if (entry.value !== undefined) return JSON.stringify([entry.value, entry.type])
  const names = Object.keys(entry).filter((name) => name !== 'primary')
  return JSON.stringify(names.sort().map((name) => [name, entry[name]]))
}

/** Whether an entry has every sub-attribute of another but `primary`, with the same value. */
const fits = (entry: Entry, wanted: Entry): boolean =>
  Object.keys(wanted).every((name) => name === 'primary' || entry[name] === wanted[name])

/** The list without the entries that have every sub-attribute of one of these. */
export const removeEntries = (list: readonly Entry[], removed: readonly Entry[]): readonly Entry[] =>
  list.filter((entry) => !removed.some((wanted) => fits(entry, wanted)))
