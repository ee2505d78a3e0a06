import { randomBytes } from 'node:crypto'
import { after } from 'node:test'
import pg from 'pg'
import { type Database, openDatabase } from '#src/platform/postgres/database.ts'
import { createTemplate } from './template-database.ts'
import { startThrowawayServer } from './throwaway-server.ts'

export {
  ServerProcessFailed,
  type ServerProcessOptions,
  startServerProcess,
  temporaryDirectory,
} from './server-process.ts'

/** A database of one test, with the whole schema and nothing in it. */
export interface TestDatabase {
  readonly database: Database
  readonly connectionString: string
  drop(): Promise<void>
}

const open = new Set<TestDatabase>()
let admin: Promise<{ url: string; stop?: () => Promise<void> }> | undefined

/** `npm test` gives the address; a file run by hand with `node --test` starts a server for itself. */
function adminServer() {
  const given = process.env.ROLLCALL_TEST_DATABASE_URL
  admin ??= given
    ? Promise.resolve({ url: given })
    : startThrowawayServer().then(({ adminUrl, stop }) => ({ url: adminUrl, stop }))
  return admin
}

const endings: (() => Promise<void>)[] = []

/** Work to do after the file's tests and before its databases are dropped: a file's own hooks run too late. */
export function beforeDatabasesDrop(work: () => Promise<void>): void {
  endings.push(work)
}

// A connection left open would keep the test's process from ending.
after(async () => {
  // The last one first: it may share what an earlier one opened.
  for (const work of endings.reverse()) await work()
  for (const database of open) await database.drop()
  await (await admin)?.stop?.()
})

/** The address of a server for tests that make databases of their own; the role is a superuser. */
async function testServerUrl(): Promise<string> {
  return (await adminServer()).url
}

/** A new, migrated, empty database; dropped after the file's tests at the latest. */
export async function freshDatabase(options: { poolSize?: number } = {}): Promise<TestDatabase> {
  const adminUrl = await testServerUrl()
  const name = `test_${randomBytes(8).toString('hex')}`
  await withAdmin(adminUrl, async (client) => {
    const template = await createTemplate(client, adminUrl)
    await client.query(`create database ${name} template ${template}`)
  })
  return openTestDatabase(adminUrl, name, options)
}

/** A new database without any schema, for tests of the migrations themselves. */
export async function emptyDatabase(): Promise<TestDatabase> {
  const adminUrl = await testServerUrl()
  const name = `test_${randomBytes(8).toString('hex')}`
  await withAdmin(adminUrl, (client) => client.query(`create database ${name} template template0`))
  return openTestDatabase(adminUrl, name, {})
}

function openTestDatabase(adminUrl: string, name: string, options: { poolSize?: number }): TestDatabase {
  const url = new URL(adminUrl)
  url.pathname = `/${name}`
  const connectionString = url.href
  const database = openDatabase({ connectionString, ...options })
  const testDatabase: TestDatabase = {
    database,
    connectionString,
    async drop() {
      if (!open.delete(testDatabase)) return
      await database.close()
      await withAdmin(adminUrl, (client) => client.query(`drop database if exists ${name} with (force)`))
    },
  }
  open.add(testDatabase)
  return testDatabase
}

async function withAdmin<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
