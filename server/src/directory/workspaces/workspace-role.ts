import { uuidV7 } from '../../platform/uuid.ts'
import { requirePermissionOn } from '../access/authority.ts'
import { actingMember } from '../access/rank.ts'
import type { Context } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { actorSource } from '../grants/actor-source.ts'
import { endOtherPredefinedRoleGrantsAt, listRoleGrantsAt, openRoleGrant } from '../grants/role-grant.sql.ts'
import { requireLockedMember } from '../members/member.ts'
import { requireMayGrantRole } from '../roles/assignment.ts'
import { targetColumns } from '../roles/target.ts'
import { lowerProjectRolesToGuest } from './workspace-members.sql.ts'
import { requireOutranked, requireWorkspaceMember, type WorkspaceMember } from './workspace-members.ts'

/**
 * Sets the one predefined role that a member of a workspace has there by itself. Who becomes a guest keeps on the
 * projects of the workspace what guests may have: higher roles there become `guest`.
 *
 * @throws {DirectoryError} workspace.not_member, member.unchangeable_self, member.outranks, what
 *   `requireMayGrantRole` throws; workspace.sole_admin, project.sole_admin, workspace.seats_exhausted
 */
export async function setWorkspaceRole(
  context: Context,
  workspaceId: string,
  memberId: string,
  roleId: string,
): Promise<WorkspaceMember> {
  const target = { kind: 'workspace', id: workspaceId } as const
  await requirePermissionOn(context, 'roles:write', target)
  if (actingMember(context.actor) === memberId) {
    throw new DirectoryError('member.unchangeable_self', 'You cannot change your own role.')
  }
  await requireLockedMember(context, memberId)
  const before = await requireWorkspaceMember(context, workspaceId, memberId)
  await requireOutranked(context, workspaceId, before)
  const role = await requireMayGrantRole(context, roleId, target)
  const { db, organizationId, change } = context
  const place = { memberId, groupId: null, roleId, ...targetColumns(target) }
  const sourceId = await actorSource(context)
  change.count({ ended: await endOtherPredefinedRoleGrantsAt(db, organizationId, place, change.id) })
  const held = await listRoleGrantsAt(db, organizationId, place)
  if (!held.some((grant) => grant.role_id === roleId)) {
    const grant = { ...place, id: uuidV7(), sourceId, changeId: change.id, expiresAt: null }
    if (await openRoleGrant(db, organizationId, grant)) change.count({ opened: 1 })
  }
  if (role.key === 'guest') {
    change.count(
      await lowerProjectRolesToGuest(db, organizationId, { workspaceId, memberId, sourceId }, change.id),
    )
  }
  if (change.opened + change.ended === 0) return before
  change.describe({
    kind: 'workspace.member_role_set',
    memberId,
    detail: { workspace: workspaceId, role: roleId, role_name: role.name },
  })
  return await requireWorkspaceMember(context, workspaceId, memberId)
}
