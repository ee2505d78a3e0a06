import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { startEmbeddedPostgres } from '#src/platform/embedded-postgres/embedded-postgres.ts'
import { type Database, openDatabase } from '#src/platform/postgres/database.ts'
import { sql } from '#src/platform/postgres/sql.ts'
import { startServerProcess } from '../test/server-process.ts'

const ROOT_KEY = 'root-key-of-the-benchmarks'

export interface BenchServer {
  readonly url: string
  /** The database the server runs on, for floors and for filling tables. */
  readonly database: Database
  readonly connectionString: string
  /** Creates an organization. Answers its UUID, its Directory path and a key that may do everything. */
  organization(slug: string): Promise<{ id: string; path: string; key: string }>
  /** Peak resident memory of the server's process so far, in MB. */
  peakMegabytes(): Promise<number>
  /** Measures the peak anew from now on. */
  forgetPeak(): Promise<void>
  /** Processor time so far of the server's process and of its sessions in the database, in microseconds. */
  processorMicros(): Promise<{ server: number; database: number }>
  close(): Promise<void>
}

/** A whole server as users run it, in its own process, on a real PostgreSQL with `fsync` on that floors share. */
export async function startBenchServer(): Promise<BenchServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'rollcall-bench-'))
  const postgres = await startEmbeddedPostgres({ dataDir, log: pino({ level: 'silent' }) })
  const server = await startServerProcess({
    env: { DATABASE_URL: postgres.connectionString, ROLLCALL_ROOT_KEY: ROOT_KEY, LOG_LEVEL: 'warn' },
  })
  const database = openDatabase({ connectionString: postgres.connectionString })
  return {
    url: server.url,
    database,
    connectionString: postgres.connectionString,
    async organization(slug) {
      const owner = { email: `owner@${slug}.example`, display_name: 'Owner' }
      const body = { name: slug, slug, owner }
      const created = await send(server.url, 'POST', '/directory/v1/organizations', ROOT_KEY, body)
      const path = `/directory/v1/organizations/${slug}`
      const key = { name: 'bench', scopes: ['*'] }
      const made = await send(server.url, 'POST', `${path}/api_keys`, ROOT_KEY, key)
      const bytes = Buffer.from(String(created.id).slice(4), 'base64url').toString('hex')
      return { id: bytes, path, key: String(made.key) }
    },
    async peakMegabytes() {
      const status = await readFile(`/proc/${server.process.pid}/status`, 'utf8')
      return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
    },
    async forgetPeak() {
      await writeFile(`/proc/${server.process.pid}/clear_refs`, '5')
    },
    async processorMicros() {
      const sessions = await database.rows(sql<{ pid: number }>`
        select pid from pg_stat_activity
        where datname = current_database() and application_name = 'rollcall' and pid <> pg_backend_pid()`)
      const used = await Promise.all(sessions.map(({ pid }) => processorMicrosOf(pid)))
      return {
        server: await processorMicrosOf(server.process.pid!),
        database: used.reduce((sum, micros) => sum + micros, 0),
      }
    },
    async close() {
      await database.close()
      server.kill('SIGTERM')
      await server.stopped
      await postgres.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** Of all threads of a process. */
async function processorMicrosOf(pid: number): Promise<number> {
  let nanos = 0
  for (const thread of await readdir(`/proc/${pid}/task`)) {
    nanos += Number((await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')).split(' ')[0])
  }
  return nanos / 1000
}

/** One request with a JSON answer. @throws if the answer is not 2xx */
export async function send(
  url: string,
  method: string,
  path: string,
  key: string,
  body?: unknown,
): Promise<Record<string, unknown>> {
  const response = await fetch(url + path, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined
      ? {}
      : { body: Buffer.isBuffer(body) ? new Uint8Array(body) : JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
  return text === '' ? {} : JSON.parse(text)
}
