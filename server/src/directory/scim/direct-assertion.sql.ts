import type { Transaction } from '../../platform/postgres/database.ts'
import { part, type SqlPart, sql } from '../../platform/postgres/sql.ts'
import { endingHeld, heldByLeaving, movingEndedToPast } from '../grants/membership-sets.sql.ts'
import { type AssertedRow, known, leavingSome, membersGone } from './assertion.sql.ts'
import { notingMoved } from './group-sync-due.sql.ts'

// What most often is all that a connection asserts of a group: some users join, or some leave. These statements find out
// themselves whatever the lock of the group tells, too: they are sent behind it, without waiting for its answer.

interface DirectAssertion {
  readonly connectionId: string
  readonly groupId: string
  readonly changeId: string
  readonly now: Date
}

/** Without it nothing is to be done: the group is not the connection's, and not locked. */
const isItsGroup = (
  organizationId: string,
  { groupId, connectionId }: DirectAssertion,
): SqlPart => part`exists (
        select 1 from scim_group
        where organization_id = ${organizationId} and id = ${groupId} and connection_id = ${connectionId})`

/** What a connection gives has its source. */
const sourceOf = (organizationId: string, connectionId: string): SqlPart => part`(
        select source_id from scim_roster
        where organization_id = ${organizationId} and connection_id = ${connectionId})`

/**
 * Stores that users join a group who are not in it, and opens their grants.
 *
 * @throws a unique violation if one of them is in the group
 */
export async function assertJoining(
  tx: Transaction,
  organizationId: string,
  to: DirectAssertion,
  added: readonly string[],
): Promise<AssertedRow> {
  const row = await tx.row(sql<AssertedRow>`
    with ${known(organizationId, to.connectionId, added)},
    come as (
      insert into scim_group_member (organization_id, group_id, user_id)
      select ${organizationId}, ${to.groupId}, id from known where ${isItsGroup(organizationId, to)}
      returning user_id
    ), opened as (
      insert into group_membership (organization_id, group_id, member_id, source_id, opened_change)
      select ${organizationId}, ${to.groupId}, member_id, ${sourceOf(organizationId, to.connectionId)}, ${to.changeId}
      from known where can_hold and ${isItsGroup(organizationId, to)} returning member_id
    ), counted as (
      update scim_group set updated_at = ${to.now}, version = version + 1,
        member_count = member_count + (select count(*) from come)
      where organization_id = ${organizationId} and id = ${to.groupId} and exists (select 1 from come)
      returning member_count, version, updated_at
    ), moved as (
      select member_id from known
    ), due as (${notingMoved(organizationId)})
    select case when (select count(*) from known) = (select count(*) from wanted) then array[]::uuid[]
        else array(select id from wanted except select id from known) end as unknown,
      (select count(*) from come) as moved, array[]::uuid[] as held_ids,
      (select count(*) from opened) as opened, 0 as ended, (select count(*) from due) as due,
      c.member_count, c.version, c.updated_at
    from (select) here left join counted c on true`)
  return row!
}

/**
 * Stores that users leave a group, whoever of them is in it, and ends their grants; nothing where removals run under a
 * brake: then it has to be asked.
 */
export async function assertLeaving(
  tx: Transaction,
  organizationId: string,
  to: DirectAssertion,
  removed: readonly string[],
): Promise<AssertedRow & { readonly is_braked: boolean }> {
  const source = { ...to, sourceId: sourceOf(organizationId, to.connectionId) }
  const row = await tx.row(sql<AssertedRow & { is_braked: boolean }>`
    with brake as materialized (
      select coalesce(settings #>> '{removal_brake,scim,max_removals}',
        settings #>> '{removal_brake,scim,max_share}') is not null as is_set
      from organization where id = ${organizationId}
    ), gone as (${leavingSome(organizationId, to.groupId, removed, part`(select not is_set from brake) and ${isItsGroup(organizationId, to)}`)}),
    leaving as materialized (${membersGone(organizationId)}),
    held as materialized (${heldByLeaving(organizationId, source)}),
    ended as (${endingHeld(organizationId, true)}),
    past as (${movingEndedToPast(to.changeId)}),
    counted as (
      update scim_group set updated_at = ${to.now}, version = version + 1,
        member_count = member_count - (select count(*) from gone)
      where organization_id = ${organizationId} and id = ${to.groupId} and exists (select 1 from gone)
      returning member_count, version, updated_at
    ), moved as (
      select member_id from leaving
    ), due as (${notingMoved(organizationId)})
    select b.is_set as is_braked, array[]::uuid[] as unknown, (select count(*) from gone) as moved,
      array[]::uuid[] as held_ids, 0 as opened, (select count(*) from ended) as ended,
      (select count(*) from due) as due, c.member_count, c.version, c.updated_at
    from brake b left join counted c on true`)
  return row!
}
