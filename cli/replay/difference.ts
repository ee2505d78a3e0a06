const SHOWN_MAX = 3

/** How many of `left` are not in `right`. */
export function countMissing(left: ReadonlySet<string>, right: ReadonlySet<string>): number {
  let count = 0
  for (const item of left) if (!right.has(item)) count++
  return count
}

/** The sentence that says how what was found differs from what was expected; undefined if it does not. */
export function describeDifference(
  expected: ReadonlySet<string>,
  found: ReadonlySet<string>,
): string | undefined {
  const missing = [...expected].filter((item) => !found.has(item))
  const surplus = [...found].filter((item) => !expected.has(item))
  if (missing.length + surplus.length === 0) return undefined
  const parts = [
    ...(missing.length === 0 ? [] : [`${missing.length} missing (${sample(missing)})`]),
    ...(surplus.length === 0 ? [] : [`${surplus.length} too many (${sample(surplus)})`]),
  ]
  return `${expected.size} members expected, ${found.size} found: ${parts.join(', ')}`
}

const sample = (items: string[]) =>
  items.slice(0, SHOWN_MAX).join(', ') + (items.length > SHOWN_MAX ? ', …' : '')
