import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { startEmbeddedPostgres } from '#src/platform/embedded-postgres/embedded-postgres.ts'

export interface ThrowawayServer {
  /** A superuser's, to the database `postgres`. */
  readonly adminUrl: string
  stop(): Promise<void>
}

/**
 * A server in a new temporary directory, without fsync: it loses everything in the end anyway. `binDir` takes
 * the programs of another PostgreSQL than the embedded one.
 */
export async function startThrowawayServer(binDir?: string): Promise<ThrowawayServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'rollcall-test-'))
  const server = await startEmbeddedPostgres({
    dataDir,
    log: pino({ level: 'silent' }),
    durable: false,
    ...(binDir === undefined ? {} : { binDir }),
  })
  const adminUrl = new URL(server.connectionString)
  adminUrl.pathname = '/postgres'
  return {
    adminUrl: adminUrl.href,
    async stop() {
      await server.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
