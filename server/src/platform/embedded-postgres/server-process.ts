import { type ChildProcess, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { ownerSetting } from './running-server.ts'
import { LOCKED_EXIT_CODE, SERVER_ENVIRONMENT, type ServerUser } from './server-user.ts'

/** A server that takes connections. */
export interface ServerProcess {
  /** Settles when the server has ended, for whatever reason. */
  readonly ended: Promise<void>
  stop(): Promise<void>
}

/** Another server holds the data directory. */
export class DirectoryInUse extends Error {}

/** The server ended before it was ready; the message is its own reason. */
export class ServerDidNotStart extends Error {}

export interface ServerProcessOptions {
  readonly binDir: string
  readonly pgdata: string
  readonly socketDir: string
  readonly lockFile: string
  /** The process id in postmaster.pid belongs to another program by now. */
  readonly hasStalePid: boolean
  readonly user: ServerUser
  readonly log: Logger
  readonly durable: boolean
}

const READY_POLL_MS = 10
// A fast shutdown ends with a checkpoint; past this the server is stopped without one and recovers at next start.
const STOP_TIMEOUT_MS = 20_000

const SETTINGS = {
  // Reachable only through the socket, in a directory that only this user can enter.
  listen_addresses: '',
  port: 5432,
  unix_socket_permissions: '0700',
  // One Rollcall process uses it: ten connections, and as many again for people and tools.
  max_connections: 50,
  shared_buffers: '128MB',
  effective_cache_size: '1GB',
  work_mem: '16MB',
  maintenance_work_mem: '128MB',
  max_wal_size: '2GB',
  // Statements here are short; compiling them costs more than it saves.
  jit: 'off',
  // Containers give 64 MB of shared memory by default, which parallel hash joins overrun.
  max_parallel_workers_per_gather: 0,
  random_page_cost: 1.1,
  timezone: 'UTC',
  log_timezone: 'UTC',
  // A violated constraint is an answer here, not an incident: only what concerns the server itself is written.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_checkpoints: 'off',
  log_line_prefix: '',
}

const NOT_DURABLE = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }

/** Starts a server and waits until it takes connections, however long its recovery takes. */
export async function startServerProcess(options: ServerProcessOptions): Promise<ServerProcess> {
  const [program, argv] = serverCommand(options)
  const child = spawn(program, argv, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: SERVER_ENVIRONMENT,
    cwd: '/',
    // Out of the terminal's process group: Ctrl-C reaches Rollcall alone, which stops the server last.
    detached: true,
    ...options.user.handOver,
  })
  const output = new ServerOutput(child, options.log)
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve())
    child.once('close', () => resolve())
  })
  // Where the parent-death signal does not exist, at least every exit of ours that runs JavaScript ends it.
  const endWithProcess = () => child.kill('SIGINT')
  process.once('exit', endWithProcess)
  void ended.then(() => process.removeListener('exit', endWithProcess))

  const isReady = await Promise.race([untilReady(child, options.pgdata), ended.then(() => false)])
  if (!isReady) throw output.failure(child.exitCode)
  output.isServing = true
  return {
    ended,
    stop() {
      output.isServing = false
      return stopServer(child, ended)
    },
  }
}

function serverCommand({
  binDir,
  pgdata,
  socketDir,
  lockFile,
  hasStalePid,
  user,
  durable,
}: ServerProcessOptions) {
  const settings = { ...SETTINGS, unix_socket_directories: socketDir, ...(durable ? {} : NOT_DURABLE) }
  const server = [
    join(binDir, 'postgres'),
    ...['-D', pgdata, '-c', ownerSetting()],
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]
  // A restarted container hands out the same process ids again, and PostgreSQL takes any live process for its
  // old self. Removing its lock file is safe only while we hold our own lock.
  const removeLock = ['sh', '-c', 'rm -f "$1" && shift && exec "$@"', 'sh', join(pgdata, 'postmaster.pid')]
  return user.command(hasStalePid && user.canLock ? [...removeLock, ...server] : server, lockFile)
}

/** PostgreSQL's own sign, which `pg_ctl` waits for too: the last line of its lock file says "ready". */
async function untilReady(child: ChildProcess, pgdata: string): Promise<boolean> {
  while (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
    const lines = (await readFile(join(pgdata, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
    if (Number(lines[0]) === child.pid && lines[7]?.trim() === 'ready') return true
    await sleep(READY_POLL_MS)
  }
  return false
}

async function stopServer(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill('SIGINT')
  const timer = setTimeout(() => child.kill('SIGQUIT'), STOP_TIMEOUT_MS)
  await ended
  clearTimeout(timer)
}

/** Reads the server's log. Only while it serves is a fatal line worth a warning: else it is our own doing. */
class ServerOutput {
  isServing = false
  #fatal: string | undefined

  constructor(child: ChildProcess, log: Logger) {
    child.once('error', (error) => {
      this.#fatal = error.message
    })
    if (child.stderr === null) return
    createInterface({ input: child.stderr }).on('line', (line) => {
      const [, severity, text] = /^(FATAL|PANIC|LOG): +(.*)$/.exec(line) ?? []
      const isFatal = severity === 'FATAL' || severity === 'PANIC'
      // Before its log is open the server writes lines of another form.
      if (isFatal || /^\S*postgres: /.test(line)) this.#fatal ??= text ?? line
      log[isFatal && this.isServing ? 'warn' : 'debug']({ postgres: text ?? line }, 'embedded database')
    })
  }

  failure(exitCode: number | null): Error {
    if (exitCode === LOCKED_EXIT_CODE || /lock file .* already exists/.test(this.#fatal ?? '')) {
      return new DirectoryInUse()
    }
    return new ServerDidNotStart(this.#fatal ?? `it ended with code ${exitCode}`)
  }
}
