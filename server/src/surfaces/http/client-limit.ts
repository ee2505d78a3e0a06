import { isIPv6 } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { createRateLimiter } from '../../directory/api-keys/rate-limit.ts'
import { DirectoryError } from '../../directory/errors.ts'

/** What a client address may ask for of routes that take no credential. */
const LIMIT = { requests_per_minute: 60, burst: 30 }
const CLIENTS_MAX = 100_000

/** Who has one IPv6 address has its whole /64 at least. */
function clientOf(ip: string): string {
  const bare = ip.replace(/%.*$/, '')
  if (!isIPv6(bare) || bare.startsWith('::ffff:')) return bare
  const [head = '', tail] = bare.split('::')
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    const behind = tail === '' ? [] : tail.split(':')
    groups.push(...Array.from({ length: 8 - groups.length - behind.length }, () => '0'), ...behind)
  }
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
}

/**
 * A hook that counts the requests of each client address in this process, and refuses those beyond the limit.
 *
 * @throws {DirectoryError} request.rate_limited
 */
export function limitClients(): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  const limiter = createRateLimiter(CLIENTS_MAX)
  return async (request) => {
    const { retryAfterMillis } = limiter.take(clientOf(request.ip), LIMIT)
    if (retryAfterMillis === undefined) return
    const wait = Math.ceil(retryAfterMillis / 1000)
    throw new DirectoryError(
      'request.rate_limited',
      `Too many requests come from this address: try again in ${wait} seconds.`,
      { context: { retry_after_seconds: wait } },
    )
  }
}
