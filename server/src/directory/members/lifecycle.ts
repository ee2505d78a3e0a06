import { requirePermission } from '../access/permission.ts'
import { revokeKeysOfMember } from '../api-keys/api-key.sql.ts'
import { lockChange } from '../changes/undo.sql.ts'
import { undoEffects } from '../changes/undo.ts'
import type { Context } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { endMembershipsOfMember } from '../grants/group-membership.sql.ts'
import { endRoleGrantsOfMember, lockOwners } from '../grants/role-grant.sql.ts'
import { endInvitationsOfEmail } from '../invitations/pending.ts'
import { requireProvisioned } from '../scim/deprovisioned.ts'
import { requireVersion } from '../version.ts'
import { findRemovalChange } from './lifecycle.sql.ts'
import { type MemberRow, type MemberStatus, updateMemberStatus } from './member.sql.ts'
import {
  memberConflict,
  requireLastingOwner,
  requireLockedMember,
  requireMayTouch,
  requireMember,
} from './member.ts'

function requireStatus(member: MemberRow, status: MemberStatus): void {
  if (member.status === status) return
  throw new DirectoryError('member.wrong_status', `The member is ${member.status}, not ${status}.`)
}

/** A key that acts as a member does not take its own access away by accident: `leave` is the way. */
function requireNotSelf(context: Context, id: string): void {
  if (context.actor.kind !== 'api_key' || context.actor.memberId !== id) return
  throw new DirectoryError(
    'member.unchangeable_self',
    'This would remove or suspend yourself: leave instead.',
  )
}

/**
 * Suspends an active member: grants stay, nothing they give works until the member is reactivated.
 *
 * @throws {DirectoryError} member.not_found, member.wrong_status, organization.last_owner,
 *   member.unchangeable_self, permission.denied
 */
export async function suspendMember(context: Context, id: string): Promise<MemberRow> {
  requirePermission(context.actor, 'members:write')
  requireNotSelf(context, id)
  await lockOwners(context.db, context.organizationId)
  const before = await requireLockedMember(context, id)
  requireStatus(before, 'active')
  requireMayTouch(context, before)
  await setStatus(context, id, 'suspended')
  await requireLastingOwner(context)
  context.change.describe({ kind: 'member.suspended', memberId: id })
  return await requireMember(context, id)
}

/**
 * Makes a suspended member active again.
 *
 * @throws {DirectoryError} as `suspendMember`, never organization.last_owner; member.deprovisioned
 */
export async function reactivateMember(context: Context, id: string): Promise<MemberRow> {
  requirePermission(context.actor, 'members:write')
  const before = await requireLockedMember(context, id)
  requireStatus(before, 'suspended')
  requireMayTouch(context, before)
  await requireProvisioned(context, id)
  await setStatus(context, id, 'active')
  context.change.describe({ kind: 'member.reactivated', memberId: id })
  return await requireMember(context, id)
}

async function setStatus(context: Context, id: string, status: MemberStatus): Promise<void> {
  await updateMemberStatus(context.db, context.organizationId, {
    id,
    status,
    mergedInto: null,
    now: context.now,
  }).catch(memberConflict)
}

/**
 * Removes a member: ends every grant, and revokes every key and every pending invitation of the address, in one change. The row stays, so that the history
 * stays readable and the same person can be restored.
 *
 * @param expectedVersion refuses (version.mismatch) if the row has moved on; absent: no check
 * @throws {DirectoryError} member.not_found, member.wrong_status (removed already), organization.last_owner,
 *   member.unchangeable_self, permission.denied
 */
export async function removeMember(
  context: Context,
  id: string,
  expectedVersion?: number,
): Promise<MemberRow> {
  requirePermission(context.actor, 'members:write')
  requireNotSelf(context, id)
  return await endMember(context, id, 'member.removed', expectedVersion)
}

/** The acting member removes itself. @throws {DirectoryError} organization.last_owner, permission.denied */
export async function leaveOrganization(context: Context): Promise<MemberRow> {
  const memberId = context.actor.kind === 'api_key' ? context.actor.memberId : null
  if (memberId === null) {
    throw new DirectoryError('permission.denied', 'Only a key that acts as a member can leave.')
  }
  return await endMember(context, memberId, 'member.left')
}

async function endMember(
  context: Context,
  id: string,
  kind: 'member.removed' | 'member.left',
  expectedVersion?: number,
): Promise<MemberRow> {
  await lockOwners(context.db, context.organizationId)
  const before = await requireLockedMember(context, id)
  requireVersion(before.version, expectedVersion)
  if (before.status === 'removed') {
    throw new DirectoryError('member.wrong_status', 'The member is removed already.')
  }
  if (kind === 'member.removed') requireMayTouch(context, before)
  await endAccess(context, id)
  await setStatus(context, id, 'removed')
  if (before.email_key !== null) await endInvitationsOfEmail(context, before.email_key)
  await requireLastingOwner(context)
  context.change.describe({ kind, memberId: id, detail: { before: before.status } })
  return await requireMember(context, id)
}

/** Ends every grant of a member and revokes its keys. */
export async function endAccess(context: Context, id: string): Promise<void> {
  const { db, organizationId, change } = context
  const memberships = await endMembershipsOfMember(db, organizationId, id, change.id)
  const roles = await endRoleGrantsOfMember(db, organizationId, id, change.id)
  change.count({ ended: memberships + roles })
  await revokeKeysOfMember(db, organizationId, id, context.now)
}

/**
 * Restores a removed member: the undo of the change that removed it. What cannot be given back is listed in the
 * change; keys never come back.
 *
 * @throws {DirectoryError} member.wrong_status, member.email_taken (somebody else has the address by now),
 *   change.not_undoable (the member was merged), member.deprovisioned, permission.denied
 */
export async function restoreMember(context: Context, id: string): Promise<MemberRow> {
  requirePermission(context.actor, 'members:write')
  requireStatus(await requireMember(context, id), 'removed')
  const removal = await findRemovalChange(context.db, context.organizationId, id)
  if (removal === undefined) {
    throw new DirectoryError(
      'change.not_undoable',
      'The member was merged into another, and a merge cannot be taken back.',
    )
  }
  // Not the member: what an undo locks comes before it (a deadlock otherwise). Who waited here looks again.
  await lockChange(context.db, context.organizationId, removal.id)
  requireStatus(await requireMember(context, id), 'removed')
  await undoEffects(context, removal)
  return await requireMember(context, id)
}
