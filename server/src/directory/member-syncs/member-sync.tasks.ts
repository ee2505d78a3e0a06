import type { Transaction } from '../../platform/postgres/database.ts'
import { LeaseLost, type TaskHandler } from '../../platform/tasks/queue.ts'
import { endTask, rescheduleTask, type TaskRow } from '../../platform/tasks/task.sql.ts'
import { openContext, recordChange } from '../changes/change.ts'
import { retryConflicts } from '../changes/conflicts.ts'
import type { Context, Directory } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { lockGroup } from '../groups/group.sql.ts'
import { findOrganization } from '../organizations/organization.sql.ts'
import type { OrganizationSettings, RemovalBrake } from '../organizations/settings.ts'
import { brakeReason, memberSyncBrake } from '../plans/brake.ts'
import { holdPlan, markReturn, supersedeHeldPlans, takeBack } from '../plans/plan.ts'
import { applySubmission, describeSubmission } from './apply.ts'
import { cancelForDeletedGroup } from './cancel.ts'
import type { MemberSyncRow } from './member-sync.sql.ts'
import {
  completeMemberSync,
  endPendingSyncs,
  hasPendingMemberSync,
  lockNextMemberSync,
} from './submission.sql.ts'

/** After so many failed attempts a submission is given up, so that the ones behind it are not stuck. */
const TASK_ATTEMPTS_MAX = 8

/** Carries out the next submission of a group; one task a group keeps them in order. */
export function memberSyncHandler(directory: Directory): TaskHandler {
  return async (task) => {
    try {
      await retryConflicts(() => directory.database.transaction((tx) => runNext(tx, task)))
    } catch (error) {
      // What a rule refuses is refused again.
      const refused = error instanceof DirectoryError ? error.message : undefined
      const isLast = task.attempts >= TASK_ATTEMPTS_MAX || refused !== undefined
      if (error instanceof LeaseLost || !isLast) throw error
      await directory.database.transaction((tx) => giveUpNext(tx, task, refused))
    }
  }
}

/** The submissions of a deleted organization wait for its restoration, which asks for this work again. */
async function openTask(
  tx: Transaction,
  task: TaskRow,
): Promise<{ context: Context; settings: OrganizationSettings } | undefined> {
  const organization = await findOrganization(tx, task.organization_id!)
  if (organization === undefined || organization.deleted_at !== null) return undefined
  const request = { organizationId: organization.id, actor: { kind: 'system' } as const }
  return { context: openContext(tx, request), settings: organization.settings }
}

async function runNext(tx: Transaction, task: TaskRow): Promise<void> {
  const opened = await openTask(tx, task)
  if (opened === undefined) return await finish(tx, task, false)
  const { context, settings } = opened
  const { organizationId } = context
  const groupId = task.key
  const group = await lockGroup(tx, organizationId, groupId)
  const sync = await lockNextMemberSync(tx, organizationId, groupId)
  // Accepted at the very moment the group was deleted.
  if (group === undefined) await cancelForDeletedGroup(context, groupId)
  if (group === undefined || sync === undefined) return await finish(tx, task, false)
  context.change.actor = { kind: sync.actor_kind, id: sync.actor_id }
  await runSubmission(context, sync, memberSyncBrake(settings))
  await finish(tx, task, await hasPendingMemberSync(tx, organizationId, groupId))
  await recordChange(context)
}

async function runSubmission(
  context: Context,
  sync: MemberSyncRow,
  brake: RemovalBrake | undefined,
): Promise<void> {
  const { db, organizationId, change } = context
  if (brake !== undefined) await markReturn(context)
  const applied = await applySubmission(context, sync)
  const reason =
    brake === undefined ? undefined : await brakeReason(context, brake, applied.sourceId, applied.ended)
  if (reason !== undefined) {
    const entries = await takeBack(context, sync)
    await holdPlan(context, {
      groupId: sync.group_id,
      sourceId: applied.sourceId,
      memberSyncId: sync.id,
      reason,
      entries,
    })
    return
  }
  await supersedeHeldPlans(context, sync.group_id, applied.sourceId)
  const effective = describeSubmission(context, sync, applied, { kind: 'member_sync', id: sync.id })
  await completeMemberSync(db, organizationId, sync.id, {
    ...applied,
    changeId: effective ? change.id : null,
  })
}

async function finish(tx: Transaction, task: TaskRow, more: boolean): Promise<void> {
  // One submission a turn: a group with many waiting does not keep others from theirs.
  const held = more ? await rescheduleTask(tx, task, 0) : await endTask(tx, task)
  if (!held) throw new LeaseLost()
}

async function giveUpNext(tx: Transaction, task: TaskRow, refused: string | undefined): Promise<void> {
  const opened = await openTask(tx, task)
  if (opened === undefined) return await finish(tx, task, false)
  const { context } = opened
  const sync = await lockNextMemberSync(tx, context.organizationId, task.key)
  if (sync !== undefined) {
    await endPendingSyncs(tx, context.organizationId, {
      groupId: task.key,
      syncId: sync.id,
      status: 'failed',
      reason: refused ?? 'the request could not be carried out',
      now: context.now,
    })
  }
  await finish(tx, task, await hasPendingMemberSync(tx, context.organizationId, task.key))
}
