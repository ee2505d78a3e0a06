import { execFile } from 'node:child_process'
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import type { Logger } from 'pino'
import { StartupError } from '#src/config.ts'
import { findPostgresPackage, prepareBinaries } from './binaries.ts'
import {
  clusterOwner,
  clusterPath,
  DATABASE_NAME,
  ensureCluster,
  openDataDirectory,
  shareDataDirectory,
} from './cluster.ts'
import { findRunningServer, isAlive, lockFilePid } from './running-server.ts'
import {
  DirectoryInUse,
  ServerDidNotStart,
  type ServerProcess,
  startServerProcess,
} from './server-process.ts'
import { chooseServerUser, SERVER_ENVIRONMENT, type ServerUser } from './server-user.ts'

export interface EmbeddedPostgres {
  readonly connectionString: string
  /** Settles when the server has ended, also when nobody asked it to. */
  readonly ended: Promise<void>
  /** Ends open connections, writes everything down and ends the server. */
  stop(): Promise<void>
}

export interface EmbeddedPostgresOptions {
  readonly dataDir: string
  readonly log: Logger
  /** False only in tests: commits may be lost in a crash of the machine. */
  readonly durable?: boolean
  /** Programs of another PostgreSQL; default: the npm package of this platform. */
  readonly binDir?: string
}

// Longest path of a socket on every system (macOS: 104 bytes with the end mark), less the name of the socket.
const SOCKET_DIR_BYTES_MAX = 103 - '/.s.PGSQL.5432'.length
// An orphan's shutdown ends with a checkpoint of everything in its memory.
const TAKE_OVER_TIMEOUT_MS = 30_000

/**
 * Starts the PostgreSQL that comes with Rollcall on `dataDir`, with nothing else on the machine able to reach
 * it but this user. The server ends with this process, also on kill -9; one that outlived its Rollcall all the
 * same is shut down first.
 *
 * @throws {StartupError} when the directory cannot be used or another live Rollcall uses it.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log, durable = true } = options
  const dataDir = await openDataDirectory(options.dataDir)
  const pgdata = clusterPath(dataDir)
  const user = await chooseServerUser(await clusterOwner(pgdata))
  await shareDataDirectory(dataDir, user)
  const binDir =
    options.binDir ?? (await prepareBinaries(findPostgresPackage(), dataDir, user.canReach)).binDir
  await ensureCluster({ dataDir, binDir, major: await majorVersion(binDir), user, durable })

  const lockFile = join(dataDir, 'postgres.lock')
  await writeFile(lockFile, '', { flag: 'a' })
  if (user.handOver !== undefined) await chown(lockFile, user.handOver.uid, user.handOver.gid)
  const socketDir = await makeSocketDirectory(pgdata, user)
  try {
    const server = await startAlone({ binDir, pgdata, socketDir, lockFile, user, log, durable })
    const urlOf = (database: string) =>
      `postgres://${DATABASE_NAME}@${encodeURIComponent(socketDir)}:5432/${database}?sslmode=disable`
    await createDatabase(urlOf('postgres')).catch(async (error) => {
      await server.stop()
      throw error
    })
    return {
      connectionString: urlOf(DATABASE_NAME),
      ended: server.ended,
      async stop() {
        await server.stop()
        await removeSocketDirectory(socketDir, pgdata)
      },
    }
  } catch (error) {
    await removeSocketDirectory(socketDir, pgdata)
    if (!(error instanceof ServerDidNotStart)) throw error
    throw new StartupError(
      `The embedded database in ${pgdata} did not start: ${error.message}. ` +
        'Mend that, or set DATABASE_URL to a PostgreSQL server.',
    )
  }
}

type StartAloneOptions = Omit<Parameters<typeof startServerProcess>[0], 'hasStalePid'>

/** Starts the server once no other one runs on the directory. */
async function startAlone(options: StartAloneOptions): Promise<ServerProcess> {
  const { pgdata } = options
  const deadline = Date.now() + TAKE_OVER_TIMEOUT_MS
  for (const asked = new Set<number>(); ; ) {
    const running = await findRunningServer(pgdata)
    if (running?.owner !== undefined) throw inUse(pgdata, `process ${running.owner}`)
    if (running === undefined) {
      try {
        const stalePid = await lockFilePid(pgdata)
        return await startServerProcess({
          ...options,
          hasStalePid: stalePid !== undefined && isAlive(stalePid),
        })
      } catch (error) {
        if (!(error instanceof DirectoryInUse)) throw error
      }
    } else if (!asked.has(running.pid)) {
      // An orphan: its Rollcall was killed where the system has no parent-death signal.
      asked.add(running.pid)
      process.kill(running.pid, 'SIGINT')
    }
    if (Date.now() > deadline) throw inUse(pgdata, 'a process that this one cannot see')
    await sleep(50)
  }
}

const inUse = (pgdata: string, who: string) =>
  new StartupError(
    `Another Rollcall (${who}) is using ${pgdata}: stop it, or set ROLLCALL_DATA_DIR to another directory.`,
  )

async function majorVersion(binDir: string): Promise<number> {
  try {
    const { stdout } = await promisify(execFile)(join(binDir, 'postgres'), ['--version'], {
      env: SERVER_ENVIRONMENT,
    })
    return Number(/(\d+)/.exec(stdout)?.[1])
  } catch {
    throw new StartupError(
      `The embedded PostgreSQL does not run on this system (${join(binDir, 'postgres')}): ` +
        'use a Linux with glibc, such as Debian, or set DATABASE_URL to a PostgreSQL server.',
    )
  }
}

/** The cluster itself, or a short private directory when its path is too long for a socket. */
async function makeSocketDirectory(pgdata: string, { handOver }: ServerUser): Promise<string> {
  if (Buffer.byteLength(pgdata) <= SOCKET_DIR_BYTES_MAX) return pgdata
  const directory = await mkdtemp(join(tmpdir(), 'rollcall-'))
  if (handOver !== undefined) await chown(directory, handOver.uid, handOver.gid)
  return directory
}

async function removeSocketDirectory(socketDir: string, pgdata: string): Promise<void> {
  if (socketDir !== pgdata) await rm(socketDir, { recursive: true, force: true })
}

async function createDatabase(adminUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl })
  await client.connect()
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE_NAME])
    if (rowCount === 0) await client.query(`create database ${DATABASE_NAME}`)
  } finally {
    await client.end()
  }
}
