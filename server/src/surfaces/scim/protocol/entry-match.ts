import { foldText } from '../../../directory/scim/fold.ts'
import type { Attribute } from './attribute.ts'
import { findByName } from './attribute-path.ts'
import type { Entry } from './entries.ts'
import type { Filter } from './filter-syntax.ts'
import { ScimError } from './scim-error.ts'

type Comparison = Extract<Filter, { kind: 'compare' }>
type Matcher = (entry: Entry) => boolean

const invalidFilter = (detail: string) => new ScimError(400, 'invalidFilter', detail)

/**
 * Compiles the filter of a value path over one list: names are looked up and the compared texts folded once, so that a
 * wrong filter is refused even where the list is empty.
 *
 * A sub-attribute that is missing is unequal to everything; a missing boolean is false (RFC 7643 section 2.4 for
 * `primary`).
 *
 * @throws ScimError 400 `invalidFilter`: an unknown sub-attribute, a value of another type, an operator that the type
 *   does not have
 */
export function compileEntryFilter(attribute: Attribute, filter: Filter): Matcher {
  switch (filter.kind) {
    case 'and': {
      const all = filter.of.map((part) => compileEntryFilter(attribute, part))
      return (entry) => all.every((fits) => fits(entry))
    }
    case 'or': {
      const any = filter.of.map((part) => compileEntryFilter(attribute, part))
      return (entry) => any.some((fits) => fits(entry))
    }
    case 'not': {
      const inner = compileEntryFilter(attribute, filter.of)
      return (entry) => !inner(entry)
    }
    case 'present': {
      const { name } = subAttributeOf(attribute, filter.path)
      return (entry) => entry[name] !== undefined
    }
    case 'compare':
      return compileComparison(subAttributeOf(attribute, filter.path), filter)
    case 'some':
      throw invalidFilter('A bracket inside a bracket is not allowed.')
  }
}

/** Whether one entry of a list fits the filter of a value path; see `compileEntryFilter`. */
export const matchesEntry = (attribute: Attribute, entry: Entry, filter: Filter): boolean =>
  compileEntryFilter(attribute, filter)(entry)

function subAttributeOf(attribute: Attribute, path: string): Attribute {
  const found = findByName(attribute.subAttributes ?? [], path)
  if (found === undefined)
    throw invalidFilter(`${attribute.name} has no sub-attribute ${JSON.stringify(path)}.`)
  return found
}

function compileComparison(sub: Attribute, { op, value }: Comparison): Matcher {
  const { name } = sub
  const isEquality = op === 'eq' || op === 'ne'
  if (!isEquality && (value === null || sub.type === 'boolean' || sub.type === 'binary')) {
    throw invalidFilter(`${name} can be compared with ${JSON.stringify(value)} by eq and ne only.`)
  }
  if (value === null) {
    return (entry) => (entry[name] === undefined) === (op === 'eq')
  }
  if (sub.type === 'boolean') {
    const wanted = toBoolean(value)
    if (wanted === undefined) throw invalidFilter(`${name} is compared with true or false.`)
    return (entry) => ((entry[name] === true) === wanted) === (op === 'eq')
  }
  if (typeof value !== 'string') throw invalidFilter(`${name} is compared with a text in double quotes.`)
  const operand = sub.caseExact ? value : foldText(value)
  return (entry) => {
    const text = entry[name]
    if (typeof text !== 'string') return op === 'ne'
    return compareTexts(sub.caseExact ? text : foldedOf(entry, name, text), op, operand)
  }
}

/** `"True"` counts, as identity providers quote booleans in paths. */
export function toBoolean(value: unknown): boolean | undefined {
  const lower = typeof value === 'string' ? value.toLowerCase() : value
  if (lower === true || lower === 'true') return true
  return lower === false || lower === 'false' ? false : undefined
}

function compareTexts(text: string, op: Comparison['op'], operand: string): boolean {
  switch (op) {
    case 'eq':
      return text === operand
    case 'ne':
      return text !== operand
    case 'co':
      return text.includes(operand)
    case 'sw':
      return text.startsWith(operand)
    case 'ew':
      return text.endsWith(operand)
    case 'gt':
      return text > operand
    case 'ge':
      return text >= operand
    case 'lt':
      return text < operand
    case 'le':
      return text <= operand
  }
}

// One PATCH compares the entries of a list up to a thousand times; entries are never changed in place.
const foldedTexts = new WeakMap<Entry, Map<string, string>>()

function foldedOf(entry: Entry, name: string, text: string): string {
  const known = foldedTexts.get(entry) ?? new Map<string, string>()
  const folded = known.get(name) ?? foldText(text)
  known.set(name, folded)
  foldedTexts.set(entry, known)
  return folded
}
