import type { Queryable } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { ROLE_RANK } from './predefined.ts'
import type { RoleRow } from './role.sql.ts'

/** A role with its rank among those of its kind. */
export type RankedRoleRow = RoleRow & { rank: number }

/**
 * One page of the roles that can be given in a workspace and on each of its projects, by kind, rank and name, and how
 * many there are in all.
 */
export async function listWorkspaceRoles(
  db: Queryable,
  organizationId: string,
  workspaceId: string,
  filter: { resources: readonly string[]; id: string | null },
  page: { offset: number; limit: number },
): Promise<(RankedRoleRow & { total: number })[]> {
  return await db.rows(sql<RankedRoleRow & { total: number }>`
    select r.*, ${ROLE_RANK} as rank, count(*) over () as total from role r
    where r.organization_id = ${organizationId} and r.deleted_change is null
      and r.resource = any(${filter.resources}) and (${filter.id}::uuid is null or r.id = ${filter.id})
      and (r.workspace_id is null or r.workspace_id = ${workspaceId}) and r.project_id is null
    order by r.resource, ${ROLE_RANK} desc, lower(r.name), r.id
    offset ${page.offset} limit ${page.limit}`)
}
