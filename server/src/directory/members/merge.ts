import { requireMayGiveOpened } from '../access/authority.ts'
import { requirePermission } from '../access/permission.ts'
import { Conflict } from '../changes/conflicts.ts'
import type { Context } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import {
  copyMemberships,
  endShorterMemberships,
  isInAnotherGroup,
  lockGroupsOfMember,
  lockMembershipsOfMember,
} from '../grants/group-membership.sql.ts'
import {
  copyRoleGrants,
  endShorterRoleGrants,
  lockOwners,
  lockRoleGrantsOfMember,
} from '../grants/role-grant.sql.ts'
import { requireProvisioned } from '../scim/deprovisioned.ts'
import { requestGroupSync } from '../scim/group-sync.ts'
import { noteMember } from '../scim/group-sync-due.sql.ts'
import { lockUsersOfMembers, moveScimUser } from '../scim/users-of-members.sql.ts'
import { endAccess } from './lifecycle.ts'
import {
  lockMember,
  type MemberFields,
  type MemberRow,
  redirectMerged,
  updateMemberFields,
  updateMemberStatus,
} from './member.sql.ts'
import { requireLastingOwner, requireMayTouch, requireMember } from './member.ts'

/**
 * Merges one member into another: what `fromId` holds is opened for `intoId` (from the same sources, with the
 * same ends), then `fromId` is removed. Fields that `intoId` lacks come from `fromId`; what both have stays
 * `intoId`'s. Later submissions that name `fromId`'s reference id reach `intoId`. It cannot be undone.
 *
 * @throws {DirectoryError} member.not_found, member.merge_conflict (the same member twice),
 *   member.wrong_status (one of them is removed), member.deprovisioned (`fromId`), organization.last_owner (`intoId` is suspended),
 *   role.permission_exceeded (`fromId` holds what the actor does not), permission.denied
 */
export async function mergeMembers(context: Context, intoId: string, fromId: string): Promise<MemberRow> {
  requirePermission(context.actor, 'members:write')
  if (intoId === fromId) {
    throw new DirectoryError('member.merge_conflict', 'A member cannot be merged into itself.', {
      field: 'from',
    })
  }
  const { db, organizationId, change, now } = context
  // Groups before members, as a submission does. A group joined before the member is locked would be missed.
  const groupIds = await lockGroupsOfMember(db, organizationId, fromId)
  await lockOwners(db, organizationId)
  await lockUsersOfMembers(db, organizationId, [intoId, fromId])
  // In the order of ids, so that two merges of the same pair wait instead of deadlocking.
  for (const id of [intoId, fromId].sort()) await lockMember(db, organizationId, id)
  await lockMembershipsOfMember(db, organizationId, fromId)
  await lockRoleGrantsOfMember(db, organizationId, fromId)
  if (await isInAnotherGroup(db, organizationId, fromId, groupIds))
    throw new Conflict('joined a group meanwhile')
  const into = await requireMember(context, intoId)
  const from = await requireMember(context, fromId)
  for (const member of [into, from]) {
    requireMayTouch(context, member)
    if (member.status === 'removed') {
      throw new DirectoryError('member.wrong_status', 'A removed member cannot be merged: restore it first.')
    }
  }
  // What was taken from somebody at the identity provider does not live on in another member.
  await requireProvisioned(context, fromId)
  const copy = { fromMemberId: fromId, toMemberId: intoId, changeId: change.id }
  change.count({ ended: await endShorterMemberships(db, organizationId, copy) })
  change.count({ opened: await copyMemberships(db, organizationId, copy) })
  change.count({ ended: await endShorterRoleGrants(db, organizationId, copy) })
  change.count({ opened: await copyRoleGrants(db, organizationId, copy) })
  await requireMayGiveOpened(context, change.id)
  await endAccess(context, fromId)
  await updateMemberStatus(db, organizationId, { id: fromId, status: 'removed', mergedInto: intoId, now })
  if (!(await moveScimUser(db, organizationId, { fromId, intoId }))) {
    throw new DirectoryError(
      'member.merge_conflict',
      'Both members are provisioned by identity providers: delete one of the two there first.',
      { field: 'from' },
    )
  }
  if ((await noteMember(db, organizationId, intoId)) > 0) await requestGroupSync(context)
  await redirectMerged(db, organizationId, fromId, intoId)
  const fields = mergedFields(into, from)
  // The reference id moves: it is unique among all members, removed ones included.
  if (into.external_reference_id === null && from.external_reference_id !== null) {
    await updateMemberFields(db, organizationId, {
      ...ownFields(from),
      externalReferenceId: null,
      id: fromId,
      now,
    })
  }
  await updateMemberFields(db, organizationId, { ...fields, id: intoId, now })
  // The owner role may have gone to somebody suspended.
  await requireLastingOwner(context)
  change.describe({ kind: 'member.merged', memberId: intoId, detail: { from: fromId } })
  return await requireMember(context, intoId)
}

function ownFields(member: MemberRow): MemberFields {
  return {
    email: member.email,
    emailKey: member.email_key,
    displayName: member.display_name,
    firstName: member.first_name,
    lastName: member.last_name,
    externalReferenceId: member.external_reference_id,
    attributes: member.attributes,
    metadata: member.metadata,
  }
}

function mergedFields(into: MemberRow, from: MemberRow): MemberFields {
  const own = ownFields(into)
  const other = ownFields(from)
  return {
    email: own.email ?? other.email,
    emailKey: own.emailKey ?? other.emailKey,
    displayName: own.displayName ?? other.displayName,
    firstName: own.firstName ?? other.firstName,
    lastName: own.lastName ?? other.lastName,
    externalReferenceId: own.externalReferenceId ?? other.externalReferenceId,
    attributes: { ...other.attributes, ...own.attributes },
    metadata: { ...other.metadata, ...own.metadata },
  }
}
