import { requirePermissionOn } from '../access/authority.ts'
import { recordedActor } from '../access/permission.ts'
import { actorRank } from '../access/rank.ts'
import type { Context, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { requireMayGrantRole } from '../roles/assignment.ts'
import { rankOf } from '../roles/predefined.ts'
import type { RoleRow } from '../roles/role.ts'
import { createInvitation, requireLockedInvitation, revokeInvitation } from './invitation.ts'
import { requireMayRepeat, toOffer } from './offer.ts'
import {
  listWorkspaceInvitations as listRows,
  updateInvitedRole,
  type WorkspaceInvitationRow,
} from './workspace-invitation.sql.ts'

export type { WorkspaceInvitationRow } from './workspace-invitation.sql.ts'

const onWorkspace = (id: string) => ({ kind: 'workspace', id }) as const

/** The invitations to a workspace in the order of their creation. @throws {DirectoryError} permission.denied */
export async function listWorkspaceInvitations(
  context: ReadContext,
  workspaceId: string,
): Promise<WorkspaceInvitationRow[]> {
  await requirePermissionOn(context, 'invitations:read', onWorkspace(workspaceId))
  return await listRows(context.db, context.organizationId, workspaceId, null)
}

/** One of them. @throws {DirectoryError} invitation.not_found, permission.denied */
export async function getWorkspaceInvitation(
  context: ReadContext,
  workspaceId: string,
  id: string,
): Promise<WorkspaceInvitationRow> {
  await requirePermissionOn(context, 'invitations:read', onWorkspace(workspaceId))
  return await requireInvitation(context, workspaceId, id)
}

async function requireInvitation(
  context: ReadContext,
  workspaceId: string,
  id: string,
): Promise<WorkspaceInvitationRow> {
  const [row] = await listRows(context.db, context.organizationId, workspaceId, id)
  if (row === undefined) {
    throw new DirectoryError('invitation.not_found', 'There is no invitation with this id.')
  }
  return row
}

/** Nobody invites above their own rank. @throws {DirectoryError} member.outranks */
async function requireNotAbove(
  context: ReadContext,
  workspaceId: string,
  role: Pick<RoleRow, 'resource' | 'key'>,
): Promise<void> {
  if (rankOf(role) <= (await actorRank(context, workspaceId))) return
  throw new DirectoryError('member.outranks', 'You cannot invite to a role above your own.')
}

/**
 * Invites an address to a workspace, with a role on it; who is not in the organization yet becomes a member of it.
 *
 * @throws {DirectoryError} member.outranks (a role above the actor's own); what `createInvitation` throws
 */
export async function inviteToWorkspace(
  context: Context,
  workspaceId: string,
  invited: { email: string; roleId: string },
): Promise<WorkspaceInvitationRow> {
  await requirePermissionOn(context, 'invitations:write', onWorkspace(workspaceId))
  const { email, roleId } = invited
  await requireNotAbove(
    context,
    workspaceId,
    await requireMayGrantRole(context, roleId, onWorkspace(workspaceId)),
  )
  const { id } = await createInvitation(context, {
    email,
    workspaceId,
    level: 'member',
    grants: [{ roleId, workspaceId }],
  })
  return await requireInvitation(context, workspaceId, id)
}

/**
 * Makes a pending invitation give another role on the workspace.
 *
 * @throws {DirectoryError} invitation.not_found, invitation.wrong_status (accepted), invitation.expired,
 *   member.outranks, what `requireMayGrantRole` throws, permission.denied
 */
export async function changeInvitedRole(
  context: Context,
  workspaceId: string,
  id: string,
  roleId: string,
): Promise<WorkspaceInvitationRow> {
  await requirePermissionOn(context, 'invitations:write', onWorkspace(workspaceId))
  const { db, organizationId, change } = context
  await requireInvitation(context, workspaceId, id)
  const whole = await requireLockedInvitation(context, id)
  const before = await requireInvitation(context, workspaceId, id)
  if (before.status === 'expired') {
    throw new DirectoryError(
      'invitation.expired',
      'The invitation is past its end: revoke it and make a new one.',
    )
  }
  if (before.status !== 'pending') {
    throw new DirectoryError('invitation.wrong_status', `The invitation is ${before.status}.`)
  }
  await requireNotAbove(
    context,
    workspaceId,
    await requireMayGrantRole(context, roleId, onWorkspace(workspaceId)),
  )
  if (before.role_id === roleId) return before
  // From now on it is their offer, all of it.
  await requireMayRepeat(context, [toOffer(whole)])
  const invitedBy = recordedActor(context.actor)
  await updateInvitedRole(db, organizationId, { id, workspaceId, roleId, invitedBy })
  change.describe({
    kind: 'invitation.updated',
    detail: { invitation: id, workspace: workspaceId, role: roleId },
  })
  return await requireInvitation(context, workspaceId, id)
}

/** Revokes an invitation to a workspace. @throws {DirectoryError} what `revokeInvitation` throws */
export async function revokeWorkspaceInvitation(
  context: Context,
  workspaceId: string,
  id: string,
): Promise<void> {
  await requirePermissionOn(context, 'invitations:write', onWorkspace(workspaceId))
  await requireInvitation(context, workspaceId, id)
  await revokeInvitation(context, id)
}
