import { type Statement, sql } from '#src/platform/postgres/sql.ts'

/**
 * The schema floor of a member sync: the best hand-written SQL on the shipped schema. It resolves reference ids,
 * writes the past, and does nothing else: no acceptance, people, limits, change, result. Frozen: reviewed like
 * code, changed only with the schema.
 */
export function schemaFloor(
  organizationId: string,
  plan: { groupId: string; sourceId: string; changeId: string; referenceIds: Buffer },
): Statement<{ opened: number; ended: number }> {
  return sql`
    with want as materialized (
      select m.id from unnest(${plan.referenceIds}::text[]) r
      join member m on m.external_reference_id = r
      where m.organization_id = ${organizationId}
    ), live as materialized (
      select ctid as row_id, member_id from group_membership
      where organization_id = ${organizationId} and group_id = ${plan.groupId} and source_id = ${plan.sourceId}
    ), difference as materialized (
      select w.id, l.row_id from want w full join live l on l.member_id = w.id
      where w.id is null or l.member_id is null
    ), gone as (
      delete from group_membership where ctid = any (array(select row_id from difference where id is null))
      returning *
    ), past as (
      insert into group_membership_past
      select organization_id, group_id, member_id, source_id, opened_change, expires_at, ${plan.changeId}
      from gone returning 1
    ), fresh as (
      insert into group_membership (organization_id, group_id, member_id, source_id, opened_change)
      select ${organizationId}, ${plan.groupId}, id, ${plan.sourceId}, ${plan.changeId}
      from difference where row_id is null returning 1
    )
    select (select count(*) from fresh) as opened, (select count(*) from past) as ended`
}

/** The bare floor: two UUIDs a row, the ids known; no organization, no foreign key, no past, no index but one. */
export const BARE_TABLE =
  'create table bare_membership (group_id uuid, member_id uuid, primary key (group_id, member_id))'

export function bareFloor(groupId: string, memberIds: Buffer): Statement<{ opened: number; ended: number }> {
  return sql`
    with want as materialized (select distinct u as id from unnest(${memberIds}::uuid[]) u),
    live as materialized (select ctid as row_id, member_id from bare_membership where group_id = ${groupId}),
    difference as materialized (
      select w.id, l.row_id from want w full join live l on l.member_id = w.id
      where w.id is null or l.member_id is null
    ), gone as (
      delete from bare_membership where ctid = any (array(select row_id from difference where id is null))
      returning 1
    ), fresh as (
      insert into bare_membership select ${groupId}, id from difference where row_id is null returning 1
    )
    select (select count(*) from fresh) as opened, (select count(*) from gone) as ended`
}
