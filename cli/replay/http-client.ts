import { setTimeout as sleep } from 'node:timers/promises'

export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: answers have many shapes; each caller names the one it reads
  readonly body: any
}

/** A request that got no answer, or one of a server in trouble (5xx): it may or may not have been carried out. */
export class Unanswered extends Error {}

/** An answer that the caller has no use for. */
export class UnexpectedAnswer extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** How long a server may be away before a caller gives up. */
const PATIENCE_MILLIS = 60_000
const ATTEMPT_TIMEOUT_MILLIS = 30_000
const BACKOFF_MILLIS_MIN = 50
const BACKOFF_MILLIS_MAX = 2_000

/** JSON over HTTP with one key, on connections that are kept. */
export class HttpClient {
  readonly #url: string
  readonly #key: string

  constructor(url: string, key: string) {
    this.#url = url.replace(/\/+$/, '')
    this.#key = key
  }

  withKey(key: string): HttpClient {
    return new HttpClient(this.#url, key)
  }

  /**
   * Sends a request until it is answered, for up to a minute: only for requests that may arrive twice.
   *
   * @param accepted statuses that the caller reads
   * @throws {UnexpectedAnswer} another status
   * @throws {Unanswered} the server stays away
   */
  async send(method: string, path: string, accepted: readonly number[], body?: unknown): Promise<Answer> {
    const deadline = Date.now() + PATIENCE_MILLIS
    for (let delay = BACKOFF_MILLIS_MIN; ; delay = Math.min(delay * 2, BACKOFF_MILLIS_MAX)) {
      try {
        return await this.sendOnce(method, path, accepted, body)
      } catch (error) {
        if (!(error instanceof Unanswered) || Date.now() + delay > deadline) throw error
        await sleep(delay)
      }
    }
  }

  /** Sends a request a single time. @throws as `send` */
  async sendOnce(method: string, path: string, accepted: readonly number[], body?: unknown): Promise<Answer> {
    const { status, text } = await this.#exchange(method, path, body)
    const what = `${method} ${path} was answered with ${status}: ${text.slice(0, 300)}`
    if (status >= 500) throw new Unanswered(what)
    if (!accepted.includes(status)) throw new UnexpectedAnswer(status, what)
    return { status, body: text === '' ? undefined : JSON.parse(text) }
  }

  async #exchange(method: string, path: string, body: unknown): Promise<{ status: number; text: string }> {
    try {
      const response = await fetch(this.#url + path, {
        method,
        headers: {
          authorization: `Bearer ${this.#key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(ATTEMPT_TIMEOUT_MILLIS),
      })
      return { status: response.status, text: await response.text() }
    } catch (error) {
      const reason = ((error as Error).cause ?? error) as Error
      throw new Unanswered(`${method} ${path} was not answered: ${reason.message || reason.name}`)
    }
  }
}
