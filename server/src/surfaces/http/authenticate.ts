import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Actor } from '../../directory/access/permission.ts'
import type { Authentication } from '../../directory/api-keys/authentication.ts'
import { rateLimited } from '../../directory/api-keys/rate-limit.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; set by the surface's authentication. */
    actor: Actor
  }
}

const BEARER = /^Bearer +(\S+) *$/i

/** The secret of `Authorization: Bearer`, if the request has one. */
export function bearerSecret(request: FastifyRequest): string | undefined {
  const header = request.headers.authorization
  return header === undefined ? undefined : (BEARER.exec(header)?.[1] ?? '\u0000')
}

/** The secret of `X-API-Key`, if the request has one. */
export function apiKeySecret(request: FastifyRequest): string | undefined {
  const header = request.headers['x-api-key']
  return typeof header === 'string' ? header : undefined
}

/**
 * Says who asks, and counts the request against the limit of the key. Every answer to a limited key tells what is
 * left of its limit.
 *
 * @throws {DirectoryError} authentication.missing, authentication.invalid, request.rate_limited
 */
export async function authenticateRequest(
  authentication: Authentication,
  request: FastifyRequest,
  reply: FastifyReply,
  secret: string | undefined,
): Promise<void> {
  const actor = await authentication.authenticate(secret)
  request.actor = actor
  const allowance = authentication.countRequest(actor)
  if (allowance === undefined) return
  void reply.headers({
    'x-ratelimit-limit': allowance.limit,
    'x-ratelimit-remaining': allowance.remaining,
    'x-ratelimit-reset': Math.ceil(allowance.resetMillis / 1000),
  })
  if (allowance.retryAfterMillis === undefined) return
  // Whole seconds for everybody, and the exact time for clients that can do better.
  void reply.headers({
    'retry-after': Math.ceil(allowance.retryAfterMillis / 1000),
    'retry-after-ms': allowance.retryAfterMillis,
  })
  throw rateLimited(allowance.retryAfterMillis)
}
