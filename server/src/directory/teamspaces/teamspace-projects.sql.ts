import type { Queryable } from '../../platform/postgres/database.ts'
import { SqlFragment, sql } from '../../platform/postgres/sql.ts'
import type { ProjectRow } from '../projects/project.sql.ts'
import type { ListPage } from './teamspace.sql.ts'

/** A project that a teamspace is on, with the roles its members have there by it. */
export interface TeamspaceProjectRow extends ProjectRow {
  roles: { id: string; key: string | null; name: string }[]
}

const LIVE = new SqlFragment('g.ended_change is null and (g.expires_at is null or g.expires_at > now())')

/** One page of the projects that a teamspace is on, in the order of their creation; archived ones are left out. */
export async function listTeamspaceProjects(
  db: Queryable,
  organizationId: string,
  teamspaceId: string,
  page: ListPage,
): Promise<TeamspaceProjectRow[]> {
  return await db.rows(sql<TeamspaceProjectRow>`
    select p.*, (
        select json_agg(json_build_object('id', r.id, 'key', r.key, 'name', r.name) order by r.id)
        from role r where r.organization_id = p.organization_id and r.id = any (l.role_ids)) as roles
    from (
      select g.project_id, array_agg(g.role_id) as role_ids from role_grant g
      where g.organization_id = ${organizationId} and g.group_id = ${teamspaceId} and g.project_id is not null
        and ${LIVE} and g.project_id > coalesce(${page.afterId}::uuid, '00000000-0000-0000-0000-000000000000')
      group by g.project_id
    ) l
    join project p on p.organization_id = ${organizationId} and p.id = l.project_id and p.archived_at is null
    order by p.id offset ${page.offset ?? 0} limit ${page.limit}`)
}

export async function countTeamspaceProjects(
  db: Queryable,
  organizationId: string,
  teamspaceId: string,
): Promise<number> {
  const row = await db.row(sql<{ count: number }>`
    select count(distinct p.id) as count from role_grant g
    join project p on p.organization_id = g.organization_id and p.id = g.project_id and p.archived_at is null
    where g.organization_id = ${organizationId} and g.group_id = ${teamspaceId} and ${LIVE}`)
  return row?.count ?? 0
}
