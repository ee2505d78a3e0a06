import type { FastifyRequest } from 'fastify'
import type { Actor } from '../../directory/access/permission.ts'

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
