import type { Queryable } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'

/** A role that some grants give, and where. */
export interface GivenRoleRow {
  key: string | null
  resource: string
  permissions: string[]
  workspace_id: string | null
  project_id: string | null
  page_id: string | null
}

/** The roles that whoever is in a group has by it. */
export async function listGivenByGroup(
  db: Queryable,
  organizationId: string,
  groupId: string,
): Promise<GivenRoleRow[]> {
  return await db.rows(sql<GivenRoleRow>`
    select distinct r.key, r.resource, r.permissions, g.workspace_id, g.project_id, g.page_id
    from role_grant g
    join role r on r.organization_id = g.organization_id and r.id = g.role_id
    where g.organization_id = ${organizationId} and g.group_id = ${groupId} and g.ended_change is null
      and (g.expires_at is null or g.expires_at > now())`)
}

/** The roles that a change took: those it ended, and those of the groups it put people out of. */
export async function listTakenByChange(
  db: Queryable,
  organizationId: string,
  changeId: string,
): Promise<GivenRoleRow[]> {
  return await db.rows(sql<GivenRoleRow>`
    select distinct r.key, r.resource, r.permissions, g.workspace_id, g.project_id, g.page_id
    from role_grant g
    join role r on r.organization_id = g.organization_id and r.id = g.role_id
    where g.organization_id = ${organizationId} and (g.expires_at is null or g.expires_at > now())
      and (g.ended_change = ${changeId}
        or g.ended_change is null and g.opened_change <> ${changeId} and g.group_id in (
          select group_id from group_membership_past
          where organization_id = ${organizationId} and ended_change = ${changeId}))`)
}

/** The roles that a change gave: those it opened, and those of the groups it put people into. */
export async function listGivenByChange(
  db: Queryable,
  organizationId: string,
  changeId: string,
): Promise<GivenRoleRow[]> {
  return await db.rows(sql<GivenRoleRow>`
    select distinct r.key, r.resource, r.permissions, g.workspace_id, g.project_id, g.page_id
    from role_grant g
    join role r on r.organization_id = g.organization_id and r.id = g.role_id
    where g.organization_id = ${organizationId} and g.ended_change is null
      and (g.expires_at is null or g.expires_at > now())
      and (g.opened_change = ${changeId} or g.group_id in (
        select group_id from group_membership
        where organization_id = ${organizationId} and opened_change = ${changeId}))`)
}
