import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  access,
  chmod,
  chown,
  constants,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
} from 'node:fs/promises'
import { join } from 'node:path'
import { StartupError } from '#src/config.ts'
import { SERVER_ENVIRONMENT, type ServerUser, type UserId } from './server-user.ts'

/** The superuser of the embedded server, and the name of the database in it. */
export const DATABASE_NAME = 'rollcall'

const UNFINISHED = 'postgres.initdb-'
const UNFINISHED_AGE_MS = 600_000

/** Makes the data directory and answers its real path. */
export async function openDataDirectory(path: string): Promise<string> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
    await access(path, constants.W_OK | constants.X_OK)
    return await realpath(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new StartupError(
      `The data directory ${path} cannot be written (${code}): ` +
        'give this user write access to it, or set ROLLCALL_DATA_DIR to another directory.',
    )
  }
}

/** Where the cluster is, below the data directory. */
export const clusterPath = (dataDir: string) => join(dataDir, 'postgres')

/** Who owns the cluster, when there is one. */
export async function clusterOwner(pgdata: string): Promise<UserId | undefined> {
  try {
    const { uid, gid } = await stat(pgdata)
    return { uid, gid }
  } catch {
    return undefined
  }
}

/** Lets the server's user pass through the data directory, where root hands over to another user. */
export async function shareDataDirectory(dataDir: string, user: ServerUser): Promise<void> {
  if (user.handOver === undefined) return
  // Others pass through but cannot look; the cluster inside is the server's alone (0700).
  await chmod(dataDir, 0o711)
  if (await user.canReach(dataDir)) return
  throw new StartupError(
    `PostgreSQL does not run as root, and user id ${user.handOver.uid} cannot reach ${dataDir}: ` +
      'set ROLLCALL_DATA_DIR to a directory that every user may pass through, such as /var/lib/rollcall.',
  )
}

export interface ClusterOptions {
  readonly dataDir: string
  readonly binDir: string
  readonly major: number
  readonly user: ServerUser
  readonly durable: boolean
}

/**
 * Makes the cluster when there is none yet.
 *
 * @throws {StartupError} when it cannot be made, or was made by another major version.
 */
export async function ensureCluster(options: ClusterOptions): Promise<void> {
  const pgdata = clusterPath(options.dataDir)
  const version = await readFile(join(pgdata, 'PG_VERSION'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new StartupError(
      `The embedded database in ${pgdata} cannot be read (${error.code}): start Rollcall as the user that made it.`,
    )
  })
  if (version === undefined) return createCluster(options)
  if (version.trim() === String(options.major)) return
  throw new StartupError(
    `The embedded database in ${pgdata} was made by PostgreSQL ${version.trim()}, this Rollcall brings ` +
      `${options.major}: start the Rollcall version that made it and move the data, or set ROLLCALL_DATA_DIR to a new directory.`,
  )
}

/** Made beside its place and renamed: a cluster cut short by a kill is never taken for a good one. */
async function createCluster({ dataDir, binDir, major, user, durable }: ClusterOptions): Promise<void> {
  await removeUnfinished(dataDir)
  const unfinished = join(dataDir, `${UNFINISHED}${randomBytes(6).toString('hex')}`)
  await mkdir(unfinished, { mode: 0o700 })
  if (user.handOver !== undefined) await chown(unfinished, user.handOver.uid, user.handOver.gid)
  // Both order text by code point and know Unicode's upper and lower case, whatever locales the system has.
  const locale =
    major >= 17
      ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C']
      : ['--locale-provider=libc', '--locale=C.UTF-8']
  const argv = [
    join(binDir, 'initdb'),
    ...['-D', unfinished, '-U', DATABASE_NAME, '-A', 'trust', '-E', 'UTF8', '--data-checksums'],
    ...locale,
    ...(durable ? [] : ['--no-sync']),
  ]
  const failure = await runProgram(user.command(argv), user)
  if (failure !== undefined) {
    await rm(unfinished, { recursive: true, force: true })
    throw new StartupError(
      `The embedded database could not be made in ${dataDir}: ${failure}. ` +
        'Mend that, or set DATABASE_URL to a PostgreSQL server.',
    )
  }
  try {
    await rename(unfinished, clusterPath(dataDir))
    if (durable) await syncDirectory(dataDir)
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true })
    // Another process made it at the same moment; whoever gets the server's lock goes on.
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
  }
}

async function removeUnfinished(dataDir: string): Promise<void> {
  for (const name of await readdir(dataDir)) {
    if (!name.startsWith(UNFINISHED)) continue
    const { mtimeMs } = await stat(join(dataDir, name))
    // A younger one may be at work in another process; a container's process ids would not tell.
    if (Date.now() - mtimeMs > UNFINISHED_AGE_MS)
      await rm(join(dataDir, name), { recursive: true, force: true })
  }
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r')
  await handle.sync().finally(() => handle.close())
}

/** Answers why it failed: the last line it wrote to standard error. */
function runProgram(
  [program, argv]: readonly [string, string[]],
  { handOver }: ServerUser,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(program, argv, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: SERVER_ENVIRONMENT,
      cwd: '/',
      ...handOver,
    })
    let errors = ''
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      errors += chunk
    })
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code) => {
      const lines = errors.split('\n').filter((line) => /error|fatal/i.test(line))
      resolve(code === 0 ? undefined : (lines[0] ?? `initdb ended with code ${code}`))
    })
  })
}
