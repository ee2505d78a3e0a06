import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { part, type SqlPart, sql } from '../../platform/postgres/sql.ts'

/**
 * Notes members whose groups have changed, within a statement that has them as `moved (member_id)`; nothing where no
 * group sync of the organization follows its SCIM groups.
 */
export function notingMoved(organizationId: string): SqlPart {
  return part`
    insert into scim_group_sync_due (organization_id, member_id)
    select ${organizationId}, m.member_id from (select distinct member_id from moved) m
    where exists (
      select 1 from group_sync_config c
      where c.organization_id = ${organizationId} and c.is_enabled and c.sync_offline)
    returning member_id`
}

/** Notes everybody in a group, whose name has changed. How many. */
export async function noteMembersOfGroup(
  tx: Transaction,
  organizationId: string,
  groupId: string,
): Promise<number> {
  return await tx.run(sql`
    insert into scim_group_sync_due (organization_id, member_id)
    select u.organization_id, u.member_id
    from scim_group_member sm
    join scim_user u on u.organization_id = sm.organization_id and u.id = sm.user_id
    where sm.organization_id = ${organizationId} and sm.group_id = ${groupId} and exists (
      select 1 from group_sync_config c where c.organization_id = ${organizationId} and c.is_enabled and c.sync_offline)`)
}

/** Notes a member who stands in for another from now on, if SCIM groups of it are followed. One at most. */
export async function noteMember(tx: Transaction, organizationId: string, memberId: string): Promise<number> {
  return await tx.run(sql`
    insert into scim_group_sync_due (organization_id, member_id)
    select u.organization_id, u.member_id from scim_user u
    where u.organization_id = ${organizationId} and u.member_id = ${memberId}
      and exists (
        select 1 from scim_group_member sm where sm.organization_id = u.organization_id and sm.user_id = u.id)
      and exists (
        select 1 from group_sync_config c
        where c.organization_id = ${organizationId} and c.is_enabled and c.sync_offline)`)
}

/** Notes everybody who is in a group of whatever connection: a group sync begins to follow them. How many. */
export async function noteEverybody(tx: Transaction, organizationId: string): Promise<number> {
  return await tx.run(sql`
    insert into scim_group_sync_due (organization_id, member_id)
    select u.organization_id, u.member_id from scim_user u
    where u.organization_id = ${organizationId} and exists (
      select 1 from scim_group_member sm where sm.organization_id = u.organization_id and sm.user_id = u.id)`)
}

/** Some members that are due, those who wait longest first, each with the names of its groups; they are no longer noted then. */
export async function takeDue(
  tx: Transaction,
  organizationId: string,
  limit: number,
): Promise<{ member_id: string; groups: string[] }[]> {
  return await tx.rows(sql<{ member_id: string; groups: string[] }>`
    with due as (
      delete from scim_group_sync_due d
      using (
        select due_at, id from scim_group_sync_due
        where organization_id = ${organizationId} and due_at <= now()
        order by due_at, id limit ${limit} for update skip locked) first
      where d.organization_id = ${organizationId} and d.due_at = first.due_at and d.id = first.id
      returning d.member_id
    )
    select due.member_id, array(
      select g.display_name
      from scim_user u
      join scim_group_member sm on sm.organization_id = u.organization_id and sm.user_id = u.id
      join scim_group g on g.organization_id = sm.organization_id and g.id = sm.group_id
      where u.organization_id = ${organizationId} and u.member_id = due.member_id) as groups
    from (select distinct member_id from due) due order by due.member_id`)
}

/** Seconds until the next member is due, 0 where one is; undefined: nobody is noted. */
export async function secondsUntilDue(db: Queryable, organizationId: string): Promise<number | undefined> {
  const row = await db.row(sql<{ seconds: number }>`
    select greatest(ceil(extract(epoch from due_at - now())), 0)::integer as seconds from scim_group_sync_due
    where organization_id = ${organizationId} order by due_at limit 1`)
  return row?.seconds
}

/** Workspaces whose group sync follows SCIM groups. */
export async function listOfflineSyncs(db: Queryable, organizationId: string): Promise<string[]> {
  const rows = await db.rows(sql<{ workspace_id: string }>`
    select workspace_id from group_sync_config
    where organization_id = ${organizationId} and is_enabled and sync_offline order by workspace_id`)
  return rows.map((row) => row.workspace_id)
}

/** Notes members again, because their group sync was refused. @param seconds until they are due */
export async function noteAgain(
  tx: Transaction,
  organizationId: string,
  memberIds: readonly string[],
  seconds: number,
): Promise<void> {
  await tx.run(sql`
    insert into scim_group_sync_due (organization_id, member_id, due_at)
    select ${organizationId}, m.id, now() + make_interval(secs => ${seconds})
    from unnest(${memberIds}::uuid[]) m (id)`)
}
