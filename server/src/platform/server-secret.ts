import { randomBytes } from 'node:crypto'
import type { Database } from './postgres/database.ts'
import { sql } from './postgres/sql.ts'

const SECRET_BYTES = 32

/**
 * A secret that every process on a database shares, made by the first that asks. It hides nothing from who reads the
 * whole database: a setting of the environment is better.
 */
export async function readServerSecret(database: Database, name: string): Promise<string> {
  const made = randomBytes(SECRET_BYTES)
  await database.run(sql`
    insert into server_secret (name, value) values (${name}, ${made}) on conflict do nothing`)
  const row = await database.row(sql<{ value: Buffer }>`
    select value from server_secret where name = ${name}`)
  return row!.value.toString('base64url')
}
