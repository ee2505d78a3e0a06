import { AsyncLocalStorage } from 'node:async_hooks'
import type { Database, Queryable } from '#src/platform/postgres/database.ts'
import type { Statement } from '#src/platform/postgres/sql.ts'

/**
 * Runs some work and answers how many statements it sent through the pool, transactions' own ones included; without
 * those of timers that were there before it.
 */
export async function countStatements(database: Database, work: () => Promise<unknown>): Promise<number> {
  return (await statementsOf(database, work)).length
}

/** The texts of those statements. */
export async function statementsOf(database: Database, work: () => Promise<unknown>): Promise<string[]> {
  const original = { ...database }
  const inside = new AsyncLocalStorage<true>()
  const texts: string[] = []
  const note = (statement: Statement<unknown>) => {
    if (inside.getStore()) texts.push(statement.text)
  }
  const noting = (queryable: Queryable): Queryable => ({
    rows: <Row>(statement: Statement<Row>) => {
      note(statement)
      return queryable.rows(statement)
    },
    row: <Row>(statement: Statement<Row>) => {
      note(statement)
      return queryable.row(statement)
    },
    run: (statement) => {
      note(statement)
      return queryable.run(statement)
    },
  })
  Object.assign(database, noting(original), {
    transaction: ((run) =>
      original.transaction((tx) =>
        run({
          ...noting(tx),
          inTransaction: true,
          runLast(statements, refuse) {
            statements.forEach(note)
            return tx.runLast(statements, refuse)
          },
        }),
      )) as Database['transaction'],
  })
  try {
    await inside.run(true, work)
  } finally {
    Object.assign(database, original)
  }
  return texts
}
