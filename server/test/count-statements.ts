import type { Database, Queryable } from '#src/platform/postgres/database.ts'

/** Runs some work and answers how many statements it sent through the pool, transactions' own ones included. */
export async function countStatements(database: Database, work: () => Promise<unknown>): Promise<number> {
  const original = { ...database }
  let count = 0
  const counting = (queryable: Queryable) => ({
    rows: (statement: Parameters<Queryable['rows']>[0]) => {
      count++
      return queryable.rows(statement)
    },
    row: (statement: Parameters<Queryable['row']>[0]) => {
      count++
      return queryable.row(statement)
    },
    run: (statement: Parameters<Queryable['run']>[0]) => {
      count++
      return queryable.run(statement)
    },
  })
  Object.assign(database, counting(original), {
    transaction: ((run) =>
      original.transaction((tx) =>
        run({ ...counting(tx), inTransaction: true } as typeof tx),
      )) as Database['transaction'],
  })
  try {
    await work()
  } finally {
    Object.assign(database, original)
  }
  return count
}
