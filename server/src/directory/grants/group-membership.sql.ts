import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'

/** Opens one grant. False if this source gives it already. */
export async function openMembership(
  tx: Transaction,
  organizationId: string,
  grant: {
    groupId: string
    memberId: string
    sourceId: string
    changeId: string
    expiresAt: string | null
  },
): Promise<boolean> {
  const count = await tx.run(sql`
    insert into group_membership (organization_id, group_id, member_id, source_id, opened_change, expires_at)
    values (${organizationId}, ${grant.groupId}, ${grant.memberId}, ${grant.sourceId}, ${grant.changeId},
      ${grant.expiresAt})
    on conflict do nothing`)
  return count === 1
}

/** Ends what one source gives a member in a group, expired or not. Answers how many grants ended. */
export async function endMembershipOfSource(
  tx: Transaction,
  organizationId: string,
  grant: { groupId: string; memberId: string; sourceId: string; changeId: string },
): Promise<number> {
  return await tx.run(sql`
    with gone as (
      delete from group_membership
      where organization_id = ${organizationId} and group_id = ${grant.groupId}
        and member_id = ${grant.memberId} and source_id = ${grant.sourceId}
      returning *
    )
    insert into group_membership_past
    select organization_id, group_id, member_id, source_id, opened_change, expires_at, ${grant.changeId}
    from gone`)
}

/** Ends what one member holds in one group now, from every source: what has expired is gone already. */
export async function endMembershipsInGroup(
  tx: Transaction,
  organizationId: string,
  grant: { groupId: string; memberId: string; changeId: string },
): Promise<number> {
  return await tx.run(sql`
    with gone as (
      delete from group_membership
      where organization_id = ${organizationId} and group_id = ${grant.groupId}
        and member_id = ${grant.memberId}
        and (expires_at is null or expires_at > now())
      returning *
    )
    insert into group_membership_past
    select organization_id, group_id, member_id, source_id, opened_change, expires_at, ${grant.changeId}
    from gone`)
}

/** Whether a member is in a group now, by whatever source. */
export async function isInGroup(
  db: Queryable,
  organizationId: string,
  membership: { groupId: string; memberId: string },
): Promise<boolean> {
  const row = await db.row(sql<{ found: number }>`
    select 1 as found from group_membership
    where organization_id = ${organizationId} and group_id = ${membership.groupId}
      and member_id = ${membership.memberId} and (expires_at is null or expires_at > now())
    limit 1`)
  return row !== undefined
}

export async function endMembershipsOfMember(
  tx: Transaction,
  organizationId: string,
  memberId: string,
  changeId: string,
): Promise<number> {
  return await tx.run(sql`
    with gone as (
      delete from group_membership
      where organization_id = ${organizationId} and member_id = ${memberId}
      returning *
    )
    insert into group_membership_past
    select organization_id, group_id, member_id, source_id, opened_change, expires_at, ${changeId} from gone`)
}

export async function endMembershipsOfGroup(
  tx: Transaction,
  organizationId: string,
  groupId: string,
  changeId: string,
): Promise<number> {
  return await tx.run(sql`
    with gone as (
      delete from group_membership
      where organization_id = ${organizationId} and group_id = ${groupId}
      returning *
    )
    insert into group_membership_past
    select organization_id, group_id, member_id, source_id, opened_change, expires_at, ${changeId} from gone`)
}

/** Locks the groups of a member against submissions, which would not see what is copied into them meanwhile. */
export async function lockGroupsOfMember(
  tx: Transaction,
  organizationId: string,
  memberId: string,
): Promise<string[]> {
  const rows = await tx.rows(sql<{ id: string }>`
    select id from org_group
    where organization_id = ${organizationId} and id in (
      select group_id from group_membership where organization_id = ${organizationId} and member_id = ${memberId})
    order by id for no key update`)
  return rows.map((row) => row.id)
}

/** Locks what a member holds until COMMIT: whoever ends one of these grants meanwhile comes before or after. */
export async function lockMembershipsOfMember(
  tx: Transaction,
  organizationId: string,
  memberId: string,
): Promise<void> {
  await tx.run(sql`
    select 1 from group_membership
    where organization_id = ${organizationId} and member_id = ${memberId}
    order by group_id, source_id for update`)
}

/** Whether a member is by now in a group besides these. */
export async function isInAnotherGroup(
  tx: Transaction,
  organizationId: string,
  memberId: string,
  groupIds: readonly string[],
): Promise<boolean> {
  const row = await tx.row(sql<{ found: number }>`
    select 1 as found from group_membership
    where organization_id = ${organizationId} and member_id = ${memberId} and group_id <> all(${groupIds}::uuid[])
    limit 1`)
  return row !== undefined
}

/** Ends what a member holds for a shorter time than another from the same source, before it is copied. */
export async function endShorterMemberships(
  tx: Transaction,
  organizationId: string,
  copy: { fromMemberId: string; toMemberId: string; changeId: string },
): Promise<number> {
  return await tx.run(sql`
    with gone as (
      delete from group_membership t
      using group_membership f
      where t.organization_id = ${organizationId} and t.member_id = ${copy.toMemberId}
        and f.organization_id = ${organizationId} and f.member_id = ${copy.fromMemberId}
        and f.group_id = t.group_id and f.source_id = t.source_id
        and t.expires_at < coalesce(f.expires_at, 'infinity')
        and (f.expires_at is null or f.expires_at > now())
      returning t.*
    )
    insert into group_membership_past
    select organization_id, group_id, member_id, source_id, opened_change, expires_at, ${copy.changeId}
    from gone`)
}

/** Gives one member what another holds, where the same source does not give it already. */
export async function copyMemberships(
  tx: Transaction,
  organizationId: string,
  copy: { fromMemberId: string; toMemberId: string; changeId: string },
): Promise<number> {
  return await tx.run(sql`
    insert into group_membership (organization_id, group_id, member_id, source_id, opened_change, expires_at)
    select organization_id, group_id, ${copy.toMemberId}, source_id, ${copy.changeId}, expires_at
    from group_membership
    where organization_id = ${organizationId} and member_id = ${copy.fromMemberId}
      and (expires_at is null or expires_at > now())
    on conflict do nothing`)
}

export interface ExpiredGrants {
  ended: number
  latest: string | null
}

/** Ends what has expired in one organization, in one group of it or in all. */
export async function endExpiredMemberships(
  tx: Transaction,
  organizationId: string,
  groupId: string | null,
  changeId: string,
): Promise<ExpiredGrants> {
  const row = await tx.row(sql<ExpiredGrants>`
    with gone as (
      delete from group_membership
      where organization_id = ${organizationId} and expires_at <= clock_timestamp()
        and (${groupId}::uuid is null or group_id = ${groupId})
      returning *
    ), past as (
      insert into group_membership_past
      select organization_id, group_id, member_id, source_id, opened_change, expires_at, ${changeId} from gone
      returning expires_at
    )
    select count(*) as ended, max(expires_at) as latest from past`)
  return row ?? { ended: 0, latest: null }
}

/** Organizations with a grant that has expired and is not yet recorded as ended (read across organizations). */
export async function listOrganizationsWithExpired(db: Queryable, limit: number): Promise<string[]> {
  const rows = await db.rows(sql<{ organization_id: string }>`
    select distinct organization_id from (
      (select organization_id from group_membership where expires_at <= now() limit ${limit})
      union all
      (select organization_id from role_grant where expires_at <= now() and ended_change is null limit ${limit})
    ) expired limit ${limit}`)
  return rows.map((row) => row.organization_id)
}

/** Live grants of a source, for the brake's share. */
export async function countLiveMemberships(
  db: Queryable,
  organizationId: string,
  sourceId: string,
): Promise<number> {
  const row = await db.row(sql<{ count: number }>`
    select count(*) as count from group_membership
    where organization_id = ${organizationId} and source_id = ${sourceId}`)
  return row?.count ?? 0
}

export interface GroupMemberRow {
  id: string
  email: string | null
  display_name: string | null
  first_name: string | null
  last_name: string | null
  external_reference_id: string | null
  status: 'active' | 'suspended' | 'removed'
  grants: { source: string; since: string; expires_at: string | null; change: string }[]
}

/** One page of a group's members now, each with the grants that put them there. */
export async function listGroupMembers(
  db: Queryable,
  organizationId: string,
  groupId: string,
  page: { afterMemberId: string | null; limit: number; offset?: number },
): Promise<GroupMemberRow[]> {
  return await db.rows(sql<GroupMemberRow>`
    select m.id, m.email, m.display_name, m.first_name, m.last_name, m.external_reference_id, m.status, g.grants
    from (
      select gm.member_id, json_agg(json_build_object('source', s.kind,
          'since', to_char(c.at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
          'expires_at', to_char(gm.expires_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
          'change', gm.opened_change)) as grants
      from group_membership gm
      join grant_source s on s.organization_id = gm.organization_id and s.id = gm.source_id
      join change c on c.organization_id = gm.organization_id and c.id = gm.opened_change
      where gm.organization_id = ${organizationId} and gm.group_id = ${groupId}
        and gm.member_id > coalesce(${page.afterMemberId}::uuid, '00000000-0000-0000-0000-000000000000')
        and (gm.expires_at is null or gm.expires_at > now())
      group by gm.member_id order by gm.member_id offset ${page.offset ?? 0} limit ${page.limit}
    ) g
    join member m on m.organization_id = ${organizationId} and m.id = g.member_id
    order by m.id`)
}

/** The same page as it was at a past moment. */
export async function listGroupMembersAsOf(
  db: Queryable,
  organizationId: string,
  groupId: string,
  page: { afterMemberId: string | null; limit: number; asOf: string },
): Promise<GroupMemberRow[]> {
  return await db.rows(sql<GroupMemberRow>`
    with held as (
      select member_id, source_id, opened_change, null::uuid as ended_change, expires_at from group_membership
      where organization_id = ${organizationId} and group_id = ${groupId}
        and member_id > coalesce(${page.afterMemberId}::uuid, '00000000-0000-0000-0000-000000000000')
      union all
      select member_id, source_id, opened_change, ended_change, expires_at from group_membership_past
      where organization_id = ${organizationId} and group_id = ${groupId}
        and member_id > coalesce(${page.afterMemberId}::uuid, '00000000-0000-0000-0000-000000000000')
    ), then_held as (
      select h.member_id, json_agg(json_build_object('source', s.kind,
          'since', to_char(o.at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
          'expires_at', to_char(h.expires_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
          'change', h.opened_change)) as grants
      from held h
      join change o on o.organization_id = ${organizationId} and o.id = h.opened_change
      left join change e on e.organization_id = ${organizationId} and e.id = h.ended_change
      join grant_source s on s.organization_id = ${organizationId} and s.id = h.source_id
      where o.at <= ${page.asOf}
        and (h.ended_change is null or e.at > ${page.asOf})
        and (h.expires_at is null or h.expires_at > ${page.asOf})
      group by h.member_id order by h.member_id limit ${page.limit}
    )
    select m.id, m.email, m.display_name, m.first_name, m.last_name, m.external_reference_id, m.status, t.grants
    from then_held t
    join member m on m.organization_id = ${organizationId} and m.id = t.member_id
    order by m.id`)
}
