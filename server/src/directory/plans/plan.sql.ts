import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import type { RecordedActor } from '../access/permission.ts'

export type PlanStatus = 'held' | 'applied' | 'discarded' | 'superseded' | 'expired'

export interface PlanRow {
  id: string
  group_id: string
  source_id: string
  /** Null: what a SCIM connection asserts is desired. */
  member_sync_id: string | null
  status: PlanStatus
  reason: string
  base_seq: number
  open_count: number
  end_count: number
  new_member_count: number
  created_at: string
  expires_at: string
  decided_at: string | null
  decided_by_kind: string | null
  decided_by_id: string | null
  change_id: string | null
}

export interface PlanEntryRow {
  ordinal: number
  effect: 'open' | 'end'
  member_id: string | null
  reference_id: string | null
  member_name: string | null
}

/**
 * The entries of a plan on their way past a rollback: PostgreSQL array literals, which this process only carries,
 * because 100,000 of them must not pass through its event loop one by one.
 */
export interface CarriedEntries {
  effects: string
  member_ids: string
  reference_ids: string
  opened: number
  ended: number
  new_members: number
}

/**
 * Reads what the open transaction's change opened and ended, to be stored after it is rolled back. Who is created
 * by it is new: a row of the submission that nobody was found for (people.sql.ts).
 */
export async function carryEntries(
  tx: Transaction,
  organizationId: string,
  submission: { groupId: string; syncId: string; changeId: string },
): Promise<CarriedEntries> {
  const { groupId, syncId, changeId } = submission
  const row = await tx.row(sql<CarriedEntries>`
    with created as materialized (
      select r.reference_id
      from member_sync_desired s,
        unnest(s.reference_ids, s.outcomes, s.target_ids) r (reference_id, outcome, target_id)
      where s.organization_id = ${organizationId} and s.sync_id = ${syncId} and s.target_ids is not null
        and r.outcome is null and r.target_id is null
    ), entries as materialized (
      select 'end' as effect, p.member_id, m.external_reference_id as reference_id, false as is_new
      from group_membership_past p
      join member m on m.organization_id = p.organization_id and m.id = p.member_id
      where p.organization_id = ${organizationId} and p.ended_change = ${changeId}
      union all
      select 'open', l.member_id, m.external_reference_id,
        m.external_reference_id in (select reference_id from created)
      from group_membership l
      join member m on m.organization_id = l.organization_id and m.id = l.member_id
      where l.organization_id = ${organizationId} and l.group_id = ${groupId} and l.opened_change = ${changeId}
    ), ordered as (
      select * from entries order by effect, reference_id, member_id
    )
    select array_agg(effect)::text as effects,
      array_agg(case when is_new then null else member_id end)::text as member_ids,
      array_agg(reference_id)::text as reference_ids,
      count(*) filter (where effect = 'open') as opened, count(*) filter (where effect = 'end') as ended,
      count(*) filter (where is_new) as new_members
    from ordered`)
  return row!
}

export async function insertPlan(
  tx: Transaction,
  organizationId: string,
  plan: {
    id: string
    groupId: string
    sourceId: string
    memberSyncId: string
    reason: string
    entries: CarriedEntries
    expiresAt: Date
  },
): Promise<void> {
  const { entries } = plan
  await tx.run(sql`
    insert into plan (organization_id, id, group_id, source_id, member_sync_id, reason, base_seq, open_count,
      end_count, new_member_count, created_at, expires_at)
    select ${organizationId}, ${plan.id}, ${plan.groupId}, ${plan.sourceId}, ${plan.memberSyncId},
      ${plan.reason}, c.last_seq, ${entries.opened}, ${entries.ended}, ${entries.new_members},
      clock_timestamp(), ${plan.expiresAt}
    from change_counter c where c.organization_id = ${organizationId}`)
  await tx.run(sql`
    insert into plan_entry (organization_id, plan_id, ordinal, effect, member_id, reference_id)
    select ${organizationId}, ${plan.id}, e.n, e.effect, e.member_id, e.reference_id
    from unnest(${entries.effects}::text[], ${entries.member_ids}::uuid[], ${entries.reference_ids}::text[])
      with ordinality e (effect, member_id, reference_id, n)`)
}

/** Removals that a source made within the last seconds, of all its changes together. */
export async function sumRecentRemovals(
  db: Queryable,
  organizationId: string,
  sourceId: string,
  windowSeconds: number,
): Promise<number> {
  const row = await db.row(sql<{ removals: number }>`
    select coalesce(sum(ended_count), 0)::integer as removals from change
    where organization_id = ${organizationId} and source_id = ${sourceId} and ended_count > 0
      and at > clock_timestamp() - make_interval(secs => ${windowSeconds})`)
  return row?.removals ?? 0
}

export async function findPlan(
  db: Queryable,
  organizationId: string,
  id: string,
): Promise<PlanRow | undefined> {
  return await db.row(sql<PlanRow>`
    select * from plan where organization_id = ${organizationId} and id = ${id}`)
}

export async function lockPlan(
  tx: Transaction,
  organizationId: string,
  id: string,
): Promise<PlanRow | undefined> {
  return await tx.row(sql<PlanRow>`
    select * from plan where organization_id = ${organizationId} and id = ${id} for update`)
}

export async function listPlans(
  db: Queryable,
  organizationId: string,
  page: { beforeId: string | null; status: PlanStatus | null; groupId: string | null; limit: number },
): Promise<PlanRow[]> {
  return await db.rows(sql<PlanRow>`
    select * from plan
    where organization_id = ${organizationId}
      and (${page.beforeId}::uuid is null or id < ${page.beforeId})
      and (${page.status}::text is null or status = ${page.status})
      and (${page.groupId}::uuid is null or group_id = ${page.groupId})
    order by id desc limit ${page.limit}`)
}

export async function listPlanEntries(
  db: Queryable,
  organizationId: string,
  planId: string,
  page: { afterOrdinal: number; limit: number },
): Promise<PlanEntryRow[]> {
  return await db.rows(sql<PlanEntryRow>`
    select e.ordinal, e.effect, e.member_id, e.reference_id,
      coalesce(m.display_name, nullif(concat_ws(' ', m.first_name, m.last_name), ''), m.email) as member_name
    from plan_entry e
    left join member m on m.organization_id = e.organization_id and m.id = e.member_id
    where e.organization_id = ${organizationId} and e.plan_id = ${planId} and e.ordinal > ${page.afterOrdinal}::bigint
    order by e.ordinal limit ${page.limit}`)
}

/** Removals that the open transaction made and the plan did not show. */
export async function countUnapprovedRemovals(
  tx: Transaction,
  organizationId: string,
  planId: string,
  changeId: string,
): Promise<number> {
  const row = await tx.row(sql<{ count: number }>`
    select count(*) as count from (
      select member_id from group_membership_past
      where organization_id = ${organizationId} and ended_change = ${changeId}
      except
      select member_id from plan_entry
      where organization_id = ${organizationId} and plan_id = ${planId} and effect = 'end'
    ) beyond`)
  return row?.count ?? 0
}

export async function decidePlan(
  tx: Transaction,
  organizationId: string,
  plan: {
    id: string
    status: PlanStatus
    by: RecordedActor
    changeId: string | null
    now: Date
  },
): Promise<PlanRow> {
  const row = await tx.row(sql<PlanRow>`
    update plan set status = ${plan.status}, decided_at = ${plan.now}, decided_by_kind = ${plan.by.kind},
      decided_by_id = ${plan.by.id}, change_id = ${plan.changeId}
    where organization_id = ${organizationId} and id = ${plan.id} returning *`)
  return row!
}

/** Held plans of a group, of one source or of all, locked. */
export async function lockHeldPlans(
  tx: Transaction,
  organizationId: string,
  groupId: string,
  sourceId: string | null,
): Promise<PlanRow[]> {
  return await tx.rows(sql<PlanRow>`
    select * from plan
    where organization_id = ${organizationId} and group_id = ${groupId} and status = 'held'
      and (${sourceId}::uuid is null or source_id = ${sourceId})
    order by id for update`)
}

/** Held plans whose time is over (read across organizations). */
export async function listExpiredPlans(
  db: Queryable,
  limit: number,
): Promise<{ organization_id: string; id: string }[]> {
  return await db.rows(sql<{ organization_id: string; id: string }>`
    select organization_id, id from plan where status = 'held' and expires_at <= now()
    order by expires_at limit ${limit}`)
}
