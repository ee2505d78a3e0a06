import { sqlState } from '../../platform/postgres/database.ts'

/**
 * What an operation finds when a transaction committed between two of its statements: a member just removed, an
 * address just taken. Done again, it sees that transaction's result, and applies or refuses by name. The cause is
 * what stands if it finds the same every time.
 */
export class Conflict extends Error {}

/** A unique index or a foreign key that no rule of the operation turned into a refusal. */
const CONFLICT_STATES = new Set(['23505', '23503'])
const ATTEMPTS_MAX = 5

export function isConflict(error: unknown): boolean {
  return error instanceof Conflict || CONFLICT_STATES.has(sqlState(error) ?? '')
}

/** What statements fail with where something has moved on: a division by zero, and a row that somebody holds. */
const MOVED_ON = new Set(['22012', '55P03'])

/** The conflict that a statement's failure means, if it says that what it expects is not so any more. */
export function movedOn(error: unknown): Conflict | undefined {
  if (!MOVED_ON.has(sqlState(error) ?? '')) return undefined
  return new Conflict('changed since it was read', { cause: error })
}

/** Runs a whole transaction, and again when another one came in between. `isRetry`: it is not the first time. */
export async function retryConflicts<T>(work: (isRetry: boolean) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt > 1)
    } catch (error) {
      if (!isConflict(error)) throw error
      if (attempt === ATTEMPTS_MAX) throw error instanceof Conflict && error.cause ? error.cause : error
    }
  }
}
