import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Bucket, createRateLimiter, takeRequest } from './rate-limit.ts'

/** A bucket asked at given moments; true where the request was taken. */
function ask(limit: Parameters<typeof takeRequest>[1], moments: readonly number[]): boolean[] {
  let bucket: Bucket | undefined
  return moments.map((now) => {
    const next = takeRequest(bucket, limit, now)
    bucket = next.bucket
    return next.allowance.retryAfterMillis === undefined
  })
}

describe('a rate limit', () => {
  it('takes its burst at once, then one request each time it has filled by one', () => {
    const limit = { requests_per_minute: 60, burst: 3 }
    assert.deepEqual(ask(limit, [0, 0, 0, 0]), [true, true, true, false])
    assert.deepEqual(ask(limit, [0, 0, 0, 999, 1000, 1000, 2000]), [
      true,
      true,
      true,
      false,
      true,
      false,
      true,
    ])
  })

  it('has a burst of what a second gives, at least 1, unless said', () => {
    for (const [rate, burst] of [
      [1, 1],
      [60, 1],
      [61, 2],
      [600, 10],
      [1_000_000, 16_667],
    ] as const) {
      assert.equal(takeRequest(undefined, { requests_per_minute: rate }, 0).allowance.limit, burst)
    }
  })

  it('tells what is left, and when all of it is back', () => {
    const limit = { requests_per_minute: 60, burst: 3 }
    const first = takeRequest(undefined, limit, 5000)
    assert.deepEqual(first.allowance, { limit: 3, remaining: 2, resetMillis: 1000 })
    const second = takeRequest(first.bucket, limit, 5500)
    assert.deepEqual(second.allowance, { limit: 3, remaining: 1, resetMillis: 1500 })
  })

  it('never holds more than its burst, however long the silence', () => {
    const limit = { requests_per_minute: 1_000_000, burst: 2 }
    assert.deepEqual(ask(limit, [0, 0, 1e12, 1e12, 1e12]), [true, true, true, true, false])
  })

  it('takes a request exactly when it said it would, and not a millisecond earlier', () => {
    const anyLimit = fc.record({
      requests_per_minute: fc.integer({ min: 1, max: 1_000_000 }),
      burst: fc.integer({ min: 1, max: 1_000_000 }),
    })
    const anyMoment = fc.nat({ max: 2 ** 40 })
    fc.assert(
      fc.property(anyLimit, anyMoment, fc.nat({ max: 59_999 }), (limit, now, units) => {
        const { bucket, allowance } = takeRequest({ units, at: now }, limit, now)
        const wait = allowance.retryAfterMillis!
        assert.ok(wait >= 1)
        const taken = (after: number) =>
          takeRequest(bucket, limit, now + after).allowance.retryAfterMillis === undefined
        assert.equal(taken(wait), true)
        assert.equal(taken(wait - 1), false)
      }),
    )
  })

  it('takes in any time at most its burst and what the time gives, and refusals cost nothing', () => {
    const anyLimit = fc.record({
      requests_per_minute: fc.integer({ min: 1, max: 6000 }),
      burst: fc.integer({ min: 1, max: 20 }),
    })
    fc.assert(
      fc.property(anyLimit, fc.array(fc.nat({ max: 5000 }), { maxLength: 200 }), (limit, gaps) => {
        let now = 0
        const moments = gaps.map((gap) => {
          now += gap
          return now
        })
        const taken = ask(limit, moments)
        const count = taken.filter(Boolean).length
        const span = now - (moments[0] ?? 0)
        assert.ok(count <= limit.burst + (span * limit.requests_per_minute) / 60_000)
        // Who leaves out the refused requests is answered the same.
        const kept = moments.filter((_, index) => taken[index])
        assert.ok(ask(limit, kept).every(Boolean))
      }),
    )
  })

  it('that is changed holds from the next request on, for what was left', () => {
    const wide = { requests_per_minute: 60, burst: 10 }
    const narrow = { requests_per_minute: 60, burst: 2 }
    const { bucket } = takeRequest(undefined, wide, 0)
    assert.equal(takeRequest(bucket, narrow, 0).allowance.remaining, 1)
    const empty: Bucket = { units: 0, at: 0 }
    assert.equal(takeRequest(empty, { requests_per_minute: 1 }, 1000).allowance.retryAfterMillis, 59_000)
    assert.equal(takeRequest(empty, { requests_per_minute: 600 }, 1000).allowance.retryAfterMillis, undefined)
  })
})

describe('the buckets of a process', () => {
  const limit = { requests_per_minute: 1, burst: 1 }
  const isTaken = (limiter: ReturnType<typeof createRateLimiter>, key: string) =>
    limiter.take(key, limit).retryAfterMillis === undefined

  it('are one for each key', () => {
    const limiter = createRateLimiter(10, () => 0)
    assert.deepEqual(
      ['a', 'a', 'b', 'b'].map((key) => isTaken(limiter, key)),
      [true, false, true, false],
    )
  })

  it('are bounded: the key that has been silent for longest is forgotten first', () => {
    const limiter = createRateLimiter(2, () => 0)
    for (const key of ['a', 'b', 'a', 'c']) limiter.take(key, limit)
    assert.equal(isTaken(limiter, 'a'), false)
    assert.equal(isTaken(limiter, 'b'), true)
  })

  it('run on a clock that does not stand still', () => {
    const limiter = createRateLimiter()
    assert.equal(isTaken(limiter, 'a'), true)
    const { retryAfterMillis } = limiter.take('a', limit)
    assert.ok(retryAfterMillis! > 0 && retryAfterMillis! <= 60_000)
  })
})
