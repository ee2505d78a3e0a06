import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import {
  MEMBER_SYNC_TASK,
  type MemberSyncFailure,
  type MemberSyncRow,
  type NewMemberSync,
} from './member-sync.sql.ts'

/**
 * Accepts a submission durably: its position within the group (submissions of one group take turns at the lane's
 * row), its rows, and the request for work, in one statement. Undefined if there is no such group.
 */
export async function acceptMemberSync(
  db: Queryable,
  organizationId: string,
  sync: NewMemberSync,
): Promise<MemberSyncRow | undefined> {
  const { columns } = sync
  return await db.row(sql<MemberSyncRow>`
    with lane as (
      insert into member_sync_lane (organization_id, group_id, last_position)
      select organization_id, id, 1 from org_group
      where organization_id = ${organizationId} and id = ${sync.groupId} and deleted_change is null
      on conflict (organization_id, group_id) do update set last_position = member_sync_lane.last_position + 1
      returning last_position
    ), accepted as (
      insert into member_sync (organization_id, id, group_id, position, actor_kind, actor_id, actor_level,
        row_count, accepted_at)
      select ${organizationId}, ${sync.id}, ${sync.groupId}, last_position, ${sync.actor.kind}, ${sync.actor.id},
        ${sync.actorLevel}, ${sync.rowCount}, clock_timestamp()
      from lane returning *
    ), desired as (
      insert into member_sync_desired (organization_id, sync_id, reference_ids, emails, email_keys,
        display_names, first_names, last_names, attributes, outcomes)
      select ${organizationId}, ${sync.id}, ${columns.referenceIds}::text[], ${columns.emails}::text[],
        ${columns.emailKeys}::text[], ${columns.displayNames}::text[], ${columns.firstNames}::text[],
        ${columns.lastNames}::text[], ${columns.attributes}::text[], ${columns.outcomes}::text[]
      from accepted
    ), task as (
      insert into task (id, kind, key, organization_id, run_at)
      select ${uuidV7()}, ${MEMBER_SYNC_TASK}, ${sync.groupId}::text, ${organizationId}, now() from accepted
      on conflict (kind, key) do update set wakes = task.wakes + 1, run_at = least(task.run_at, excluded.run_at)
    )
    select *, null as held_plan_id, null as failures from accepted`)
}

/** Stores a submission for a preview, which is rolled back: it takes no position and asks for no work. */
export async function insertPreviewSync(
  tx: Transaction,
  organizationId: string,
  sync: NewMemberSync,
): Promise<void> {
  const { columns } = sync
  await tx.run(sql`
    with accepted as (
      insert into member_sync (organization_id, id, group_id, position, actor_kind, actor_id, actor_level,
        row_count, accepted_at)
      values (${organizationId}, ${sync.id}, ${sync.groupId}, 0, ${sync.actor.kind}, ${sync.actor.id},
        ${sync.actorLevel}, ${sync.rowCount}, now())
    )
    insert into member_sync_desired (organization_id, sync_id, reference_ids, emails, email_keys,
      display_names, first_names, last_names, attributes, outcomes)
    values (${organizationId}, ${sync.id}, ${columns.referenceIds}::text[], ${columns.emails}::text[],
      ${columns.emailKeys}::text[], ${columns.displayNames}::text[], ${columns.firstNames}::text[],
      ${columns.lastNames}::text[], ${columns.attributes}::text[], ${columns.outcomes}::text[])`)
}

/** Locks the group's next submission, if there is one. */
export async function lockNextMemberSync(
  tx: Transaction,
  organizationId: string,
  groupId: string,
): Promise<MemberSyncRow | undefined> {
  return await tx.row(sql<MemberSyncRow>`
    select *, null as held_plan_id, null as failures from member_sync
    where organization_id = ${organizationId} and group_id = ${groupId} and status = 'pending'
    order by position limit 1 for update`)
}

export async function hasPendingMemberSync(
  db: Queryable,
  organizationId: string,
  groupId: string,
): Promise<boolean> {
  const row = await db.row(sql<{ found: number }>`
    select 1 as found from member_sync
    where organization_id = ${organizationId} and group_id = ${groupId} and status = 'pending' limit 1`)
  return row !== undefined
}

/** Writes the result of a submission with its failures, and forgets what was submitted. */
export async function completeMemberSync(
  tx: Transaction,
  organizationId: string,
  id: string,
  result: MemberSyncResult,
): Promise<void> {
  await tx.run(sql`
    with desired as (
      delete from member_sync_desired where organization_id = ${organizationId} and sync_id = ${id}
      returning reference_ids, outcomes
    ), failed as (
      insert into member_sync_failure (organization_id, sync_id, ordinal, reference_id, operation, reason)
      select ${organizationId}, ${id}, r.n, r.reference_id, 'add', r.outcome
      from desired d, unnest(d.reference_ids, d.outcomes) with ordinality r (reference_id, outcome, n)
      where d.outcomes is not null and r.outcome is not null
      returning 1
    )
    update member_sync set status = 'completed', completed_at = clock_timestamp(),
      change_id = ${result.changeId}, opened_count = ${result.opened}, ended_count = ${result.ended},
      left_count = ${result.left}, created_members = ${result.createdMembers},
      updated_members = ${result.updatedMembers}, failure_count = (select count(*) from failed)
    where organization_id = ${organizationId} and id = ${id}`)
}

export async function holdMemberSync(tx: Transaction, organizationId: string, id: string): Promise<void> {
  await tx.run(sql`
    update member_sync set status = 'held' where organization_id = ${organizationId} and id = ${id}`)
}

/** Ends a held submission that is not carried out, and forgets what was submitted. */
export async function closeMemberSync(
  tx: Transaction,
  organizationId: string,
  id: string,
  status: 'superseded' | 'discarded' | 'expired',
): Promise<void> {
  await tx.run(sql`
    with desired as (
      delete from member_sync_desired where organization_id = ${organizationId} and sync_id = ${id}
    )
    update member_sync set status = ${status}, completed_at = clock_timestamp(), opened_count = 0,
      ended_count = 0, left_count = 0, created_members = 0, updated_members = 0,
      failure_count = (
        select count(*) from member_sync_failure
        where organization_id = ${organizationId} and sync_id = ${id})
    where organization_id = ${organizationId} and id = ${id}`)
}

/** Says of each entry of a plan that it was not applied, among the failures of its submission. */
export async function failPlannedEntries(
  tx: Transaction,
  organizationId: string,
  plan: { id: string; member_sync_id: string },
  reason: string,
): Promise<void> {
  await tx.run(sql`
    insert into member_sync_failure (organization_id, sync_id, ordinal, reference_id, operation, reason)
    select ${organizationId}, ${plan.member_sync_id}, e.ordinal, coalesce(e.reference_id, e.member_id::text),
      case e.effect when 'end' then 'remove' else 'add' end, ${reason}
    from plan_entry e
    where e.organization_id = ${organizationId} and e.plan_id = ${plan.id}`)
}

/**
 * Ends submissions that have not started, one or all of a group, without carrying them out; each of their rows is a
 * failure with the reason. Answers how many: one that has just started is not among them.
 */
export async function endPendingSyncs(
  tx: Transaction,
  organizationId: string,
  end: {
    groupId: string
    /** Null: all of the group. */
    syncId: string | null
    status: 'cancelled' | 'failed'
    reason: string
    now: Date
  },
): Promise<number> {
  return await tx.run(sql`
    with waiting as (
      select id from member_sync
      where organization_id = ${organizationId} and group_id = ${end.groupId} and status = 'pending'
        and (${end.syncId}::uuid is null or id = ${end.syncId})
      for update skip locked
    ), forgotten as (
      delete from member_sync_desired
      where organization_id = ${organizationId} and sync_id in (select id from waiting)
      returning sync_id, reference_ids
    ), failed as (
      insert into member_sync_failure (organization_id, sync_id, ordinal, reference_id, operation, reason)
      select ${organizationId}, f.sync_id, r.n, r.reference_id, 'add', ${end.reason}
      from forgotten f, unnest(f.reference_ids) with ordinality r (reference_id, n)
    )
    update member_sync set status = ${end.status}, completed_at = ${end.now}, opened_count = 0,
      ended_count = 0, left_count = 0, created_members = 0, updated_members = 0, failure_count = row_count
    where organization_id = ${organizationId} and id in (select id from waiting)`)
}

/** Rows of a submission under way that are refused, in its order. */
export async function listRefusedRows(
  db: Queryable,
  organizationId: string,
  syncId: string,
  limit: number,
): Promise<MemberSyncFailure[]> {
  return await db.rows(sql<MemberSyncFailure>`
    select r.reference_id, 'add' as operation, r.outcome as reason
    from member_sync_desired s,
      unnest(s.reference_ids, s.outcomes) with ordinality r (reference_id, outcome, n)
    where s.organization_id = ${organizationId} and s.sync_id = ${syncId} and s.outcomes is not null
      and r.outcome is not null
    order by r.n limit ${limit}`)
}

export interface MemberSyncResult {
  changeId: string | null
  opened: number
  ended: number
  left: number
  createdMembers: number
  updatedMembers: number
}
