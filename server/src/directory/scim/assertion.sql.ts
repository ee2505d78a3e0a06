import { encodeUuidArray } from '../../platform/postgres/binary-array.ts'
import type { Transaction } from '../../platform/postgres/database.ts'
import { part, type SqlPart, sql } from '../../platform/postgres/sql.ts'
import {
  endingHeld,
  heldByLeaving,
  movingEndedToPast,
  openingForJoining,
} from '../grants/membership-sets.sql.ts'
import { notingMoved } from './group-sync-due.sql.ts'

/** What a connection asserts of the members of a group: users of its own, by id. */
export interface MemberAssertion {
  /** These are the members, and nobody else; else `added` join and `removed` leave. */
  readonly replaces: boolean
  readonly added: readonly string[]
  readonly removed: readonly string[]
}

export interface AssertedRow {
  /** Ids among `added` that are no users of the connection: then nothing may stand. */
  unknown: string[]
  /** Who joined or left, as asserted. */
  moved: number
  /** Members who left, as asserted, and have a grant of the source that ends, or is to end. */
  held_ids: string[]
  opened: number
  ended: number
  due: number
  /** Of the group, where it changed. */
  member_count: number | null
  version: number | null
  updated_at: string | null
}

/** Rows of the users in `$removed`, each found by its key: a freshly filled table would be read whole otherwise. */
function leavingSome(organizationId: string, groupId: string, removed: readonly string[]): SqlPart {
  return part`
    delete from scim_group_member
    where organization_id = ${organizationId} and ctid = any(array(
      select x.ctid from unnest(${encodeUuidArray(removed)}::uuid[]) r (id)
      cross join lateral (
        select sm.ctid from scim_group_member sm
        where sm.organization_id = ${organizationId} and sm.group_id = ${groupId} and sm.user_id = r.id limit 1) x))
    returning user_id`
}

function leavingAllOthers(organizationId: string, groupId: string): SqlPart {
  return part`
    delete from scim_group_member sm
    where sm.organization_id = ${organizationId} and sm.group_id = ${groupId}
      and not exists (select 1 from wanted w where w.id = sm.user_id)
    returning user_id`
}

interface Projection {
  readonly connectionId: string
  readonly groupId: string
  readonly sourceId: string
  readonly changeId: string
  /** Whether what is taken away ends here, too. */
  readonly endsGrants: boolean
  readonly now: Date
}

/**
 * Stores what a connection asserts of a group's members and projects it into grants: one statement, whatever their
 * number. The caller holds the group's lock.
 */
export async function assertMembers(
  tx: Transaction,
  organizationId: string,
  to: Projection,
  assertion: MemberAssertion,
): Promise<AssertedRow> {
  // Two texts, because a part has to be the same at its place.
  const row = assertion.replaces
    ? await tx.row(sql<AssertedRow>`
        with ${coming(organizationId, to, assertion.added)},
        gone as (${leavingAllOthers(organizationId, to.groupId)}),
        ${projecting(organizationId, to)}`)
    : await tx.row(sql<AssertedRow>`
        with ${coming(organizationId, to, assertion.added)},
        gone as (${leavingSome(organizationId, to.groupId, assertion.removed)}),
        ${projecting(organizationId, to)}`)
  return row!
}

/**
 * The users of a connection among `wanted (id)`. Locks each before its member, in the order of ids, as whoever changes
 * one of them does: the foreign keys of new rows would lock them, too, but in no order.
 */
function findingWanted(organizationId: string, connectionId: string): SqlPart {
  return part`
    select w.id, u.member_id, u.can_hold from wanted w
    cross join lateral (
      select u.member_id, m.can_hold_grants as can_hold from scim_user u
      join member m on m.organization_id = u.organization_id and m.id = u.member_id
      where u.organization_id = ${organizationId} and u.id = w.id and u.connection_id = ${connectionId}
      limit 1 for key share of u, m) u`
}

/** Locks the users of a connection among some ids, and their members, as `assertMembers` does of those it adds. */
export async function holdUsers(
  tx: Transaction,
  organizationId: string,
  users: { connectionId: string; ids: readonly string[] },
): Promise<void> {
  await tx.run(sql`
    with wanted as materialized (
      select distinct id from unnest(${encodeUuidArray(users.ids)}::uuid[]) w (id) order by id
    )
    ${findingWanted(organizationId, users.connectionId)}`)
}

/**
 * Stores that users join a group who are not in it, and opens their grants: what most often is all that a connection
 * asserts, for less. Sent behind the statement that locks the group, without waiting for its answer.
 *
 * @throws a unique violation if one of them is in the group
 */
export async function assertJoining(
  tx: Transaction,
  organizationId: string,
  to: Omit<Projection, 'sourceId' | 'endsGrants'>,
  added: readonly string[],
): Promise<AssertedRow> {
  const row = await tx.row(sql<AssertedRow>`
    with ${known(organizationId, to.connectionId, added)},
    come as (
      insert into scim_group_member (organization_id, group_id, user_id)
      select ${organizationId}, ${to.groupId}, id from known order by id returning user_id
    ), opened as (
      insert into group_membership (organization_id, group_id, member_id, source_id, opened_change)
      select ${organizationId}, ${to.groupId}, member_id, (
        select source_id from scim_roster
        where organization_id = ${organizationId} and connection_id = ${to.connectionId}), ${to.changeId}
      from known where can_hold order by member_id returning member_id
    ), counted as (
      update scim_group set updated_at = ${to.now}, version = version + 1,
        member_count = member_count + (select count(*) from come)
      where organization_id = ${organizationId} and id = ${to.groupId}
      returning member_count, version, updated_at
    ), moved as (
      select member_id from known
    ), due as (${notingMoved(organizationId)})
    select array(select id from wanted except select id from known) as unknown,
      (select count(*) from come) as moved, array[]::uuid[] as held_ids,
      (select count(*) from opened) as opened, 0 as ended, (select count(*) from due) as due,
      c.member_count, c.version, c.updated_at
    from counted c`)
  return row!
}

function known(organizationId: string, connectionId: string, added: readonly string[]): SqlPart {
  return part`wanted as materialized (
      select distinct id from unnest(${encodeUuidArray(added)}::uuid[]) w (id) order by id
    ), known as materialized (
      ${findingWanted(organizationId, connectionId)}
    )`
}

function coming(organizationId: string, to: Projection, added: readonly string[]): SqlPart {
  return part`${known(organizationId, to.connectionId, added)}, come as (
      insert into scim_group_member (organization_id, group_id, user_id)
      select ${organizationId}, ${to.groupId}, id from known order by id
      on conflict do nothing returning user_id
    )`
}

function projecting(organizationId: string, to: Projection): SqlPart {
  return part`joining as (select member_id from known where can_hold),
    opened as (${openingForJoining(organizationId, to)}),
    leaving as materialized (
      select u.member_id from gone
      cross join lateral (
        select u.member_id from scim_user u
        where u.organization_id = ${organizationId} and u.id = gone.user_id limit 1) u
    ), held as materialized (${heldByLeaving(organizationId, to)}),
    ended as (${endingHeld(organizationId, to.endsGrants)}),
    past as (${movingEndedToPast(to.changeId)}),
    counted as (
      update scim_group set updated_at = ${to.now}, version = version + 1,
        member_count = member_count + (select count(*) from come) - (select count(*) from gone)
      where organization_id = ${organizationId} and id = ${to.groupId}
        and (exists (select 1 from come) or exists (select 1 from gone))
      returning member_count, version, updated_at
    ), moved as (
      select k.member_id from come join known k on k.id = come.user_id
      union all
      select member_id from leaving
    ), due as (${notingMoved(organizationId)})
    select array(select id from wanted except select id from known) as unknown,
      (select count(*) from come) + (select count(*) from gone) as moved,
      array(select member_id from held) as held_ids,
      (select count(*) from opened) as opened,
      (select count(*) from ended) as ended,
      (select count(*) from due) as due,
      (select member_count from counted) as member_count,
      (select version from counted) as version,
      (select updated_at from counted) as updated_at`
}
