import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'

/** One `node server/src/main.ts`. */
export interface ServerProcess {
  readonly url: string
  readonly rootKey: string | undefined
  readonly process: ChildProcess
  /** Everything written so far. */
  readonly stdout: string
  readonly stderr: string
  kill(signal: NodeJS.Signals): void
  /** The exit code, or the signal that ended it. */
  readonly stopped: Promise<number | NodeJS.Signals>
}

export interface ServerProcessOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Default: a new directory, removed after the file's tests. */
  readonly dataDir?: string
}

/** A process that ended before it was ready. */
export class ServerProcessFailed extends Error {
  readonly exitCode: number | NodeJS.Signals
  readonly stdout: string
  readonly stderr: string

  constructor(exitCode: number | NodeJS.Signals, stdout: string, stderr: string) {
    super(`The server process ended (${exitCode}) before it was ready. stderr: ${stderr}`)
    this.exitCode = exitCode
    this.stdout = stdout
    this.stderr = stderr
  }
}

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))
/** As `npm start` has them: garbage is collected sooner, so that a busy server stays below 250 MB. */
const FLAGS = ['--max-semi-space-size=4', '--heap-growing-percent=10']
// Settings of the person who runs the tests must not reach the server under test.
const { PATH = '', HOME = '', TMPDIR } = process.env

const cleanups: (() => Promise<unknown>)[] = []
after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup()
})

/** A temporary directory, removed after the file's tests. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'rollcall-process-'))
  cleanups.push(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/**
 * Starts a whole server on a free port and waits for its ready line; ended after the file's tests.
 *
 * @throws {ServerProcessFailed} when it ends instead.
 */
export async function startServerProcess(options: ServerProcessOptions = {}): Promise<ServerProcess> {
  const env = {
    PATH,
    HOME,
    ...(TMPDIR === undefined ? {} : { TMPDIR }),
    PORT: '0',
    ROLLCALL_DATA_DIR: options.dataDir ?? (await temporaryDirectory()),
    ...options.env,
  }
  const child = spawn(process.execPath, [...FLAGS, MAIN], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const written = { stdout: '', stderr: '' }
  const stopped = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'SIGKILL'))
  })
  cleanups.push(async () => {
    child.kill('SIGTERM')
    await stopped
  })
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      written.stdout += chunk
      const found = /^Rollcall is ready at (\S+)$/m.exec(written.stdout)?.[1]
      if (found !== undefined) resolve(found)
    })
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      written.stderr += chunk
    })
    void stopped.then((exitCode) => reject(new ServerProcessFailed(exitCode, written.stdout, written.stderr)))
  })
  return {
    url,
    rootKey: /^Root key \(shown once\): (\S+)$/m.exec(written.stdout)?.[1],
    process: child,
    get stdout() {
      return written.stdout
    },
    get stderr() {
      return written.stderr
    },
    kill: (signal) => void child.kill(signal),
    stopped,
  }
}
