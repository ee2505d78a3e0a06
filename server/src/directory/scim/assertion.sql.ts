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
export function leavingSome(
  organizationId: string,
  groupId: string,
  removed: readonly string[],
  isOn: SqlPart,
): SqlPart {
  return part`
    delete from scim_group_member
    where organization_id = ${organizationId} and ${isOn} and ctid = any(array(
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
        gone as (${leavingSome(organizationId, to.groupId, assertion.removed, part`true`)}),
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
 * The users of a connection among some ids, as `wanted (id)` and `known (id, member_id, can_hold)`, in the order of ids.
 *
 * @param added UUIDs in lower case
 */
export function known(organizationId: string, connectionId: string, added: readonly string[]): SqlPart {
  return part`wanted as materialized (
      select id from unnest(${encodeUuidArray([...new Set(added)].sort())}::uuid[]) w (id)
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

/** Whom the users who are `gone (user_id)` stand for. */
export function membersGone(organizationId: string): SqlPart {
  return part`
    select u.member_id from gone
    cross join lateral (
      select u.member_id from scim_user u
      where u.organization_id = ${organizationId} and u.id = gone.user_id limit 1) u`
}

function projecting(organizationId: string, to: Projection): SqlPart {
  return part`joining as (select member_id from known where can_hold),
    opened as (${openingForJoining(organizationId, to)}),
    leaving as materialized (${membersGone(organizationId)}), held as materialized (${heldByLeaving(organizationId, to)}),
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
