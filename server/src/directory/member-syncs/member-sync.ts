import { uuidV7 } from '../../platform/uuid.ts'
import { requireMayFill } from '../access/authority.ts'
import { levelOf, recordedActor, requirePermission } from '../access/permission.ts'
import { type Preview, previewChange } from '../changes/change.ts'
import type { Context, Directory, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { requireGroup, requireLockedGroup, requireUnmanaged } from '../groups/group.ts'
import { type AppliedSync, applySubmission } from './apply.ts'
import type { DesiredMembers } from './desired-members.ts'
import {
  FAILURES_SHOWN_MAX,
  findMemberSync,
  listMemberSyncFailures as listFailureRows,
  listMemberSyncs as listMemberSyncRows,
  listSyncedMembers,
  type MemberSyncRow,
  type NewMemberSync,
  type NumberedFailure,
  type SyncedMembers,
} from './member-sync.sql.ts'
import { acceptMemberSync, endPendingSyncs, insertPreviewSync, listRefusedRows } from './submission.sql.ts'

export type { MemberSyncFailure, MemberSyncRow, NumberedFailure, SyncedMembers } from './member-sync.sql.ts'

/** Members one submission can name at most; dialects may set less. */
export const DIRECTORY_ROWS_MAX = 100_000

function requireSyncPermissions(context: ReadContext): void {
  requirePermission(context.actor, 'groups:write')
  requirePermission(context.actor, 'members:write')
}

/**
 * Refuses a submission before its rows are read: who may not submit should not have to send them first.
 *
 * @throws {DirectoryError} group.not_found, group.managed, role.permission_exceeded (the group gives roles that the
 *   actor does not hold), permission.denied
 */
export async function requireSyncTarget(context: ReadContext, groupId: string): Promise<void> {
  requireSyncPermissions(context)
  requireUnmanaged(await requireGroup(context, groupId))
  await requireMayFill(context, groupId)
}

function newSync(context: ReadContext, groupId: string, members: DesiredMembers): NewMemberSync {
  return {
    id: uuidV7(),
    groupId,
    actor: recordedActor(context.actor),
    actorLevel: levelOf(context.actor),
    rowCount: members.count,
    columns: members.columns(),
  }
}

/**
 * Accepts a submission: who should be in the group, whole. It is carried out in the background, in the order in
 * which submissions of the group were accepted; wake the task queue once it is committed.
 *
 * @throws {DirectoryError} what `requireSyncTarget` throws
 */
export async function submitMemberSync(
  context: ReadContext,
  groupId: string,
  members: DesiredMembers,
): Promise<MemberSyncRow> {
  await requireSyncTarget(context, groupId)
  const sync = newSync(context, groupId, members)
  const accepted = await acceptMemberSync(context.db, context.organizationId, sync)
  if (accepted === undefined) throw new DirectoryError('group.not_found', 'There is no group with this id.')
  return accepted
}

export interface SyncPreview extends Preview {
  readonly applied: AppliedSync
  readonly failures: MemberSyncRow['failures']
}

/** What a submission would do now. Nothing is written. @throws as `submitMemberSync` */
export async function previewMemberSync(
  directory: Directory,
  context: ReadContext,
  groupId: string,
  members: DesiredMembers,
): Promise<SyncPreview> {
  await requireSyncTarget(context, groupId)
  const sync = newSync(context, groupId, members)
  let applied: AppliedSync | undefined
  let failures: MemberSyncRow['failures'] = []
  const preview = await previewChange(directory, context, async (inner) => {
    await requireLockedGroup(inner, groupId)
    await insertPreviewSync(inner.db, inner.organizationId, sync)
    applied = await applySubmission(inner, {
      id: sync.id,
      group_id: groupId,
      row_count: sync.rowCount,
      actor_level: sync.actorLevel,
    })
    failures = await listRefusedRows(inner.db, inner.organizationId, sync.id, FAILURES_SHOWN_MAX)
  })
  return { ...preview, applied: applied!, failures }
}

/** @throws {DirectoryError} member_sync.not_found, permission.denied */
export async function getMemberSync(
  context: ReadContext,
  groupId: string,
  id: string,
): Promise<MemberSyncRow> {
  requirePermission(context.actor, 'groups:read')
  const row = await findMemberSync(context.db, context.organizationId, groupId, id)
  if (row === undefined) {
    throw new DirectoryError('member_sync.not_found', 'There is no member sync with this id in this group.')
  }
  return row
}

/** Whose grants a completed sync opened and ended. */
export async function getSyncedMembers(context: ReadContext, sync: MemberSyncRow): Promise<SyncedMembers> {
  if (sync.change_id === null) return { opened: [], ended: [] }
  return await listSyncedMembers(context.db, context.organizationId, sync.change_id)
}

/** One page of the rows that a sync refused. @throws {DirectoryError} member_sync.not_found, permission.denied */
export async function listMemberSyncFailures(
  context: ReadContext,
  groupId: string,
  id: string,
  page: { afterOrdinal: number; limit: number },
): Promise<NumberedFailure[]> {
  await getMemberSync(context, groupId, id)
  return await listFailureRows(context.db, context.organizationId, id, page)
}

/** The latest submissions of a group first. @throws {DirectoryError} group.not_found, permission.denied */
export async function listMemberSyncs(
  context: ReadContext,
  groupId: string,
  page: { beforePosition: number | null; limit: number },
): Promise<MemberSyncRow[]> {
  requirePermission(context.actor, 'groups:read')
  await requireGroup(context, groupId)
  return await listMemberSyncRows(context.db, context.organizationId, groupId, page)
}

/**
 * Cancels a submission before it starts.
 *
 * @throws {DirectoryError} member_sync.not_found, member_sync.already_started, permission.denied
 */
export async function cancelMemberSync(
  context: Context,
  groupId: string,
  id: string,
): Promise<MemberSyncRow> {
  requireSyncPermissions(context)
  const before = await getMemberSync(context, groupId, id)
  const cancelled = await endPendingSyncs(context.db, context.organizationId, {
    groupId,
    syncId: id,
    status: 'cancelled',
    reason: 'the request was cancelled before it started',
    now: context.now,
  })
  if (cancelled === 0) {
    throw new DirectoryError(
      'member_sync.already_started',
      `The member sync has started or is over: it is ${before.status}.`,
    )
  }
  context.change.describe({ kind: 'member_sync.cancelled', groupId, cause: { kind: 'member_sync', id } })
  return await getMemberSync(context, groupId, id)
}
