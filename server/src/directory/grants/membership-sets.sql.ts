import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { part, type SqlPart, sql } from '../../platform/postgres/sql.ts'

/** Memberships of some members in one group, by one source. */
interface MembershipSet {
  readonly groupId: string
  readonly memberIds: readonly string[]
  readonly sourceId: string
  readonly expiresAt: string | null
}

/** Ends what a source gives some members in a group with another end than this one, expired or not. */
export async function endMembershipsWithOtherEnd(
  tx: Transaction,
  organizationId: string,
  set: MembershipSet,
  changeId: string,
): Promise<number> {
  return await tx.run(sql`
    with gone as (
      delete from group_membership
      where organization_id = ${organizationId} and group_id = ${set.groupId} and member_id = any(${set.memberIds})
        and source_id = ${set.sourceId} and expires_at is distinct from ${set.expiresAt}::timestamptz
      returning *
    )
    insert into group_membership_past
    select organization_id, group_id, member_id, source_id, opened_change, expires_at, ${changeId} from gone`)
}

/** Opens memberships of a group, where the source does not give them already. */
export async function openMemberships(
  tx: Transaction,
  organizationId: string,
  set: MembershipSet,
  changeId: string,
): Promise<number> {
  return await tx.run(sql`
    insert into group_membership (organization_id, group_id, member_id, source_id, opened_change, expires_at)
    select ${organizationId}, ${set.groupId}, m.id, ${set.sourceId}, ${changeId}, ${set.expiresAt}
    from (select distinct id from unnest(${set.memberIds}::uuid[]) u (id)) m
    order by m.id
    on conflict do nothing`)
}

/** Ends what some members hold in one group now, from every source: what has expired is gone already. */
export async function endMembershipsOf(
  tx: Transaction,
  organizationId: string,
  set: Pick<MembershipSet, 'groupId' | 'memberIds'>,
  changeId: string,
): Promise<number> {
  return await tx.run(sql`
    with gone as (
      delete from group_membership
      where organization_id = ${organizationId} and group_id = ${set.groupId} and member_id = any(${set.memberIds})
        and (expires_at is null or expires_at > now())
      returning *
    )
    insert into group_membership_past
    select organization_id, group_id, member_id, source_id, opened_change, expires_at, ${changeId} from gone`)
}

/** How many members are in a group now. */
export async function countMembersOfGroup(
  db: Queryable,
  organizationId: string,
  groupId: string,
): Promise<number> {
  const row = await db.row(sql<{ count: number }>`
    select count(distinct member_id) as count from group_membership
    where organization_id = ${organizationId} and group_id = ${groupId}
      and (expires_at is null or expires_at > now())`)
  return row?.count ?? 0
}

/** How many grants a source gives in a group. */
export async function countLiveMembershipsOfGroup(
  db: Queryable,
  organizationId: string,
  of: { groupId: string; sourceId: string },
): Promise<number> {
  const row = await db.row(sql<{ count: number }>`
    select count(*) as count from group_membership
    where organization_id = ${organizationId} and group_id = ${of.groupId} and source_id = ${of.sourceId}`)
  return row?.count ?? 0
}

/** One source's grants in one group, within a statement of one change. */
interface SourceOfGroup {
  readonly groupId: string
  readonly sourceId: string
  readonly changeId: string
}

/** Opens grants within a statement that has who gets one as `joining (member_id)`. */
export function openingForJoining(organizationId: string, to: SourceOfGroup): SqlPart {
  return part`
    insert into group_membership (organization_id, group_id, member_id, source_id, opened_change)
    select ${organizationId}, ${to.groupId}, member_id, ${to.sourceId}, ${to.changeId}
    from joining order by member_id
    on conflict do nothing returning member_id`
}

/** What the source gives those who are `leaving (member_id)` within a statement: its rows' places, one a member. */
export function heldByLeaving(
  organizationId: string,
  to: Omit<SourceOfGroup, 'sourceId'> & { readonly sourceId: string | SqlPart },
): SqlPart {
  return part`
    select x.ctid as place, l.member_id from leaving l
    cross join lateral (
      select gm.ctid from group_membership gm
      where gm.organization_id = ${organizationId} and gm.group_id = ${to.groupId}
        and gm.member_id = l.member_id and gm.source_id = ${to.sourceId} limit 1) x`
}

/** Takes away the grants at the places `held (place)` of a statement, which then has to move them to the past. */
export function endingHeld(organizationId: string, isOn: boolean): SqlPart {
  return part`
    delete from group_membership
    where organization_id = ${organizationId} and ${isOn}::boolean and ctid = any(array(select place from held))
    returning *`
}

/** Moves the grants `ended` by a statement to the past. */
export function movingEndedToPast(changeId: string): SqlPart {
  return part`
    insert into group_membership_past
    select organization_id, group_id, member_id, source_id, opened_change, expires_at, ${changeId} from ended`
}
