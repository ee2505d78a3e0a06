import type { FastifyRequest } from 'fastify'
import { DirectoryError } from '../../directory/errors.ts'

const ETAG = /^(?:W\/)?"(\d{1,9})"$/
const ANY = '*'

/**
 * The version that `If-Match` expects (RFC 7644 section 3.14); undefined: whatever it is.
 *
 * @throws {DirectoryError} version.mismatch for an ETag that is none of ours
 */
export function expectedVersion(request: FastifyRequest): number | undefined {
  const header = request.headers['if-match']
  return header === undefined ? undefined : versionOf(header)
}

/** The same for the `version` of an operation of a bulk request. */
export function versionOf(etag: string): number | undefined {
  const trimmed = etag.trim()
  if (trimmed === ANY) return undefined
  const version = ETAG.exec(trimmed)?.[1]
  if (version !== undefined) return Number(version)
  throw new DirectoryError(
    'version.mismatch',
    'The ETag is not one of this resource: read it again and repeat the change.',
  )
}

/** Whether `If-None-Match` has the version of a resource: the client has it already. */
export function isKnown(request: FastifyRequest, etag: string): boolean {
  const header = request.headers['if-none-match']
  if (header === undefined) return false
  return header
    .split(',')
    .some((one) => one.trim() === etag || one.trim() === ANY || `W/${one.trim()}` === etag)
}
