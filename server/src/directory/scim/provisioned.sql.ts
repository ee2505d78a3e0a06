import type { Queryable } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'

export interface ProvisionedRow {
  active_users: number
  inactive_users: number
  groups: number
  /** Memberships that are asserted and not given, of members who could have them. */
  missing: number
  /** Memberships that are given although they are not asserted any more. */
  held: number
}

/** What a connection has provisioned, and where what it asserts and what it gives are not the same. */
export async function countProvisioned(
  db: Queryable,
  organizationId: string,
  connectionId: string,
): Promise<ProvisionedRow> {
  const row = await db.row(sql<ProvisionedRow>`
    with roster as (
      select * from scim_roster where organization_id = ${organizationId} and connection_id = ${connectionId}
    ), users as (
      select count(*) filter (where active) as active, count(*) filter (where not active) as inactive from scim_user
      where organization_id = ${organizationId} and connection_id = ${connectionId}
    ), missing as (
      select count(*) as count from scim_group g
      join roster r on true
      join scim_group_member sm on sm.organization_id = g.organization_id and sm.group_id = g.id
      join scim_user u on u.organization_id = sm.organization_id and u.id = sm.user_id and u.active
      join member m on m.organization_id = u.organization_id and m.id = u.member_id and m.can_hold_grants
      where g.organization_id = ${organizationId} and g.connection_id = ${connectionId} and not exists (
        select 1 from group_membership gm
        where gm.organization_id = g.organization_id and gm.group_id = g.id and gm.member_id = m.id
          and gm.source_id = r.source_id)
    ), held as (
      select count(*) as count from org_group o
      join roster r on o.managed_by = r.source_id
      join group_membership gm on gm.organization_id = o.organization_id and gm.group_id = o.id
        and gm.source_id = r.source_id
      where o.organization_id = ${organizationId} and not exists (
        select 1 from scim_user u
        join scim_group_member sm on sm.organization_id = u.organization_id and sm.user_id = u.id
          and sm.group_id = gm.group_id
        where u.organization_id = gm.organization_id and u.member_id = gm.member_id)
    )
    select users.active as active_users, users.inactive as inactive_users,
      coalesce((select group_count from roster), 0) as groups, missing.count as missing, held.count as held
    from users, missing, held`)
  return row!
}
