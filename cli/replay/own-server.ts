import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../server/src/main.ts', import.meta.url))
const { PATH = '', HOME = '', TMPDIR } = process.env

/** A server process of a campaign, on a fresh data directory; it can be killed and started again in place. */
export class OwnServer {
  readonly rootKey = `rcroot_${randomBytes(24).toString('base64url')}`
  readonly #dataDir: string
  #port = '0'
  #url = ''
  #child: ChildProcess | undefined

  private constructor(dataDir: string) {
    this.#dataDir = dataDir
    process.once('exit', () => this.#child?.kill('SIGKILL'))
  }

  static async start(): Promise<OwnServer> {
    const server = new OwnServer(await mkdtemp(join(tmpdir(), 'rollcall-campaign-')))
    try {
      if (!(await server.startAgain())) throw new Error('the server was killed at its first start')
    } catch (error) {
      await server.stop()
      throw error
    }
    server.#port = new URL(server.#url).port
    return server
  }

  get url(): string {
    return this.#url
  }

  /** Ends the process as `kill -9` does. */
  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('close', resolve))
    child.kill('SIGKILL')
    await ended
  }

  /**
   * Starts the server on the same data directory and port.
   *
   * @param killAfterMillis kill it so long after its start, ready or not
   * @returns false if it was killed before it was ready
   * @throws {Error} it ended by itself
   */
  async startAgain(killAfterMillis?: number): Promise<boolean> {
    const child = spawn(process.execPath, [MAIN], {
      env: {
        PATH,
        HOME,
        ...(TMPDIR === undefined ? {} : { TMPDIR }),
        PORT: this.#port,
        ROLLCALL_DATA_DIR: this.#dataDir,
        ROLLCALL_ROOT_KEY: this.rootKey,
        LOG_LEVEL: 'error',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    let written = ''
    let complaints = ''
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      complaints = (complaints + chunk).slice(-4000)
    })
    const ready = new Promise<boolean>((resolve, reject) => {
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        written += chunk
        const found = /^Rollcall is ready at (\S+)$/m.exec(written)?.[1]
        if (found === undefined) return
        this.#url = found
        resolve(true)
      })
      child.once('close', (code, signal) => {
        if (signal === 'SIGKILL') resolve(false)
        else reject(new Error(`the server ended (${code ?? signal}) before it was ready: ${complaints}`))
      })
    })
    if (killAfterMillis === undefined) return await ready
    // Noticed when it is awaited below, after the pause.
    ready.catch(() => {})
    await sleep(killAfterMillis)
    await this.kill()
    await ready
    return false
  }

  /** Stops the server and removes its data. */
  async stop(): Promise<void> {
    const child = this.#child
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once('close', resolve))
      child.kill('SIGTERM')
      await ended
    }
    await rm(this.#dataDir, { recursive: true, force: true })
  }
}
