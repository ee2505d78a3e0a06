import { z } from 'zod'
import { DirectoryError, type DirectoryErrorCode } from '../../directory/errors.ts'
import { decodeId, encodeId } from '../http/prefixed-id.ts'

/** Vitable's ids: a prefix and the base64url of the UUID. */
const prefixes = {
  organization: 'org_',
  group: 'grp_',
  memberSync: 'grpmsr_',
  groupMember: 'grpmem_',
} as const

export function toVitableId(noun: keyof typeof prefixes, uuid: string): string {
  return encodeId(prefixes[noun], uuid)
}

const NOT_FOUND: Record<'group' | 'memberSync', [DirectoryErrorCode, string]> = {
  group: ['group.not_found', 'There is no group with this id.'],
  memberSync: ['member_sync.not_found', 'There is no member sync request with this id in this group.'],
}

/** The UUID behind an id of a path. A malformed id is an unknown one. @throws {DirectoryError} not_found */
export function fromVitableId(noun: 'group' | 'memberSync', id: string): string {
  const uuid = decodeId(prefixes[noun], id)
  if (uuid !== undefined) return uuid
  const [code, message] = NOT_FOUND[noun]
  throw new DirectoryError(code, message)
}

/** A single object stands in `data`. */
export function envelope<T extends z.ZodType>(data: T) {
  return z.object({ data })
}
