import { type Level, requirePermission } from '../access/permission.ts'
import type { Context } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { lockOwners } from '../grants/role-grant.sql.ts'
import { leaveOrganization, removeMember } from './lifecycle.ts'
import type { MemberRow } from './member.ts'
import { changeMemberLevel, requireLockedMember } from './member.ts'

const isSelf = ({ actor }: Context, id: string) => actor.kind === 'api_key' && actor.memberId === id

/**
 * Sets another member's level, for dialects in which nobody sets their own.
 *
 * @throws {DirectoryError} member.unchangeable_self; what `changeMemberLevel` throws
 */
export async function changeOthersLevel(context: Context, id: string, level: Level): Promise<MemberRow> {
  requirePermission(context.actor, 'members:write')
  if (isSelf(context, id)) {
    throw new DirectoryError(
      'member.unchangeable_self',
      'Nobody changes their own level: ask another member.',
    )
  }
  return await changeMemberLevel(context, id, level)
}

/**
 * Removes a member, or oneself, for dialects in which an owner is made something else before.
 *
 * @throws {DirectoryError} member.wrong_status (an owner); what `removeMember` and `leaveOrganization` throw
 */
export async function removeNonOwner(context: Context, id: string): Promise<MemberRow> {
  const goesAlone = isSelf(context, id)
  if (!goesAlone) requirePermission(context.actor, 'members:write')
  await lockOwners(context.db, context.organizationId)
  const member = await requireLockedMember(context, id)
  if (member.status !== 'removed' && member.level === 'owner') {
    throw new DirectoryError(
      'member.wrong_status',
      'The member is an owner: another owner has to change the level first.',
    )
  }
  return goesAlone ? await leaveOrganization(context) : await removeMember(context, id)
}
