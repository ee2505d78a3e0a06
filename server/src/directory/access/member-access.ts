import type { ReadContext } from '../context.ts'
import { type HeldGrantRow, listGrantsOfMember } from '../grants/held-grants.sql.ts'
import { closeHistory } from '../groups/membership.ts'
import type { MemberRow } from '../members/member.sql.ts'
import { requireMember } from '../members/member.ts'
import { requirePermission } from './permission.ts'

export interface MemberAccess {
  readonly member: MemberRow
  readonly grants: readonly HeldGrantRow[]
}

/**
 * Everything a member holds and why: each grant with its source, the change that opened it, since and until.
 *
 * @param asOf RFC 3339, a past moment; null: now
 * @throws {DirectoryError} member.not_found, request.invalid (a moment in the future), permission.denied
 */
export async function explainAccess(
  context: ReadContext,
  memberId: string,
  asOf: string | null,
): Promise<MemberAccess> {
  requirePermission(context.actor, 'members:read')
  const member = await requireMember(context, memberId)
  if (asOf !== null) {
    requirePermission(context.actor, 'changes:read')
    await closeHistory(context, asOf)
  }
  const grants = await listGrantsOfMember(context.db, context.organizationId, memberId, asOf)
  return { member, grants }
}
