import { DirectoryError } from '../errors.ts'
import type { RateLimit } from '../organizations/settings.ts'

/** What a key may still ask for, once a request has been counted. */
export interface Allowance {
  /** Requests at once at most: what `remaining` is after a long silence. */
  readonly limit: number
  readonly remaining: number
  /** Until `remaining` is `limit` again. */
  readonly resetMillis: number
  /** Until a request is taken again; absent: this one was. */
  readonly retryAfterMillis?: number
}

/** What was left of a key's tokens at a moment. */
export interface Bucket {
  readonly units: number
  /** Whole milliseconds of a clock that never goes back. */
  readonly at: number
}

/** A request costs this many units, and each millisecond gives `requests_per_minute` of them: whole numbers only. */
const REQUEST_UNITS = 60_000
const SECONDS_PER_MINUTE = 60

/**
 * Takes one request from a token bucket: it holds `burst` requests and fills at `requests_per_minute`. A refused
 * request takes nothing. An absent bucket is a full one; after a change of the limit the rest is kept.
 */
export function takeRequest(
  bucket: Bucket | undefined,
  limit: RateLimit,
  now: number,
): { bucket: Bucket; allowance: Allowance } {
  const rate = limit.requests_per_minute
  const burst = limit.burst ?? Math.ceil(rate / SECONDS_PER_MINUTE)
  const capacity = burst * REQUEST_UNITS
  const filled = bucket === undefined ? capacity : Math.min(capacity, bucket.units + (now - bucket.at) * rate)
  const taken = filled >= REQUEST_UNITS
  const units = taken ? filled - REQUEST_UNITS : filled
  return {
    bucket: { units, at: now },
    allowance: {
      limit: burst,
      remaining: Math.floor(units / REQUEST_UNITS),
      resetMillis: Math.ceil((capacity - units) / rate),
      ...(taken ? {} : { retryAfterMillis: Math.ceil((REQUEST_UNITS - units) / rate) }),
    },
  }
}

/** Buckets kept at most. */
const BUCKETS_MAX = 100_000

/** The buckets of all keys that this process has seen lately. */
export function createRateLimiter(
  bucketsMax: number = BUCKETS_MAX,
  now: () => number = () => Math.floor(performance.now()),
) {
  const buckets = new Map<string, Bucket>()
  return {
    /** Counts one request of a key. */
    take(key: string, limit: RateLimit): Allowance {
      const { bucket, allowance } = takeRequest(buckets.get(key), limit, now())
      // In the order of last use: who is dropped has been silent for longest, and is the likeliest to be full.
      buckets.delete(key)
      if (buckets.size >= bucketsMax) buckets.delete(buckets.keys().next().value!)
      buckets.set(key, bucket)
      return allowance
    },
  }
}

/** The refusal of a request beyond its key's limit. */
export function rateLimited(retryAfterMillis: number): DirectoryError {
  return new DirectoryError(
    'request.rate_limited',
    `The API key has used up its rate limit: try again in ${retryAfterMillis} milliseconds.`,
    { context: { retry_after_ms: retryAfterMillis } },
  )
}
