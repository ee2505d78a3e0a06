import { requirePermission } from '../access/permission.ts'
import type { ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { unknownAfter } from '../page.ts'
import { parseEmail } from './email.ts'
import { listMembers, type MemberRow } from './member.sql.ts'
import { listMembersByEmails, memberHasExisted } from './member-list.sql.ts'

/** Refuses a page after somebody who never was in the organization. @throws {DirectoryError} request.invalid */
export async function requireKnownMember(context: ReadContext, afterId: string | null): Promise<void> {
  if (afterId === null) return
  if (!(await memberHasExisted(context.db, context.organizationId, afterId))) throw unknownAfter()
}

/** @throws {DirectoryError} request.invalid, naming the address that is none */
function readEmailKey(email: string, index: number): string {
  const parsed = parseEmail(email)
  if ('key' in parsed) return parsed.key
  const field = `emails[${index}]`
  throw new DirectoryError('request.invalid', `${field} ${parsed.problem}.`, { field })
}

/**
 * One page of members who are not removed, in the order of their creation: all, or those with any of some addresses.
 *
 * @throws {DirectoryError} request.invalid (an address that is none; `afterId` is no member of the organization),
 *   permission.denied
 */
export async function listMembersWithEmails(
  context: ReadContext,
  emails: readonly string[] | null,
  page: { afterId: string | null; limit: number },
): Promise<MemberRow[]> {
  requirePermission(context.actor, 'members:read')
  const { db, organizationId } = context
  const emailKeys = emails?.map(readEmailKey)
  await requireKnownMember(context, page.afterId)
  const shown = { ...page, status: null }
  if (emailKeys === undefined) return await listMembers(db, organizationId, shown)
  return await listMembersByEmails(db, organizationId, emailKeys, shown)
}
