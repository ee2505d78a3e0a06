import { foldText } from '../../../directory/scim/fold.ts'
import type { Attribute } from './attribute.ts'
import { toBoolean } from './boolean-text.ts'
import { addEntries, type Entry, removeEntries, withPrimary } from './entries.ts'
import { compileEntryFilter } from './entry-match.ts'
import type { Filter } from './filter-syntax.ts'
import type { AttributeChange } from './patch-target.ts'
import { assigned, readEntries, readSubAttributes, readValue, refuseTooMany } from './read-value.ts'
import { ScimError } from './scim-error.ts'

/**
 * Applies one change to a list (RFC 7644 section 3.5.2). Beyond the RFC, as identity providers need it:
 * a removal with values removes only the entries that have them; a filter that fits nothing makes the entry it
 * describes when it is `type eq` a canonical type, or `primary eq true`; an empty value removes.
 *
 * At most one entry is primary afterwards: the last that the change says is.
 *
 * @param place the attribute's canonical path
 * @returns the new entries; shells of cleared ones among them, until the whole PATCH is through
 * @throws ScimError 400 `invalidValue`, `invalidFilter`, `noTarget`
 */
export function changeEntries(
  wanted: AttributeChange,
  entries: readonly Entry[],
  place: string,
): readonly Entry[] {
  const changed =
    wanted.where === null
      ? changeAll(wanted, entries, place)
      : changeSome(wanted, wanted.where, entries, place)
  refuseTooMany(changed, place)
  return changed
}

function changeAll(wanted: AttributeChange, entries: readonly Entry[], place: string): readonly Entry[] {
  const { op, attribute, sub, value } = wanted
  if (sub !== null) {
    const read = readSubValue(wanted, sub, place)
    if (entries.length === 0) return read === undefined ? entries : [{ [sub.name]: read }]
    return rewrite(
      entries,
      () => true,
      (entry) => ({ ...entry, [sub.name]: read }),
      read === true,
    )
  }
  if (op === 'remove') {
    return value === undefined ? [] : removeEntries(entries, readEntries(attribute, value, place))
  }
  return addEntries(op === 'add' ? entries : [], readEntries(attribute, value, place))
}

function changeSome(
  wanted: AttributeChange,
  where: Filter,
  entries: readonly Entry[],
  place: string,
): readonly Entry[] {
  const { op, attribute, sub, value } = wanted
  const fits = compileEntryFilter(attribute, where)
  if (op === 'remove' && sub === null) return entries.filter((entry) => !fits(entry))

  // Undefined: nothing, so what is there is taken away.
  const read =
    sub === null
      ? readSubAttributes(attribute, value, place)
      : { [sub.name]: readSubValue(wanted, sub, place) }
  const given = read === undefined ? undefined : assigned(read)
  const described = describedEntry(attribute, where)
  if (!entries.some(fits)) {
    if (given === undefined) return entries
    if (described === undefined) {
      throw new ScimError(400, 'noTarget', `No entry of ${place} fits the filter of the path.`)
    }
    return withPrimaryAt([...entries, { ...described, ...given }], entries.length)
  }
  if (sub === null && given === undefined)
    return op === 'add' ? entries : entries.filter((entry) => !fits(entry))
  // A whole entry is replaced but for what the filter found it by; a sub-attribute, and what is added, is merged in.
  const isWhole = op === 'replace' && sub === null
  const written = (entry: Entry): Entry => (isWhole ? { ...described, ...read } : { ...entry, ...read })
  return rewrite(entries, fits, written, given?.primary === true)
}

const readSubValue = ({ op, value }: AttributeChange, sub: Attribute, place: string): unknown =>
  op === 'remove' ? undefined : readValue(sub, value, `${place}.${sub.name}`)

/** Writes those entries that fit; when that makes them primary, only the last of them is. */
function rewrite(
  entries: readonly Entry[],
  fits: (entry: Entry) => boolean,
  written: (entry: Entry) => Entry,
  makesPrimary: boolean,
): readonly Entry[] {
  const last = makesPrimary ? entries.findLastIndex(fits) : -1
  const result = entries.map((entry) => (fits(entry) ? (assigned(written(entry)) ?? {}) : entry))
  return last === -1 ? result : withPrimary(result, last)
}

const withPrimaryAt = (entries: readonly Entry[], index: number): readonly Entry[] =>
  entries[index]?.primary === true ? withPrimary(entries, index) : entries

/** The entry that a filter describes completely enough to make it. */
function describedEntry(attribute: Attribute, where: Filter): Entry | undefined {
  if (where.kind !== 'compare' || where.op !== 'eq') return undefined
  const name = where.path.toLowerCase()
  if (name === 'primary') return toBoolean(where.value) === true ? { primary: true } : undefined
  if (name !== 'type' || typeof where.value !== 'string') return undefined
  const wanted = foldText(where.value)
  const types = attribute.subAttributes?.find((sub) => sub.name === 'type')?.canonicalValues
  const type = types?.find((canonical) => foldText(canonical) === wanted)
  return type === undefined ? undefined : { type }
}
