import { createRateLimiter } from '../api-keys/rate-limit.ts'
import { DirectoryError } from '../errors.ts'

/** Far above what the fastest of known clients sends for one tenant (25 a second): against a client that has run wild. */
const RATE_LIMIT = { requests_per_minute: 120_000, burst: 20_000 }
/** Of one connection at once in this process: fewer than the database has connections, so others find one. */
const RUNNING_MAX = 8
/** The same while another connection has requests under way, too. */
const SHARED_RUNNING_MAX = 4
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

interface Bounds {
  readonly runningMax: number
  /** Absent: as many as alone. */
  readonly sharedRunningMax?: number
  readonly waitingMax: number
}

const BOUNDS: Bounds = {
  runningMax: RUNNING_MAX,
  sharedRunningMax: SHARED_RUNNING_MAX,
  waitingMax: WAITING_MAX,
}

/** The limits of each connection in this process. */
export function openScimLimits(
  rateLimit: { requests_per_minute: number; burst: number } = RATE_LIMIT,
  { runningMax, sharedRunningMax = runningMax, waitingMax }: Bounds = BOUNDS,
): ScimLimits {
  const limiter = createRateLimiter(CONNECTIONS_MAX)
  // Only of connections that have requests under way: it cannot grow beyond them.
  const lanes = new Map<string, Lane>()

  const mayRun = (lane: Lane) => lane.running < (lanes.size > 1 ? sharedRunningMax : runningMax)

  function startWaiting(lane: Lane): void {
    while (lane.waiting.length > 0 && mayRun(lane)) {
      lane.running += 1
      lane.waiting.shift()!()
    }
  }

  function leave(connectionId: string, lane: Lane): () => void {
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      lane.running -= 1
      startWaiting(lane)
      if (lane.running > 0) return
      lanes.delete(connectionId)
      // Who is alone now may run more.
      const [alone] = lanes.size === 1 ? lanes.values() : []
      if (alone !== undefined) startWaiting(alone)
    }
  }

  return {
    async admit(connectionId) {
      const lane = lanes.get(connectionId) ?? { running: 0, waiting: [] }
      const isFull = lane.waiting.length >= waitingMax
      // Before the count: a request that finds the queue full costs nothing of the rate.
      if (isFull && !mayRun(lane)) throw refusal('has too many requests under way', BUSY_RETRY_SECONDS)
      const { retryAfterMillis } = limiter.take(connectionId, rateLimit)
      if (retryAfterMillis !== undefined) {
        throw refusal('sends too many requests', Math.max(1, Math.ceil(retryAfterMillis / 1000)))
      }
      lanes.set(connectionId, lane)
      if (mayRun(lane)) lane.running += 1
      // Counted as running by the one that lets it in, so that nobody comes in between.
      else await new Promise<void>((resolve) => lane.waiting.push(resolve))
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
