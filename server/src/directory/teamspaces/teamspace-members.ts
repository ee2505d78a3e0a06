import { requireMayFill, requirePermissionOn } from '../access/authority.ts'
import type { Context, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { actorSource } from '../grants/actor-source.ts'
import { type GroupMemberRow, listGroupMembers } from '../grants/group-membership.sql.ts'
import {
  countMembersOfGroup,
  endMembershipsOf,
  endMembershipsWithOtherEnd,
  openMemberships,
} from '../grants/membership-sets.sql.ts'
import { requireManagedTeamspace } from './manage.ts'
import { detailOf, type NumberedPage, onWorkspace, requireTeamspace } from './teamspace.ts'
import { requireInWorkspace } from './workspace-presence.ts'

/** Members in one call. */
export const TEAMSPACE_MEMBERS_MAX = 1000

/**
 * Adds members of the workspace to a teamspace, for good or until `expiresAt`: a fixed number of statements, however
 * many they are. Whom the same source put there already with the same end stays as they are; with another end, the
 * old membership ends and the new one opens.
 *
 * @param memberIds up to `TEAMSPACE_MEMBERS_MAX`
 * @throws {DirectoryError} teamspace.not_found, workspace.not_member (naming the first who is not in the workspace),
 *   request.invalid (an end in the past), role.permission_exceeded (a project of the teamspace gives what the actor
 *   does not hold), permission.denied
 */
export async function addTeamspaceMembers(
  context: Context,
  workspaceId: string,
  id: string,
  memberIds: readonly string[],
  expiresAt: string | null = null,
): Promise<{ opened: number }> {
  const row = await requireManagedTeamspace(context, workspaceId, id)
  if (expiresAt !== null && Date.parse(expiresAt) <= context.now.getTime()) {
    throw new DirectoryError('request.invalid', 'expires_at must be in the future.', { field: 'expires_at' })
  }
  await requireMayFill(context, id)
  await requireInWorkspace(context, workspaceId, memberIds, (index) => `members[${index}]`)
  const { db, organizationId, change } = context
  const sourceId = await actorSource(context)
  const set = { groupId: id, memberIds, sourceId, expiresAt }
  const ended = await endMembershipsWithOtherEnd(db, organizationId, set, change.id)
  const opened = await openMemberships(db, organizationId, set, change.id)
  if (opened === 0 && ended === 0) return { opened }
  change.count({ opened, ended })
  change.describe({
    kind: 'teamspace.members_added',
    groupId: id,
    sourceId,
    detail: { ...detailOf(row), ...(expiresAt === null ? {} : { expires_at: expiresAt }) },
  })
  return { opened }
}

/**
 * Removes members from a teamspace: ends what every source gave. Whoever is not in it is passed over.
 *
 * @param memberIds up to `TEAMSPACE_MEMBERS_MAX`
 * @throws {DirectoryError} teamspace.not_found, permission.denied
 */
export async function removeTeamspaceMembers(
  context: Context,
  workspaceId: string,
  id: string,
  memberIds: readonly string[],
): Promise<void> {
  const row = await requireManagedTeamspace(context, workspaceId, id)
  const { db, organizationId, change } = context
  const ended = await endMembershipsOf(db, organizationId, { groupId: id, memberIds }, change.id)
  if (ended === 0) return
  change.count({ ended })
  change.describe({ kind: 'teamspace.members_removed', groupId: id, detail: detailOf(row) })
}

/**
 * One page of the members of a teamspace in the order of their ids, each with what put them there.
 *
 * @throws {DirectoryError} teamspace.not_found, permission.denied
 */
export async function listTeamspaceMembers(
  context: ReadContext,
  workspaceId: string,
  id: string,
  page: { afterId: string | null; limit: number },
): Promise<GroupMemberRow[]> {
  await requireReadable(context, workspaceId, id)
  const { afterId: afterMemberId, limit } = page
  return await listGroupMembers(context.db, context.organizationId, id, { afterMemberId, limit })
}

/** The same from a position, with the number of all. @throws as `listTeamspaceMembers` */
export async function pageTeamspaceMembers(
  context: ReadContext,
  workspaceId: string,
  id: string,
  offset: number,
  limit: number,
): Promise<NumberedPage<GroupMemberRow>> {
  await requireReadable(context, workspaceId, id)
  const { db, organizationId } = context
  const total = await countMembersOfGroup(db, organizationId, id)
  const page = { afterMemberId: null, offset, limit }
  return { rows: await listGroupMembers(db, organizationId, id, page), total }
}

async function requireReadable(context: ReadContext, workspaceId: string, id: string): Promise<void> {
  await requirePermissionOn(context, 'teamspaces:read', onWorkspace(workspaceId))
  await requireTeamspace(context, workspaceId, id)
}
