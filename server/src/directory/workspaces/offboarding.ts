import { requireMayTakeEnded, requirePermissionOn } from '../access/authority.ts'
import { actingMember } from '../access/rank.ts'
import { numberChange } from '../changes/change.ts'
import { countUsedSeats } from '../changes/invariants.sql.ts'
import type { Context } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { requireLockedMember } from '../members/member.ts'
import { lockWorkspaceById } from './workspace.sql.ts'
import { addPurchasedSeats, endEverythingInWorkspace } from './workspace-members.sql.ts'
import { requireOutranked, requireWorkspaceMember } from './workspace-members.ts'

/**
 * Takes a member out of a workspace: ends every role on it, its projects and its pages, and the memberships of groups
 * that give such roles, teamspaces among them, in one change that can be undone. What the member has elsewhere in the
 * organization stays, its keys included: they give nothing here any more.
 *
 * @param options.removeSeat lowers the purchased seats by one, if there is then one that nobody uses
 * @throws {DirectoryError} workspace.not_member, member.unchangeable_self (leave instead), member.outranks,
 *   project.sole_admin and workspace.sole_admin (naming them), permission.denied (also if one of the groups gives a
 *   level above the actor's)
 */
export async function removeFromWorkspace(
  context: Context,
  workspaceId: string,
  memberId: string,
  options: { removeSeat: boolean } = { removeSeat: false },
): Promise<void> {
  await requirePermissionOn(context, 'members:write', { kind: 'workspace', id: workspaceId })
  if (actingMember(context.actor) === memberId) {
    throw new DirectoryError(
      'member.unchangeable_self',
      'You cannot remove yourself: leave the workspace instead.',
    )
  }
  await requireLockedMember(context, memberId)
  await requireOutranked(context, workspaceId, await requireWorkspaceMember(context, workspaceId, memberId))
  await endMembership(context, workspaceId, memberId, options)
  // One of the groups may give more than roles in this workspace.
  await requireMayTakeEnded(context, context.change.id)
}

/**
 * The acting member leaves a workspace.
 *
 * @throws {DirectoryError} workspace.not_member, project.sole_admin, workspace.sole_admin, permission.denied (a key
 *   that acts as nobody)
 */
export async function leaveWorkspace(context: Context, workspaceId: string): Promise<void> {
  const memberId = actingMember(context.actor)
  if (memberId === null) {
    throw new DirectoryError('permission.denied', 'Only a key that acts as a member can leave.')
  }
  await requireLockedMember(context, memberId)
  await requireWorkspaceMember(context, workspaceId, memberId)
  await endMembership(context, workspaceId, memberId, { removeSeat: false })
}

async function endMembership(
  context: Context,
  workspaceId: string,
  memberId: string,
  options: { removeSeat: boolean },
): Promise<void> {
  const { db, organizationId, change, now } = context
  const ended = await endEverythingInWorkspace(db, organizationId, { workspaceId, memberId }, change.id)
  change.count({ ended })
  const seats = options.removeSeat ? await removeUnusedSeat(context, workspaceId) : 0
  if (seats > 0) await addPurchasedSeats(db, organizationId, workspaceId, -seats, now)
  change.describe({
    kind: 'workspace.member_removed',
    memberId,
    detail: { workspace: workspaceId, seats_removed: seats },
  })
}

/** One, if the workspace has by now a seat that nobody uses. */
async function removeUnusedSeat(context: Context, workspaceId: string): Promise<0 | 1> {
  const { db, organizationId } = context
  const workspace = await lockWorkspaceById(db, organizationId, workspaceId)
  const purchased = workspace?.purchased_seats ?? null
  if (purchased === null) return 0
  // Under the counter, as whoever takes a seat: neither misses the other.
  await numberChange(context)
  return purchased > (await countUsedSeats(db, organizationId, workspaceId)) ? 1 : 0
}
