import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DirectoryError } from '../errors.ts'
import { openScimLimits } from './limits.ts'

const PLENTY = { requests_per_minute: 1_000_000, burst: 1_000_000 }

const limited = (error: unknown): error is DirectoryError =>
  error instanceof DirectoryError && error.code === 'request.rate_limited'

/** Whether a request is let in once everything that can run has run. @throws what it is refused with */
async function isIn(admission: Promise<unknown>): Promise<boolean> {
  return await Promise.race([
    admission.then(() => true),
    new Promise<false>((resolve) => setImmediate(() => resolve(false))),
  ])
}

describe('the limits of a SCIM connection', () => {
  it('let the request of another connection in at once, however many of one are waiting', async () => {
    const limits = openScimLimits(PLENTY, { runningMax: 2, waitingMax: 50 })
    const flood = Array.from({ length: 52 }, () => limits.admit('flooding'))
    assert.equal(await isIn(flood[1]!), true)
    assert.equal(await isIn(flood[2]!), false)
    assert.equal(await isIn(limits.admit('quiet')), true)
    assert.equal(await isIn(flood[2]!), false, 'its own requests go on waiting')
    await assert.rejects(limits.admit('flooding'), limited)
    assert.equal(await isIn(limits.admit('quiet')), true)
  })

  it('let waiting requests in one by one, in their order, as running ones end', async () => {
    const limits = openScimLimits(PLENTY, { runningMax: 1, waitingMax: 3 })
    const order: number[] = []
    let running = 0
    await Promise.all(
      [1, 2, 3, 4].map(async (number) => {
        const end = await limits.admit('one')
        running += 1
        assert.equal(running, 1)
        order.push(number)
        await new Promise((resolve) => setImmediate(resolve))
        running -= 1
        end()
      }),
    )
    assert.deepEqual(order, [1, 2, 3, 4])
  })

  it('count a request that ends twice once', async () => {
    const limits = openScimLimits(PLENTY, { runningMax: 1, waitingMax: 3 })
    const end = await limits.admit('one')
    const [second, third] = [limits.admit('one'), limits.admit('one')]
    end()
    end()
    assert.equal(await isIn(second), true)
    assert.equal(await isIn(third), false)
  })

  it('refuse what is beyond the rate, and say in whole seconds when to come again', async () => {
    const limits = openScimLimits({ requests_per_minute: 1, burst: 3 })
    for (let count = 0; count < 3; count++) (await limits.admit('one'))()
    const refused = await limits.admit('one').catch((error: unknown) => error)
    assert.ok(limited(refused))
    const seconds = refused.details.context?.retry_after_seconds as number
    assert.ok(Number.isInteger(seconds) && seconds >= 1 && seconds <= 60, String(seconds))
    assert.equal(await isIn(limits.admit('another')), true)
  })

  it('give a connection that is alone more than one that shares, at once in both directions', async () => {
    const limits = openScimLimits(PLENTY, { runningMax: 3, sharedRunningMax: 1, waitingMax: 50 })
    const busy = [1, 2, 3, 4, 5].map(() => limits.admit('busy'))
    assert.equal(await isIn(busy[2]!), true)
    const endQuiet = await limits.admit('quiet')
    ;(await busy[0]!)()
    ;(await busy[1]!)()
    assert.equal(await isIn(busy[3]!), false, 'it gives back what it had of the other’s share')
    endQuiet()
    assert.equal(await isIn(busy[4]!), true, 'alone again, it runs as many as before')
  })

  it('by default take the burst of a first sync and what a tenant of the fastest client sends', async () => {
    const limits = openScimLimits()
    for (let count = 0; count < 20_000; count++) (await limits.admit('one'))()
  })
})
