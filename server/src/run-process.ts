import { type Logger, pino } from 'pino'
import { createApp } from './app.ts'
import { type Config, readConfig, StartupError } from './config.ts'
import { startEmbeddedPostgres } from './platform/embedded-postgres/embedded-postgres.ts'
import { openLog } from './platform/log.ts'
import { openDatabase } from './platform/postgres/database.ts'
import { migrate } from './platform/postgres/migrate.ts'

const STOP_TIMEOUT_MS = 30_000
// npm passes on a signal that the terminal has sent to its children already: one Ctrl-C arrives twice.
const SAME_SIGNAL_MS = 1_000

/** What is open, in the order it was opened. */
type OpenParts = { close(): Promise<unknown> }[]

/**
 * Runs Rollcall until a signal. Standard output carries the ready line (and once the root key), standard
 * error the log. A start that fails prints one line there and exits with code 1; a clean stop exits with 0.
 */
export async function runProcess(): Promise<void> {
  const open: OpenParts = []
  let stoppingSince: number | undefined

  async function stop(exitCode: number): Promise<void> {
    if (stoppingSince !== undefined) {
      if (Date.now() - stoppingSince > SAME_SIGNAL_MS) process.exit(1)
      return
    }
    stoppingSince = Date.now()
    setTimeout(() => process.exit(1), STOP_TIMEOUT_MS).unref()
    await started
    // The application first, then what it stands on.
    for (const part of open.reverse()) await part.close()
    process.exit(exitCode)
  }
  const stopNow = (exitCode: number) => {
    stop(exitCode).catch((error) => {
      process.stderr.write(`Rollcall did not stop cleanly: ${error.stack}\n`)
      process.exit(1)
    })
  }

  process.on('SIGINT', () => stopNow(0))
  process.on('SIGTERM', () => stopNow(0))
  const started = start(open, () => stopNow(1)).catch((error) => {
    process.stderr.write(`${startupSentence(error)}\n`)
    stopNow(1)
  })
  await started
}

async function start(open: OpenParts, onDatabaseLost: () => void): Promise<void> {
  const config = readConfig()
  const log = openLog(config.logLevel, pino.destination(2))
  const connectionString = config.databaseUrl ?? (await startOwnDatabase(open, config, log, onDatabaseLost))
  let isClosing = false
  const database = openDatabase({
    connectionString,
    onIdleError(error) {
      // The pool is closed a moment before its connections are: the stopping server may be the one to end them.
      if (!isClosing) log.warn({ reason: error.message }, 'a database connection was lost')
    },
  })
  open.push({
    close() {
      isClosing = true
      return database.close()
    },
  })
  await migrate(database)
  const app = await createApp({ config, database, log })
  open.push(app)
  // It is stored by now and never readable again, so it is shown even if listening fails.
  if (app.rootKey !== undefined) process.stdout.write(`Root key (shown once): ${app.rootKey}\n`)
  const url = await app.listen().catch((error) => {
    throw listenProblem(error, config) ?? error
  })
  process.stdout.write(`Rollcall is ready at ${url}\n`)
}

async function startOwnDatabase(
  open: OpenParts,
  config: Config,
  log: Logger,
  onLost: () => void,
): Promise<string> {
  const server = await startEmbeddedPostgres({ dataDir: config.dataDir, log })
  let isStopping = false
  open.push({
    close() {
      isStopping = true
      return server.stop()
    },
  })
  void server.ended.then(() => {
    if (isStopping) return
    // Whoever supervises this process starts it again, and the server recovers.
    log.fatal('the embedded database ended unexpectedly')
    onLost()
  })
  return server.connectionString
}

/** The sentence for an operator when a socket cannot be opened; undefined for other errors. */
function listenProblem(error: NodeJS.ErrnoException, { host, port }: Config): StartupError | undefined {
  switch (error.code) {
    case 'EADDRINUSE':
      return new StartupError(`Port ${port} of ${host} is in use: stop what listens there, or set PORT.`)
    case 'EACCES':
      return new StartupError(`Port ${port} needs more rights than this user has: set PORT to 1024 or above.`)
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new StartupError(`HOST ${host} is not an address of this machine: set HOST to one, or 0.0.0.0.`)
    default:
      return undefined
  }
}

function startupSentence(error: unknown): string {
  if (error instanceof StartupError) return error.message
  return `Rollcall could not start, which is a defect: ${error instanceof Error ? error.stack : String(error)}`
}
