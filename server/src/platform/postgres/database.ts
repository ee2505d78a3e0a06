import type { Duplex } from 'node:stream'
import pg from 'pg'
import type { Statement } from './sql.ts'

/** Whatever can run statements: the pool (each statement its own transaction) or an open transaction. */
export interface Queryable {
  /** All rows. */
  rows<Row>(statement: Statement<Row>): Promise<Row[]>
  /** The first row, if any. */
  row<Row>(statement: Statement<Row>): Promise<Row | undefined>
  /** The number of rows the statement touched. */
  run(statement: Statement<unknown>): Promise<number>
}

export interface Transaction extends Queryable {
  readonly inTransaction: true
  /**
   * Runs statements right before COMMIT and sent together with it, which spares round trips while locks are held. Their
   * failure is that of the transaction.
   *
   * @param refuse throws what a failure means
   * @returns what each of them answers, to be looked at once the transaction is over: there is nothing before
   */
  runLast(statements: readonly Statement<unknown>[], refuse?: (error: unknown) => never): LastAnswers
}

/** What the statements of a transaction's end have answered: the rows of each. */
interface LastAnswers {
  rows: readonly (readonly unknown[])[]
}

export interface Database extends Queryable {
  /**
   * Runs `work` in one READ COMMITTED transaction. Deadlocks and serialization failures are tried again, so
   * `work` must be repeatable (no effect outside the database).
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
  close(): Promise<void>
}

export interface DatabaseOptions {
  readonly connectionString: string
  /** Connections of this process at most. */
  readonly poolSize?: number
  readonly onIdleError?: (error: Error) => void
}

const RETRYABLE = new Set(['40001', '40P01'])
const ATTEMPTS_MAX = 5

// A bigint count fits a double up to 2^53; nothing here counts higher.
const INT8_OID = 20
pg.types.setTypeParser(INT8_OID, Number)

// Times stay text, as RFC 3339 in UTC with microseconds: a Date would cut changes of one millisecond together.
const TIMESTAMPTZ_OID = 1184
pg.types.setTypeParser(TIMESTAMPTZ_OID, formatTimestamp)

/** PostgreSQL's `2026-11-22 07:49:37.12+00` as `2026-11-22T07:49:37.120000Z`. */
export function formatTimestamp(text: string): string {
  const [, day, time, fraction = '', offset = ''] =
    /^(\S+) (\d\d:\d\d:\d\d)(?:\.(\d+))?([+-].*)$/.exec(text) ?? []
  const micros = fraction.padEnd(6, '0')
  if (offset === '+00') return `${day}T${time}.${micros}Z`
  const utc = new Date(`${day}T${time}${offset.length === 3 ? `${offset}:00` : offset}`)
  return utc.toISOString().replace(/\.\d+Z$/, `.${micros}Z`)
}

interface Runner {
  query(statement: pg.QueryConfig): Promise<pg.QueryResult>
}

function queryableOn(runner: Runner): Queryable {
  return {
    async rows<Row>(statement: Statement<Row>) {
      return (await runner.query(statement as pg.QueryConfig)).rows as Row[]
    },
    async row<Row>(statement: Statement<Row>) {
      return (await runner.query(statement as pg.QueryConfig)).rows[0] as Row | undefined
    },
    async run(statement: Statement<unknown>) {
      return (await runner.query(statement as pg.QueryConfig)).rowCount ?? 0
    },
  }
}

/**
 * Keeps what is sent to the database until the function that it answers is called: one write for several statements, of
 * which each would wake up the other side.
 */
function holdBack(client: pg.PoolClient): () => void {
  const { stream } = (client as unknown as { connection: { stream: Duplex } }).connection
  let isHeld = true
  stream.cork()
  return () => {
    if (isHeld) stream.uncork()
    isHeld = false
  }
}

function rethrow(error: unknown): never {
  throw error
}

/** The SQLSTATE of a database error, if it is one. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined
}

/** The name of the constraint a database error is about, if it is one. */
export function violatedConstraint(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.constraint : undefined
}

/** Opens a pool on one PostgreSQL. Connects lazily. */
export function openDatabase(options: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: options.connectionString,
    max: options.poolSize ?? 10,
    application_name: 'rollcall',
    keepAlive: true,
    // What is sent before the answer to what came first arrives travels with it: BEGIN with the first statement.
    pipeline: true,
  } as pg.PoolConfig)
  // Without listeners a lost server would end the process, on idle and on checked-out clients alike.
  const onError = options.onIdleError ?? (() => {})
  pool.on('error', onError)
  pool.on('connect', (client) => client.on('error', onError))

  async function attempt<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const client = await pool.connect()
    let broken: Error | undefined
    let last:
      | { statements: readonly Statement<unknown>[]; refuse: (error: unknown) => never; answers: LastAnswers }
      | undefined
    const runLast: Transaction['runLast'] = (statements, refuse = rethrow) => {
      const answers: LastAnswers = { rows: [] }
      last = { statements, refuse, answers }
      return answers
    }
    let send = holdBack(client)
    let isUnderWay = false
    const runner: Runner = {
      query(statement) {
        const answer = client.query(statement)
        // With what else is asked in the same breath.
        if (!isUnderWay) process.nextTick(send)
        isUnderWay = true
        return answer
      },
    }
    try {
      const begun = client.query('begin')
      // Awaited below: what comes first in the transaction is sent with it.
      begun.catch(() => {})
      const result = await work({ ...queryableOn(runner), inTransaction: true, runLast })
      if (isUnderWay) {
        await begun
        send = holdBack(client)
      }
      // The first failure is the one that counts: those after it are of what it left.
      const ending = last?.statements.map((statement) => client.query(statement as pg.QueryConfig)) ?? []
      // After a failure COMMIT rolls back.
      const committed = client.query('commit')
      send()
      const [, ended] = await Promise.all([
        begun,
        Promise.all(ending).catch(last?.refuse ?? rethrow),
        committed,
      ])
      if (last !== undefined) last.answers.rows = ended.map(({ rows }) => rows)
      return result
    } catch (error) {
      send()
      await client.query('rollback').catch((failure: Error) => {
        broken = failure
      })
      throw error
    } finally {
      client.release(broken)
    }
  }

  return {
    ...queryableOn(pool),
    async transaction(work) {
      for (let tries = 1; ; tries++) {
        try {
          return await attempt(work)
        } catch (error) {
          if (tries === ATTEMPTS_MAX || !RETRYABLE.has(sqlState(error) ?? '')) throw error
        }
      }
    },
    close: () => pool.end(),
  }
}
