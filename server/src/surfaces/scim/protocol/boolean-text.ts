/** A boolean, or its name in any letter case: identity providers quote booleans. Undefined for anything else. */
export function toBoolean(value: unknown): boolean | undefined {
  const lower = typeof value === 'string' ? value.toLowerCase() : value
  if (lower === true || lower === 'true') return true
  return lower === false || lower === 'false' ? false : undefined
}
