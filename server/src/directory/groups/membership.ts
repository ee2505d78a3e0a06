import { violatedConstraint } from '../../platform/postgres/database.ts'
import { requireMayEmpty, requireMayFill } from '../access/authority.ts'
import { requirePermission } from '../access/permission.ts'
import { Conflict } from '../changes/conflicts.ts'
import { closeHistory } from '../changes/past.ts'
import type { Context, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { actorSource } from '../grants/actor-source.ts'
import {
  endMembershipOfSource,
  endMembershipsInGroup,
  type GroupMemberRow,
  isInGroup,
  listGroupMembers as listGroupMemberRows,
  listGroupMembersAsOf,
  openMembership,
} from '../grants/group-membership.sql.ts'
import { findMembershipOfSource } from '../grants/held-grants.sql.ts'
import { requireMember } from '../members/member.ts'
import { groupHasExisted } from './group.sql.ts'
import { groupNotFound, requireGroup, requireUnmanaged } from './group.ts'

export type { GroupMemberRow } from '../grants/group-membership.sql.ts'

/**
 * Adds a member to a group, for good or until `expiresAt`. If the same source gave it already with the same end,
 * nothing changes; with another end, the old grant ends and the new one opens.
 *
 * @throws {DirectoryError} group.not_found, member.not_found, member.wrong_status (removed),
 *   request.invalid (an end in the past), group.managed, role.permission_exceeded (the group gives roles that the
 *   actor does not hold), permission.denied
 */
export async function addGroupMember(
  context: Context,
  groupId: string,
  memberId: string,
  expiresAt: string | null,
): Promise<void> {
  requirePermission(context.actor, 'groups:write')
  if (expiresAt !== null && Date.parse(expiresAt) <= context.now.getTime()) {
    throw new DirectoryError('request.invalid', 'expires_at must be in the future.', { field: 'expires_at' })
  }
  requireUnmanaged(await requireGroup(context, groupId))
  await requireMayFill(context, groupId)
  const member = await requireMember(context, memberId)
  if (member.status === 'removed') throw memberRemoved()
  const { db, organizationId, change } = context
  const sourceId = await actorSource(context)
  const grant = { groupId, memberId, sourceId, changeId: change.id, expiresAt }
  // Another add may come in between, so that there is again a grant to be replaced.
  while (!(await openMembership(db, organizationId, grant).catch(grantRefused))) {
    const present = await findMembershipOfSource(db, organizationId, grant)
    if (present !== undefined && sameMoment(present.expires_at, expiresAt)) return
    change.count({ ended: await endMembershipOfSource(db, organizationId, grant) })
  }
  change.count({ opened: 1 })
  change.describe({
    kind: 'group.member_added',
    groupId,
    memberId,
    sourceId,
    detail: expiresAt === null ? {} : { expires_at: expiresAt },
  })
}

function sameMoment(left: string | null, right: string | null): boolean {
  if (left === null || right === null) return left === right
  return Date.parse(left) === Date.parse(right)
}

function memberRemoved(): DirectoryError {
  return new DirectoryError('member.wrong_status', 'The member is removed: restore it first.')
}

/** The database refuses a grant to a member or in a group that another transaction has just taken away. */
function grantRefused(error: unknown): never {
  const constraint = violatedConstraint(error)
  if (constraint === 'group_membership_member') throw memberRemoved()
  if (constraint === 'group_membership_group') {
    throw groupNotFound()
  }
  throw error
}

/**
 * Removes a member from a group: ends what every source gave. A source that states a desired set gives it again
 * when it states it again.
 *
 * @throws {DirectoryError} group.not_found, member.not_found, membership.not_found, group.managed,
 *   permission.denied and member.outranks (also if the group gives a role that ranks above the actor)
 */
export async function removeGroupMember(context: Context, groupId: string, memberId: string): Promise<void> {
  requirePermission(context.actor, 'groups:write')
  requireUnmanaged(await requireGroup(context, groupId))
  await requireMayEmpty(context, groupId)
  await requireMember(context, memberId)
  const { db, organizationId, change } = context
  const ended = await endMembershipsInGroup(db, organizationId, {
    groupId,
    memberId,
    changeId: change.id,
  })
  // Where an end was being changed, the new grant was not seen: only the old one, which is over.
  if (await isInGroup(db, organizationId, { groupId, memberId })) throw new Conflict('added again meanwhile')
  if (ended === 0) {
    throw new DirectoryError('membership.not_found', 'The member is not in this group.')
  }
  change.count({ ended })
  change.describe({ kind: 'group.member_removed', groupId, memberId })
}

/**
 * One page of a group's members in the order of their ids, now or as of a past moment.
 *
 * @param asOf RFC 3339; a moment in the future is refused, and history up to the moment is closed first, so the
 *   same question has the same answer for ever
 * @throws {DirectoryError} group.not_found, request.invalid, permission.denied
 */
export async function listGroupMembers(
  context: ReadContext,
  groupId: string,
  page: { afterMemberId: string | null; limit: number; asOf: string | null },
): Promise<GroupMemberRow[]> {
  requirePermission(context.actor, 'groups:read')
  const { db, organizationId } = context
  if (page.asOf === null) {
    await requireGroup(context, groupId)
    return await listGroupMemberRows(db, organizationId, groupId, page)
  }
  requirePermission(context.actor, 'changes:read')
  // A deleted group has a past, too.
  if (!(await groupHasExisted(db, organizationId, groupId))) throw groupNotFound()
  await closeHistory(context, page.asOf)
  return await listGroupMembersAsOf(db, organizationId, groupId, { ...page, asOf: page.asOf })
}
