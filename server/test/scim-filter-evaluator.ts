// The words of RFC 7644 section 3.4.2.2 over SCIM resources as JSON: what SQL has to answer. Shares nothing with the
// parser, the resolver or the SQL, and folds for itself.

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json }
export type Resource = { [name: string]: Json }

export type Op = 'eq' | 'ne' | 'co' | 'sw' | 'ew' | 'gt' | 'ge' | 'lt' | 'le'

/** What is asked; paths have their canonical writing, an extension's URN as their first part. */
export type Question =
  | { readonly ask: 'and' | 'or'; readonly of: readonly Question[] }
  | { readonly ask: 'not'; readonly of: Question }
  | { readonly ask: 'pr'; readonly path: readonly string[] }
  | { readonly ask: Op; readonly path: readonly string[]; readonly value: string | boolean | null }
  | { readonly ask: 'entry'; readonly list: string; readonly where: Question }

/** RFC 7643: caseExact is true for these (a complex attribute alone is its `value`), false for all others here. */
const EXACT = new Set(
  ['id', 'externalId', 'schemas', 'meta.resourceType', 'profileUrl'].concat(
    ['photos', 'manager', 'groups', 'members'].flatMap((name) => [name, `${name}.value`]),
  ),
)

export function holds(question: Question, resource: Json, within = ''): boolean {
  switch (question.ask) {
    case 'and':
      return question.of.every((one) => holds(one, resource, within))
    case 'or':
      return question.of.some((one) => holds(one, resource, within))
    case 'not':
      return !holds(question.of, resource, within)
    case 'pr':
      return isPresent(resource, question.path)
    case 'entry': {
      const { list, where } = question
      return ((valuesAt(resource, [list])[0] as Json[] | undefined) ?? []).some((entry) =>
        holds(where, entry, list),
      )
    }
    default: {
      const { ask, path, value } = question
      if (value === null) return isPresent(resource, path) === (ask === 'ne')
      const named = path.filter((part) => !part.startsWith('urn:'))
      const exact = EXACT.has(within === '' ? named.join('.') : `${within}.${named.join('.')}`)
      const values = simpleValues(resource, path)
      // "… the filter matches if any of the values of the specified attribute match".
      return (values.length === 0 ? [undefined] : values).some((actual) => fits(actual, ask, value, exact))
    }
  }
}

/** What stands at a path: of a list, what stands there in each entry; undefined where there is nothing. */
function valuesAt(value: Json | undefined, path: readonly string[]): (Json | undefined)[] {
  const [name, ...rest] = path
  if (name === undefined) return [value]
  if (Array.isArray(value)) return value.flatMap((entry) => valuesAt(entry, path))
  if (typeof value !== 'object' || value === null) return [undefined]
  return valuesAt(Object.hasOwn(value, name) ? value[name] : undefined, rest)
}

/** A complex attribute alone is its `value`; an entry that does not say so is not primary (RFC 7643 section 2.4). */
function simpleValues(resource: Json, path: readonly string[]): (Json | undefined)[] {
  if (path.at(-1) === 'primary') {
    const entries = valuesAt(resource, path.slice(0, -1)).flat() as (Resource | undefined)[]
    return entries.map((entry) => (entry === undefined ? undefined : (entry.primary ?? false)))
  }
  return valuesAt(resource, path).flatMap((value): (Json | undefined)[] => {
    if (Array.isArray(value)) {
      return value.map((entry) =>
        entry !== null && typeof entry === 'object' ? (entry as Resource).value : entry,
      )
    }
    return [value !== null && typeof value === 'object' ? value.value : value]
  })
}

/** "… has a non-empty or non-null value, or if it contains a non-empty node for complex attributes". */
function isPresent(resource: Json, path: readonly string[]): boolean {
  return valuesAt(resource, path).some(hasContent)
}

function hasContent(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === '') return false
  return typeof value === 'object' ? Object.values(value).some(hasContent) : true
}

function fits(actual: Json | undefined, op: Op, operand: string | boolean, exact: boolean): boolean {
  if (actual === undefined || actual === null) return op === 'ne'
  if (typeof actual === 'boolean') {
    const same = String(actual) === String(operand).toLowerCase()
    return op === 'ne' ? !same : same
  }
  if (typeof actual !== 'string' || typeof operand !== 'string') throw new TypeError('only texts are left')
  if (isMoment(actual)) return ordered(compareMoments(actual, operand), op)
  const [a, b] = exact ? [actual, operand] : [fold(actual), fold(operand)]
  if (op === 'co') return a.includes(b)
  if (op === 'sw') return a.startsWith(b)
  if (op === 'ew') return a.endsWith(b)
  return ordered(compareCodePoints(a, b), op)
}

function ordered(sign: number, op: Op): boolean {
  if (op === 'eq' || op === 'ne') return (sign === 0) === (op === 'eq')
  if (sign === 0) return op === 'ge' || op === 'le'
  return sign > 0 ? op === 'gt' || op === 'ge' : op === 'lt' || op === 'le'
}

/** The documented rule: NFC, each letter in lower case, one sigma, NFC. */
export const fold = (text: string) =>
  [...text.normalize('NFC')]
    .map((letter) => (letter === 'ς' ? 'σ' : letter.toLowerCase()))
    .join('')
    .normalize('NFC')

export function compareCodePoints(a: string, b: string): number {
  const [as, bs] = [[...a], [...b]]
  for (let index = 0; index < Math.min(as.length, bs.length); index++) {
    const difference = as[index]!.codePointAt(0)! - bs[index]!.codePointAt(0)!
    if (difference !== 0) return Math.sign(difference)
  }
  return Math.sign(as.length - bs.length)
}

const isMoment = (text: string) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(text)

/** Seconds and ten digits of the fraction. */
function compareMoments(a: string, b: string): number {
  const instant = (text: string) => {
    const fraction = /\.(\d+)/.exec(text)?.[1] ?? ''
    const seconds = Date.parse(text.replace(/\.\d+/, '')) / 1000
    return BigInt(seconds) * 10n ** 10n + BigInt(fraction.padEnd(10, '0'))
  }
  const difference = instant(a) - instant(b)
  return difference === 0n ? 0 : difference > 0n ? 1 : -1
}
