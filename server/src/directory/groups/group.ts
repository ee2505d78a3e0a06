import { isDeepStrictEqual } from 'node:util'
import { violatedConstraint } from '../../platform/postgres/database.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import { requireMayEmpty } from '../access/authority.ts'
import { requirePermission } from '../access/permission.ts'
import { numberChange } from '../changes/change.ts'
import type { Context, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { endMembershipsOfGroup } from '../grants/group-membership.sql.ts'
import { endRoleGrantsOfGroup } from '../grants/role-grant.sql.ts'
import type { SourceKind } from '../grants/source.ts'
import { cancelForDeletedGroup } from '../member-syncs/cancel.ts'
import { supersedeHeldPlans } from '../plans/plan.ts'
import { requireRole } from '../roles/role.ts'
import { type Target, targetColumns } from '../roles/target.ts'
import { requireTarget } from '../roles/target-lookup.ts'
import { requireVersion } from '../version.ts'
import {
  findGroup,
  type GroupRow,
  groupIsDeletedBy,
  insertGroup,
  listGroups as listGroupRows,
  listGroupsByReference,
  lockGroup,
  lockGroupAgainstGrants,
  markGroupDeleted,
  releaseGroup,
  updateGroup as updateGroupRow,
} from './group.sql.ts'
import { listGroupsOfSource, listGroupsWithRole } from './group-filter.sql.ts'

export type { GroupKind, GroupRow } from './group.sql.ts'

export const GROUP_NAME_LENGTH_MAX = 255

export interface NewGroup {
  name: string
  externalReferenceId: string | null
  metadata: Record<string, unknown>
}

function groupConflict(error: unknown): never {
  if (violatedConstraint(error) !== 'org_group_external_reference') throw error
  throw new DirectoryError(
    'group.external_reference_id_taken',
    'Another group of the organization has this external_reference_id.',
    { field: 'external_reference_id' },
  )
}

/** Creates a group. @throws {DirectoryError} group.external_reference_id_taken, permission.denied */
export async function createGroup(context: Context, input: NewGroup): Promise<GroupRow> {
  requirePermission(context.actor, 'groups:write')
  // The row stores its change's number, so lists keep the order of commits.
  const { seq } = await numberChange(context, { count: 1, moved: false })
  const id = uuidV7()
  const row = await insertGroup(context.db, context.organizationId, {
    ...input,
    id,
    createdSeq: seq,
    now: context.now,
  }).catch(groupConflict)
  context.change.describe({ kind: 'group.created', groupId: id })
  return row
}

/** @throws {DirectoryError} group.not_found */
export async function requireGroup(context: ReadContext, id: string): Promise<GroupRow> {
  const row = await findGroup(context.db, context.organizationId, id)
  if (row === undefined) throw groupNotFound()
  return row
}

/** Locks a group and reads it. @throws {DirectoryError} group.not_found */
export async function requireLockedGroup(context: Context, id: string): Promise<GroupRow> {
  const row = await lockGroup(context.db, context.organizationId, id)
  if (row === undefined) throw groupNotFound()
  return row
}

/** What an identity provider manages is changed there. @throws {DirectoryError} group.managed */
export function requireUnmanaged(group: GroupRow): void {
  if (group.managed_by === null) return
  throw new DirectoryError(
    'group.managed',
    'The group is managed by an identity provider: change its name and its members there.',
  )
}

export function groupNotFound(): DirectoryError {
  return new DirectoryError('group.not_found', 'There is no group with this id.')
}

/** @throws {DirectoryError} group.not_found, permission.denied */
export async function getGroup(context: ReadContext, id: string): Promise<GroupRow> {
  requirePermission(context.actor, 'groups:read')
  return await requireGroup(context, id)
}

/** One page of groups in the order of their creation, or the group with a reference id. */
export async function listGroups(
  context: ReadContext,
  filter: { afterSeq: number; limit: number; externalReferenceId: string | null },
): Promise<GroupRow[]> {
  requirePermission(context.actor, 'groups:read')
  const { db, organizationId } = context
  if (filter.externalReferenceId !== null) {
    const rows = await listGroupsByReference(db, organizationId, filter.externalReferenceId)
    return rows.filter((row) => row.created_seq > filter.afterSeq)
  }
  return await listGroupRows(db, organizationId, { ...filter, offset: 0 })
}

/**
 * One page of groups that have what the filter says: a role on a target, from a source; or, with a source alone,
 * members whom that source put there.
 *
 * @throws {DirectoryError} role.not_found, workspace.not_found, project.not_found, permission.denied
 */
export async function listGroupsHolding(
  context: ReadContext,
  filter: { roleId: string | null; target: Target | null; sourceKind: SourceKind | null },
  page: { afterSeq: number; limit: number },
): Promise<GroupRow[]> {
  requirePermission(context.actor, 'groups:read')
  const { db, organizationId } = context
  const { roleId, target, sourceKind } = filter
  if (roleId === null && target === null) {
    return sourceKind === null ? [] : await listGroupsOfSource(db, organizationId, sourceKind, page)
  }
  if (roleId !== null) await requireRole(context, roleId)
  if (target !== null) await requireTarget(context, target)
  const place = target === null ? null : targetColumns(target)
  return await listGroupsWithRole(db, organizationId, { roleId, place, sourceKind }, page)
}

export interface GroupUpdate {
  name?: string | undefined
  externalReferenceId?: string | null | undefined
  metadata?: Record<string, unknown> | undefined
}

/**
 * Changes a group's fields; a field left out stays.
 *
 * @throws {DirectoryError} group.not_found, group.external_reference_id_taken, version.mismatch,
 *   group.managed, permission.denied
 */
export async function updateGroup(
  context: Context,
  id: string,
  update: GroupUpdate,
  expectedVersion?: number,
): Promise<GroupRow> {
  requirePermission(context.actor, 'groups:write')
  const before = await requireLockedGroup(context, id)
  requireVersion(before.version, expectedVersion)
  requireUnmanaged(before)
  const after = {
    name: update.name ?? before.name,
    externalReferenceId:
      update.externalReferenceId === undefined ? before.external_reference_id : update.externalReferenceId,
    metadata: update.metadata ?? before.metadata,
  }
  const fields = [
    ...(after.name === before.name ? [] : ['name']),
    ...(after.externalReferenceId === before.external_reference_id ? [] : ['external_reference_id']),
    ...(isDeepStrictEqual(after.metadata, before.metadata) ? [] : ['metadata']),
  ]
  if (fields.length === 0) return before
  const row = await updateGroupRow(context.db, context.organizationId, {
    ...after,
    id,
    now: context.now,
  }).catch(groupConflict)
  context.change.describe({ kind: 'group.updated', groupId: id, detail: { fields } })
  return row
}

/**
 * Deletes a group: ends every grant in it and of it, and cancels what is submitted for it, in one change.
 *
 * @param expectedVersion refuses (version.mismatch) if the row has moved on; absent: no check
 * @throws {DirectoryError} group.not_found, group.managed, permission.denied and member.outranks (also if the group gives
 *   a role that ranks above the actor)
 */
export async function deleteGroup(context: Context, id: string, expectedVersion?: number): Promise<void> {
  requirePermission(context.actor, 'groups:write')
  const { db, organizationId, change, now } = context
  await lockGroupAgainstGrants(db, organizationId, id)
  const before = await requireGroup(context, id)
  requireVersion(before.version, expectedVersion)
  requireUnmanaged(before)
  await requireMayEmpty(context, id)
  const memberships = await endMembershipsOfGroup(db, organizationId, id, change.id)
  const roles = await endRoleGrantsOfGroup(db, organizationId, id, change.id)
  change.count({ ended: memberships + roles })
  await cancelForDeletedGroup(context, id)
  await supersedeHeldPlans(context, id, null)
  await markGroupDeleted(db, organizationId, { id, deletedChange: change.id, now })
  change.describe({ kind: 'group.deleted', groupId: id, groupList: { count: -1, moved: true } })
}

/** Takes a deletion back, for the undo of the change that made it. False if the group is not deleted by it. */
export async function restoreGroupRow(context: Context, id: string, deletedChange: string): Promise<boolean> {
  const { db, organizationId, now } = context
  await lockGroupAgainstGrants(db, organizationId, id)
  if (!(await groupIsDeletedBy(db, organizationId, id, deletedChange))) return false
  // It comes back in the middle of the list: positions after it move, as they do for a deletion.
  await numberChange(context, { count: 1, moved: true })
  await markGroupDeleted(db, organizationId, { id, deletedChange: null, now }).catch(groupConflict)
  // Its identity provider does not know it any more.
  await releaseGroup(db, organizationId, { id, now })
  return true
}
