import { AsyncLocalStorage } from 'node:async_hooks'
import type { Database, Queryable } from '#src/platform/postgres/database.ts'
import type { Statement } from '#src/platform/postgres/sql.ts'

/**
 * Runs some work and answers how many statements it sent through the pool, transactions' own ones included; without
 * those of timers that were there before it.
 */
export async function countStatements(database: Database, work: () => Promise<unknown>): Promise<number> {
  const original = { ...database }
  const inside = new AsyncLocalStorage<true>()
  let count = 0
  const note = () => {
    if (inside.getStore()) count++
  }
  const counting = (queryable: Queryable): Queryable => ({
    rows: <Row>(statement: Statement<Row>) => {
      note()
      return queryable.rows(statement)
    },
    row: <Row>(statement: Statement<Row>) => {
      note()
      return queryable.row(statement)
    },
    run: (statement) => {
      note()
      return queryable.run(statement)
    },
  })
  Object.assign(database, counting(original), {
    transaction: ((run) =>
      original.transaction((tx) =>
        run({
          ...counting(tx),
          inTransaction: true,
          runLast(statement) {
            note()
            tx.runLast(statement)
          },
        }),
      )) as Database['transaction'],
  })
  try {
    await inside.run(true, work)
  } finally {
    Object.assign(database, original)
  }
  return count
}
