import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { ScimListPlace } from '../../directory/scim/list.ts'
import type { ResourceType } from './protocol/attribute.ts'
import { cursorTtlSeconds } from './protocol/discovery.ts'
import { ScimError } from './protocol/scim-error.ts'
import type { ListQuery } from './query.ts'

/** What a cursor holds; it opens rows of its own connection only, so nobody has to be kept from making one. */
const cursor = z.strictObject({
  /** What the list asks for: another one starts anew. */
  of: z.string(),
  /** Until when, in seconds since 1970. */
  until: z.number().int(),
  seq: z.number().int(),
  value: z.string().nullable().optional(),
  id: z.uuid().optional(),
})

const CURSOR_LENGTH_MAX = 8192

function digestOf(type: ResourceType, query: ListQuery): string {
  const asked = [type.name, query.filter ?? null, query.sortBy ?? null, query.sortOrder ?? null]
  return createHash('sha256').update(JSON.stringify(asked)).digest('base64url').slice(0, 16)
}

/** A cursor for the page after a place (RFC 9865). */
export function sealCursor(place: ScimListPlace, type: ResourceType, query: ListQuery): string {
  const until = Math.floor(Date.now() / 1000) + cursorTtlSeconds
  return Buffer.from(JSON.stringify({ of: digestOf(type, query), until, ...place })).toString('base64url')
}

/** @throws ScimError 400 `invalidCursor`, `expiredCursor` */
export function openCursor(text: string, type: ResourceType, query: ListQuery): ScimListPlace {
  const read = text.length > CURSOR_LENGTH_MAX ? undefined : parse(text)
  if (read === undefined || read.of !== digestOf(type, query)) {
    throw new ScimError(400, 'invalidCursor', 'The cursor is not one of this list: start again without one.')
  }
  if (read.until * 1000 < Date.now()) {
    throw new ScimError(400, 'expiredCursor', 'The cursor is too old: start again without one.')
  }
  const { seq, value, id } = read
  return id === undefined ? { seq } : { seq, value: value ?? null, id }
}

function parse(text: string): z.infer<typeof cursor> | undefined {
  try {
    const found = cursor.safeParse(JSON.parse(Buffer.from(text, 'base64url').toString()))
    return found.success ? found.data : undefined
  } catch {
    return undefined
  }
}
