import pg from 'pg'
import type { Transaction } from '#src/platform/postgres/database.ts'
import type { Statement } from '#src/platform/postgres/sql.ts'

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly 'Rows Removed by Join Filter'?: number
  readonly 'Rows Removed by Index Recheck'?: number
  readonly Plans?: readonly PlanNode[]
}

/** The node of a plan that touched the most rows, all its loops together. */
export interface Heaviest {
  readonly statement: string
  readonly node: string
  readonly rows: number
}

function heaviest(statement: string, node: PlanNode): Heaviest {
  const removed =
    (node['Rows Removed by Filter'] ?? 0) +
    (node['Rows Removed by Join Filter'] ?? 0) +
    (node['Rows Removed by Index Recheck'] ?? 0)
  let worst = {
    statement,
    node: node['Node Type'],
    rows: (node['Actual Rows'] + removed) * node['Actual Loops'],
  }
  for (const child of node.Plans ?? []) {
    const below = heaviest(statement, child)
    if (below.rows > worst.rows) worst = below
  }
  return worst
}

function literal(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return pg.escapeLiteral(`{${value.map((one) => JSON.stringify(one)).join(',')}}`)
  return pg.escapeLiteral(value instanceof Date ? value.toISOString() : String(value))
}

/**
 * A transaction that runs every statement under EXPLAIN (ANALYZE), prepared as the program prepares it, and notes
 * what its plan did. Results are not read: every row it answers says that nothing is left to do.
 */
export function explaining(client: pg.Client): { tx: Transaction; plans: Heaviest[] } {
  const plans: Heaviest[] = []
  const prepared = new Set<string>()
  const explain = async ({ name, text, values }: Statement<unknown>): Promise<void> => {
    if (!prepared.has(name)) await client.query(`prepare "${name}" as ${text}`)
    prepared.add(name)
    const args = values.length === 0 ? '' : `(${values.map(literal).join(', ')})`
    const { rows } = await client.query(
      `explain (analyze, timing off, format json) execute "${name}" ${args}`,
    )
    plans.push(heaviest(text.trim().slice(0, 60), rows[0]['QUERY PLAN'][0].Plan))
  }
  const tx: Transaction = {
    inTransaction: true,
    rows: (statement) => explain(statement).then(() => []),
    row: <Row>(statement: Statement<Row>) => explain(statement).then(() => ({}) as Row),
    run: (statement) => explain(statement).then(() => 0),
    runLast: (statements) => {
      for (const statement of statements) void explain(statement)
      return { rows: [] }
    },
  }
  return { tx, plans }
}
