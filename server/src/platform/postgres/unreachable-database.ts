import { StartupError } from '#src/config.ts'
import { type Database, sqlState } from './database.ts'
import { sql } from './sql.ts'

const CONNECT_TIMEOUT_MS = 15_000

const REFUSALS: Readonly<Record<string, string>> = {
  '28P01': 'the password is wrong',
  '28000': 'the server does not let this user in (pg_hba.conf)',
  '3D000': 'the database does not exist: create it',
  '53300': 'the server has no connection left: raise its max_connections',
  '57P03': 'the server is still starting: try again in a moment',
  '42501': 'the user may not create tables there: grant it CREATE on the schema, or make it the owner',
}

const NETWORK: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there (ECONNREFUSED)',
  ENOTFOUND: 'its host name is unknown (ENOTFOUND)',
  EAI_AGAIN: 'its host name cannot be looked up (EAI_AGAIN)',
  ENOENT: 'its socket does not exist (ENOENT)',
  EACCES: 'its socket may not be used by this user (EACCES)',
  ETIMEDOUT: 'it does not answer (ETIMEDOUT)',
  EHOSTUNREACH: 'there is no route to its host (EHOSTUNREACH)',
  ENETUNREACH: 'there is no route to its network (ENETUNREACH)',
  ECONNRESET: 'it closed the connection (ECONNRESET)',
}

/** A host that drops packets would hold the start for minutes, without a word. */
export async function requireReachable(database: Database): Promise<void> {
  const { promise: tooLate, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => reject(new Error(`timeout: no connection within ${CONNECT_TIMEOUT_MS / 1000} seconds`)),
    CONNECT_TIMEOUT_MS,
  )
  await Promise.race([database.rows(sql`select`), tooLate]).finally(() => clearTimeout(timer))
}

/** The sentence for an operator when the error says why a database cannot be used; undefined for other errors. */
export function unreachableDatabase(error: unknown): StartupError | undefined {
  const reason =
    REFUSALS[sqlState(error) ?? ''] ?? NETWORK[networkCode(error) ?? ''] ?? handshakeProblem(error)
  if (reason === undefined) return undefined
  return new StartupError(
    `The database of DATABASE_URL cannot be used: ${reason}. Check that PostgreSQL runs and DATABASE_URL is right.`,
    { cause: error },
  )
}

/** A host with several addresses gives one error for each; the first tells enough. */
function networkCode(error: unknown): string | undefined {
  const first = error instanceof AggregateError ? error.errors[0] : error
  return (first as NodeJS.ErrnoException | undefined)?.code
}

/** What the driver itself says before the server has accepted the connection; it gives no codes for these. */
function handshakeProblem(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  return /SASL|SSL|timeout|terminated unexpectedly/i.test(error.message) ? error.message : undefined
}
