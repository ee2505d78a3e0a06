import type { Database, Queryable } from '#src/platform/postgres/database.ts'

/** Runs some work and answers how many statements it sent through the pool, transactions' own ones included. */
export async function countStatements(database: Database, work: () => Promise<unknown>): Promise<number> {
  return (await statementsOf(database, work)).length
}

/** The texts of those statements. */
export async function statementsOf(database: Database, work: () => Promise<unknown>): Promise<string[]> {
  const original = { ...database }
  const texts: string[] = []
  const noting = (queryable: Queryable) => ({
    rows: (statement: Parameters<Queryable['rows']>[0]) => {
      texts.push(statement.text)
      return queryable.rows(statement)
    },
    row: (statement: Parameters<Queryable['row']>[0]) => {
      texts.push(statement.text)
      return queryable.row(statement)
    },
    run: (statement: Parameters<Queryable['run']>[0]) => {
      texts.push(statement.text)
      return queryable.run(statement)
    },
  })
  Object.assign(database, noting(original), {
    transaction: ((run) =>
      original.transaction((tx) =>
        run({ ...noting(tx), inTransaction: true } as typeof tx),
      )) as Database['transaction'],
  })
  try {
    await work()
  } finally {
    Object.assign(database, original)
  }
  return texts
}
