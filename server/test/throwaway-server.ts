import { access, constants, mkdtemp, readdir, rm, stat, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { startEmbeddedPostgres } from '#src/platform/embedded-postgres/embedded-postgres.ts'
import { findRunningServer } from '#src/platform/embedded-postgres/running-server.ts'

export interface ThrowawayServer {
  /** A superuser's, to the database `postgres`. */
  readonly adminUrl: string
  stop(): Promise<void>
}

const PREFIX = 'rollcall-test-'
const LEFTOVER_AGE_MS = 3_600_000
const MEMORY_DISK = '/dev/shm'
const MEMORY_DISK_BYTES_MIN = 4 * 1024 ** 3

/**
 * A server in a new temporary directory, without fsync: it loses everything in the end anyway. `binDir` takes
 * the programs of another PostgreSQL than the embedded one.
 */
export async function startThrowawayServer(binDir?: string): Promise<ThrowawayServer> {
  const parent = await fastestDirectory()
  await removeLeftovers(parent)
  const dataDir = await mkdtemp(join(parent, PREFIX))
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

/** Cloning a database takes 9 ms in memory and 75 to 200 ms on a disk (hundreds of small files). */
async function fastestDirectory(): Promise<string> {
  try {
    await access(MEMORY_DISK, constants.W_OK)
    const { bavail, bsize } = await statfs(MEMORY_DISK)
    if (bavail * bsize >= MEMORY_DISK_BYTES_MIN) return MEMORY_DISK
  } catch {
    // Not a Linux, or a container without it.
  }
  return tmpdir()
}

/** Those of runs that were killed; in memory they would stay until the machine restarts. */
async function removeLeftovers(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const path = join(parent, name)
    if (!name.startsWith(PREFIX)) continue
    const age = await stat(path).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    )
    if (age < LEFTOVER_AGE_MS || (await findRunningServer(join(path, 'postgres'))) !== undefined) continue
    // Another user's cannot be removed, and need not be.
    await rm(path, { recursive: true, force: true }).catch(() => {})
  }
}
