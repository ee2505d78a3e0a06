import type { Transaction } from '../../platform/postgres/database.ts'
import { part, sql } from '../../platform/postgres/sql.ts'
import {
  endingHeld,
  heldByLeaving,
  movingEndedToPast,
  openingForJoining,
} from '../grants/membership-sets.sql.ts'

interface ProjectedGroup {
  readonly groupId: string
  readonly sourceId: string
  readonly changeId: string
}

/** Ends what the source gives some members in a group. How many grants. */
export async function endProjected(
  tx: Transaction,
  organizationId: string,
  to: ProjectedGroup,
  memberIds: readonly string[],
): Promise<number> {
  const row = await tx.row(sql<{ ended: number }>`
    with leaving as (${part`select m.id as member_id from unnest(${memberIds}::uuid[]) m (id)`}),
    held as materialized (${heldByLeaving(organizationId, to)}),
    ended as (${endingHeld(organizationId, true)}),
    past as (${movingEndedToPast(to.changeId)})
    select count(*) as ended from ended`)
  return row?.ended ?? 0
}

/**
 * Makes what the source gives in a group be what its connection asserts of it: nobody, if the group is not asserted any
 * more.
 */
export async function projectWhole(
  tx: Transaction,
  organizationId: string,
  to: ProjectedGroup,
): Promise<{ opened: number; ended: number }> {
  const row = await tx.row(sql<{ opened: number; ended: number }>`
    with asserted as materialized (
      select u.member_id, m.can_hold_grants from scim_group_member sm
      join scim_user u on u.organization_id = sm.organization_id and u.id = sm.user_id
      join member m on m.organization_id = u.organization_id and m.id = u.member_id
      where sm.organization_id = ${organizationId} and sm.group_id = ${to.groupId}
    ), joining as (
      select member_id from asserted where can_hold_grants
    ), opened as (${openingForJoining(organizationId, to)}),
    held as materialized (
      select gm.ctid as place, gm.member_id from group_membership gm
      where gm.organization_id = ${organizationId} and gm.group_id = ${to.groupId}
        and gm.source_id = ${to.sourceId}
        and not exists (select 1 from asserted a where a.member_id = gm.member_id)
    ), ended as (${endingHeld(organizationId, true)}),
    past as (${movingEndedToPast(to.changeId)})
    select (select count(*) from opened) as opened, (select count(*) from ended) as ended`)
  return row!
}

/** Gives a member what its connection asserts, in every group at once: it has come back. How many grants. */
export async function restoreAssertedGrants(
  tx: Transaction,
  organizationId: string,
  member: { id: string; changeId: string },
): Promise<number> {
  return await tx.run(sql`
    insert into group_membership (organization_id, group_id, member_id, source_id, opened_change)
    select u.organization_id, sm.group_id, u.member_id, r.source_id, ${member.changeId}
    from scim_user u
    join scim_roster r on r.organization_id = u.organization_id and r.connection_id = u.connection_id
    join scim_group_member sm on sm.organization_id = u.organization_id and sm.user_id = u.id
    where u.organization_id = ${organizationId} and u.member_id = ${member.id}
    order by sm.group_id
    on conflict do nothing`)
}

/** Stores a held plan with everybody whom the group's projection would end by now. How many. */
export async function insertProjectionPlan(
  tx: Transaction,
  organizationId: string,
  plan: { id: string; groupId: string; sourceId: string; reason: string; expiresAt: Date },
): Promise<number> {
  const row = await tx.row(sql<{ count: number }>`
    with losing as materialized (
      select gm.member_id, m.external_reference_id,
        row_number() over (order by gm.member_id) as ordinal
      from group_membership gm
      join member m on m.organization_id = gm.organization_id and m.id = gm.member_id
      where gm.organization_id = ${organizationId} and gm.group_id = ${plan.groupId} and gm.source_id = ${plan.sourceId}
        and not exists (
          select 1 from scim_user u
          join scim_group_member sm on sm.organization_id = u.organization_id and sm.user_id = u.id
            and sm.group_id = gm.group_id
          where u.organization_id = gm.organization_id and u.member_id = gm.member_id)
    ), held as (
      insert into plan (organization_id, id, group_id, source_id, reason, base_seq, open_count, end_count,
        new_member_count, created_at, expires_at)
      select ${organizationId}, ${plan.id}, ${plan.groupId}, ${plan.sourceId}, ${plan.reason}, c.last_seq, 0,
        (select count(*) from losing), 0, clock_timestamp(), ${plan.expiresAt}
      from change_counter c where c.organization_id = ${organizationId}
    ), entries as (
      insert into plan_entry (organization_id, plan_id, ordinal, effect, member_id, reference_id)
      select ${organizationId}, ${plan.id}, ordinal, 'end', member_id, external_reference_id from losing
    )
    select count(*) as count from losing`)
  return row?.count ?? 0
}
