import { sqlState } from './database.ts'

// Class 08: connection; 53: resources; 57P: the server goes away; 55P03, 57014: waited too long.
const UNAVAILABLE = /^(08|53|57P)|^(55P03|57014)$/
const NETWORK = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND'])

/** Whether the database could not do its work now, through no fault of the statement. */
export function isUnavailable(error: unknown): boolean {
  const state = sqlState(error)
  if (state !== undefined) return UNAVAILABLE.test(state)
  if (!(error instanceof Error)) return false
  if (NETWORK.has((error as NodeJS.ErrnoException).code ?? '')) return true
  return /Connection terminated|timeout exceeded when trying to connect/.test(error.message)
}

/**
 * Whether the database refused a value as such (class 22: a NUL character, a moment out of range). Schemas name the
 * rule before it comes to this; a value they let through is still the request's fault, not a fault of ours.
 */
export function isDataException(error: unknown): boolean {
  return sqlState(error)?.startsWith('22') ?? false
}
