import type { Transaction } from '../../platform/postgres/database.ts'
import { type Statement, sql } from '../../platform/postgres/sql.ts'

export interface PlannedMembership {
  /** Rows that need their person created, found, restored or changed first: then nothing is opened or ended. */
  unreconciled: number
  opened: number
  ended: number
  /** Live grants that stay as they are. */
  left: number
  /** Grants to be ended that somebody else ended, or moved to another member, at this moment. */
  missed: number
}

/** From this many rows on, joining by hash beats probing an index for each row. */
const LARGE_ROWS_MIN = 20_000

export type SubmissionSize = 'small' | 'large'

/**
 * Tells PostgreSQL how to plan a submission, until COMMIT.
 *
 * - No sequential scans: the delete by ctid would become one under a plan that was kept from when the table was
 *   small, and compare every row with every ctid (6.5 s for 100,000 rows and 10,000 ctids instead of 0.1).
 * - From LARGE_ROWS_MIN rows on no nested loops: PostgreSQL takes an array in a table for 10 rows and would probe
 *   indexes 100,000 times (250 ms instead of 155).
 * - Not `plan_cache_mode`: with it the 200,000 foreign key checks of a first fill would each be planned anew (4.7 s
 *   instead of 1.3).
 */
export async function planForSize(tx: Transaction, rowCount: number): Promise<SubmissionSize> {
  const size = rowCount < LARGE_ROWS_MIN ? 'small' : 'large'
  await tx.run(sql`
    select set_config('enable_seqscan', 'off', true),
      set_config('enable_nestloop', ${size === 'large' ? 'off' : 'on'}, true)`)
  return size
}

/** The statement under a name of its size: plans kept for one size are never used for the other. */
export function sized<Row>(statement: Statement<Row>, size: SubmissionSize): Statement<Row> {
  return size === 'small' ? statement : { ...statement, name: `${statement.name}_large` }
}

/**
 * The planner: compares the submitted members with the live grants of the source in the group, and applies the
 * difference. One statement, so the difference never leaves the database; it costs what the hand-written floor
 * costs (docs/decisions/0005-member-sync.md).
 *
 * - A refused row (an outcome) neither opens nor ends anything: who is in stays in.
 * - FULL JOIN, because it is always hashed or merged: a NOT EXISTS over a freshly analyzed empty table took 52 s.
 * - The delete goes by ctid alone: with the key's columns beside it the planner may walk the group once for each
 *   row. The ctids come from this statement's own snapshot of this organization's group.
 */
export async function applyDesiredMembership(
  tx: Transaction,
  organizationId: string,
  plan: { syncId: string; groupId: string; sourceId: string; changeId: string; size: SubmissionSize },
): Promise<PlannedMembership> {
  const statement = sql<PlannedMembership>`
    with live as materialized (
      select ctid as row_id, member_id from group_membership
      where organization_id = ${organizationId} and group_id = ${plan.groupId} and source_id = ${plan.sourceId}
    ), difference as materialized (
      select t.member_id as open_id, t.requested, t.unreconciled, l.row_id
      from (
        -- A refused row without a known reference id may yet be somebody with its email.
        select true as requested, coalesce(m.merged_into, m.id, d.target_id) as member_id,
          d.outcome is null as wanted,
          (m.id is null and d.outcome is not null and d.email is not null and not d.classified)
          -- Merged or linked by somebody else since its row was classified.
          or (d.outcome is null and d.target_id <> coalesce(m.merged_into, m.id))
          or d.outcome is null and not (d.classified and m.merged_into is not null) and (
            m.id is null or m.status = 'removed'
            or (d.email is not null and d.email is distinct from m.email)
            or (d.display_name is not null and d.display_name is distinct from m.display_name)
            or (d.first_name is not null and d.first_name is distinct from m.first_name)
            or (d.last_name is not null and d.last_name is distinct from m.last_name)
            or (d.attributes is not null and m.attributes || d.attributes::jsonb <> m.attributes)
          ) as unreconciled
        from (
          select r.*, s.target_ids is not null as classified
          from member_sync_desired s,
            unnest(s.reference_ids, s.emails, s.display_names, s.first_names, s.last_names, s.attributes,
              s.outcomes, s.target_ids)
              r (reference_id, email, display_name, first_name, last_name, attributes, outcome, target_id)
          where s.organization_id = ${organizationId} and s.sync_id = ${plan.syncId}
        ) d
        left join member m
          on m.organization_id = ${organizationId} and m.external_reference_id = d.reference_id
      ) t
      full join live l on l.member_id = t.member_id
      -- Only what differs, and what has to be settled first.
      where t.requested is null or t.unreconciled or (l.row_id is null and t.wanted)
    ), verdict as materialized (
      select count(*) filter (where unreconciled) as unreconciled,
        count(*) filter (where requested is null) as to_end
      from difference
    ), gone as (
      delete from group_membership
      where ctid = any (array(
        select row_id from difference where requested is null and (select unreconciled from verdict) = 0))
      returning *
    ), past as (
      insert into group_membership_past
      select organization_id, group_id, member_id, source_id, opened_change, expires_at, ${plan.changeId}
      from gone returning 1
    ), fresh as (
      insert into group_membership (organization_id, group_id, member_id, source_id, opened_change)
      select ${organizationId}, ${plan.groupId}, open_id, ${plan.sourceId}, ${plan.changeId}
      from difference where requested and row_id is null and (select unreconciled from verdict) = 0
      returning 1
    )
    select v.unreconciled, (select count(*) from fresh) as opened, (select count(*) from past) as ended,
      (select count(*) from live) - (select count(*) from gone) as left,
      case v.unreconciled when 0 then v.to_end - (select count(*) from gone) else 0 end as missed
    from verdict v`
  const row = await tx.row(sized(statement, plan.size))
  return row!
}
