import { compareCodePoints, fold, type Resource } from '../scim-filter-evaluator.ts'
import { ENTERPRISE } from './scim-filter-arbitrary.ts'

const EXACT = new Set(['id', 'externalId', 'profileUrl', 'manager'])

/** Users in the order of RFC 7644 section 3.4.2.3: those without a value last, or first when descending. */
export function sorted(all: readonly Resource[], by: string, order: 'ascending' | 'descending'): Resource[] {
  const sign = order === 'ascending' ? 1 : -1
  return all.toSorted((a, b) => {
    const [x, y] = [keyOf(a, by), keyOf(b, by)]
    const difference =
      x === undefined || y === undefined
        ? Number(x === undefined) - Number(y === undefined)
        : compareCodePoints(x, y)
    return difference === 0 ? compareCodePoints(String(a.id), String(b.id)) : sign * difference
  })
}

function keyOf(user: Resource, by: string): string | undefined {
  const value = by.startsWith('emails') ? emailOf(user) : by === 'manager' ? managerOf(user) : walk(user, by)
  if (value === undefined) return undefined
  return EXACT.has(by) ? String(value) : fold(String(value))
}

function walk(value: unknown, path: string): unknown {
  return path.split('.').reduce((at, name) => (at as Record<string, unknown> | undefined)?.[name], value)
}

/** "… the value of the primary attribute, if any, or else the first value in the list". */
function emailOf(user: Resource): unknown {
  const emails = (user.emails ?? []) as { value?: string; primary?: boolean }[]
  return (emails.find(({ primary }) => primary === true) ?? emails[0])?.value
}

const managerOf = (user: Resource): unknown =>
  (user[ENTERPRISE] as { manager?: { value?: string } } | undefined)?.manager?.value
