import type { Queryable } from '../../platform/postgres/database.ts'
import { SqlFragment, sql } from '../../platform/postgres/sql.ts'
import { POSITION_MAX, type PositionPage, skipped } from '../position-page.ts'
import type { RoleRow } from './role.sql.ts'

/** A member's own role on the organization, as one grant gives it. */
export interface RoleHolderRow {
  /** Of the grant. */
  id: string
  role_id: string
  member_id: string
  since: string
}

/** Roles that an organization has made for itself, to be assigned on itself. */
const IS_CUSTOM = new SqlFragment(
  `r.resource = 'organization' and r.key is null and r.deleted_change is null
      and r.workspace_id is null and r.project_id is null`,
)
const LIVE = new SqlFragment(
  `g.member_id is not null and g.workspace_id is null and g.project_id is null
        and g.ended_change is null and (g.expires_at is null or g.expires_at > now())`,
)

export async function findCustomRole(
  db: Queryable,
  organizationId: string,
  id: string,
): Promise<RoleRow | undefined> {
  return await db.row(sql<RoleRow>`
    select r.* from role r where r.organization_id = ${organizationId} and r.id = ${id} and ${IS_CUSTOM}`)
}

/** One page in the order of creation. */
export async function listCustomRoles(
  db: Queryable,
  organizationId: string,
  page: PositionPage,
): Promise<RoleRow[]> {
  return await db.rows(sql<RoleRow>`
    select r.* from role r
    where r.organization_id = ${organizationId} and ${IS_CUSTOM}
      and r.id > coalesce(${page.afterId}::uuid, '00000000-0000-0000-0000-000000000000')
    order by r.id offset ${skipped(page)} limit ${page.limit}`)
}

export async function countCustomRoles(db: Queryable, organizationId: string): Promise<number> {
  const row = await db.row(sql<{ count: number }>`
    select count(*) as count from (
      select 1 from role r where r.organization_id = ${organizationId} and ${IS_CUSTOM}
      limit ${POSITION_MAX}) counted`)
  return row?.count ?? 0
}

/** The active members who hold each of some roles by a grant of their own, in the order of the grants: a page of each. */
export async function listRoleHolders(
  db: Queryable,
  organizationId: string,
  roleIds: readonly string[],
  page: PositionPage,
): Promise<RoleHolderRow[]> {
  return await db.rows(sql<RoleHolderRow>`
    select h.id, h.role_id, h.member_id, coalesce(o.at, now()) as since
    from unnest(${roleIds}::uuid[]) with ordinality w (role_id, ordinal)
    cross join lateral (
      select g.id, g.role_id, g.member_id, g.opened_change from role_grant g
      join member m on m.organization_id = g.organization_id and m.id = g.member_id and m.status = 'active'
      where g.organization_id = ${organizationId} and g.role_id = w.role_id and ${LIVE}
        and g.id > coalesce(${page.afterId}::uuid, '00000000-0000-0000-0000-000000000000')
      order by g.id offset ${skipped(page)} limit ${page.limit}
    ) h
    left join change o on o.organization_id = ${organizationId} and o.id = h.opened_change
    order by w.ordinal, h.id`)
}

export async function countRoleHolders(
  db: Queryable,
  organizationId: string,
  roleId: string,
): Promise<number> {
  const row = await db.row(sql<{ count: number }>`
    select count(*) as count from (
      select 1 from role_grant g
      join member m on m.organization_id = g.organization_id and m.id = g.member_id and m.status = 'active'
      where g.organization_id = ${organizationId} and g.role_id = ${roleId} and ${LIVE}
      limit ${POSITION_MAX}) counted`)
  return row?.count ?? 0
}
