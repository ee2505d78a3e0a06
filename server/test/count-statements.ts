import type { Database, Queryable } from '#src/platform/postgres/database.ts'
import type { Statement } from '#src/platform/postgres/sql.ts'

/** Runs some work and answers how many statements it sent through the pool, transactions' own ones included. */
export async function countStatements(database: Database, work: () => Promise<unknown>): Promise<number> {
  const original = { ...database }
  let count = 0
  const counting = (queryable: Queryable): Queryable => ({
    rows: <Row>(statement: Statement<Row>) => {
      count++
      return queryable.rows(statement)
    },
    row: <Row>(statement: Statement<Row>) => {
      count++
      return queryable.row(statement)
    },
    run: (statement) => {
      count++
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
            count++
            tx.runLast(statement)
          },
        }),
      )) as Database['transaction'],
  })
  try {
    await work()
  } finally {
    Object.assign(database, original)
  }
  return count
}
