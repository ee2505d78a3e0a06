import { isUtf8 } from 'node:buffer'
import type { FastifyInstance } from 'fastify'
import { DirectoryError } from '../../directory/errors.ts'
import { requireDepth } from '../../platform/json-depth.ts'

export interface JsonBodies {
  /** Default: application/json alone. */
  readonly mediaTypes?: readonly string[]
  /** Default: what the whole server takes. */
  readonly bytesMax?: number
}

/**
 * Makes the routes of a scope take JSON in UTF-8 of a bounded depth, and no other bodies; an empty body is no body,
 * because many clients send the media type with nothing. Rosters are read by `readMemberRows` instead, within the same
 * depth.
 */
export function takeJsonBodies(app: FastifyInstance, { mediaTypes, bytesMax }: JsonBodies = {}): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  const options = { parseAs: 'buffer', ...(bytesMax === undefined ? {} : { bodyLimit: bytesMax }) } as const
  app.addContentTypeParser(
    [...(mediaTypes ?? ['application/json'])],
    options,
    (request, body: Buffer, done) => {
      if (body.length === 0) return done(null, undefined)
      if (!isUtf8(body)) {
        return done(new DirectoryError('request.invalid', 'The body is not valid UTF-8.'), undefined)
      }
      try {
        requireDepth(body)
      } catch (error) {
        return done(error as Error, undefined)
      }
      return parse(request, body.toString(), done)
    },
  )
}
