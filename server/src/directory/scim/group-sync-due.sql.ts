import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { part, type SqlPart, sql } from '../../platform/postgres/sql.ts'

/**
 * Notes members whose groups have changed, within a statement that has them as `moved (member_id)`; nothing where no
 * group sync of the organization follows its SCIM groups.
 */
export function notingMoved(organizationId: string): SqlPart {
  return part`
    insert into scim_group_sync_due (organization_id, member_id)
    select ${organizationId}, m.member_id from (select distinct member_id from moved order by 1) m
    where exists (
      select 1 from group_sync_config c
      where c.organization_id = ${organizationId} and c.is_enabled and c.sync_offline)
    on conflict do nothing
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
    select distinct u.organization_id, u.member_id
    from scim_group_member sm
    join scim_user u on u.organization_id = sm.organization_id and u.id = sm.user_id
    where sm.organization_id = ${organizationId} and sm.group_id = ${groupId} and exists (
      select 1 from group_sync_config c where c.organization_id = ${organizationId} and c.is_enabled and c.sync_offline)
    on conflict do nothing`)
}

/** Some members that are due, each with the names of its groups; they are no longer noted then. */
export async function takeDue(
  tx: Transaction,
  organizationId: string,
  limit: number,
): Promise<{ member_id: string; groups: string[] }[]> {
  return await tx.rows(sql<{ member_id: string; groups: string[] }>`
    with due as (
      delete from scim_group_sync_due
      where organization_id = ${organizationId} and member_id in (
        select member_id from scim_group_sync_due where organization_id = ${organizationId}
        order by member_id limit ${limit} for update skip locked)
      returning member_id
    )
    select due.member_id, array(
      select g.display_name
      from scim_user u
      join scim_group_member sm on sm.organization_id = u.organization_id and sm.user_id = u.id
      join scim_group g on g.organization_id = sm.organization_id and g.id = sm.group_id
      where u.organization_id = ${organizationId} and u.member_id = due.member_id) as groups
    from due order by due.member_id`)
}

/** Workspaces whose group sync follows SCIM groups. */
export async function listOfflineSyncs(db: Queryable, organizationId: string): Promise<string[]> {
  const rows = await db.rows(sql<{ workspace_id: string }>`
    select workspace_id from group_sync_config
    where organization_id = ${organizationId} and is_enabled and sync_offline order by workspace_id`)
  return rows.map((row) => row.workspace_id)
}

/** Notes members again, because their group sync was refused. */
export async function noteAgain(
  tx: Transaction,
  organizationId: string,
  memberIds: readonly string[],
): Promise<void> {
  await tx.run(sql`
    insert into scim_group_sync_due (organization_id, member_id)
    select ${organizationId}, m.id from unnest(${memberIds}::uuid[]) m (id) order by m.id
    on conflict do nothing`)
}
