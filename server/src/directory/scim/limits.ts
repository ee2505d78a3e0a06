import { createRateLimiter } from '../api-keys/rate-limit.ts'
import { DirectoryError } from '../errors.ts'

/** What the fastest of known clients sends for one tenant (25 a second), four times; and a burst of its first sync. */
const RATE_LIMIT = { requests_per_minute: 6000, burst: 500 }
/** Of one connection at once in this process: fewer than the database has connections, so others find one. */
const RUNNING_MAX = 4
/** Of one connection waiting for their turn in this process. */
const WAITING_MAX = 200
const CONNECTIONS_MAX = 10_000
/** A queue of this length is worked off within seconds. */
const BUSY_RETRY_SECONDS = 2

export interface ScimLimits {
  /**
   * Takes one request of a connection in: waits for its turn among the connection's own, never behind another's.
   *
   * @returns ends the turn; the next waiting request of the connection starts
   * @throws {DirectoryError} request.rate_limited with `context.retry_after_seconds`, whole seconds
   */
  admit(connectionId: string): Promise<() => void>
}

interface Lane {
  running: number
  readonly waiting: (() => void)[]
}

/** The limits of each connection in this process. */
export function openScimLimits(
  rateLimit: { requests_per_minute: number; burst: number } = RATE_LIMIT,
  bounds: { runningMax: number; waitingMax: number } = { runningMax: RUNNING_MAX, waitingMax: WAITING_MAX },
): ScimLimits {
  const limiter = createRateLimiter(CONNECTIONS_MAX)
  // Only of connections that have requests under way: it cannot grow beyond them.
  const lanes = new Map<string, Lane>()

  function leave(connectionId: string, lane: Lane): () => void {
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      const next = lane.waiting.shift()
      if (next !== undefined) return next()
      lane.running -= 1
      if (lane.running === 0) lanes.delete(connectionId)
    }
  }

  return {
    async admit(connectionId) {
      const lane = lanes.get(connectionId) ?? { running: 0, waiting: [] }
      // Before the count: a request that finds the queue full costs nothing of the rate.
      if (lane.running >= bounds.runningMax && lane.waiting.length >= bounds.waitingMax) {
        throw refusal('has too many requests under way', BUSY_RETRY_SECONDS)
      }
      const { retryAfterMillis } = limiter.take(connectionId, rateLimit)
      if (retryAfterMillis !== undefined) {
        throw refusal('sends too many requests', Math.max(1, Math.ceil(retryAfterMillis / 1000)))
      }
      lanes.set(connectionId, lane)
      if (lane.running >= bounds.runningMax) {
        // The one that ends hands its place over, so the number of running ones stays.
        await new Promise<void>((resolve) => lane.waiting.push(resolve))
      } else {
        lane.running += 1
      }
      return leave(connectionId, lane)
    },
  }
}

function refusal(reason: string, seconds: number): DirectoryError {
  return new DirectoryError(
    'request.rate_limited',
    `This SCIM connection ${reason}: try again in ${seconds} seconds.`,
    { context: { retry_after_seconds: seconds } },
  )
}
