import type { Database, Queryable, Transaction } from '#src/platform/postgres/database.ts'
import type { Statement } from '#src/platform/postgres/sql.ts'

/**
 * Where an operation can be made to wait: after it has looked and before its first write; after its writes and before
 * it takes its number, under which the rules are checked; after that and before its commit.
 */
export const moments = ['before it writes', 'before its number', 'before its commit'] as const
export type Moment = (typeof moments)[number]

const STATEMENTS: Readonly<Record<Moment, RegExp | undefined>> = {
  'before it writes': /\b(insert\s+into|delete\s+from|update\s+\w+(\s+\w+)?\s+set)\b/i,
  'before its number': /\bupdate change_counter\b/,
  'before its commit': undefined,
}

/** A transaction that is to stop. */
export interface Stop {
  /** It has come there. */
  readonly reached: Promise<void>
  /** Lets it go on, or pass without a stop if it has not come there yet. */
  release(): void
}

/** A database of which one transaction can be stopped at a moment. */
export interface StoppingDatabase {
  readonly database: Database
  /** Stops the transaction that begins next, once, even if it is tried again. */
  stopNext(moment: Moment): Stop
}

/** Lets transactions be stopped; whatever else is done goes through to the database. */
export function stoppingDatabase(original: Database): StoppingDatabase {
  let next: { moment: Moment; pause: () => Promise<void> } | undefined
  const database: Database = {
    ...original,
    transaction: async (work) => {
      const stop = next
      next = undefined
      if (stop === undefined) return await original.transaction(work)
      let isPassed = false
      const pauseOnce = async () => {
        if (isPassed) return
        isPassed = true
        await stop.pause()
      }
      return await original.transaction(async (tx) => {
        let last: (() => Promise<unknown>) | undefined
        const stopping = {
          ...stoppingTransaction(tx, STATEMENTS[stop.moment], pauseOnce),
          runLast(statements: readonly Statement<unknown>[], refuse?: (error: unknown) => never) {
            const rows: unknown[][] = []
            last = async () => {
              for (const statement of statements) {
                rows.push(await stopping.rows(statement).catch(refuse ?? ((error) => Promise.reject(error))))
              }
            }
            return { rows }
          },
        }
        const result = await work(stopping)
        // On its own, so that there is a moment between it and the commit.
        await last?.()
        if (stop.moment === 'before its commit') await pauseOnce()
        return result
      })
    },
  }
  return {
    database,
    stopNext(moment) {
      const reached = Promise.withResolvers<void>()
      const released = Promise.withResolvers<void>()
      next = {
        moment,
        async pause() {
          reached.resolve()
          await released.promise
        },
      }
      return { reached: reached.promise, release: released.resolve }
    },
  }
}

function stoppingTransaction(
  tx: Transaction,
  at: RegExp | undefined,
  pause: () => Promise<void>,
): Transaction {
  if (at === undefined) return tx
  // What is sent behind a statement that stops waits behind it, as it does on a connection.
  let sent: Promise<void> = Promise.resolve()
  const before =
    <Answer>(send: (statement: Statement<never>) => Promise<Answer>) =>
    async (statement: Statement<never>) => {
      const turn = sent
      const own = Promise.withResolvers<void>()
      sent = own.promise
      await turn
      try {
        if (at.test(statement.text)) await pause()
        return await send(statement)
      } finally {
        own.resolve()
      }
    }
  const { rows, row, run, runLast } = tx
  return {
    ...{ rows: before(rows), row: before(row), run: before(run) },
    ...{ runLast, inTransaction: true },
  } as Queryable & Transaction
}
