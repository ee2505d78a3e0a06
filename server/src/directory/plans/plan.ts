import { sql } from '../../platform/postgres/sql.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import { requireMayFill } from '../access/authority.ts'
import { recordedActor, requirePermission } from '../access/permission.ts'
import type { Context, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { lockGroup } from '../groups/group.sql.ts'
import { applySubmission, describeSubmission } from '../member-syncs/apply.ts'
import { findMemberSync } from '../member-syncs/member-sync.sql.ts'
import {
  closeMemberSync,
  completeMemberSync,
  failPlannedEntries,
  holdMemberSync,
} from '../member-syncs/submission.sql.ts'
import { applyHeldProjection, keepGroup } from '../scim/projection.ts'
import {
  type CarriedEntries,
  carryEntries,
  countUnapprovedRemovals,
  decidePlan,
  findPlan,
  insertPlan,
  listPlanEntries as listPlanEntryRows,
  listPlans as listPlanRows,
  lockHeldPlans,
  lockPlan,
  type PlanEntryRow,
  type PlanRow,
  type PlanStatus,
} from './plan.sql.ts'

export type { PlanEntryRow, PlanRow } from './plan.sql.ts'

/** How long a held plan waits for a decision. */
const HELD_DAYS = 7
const DAY_MILLIS = 24 * 60 * 60 * 1000

/** Marks where the open transaction may go back to. */
export async function markReturn(context: Context): Promise<void> {
  await context.db.run(sql`savepoint plan`)
}

/** Reads what was just applied, and takes it back. */
export async function takeBack(
  context: Context,
  sync: { id: string; group_id: string },
): Promise<CarriedEntries> {
  const entries = await carryEntries(context.db, context.organizationId, {
    groupId: sync.group_id,
    syncId: sync.id,
    changeId: context.change.id,
  })
  await context.db.run(sql`rollback to savepoint plan`)
  context.change.opened = 0
  context.change.ended = 0
  return entries
}

/** Holds a submission: stores its plan whole, for a person to decide. An older plan of the source gives way. */
export async function holdPlan(
  context: Context,
  plan: {
    groupId: string
    sourceId: string
    memberSyncId: string
    reason: string
    entries: CarriedEntries
  },
): Promise<string> {
  const id = uuidV7()
  await supersedeHeldPlans(context, plan.groupId, plan.sourceId)
  await insertPlan(context.db, context.organizationId, {
    ...plan,
    id,
    expiresAt: new Date(context.now.getTime() + HELD_DAYS * DAY_MILLIS),
  })
  await holdMemberSync(context.db, context.organizationId, plan.memberSyncId)
  return id
}

/** A newer desired state of a source takes the place of the plans held for it. */
export async function supersedeHeldPlans(
  context: Context,
  groupId: string,
  sourceId: string | null,
): Promise<void> {
  const plans = await lockHeldPlans(context.db, context.organizationId, groupId, sourceId)
  for (const plan of plans) {
    await endPlan(context, plan, 'superseded', 'a newer submission for this group took its place')
  }
}

/** Ends a held plan and its submission without applying it; the submission says so by name. */
async function endPlan(
  context: Context,
  plan: PlanRow,
  status: Exclude<PlanStatus, 'held' | 'applied'>,
  reason: string,
): Promise<PlanRow> {
  const { db, organizationId } = context
  const why = `held by the removal brake, then not applied: ${reason}`
  const { member_sync_id: syncId } = plan
  if (syncId !== null) {
    await failPlannedEntries(db, organizationId, { id: plan.id, member_sync_id: syncId }, why)
    await closeMemberSync(db, organizationId, syncId, status)
  }
  return await decidePlan(db, organizationId, {
    id: plan.id,
    status,
    by: recordedActor(context.actor),
    changeId: null,
    now: context.now,
  })
}

function planNotFound(): DirectoryError {
  return new DirectoryError('plan.not_found', 'There is no plan with this id.')
}

/** @throws {DirectoryError} plan.not_found, permission.denied */
export async function getPlan(context: ReadContext, id: string): Promise<PlanRow> {
  requirePermission(context.actor, 'plans:read')
  const row = await findPlan(context.db, context.organizationId, id)
  if (row === undefined) throw planNotFound()
  return row
}

/** Plans, the latest first. @throws {DirectoryError} permission.denied */
export async function listPlans(
  context: ReadContext,
  page: { beforeId: string | null; status: PlanStatus | null; groupId: string | null; limit: number },
): Promise<PlanRow[]> {
  requirePermission(context.actor, 'plans:read')
  return await listPlanRows(context.db, context.organizationId, page)
}

/** What a held plan would open and end, entry by entry. @throws {DirectoryError} plan.not_found */
export async function listPlanEntries(
  context: ReadContext,
  id: string,
  page: { afterOrdinal: number; limit: number },
): Promise<PlanEntryRow[]> {
  await getPlan(context, id)
  return await listPlanEntryRows(context.db, context.organizationId, id, page)
}

async function requireHeldPlan(context: Context, id: string): Promise<PlanRow> {
  requirePermission(context.actor, 'plans:write')
  // The group first, as a running submission does: then the plan cannot be superseded meanwhile.
  const seen = await findPlan(context.db, context.organizationId, id)
  if (seen === undefined) throw planNotFound()
  await lockGroup(context.db, context.organizationId, seen.group_id)
  const plan = await lockPlan(context.db, context.organizationId, id)
  if (plan?.status !== 'held') {
    throw new DirectoryError('plan.not_held', `The plan is ${plan?.status} already.`, {
      context: { status: plan?.status },
    })
  }
  return plan
}

/**
 * Approves a held plan: computes it anew and applies it, if nobody loses anything that the plan did not show.
 * Otherwise a new plan takes its place and is held.
 *
 * @returns the plan that was applied, or the one that is held now
 * @throws {DirectoryError} plan.not_found, plan.not_held, role.permission_exceeded (the group gives roles
 *   that the actor does not hold), permission.denied
 */
export async function approvePlan(context: Context, id: string): Promise<PlanRow> {
  const plan = await requireHeldPlan(context, id)
  await requireMayFill(context, plan.group_id)
  if (plan.member_sync_id === null) return await approveProjection(context, plan)
  const { db, organizationId, change, now } = context
  const sync = await findMemberSync(db, organizationId, plan.group_id, plan.member_sync_id)
  if (sync === undefined) throw new Error('a plan without its submission')
  await markReturn(context)
  const applied = await applySubmission(context, sync)
  if ((await countUnapprovedRemovals(db, organizationId, id, change.id)) > 0) {
    const entries = await takeBack(context, sync)
    await decidePlan(db, organizationId, {
      id,
      status: 'superseded',
      by: recordedActor(context.actor),
      changeId: null,
      now,
    })
    const heldId = await holdPlan(context, {
      groupId: plan.group_id,
      sourceId: plan.source_id,
      memberSyncId: sync.id,
      reason: 'More would be removed by now than the approved plan showed.',
      entries,
    })
    return (await findPlan(db, organizationId, heldId))!
  }
  const effective = describeSubmission(context, sync, applied, { kind: 'plan', id })
  const changeId = effective ? change.id : null
  await completeMemberSync(db, organizationId, sync.id, { ...applied, changeId })
  return await decidePlan(db, organizationId, {
    id,
    status: 'applied',
    by: recordedActor(context.actor),
    changeId,
    now,
  })
}

async function approveProjection(context: Context, plan: PlanRow): Promise<PlanRow> {
  const { db, organizationId, change, now } = context
  const by = recordedActor(context.actor)
  const heldId = await applyHeldProjection(context, plan)
  if (heldId !== undefined) return (await findPlan(db, organizationId, heldId))!
  const changeId = change.record === undefined ? null : change.id
  return await decidePlan(db, organizationId, { id: plan.id, status: 'applied', by, changeId, now })
}

/** Discards a held plan: nothing of it is applied. @throws {DirectoryError} plan.not_found, plan.not_held */
export async function discardPlan(context: Context, id: string): Promise<PlanRow> {
  const plan = await requireHeldPlan(context, id)
  context.change.describe({
    kind: 'plan.discarded',
    groupId: plan.group_id,
    cause: { kind: 'plan', id },
    ...(plan.member_sync_id === null ? {} : { detail: { member_sync: plan.member_sync_id } }),
  })
  if (plan.member_sync_id === null) await keepGroup(context, plan)
  return await endPlan(context, plan, 'discarded', 'the plan was discarded')
}

/** Ends a plan nobody decided on in time. */
export async function expirePlan(context: Context, id: string): Promise<void> {
  const { db, organizationId } = context
  const seen = await findPlan(db, organizationId, id)
  if (seen === undefined) return
  // The group first, as for an approval.
  await lockGroup(db, organizationId, seen.group_id)
  const plan = await lockPlan(db, organizationId, id)
  if (plan?.status !== 'held') return
  if (plan.member_sync_id === null) await keepGroup(context, plan)
  await endPlan(context, plan, 'expired', 'nobody decided on the plan in time')
}
