import type { Queryable } from '../../platform/postgres/database.ts'
import { SqlFragment, sql } from '../../platform/postgres/sql.ts'
import { ROLE_RANK } from '../roles/predefined.ts'
import type { ProjectRow } from './project.sql.ts'

export interface ProjectView {
  readonly workspaceId: string
  /** Shows the public projects and those this member is on; null: all. */
  readonly memberId: string | null
  readonly includeArchived: boolean
  /** Archived projects whose metadata has this key are not there. */
  readonly hiddenBy: string
}

export interface ProjectPage {
  readonly offset: number
  readonly limit: number
  readonly orderBy: 'created_at' | 'name'
  readonly descending: boolean
}

/** Of the project `p`, for the member whose groups are in `mine`. */
const LIVE = new SqlFragment('g.ended_change is null and (g.expires_at is null or g.expires_at > now())')

/** One page of the projects of a workspace that somebody may see, and how many there are in all. */
export async function listVisibleProjects(
  db: Queryable,
  organizationId: string,
  view: ProjectView,
  page: ProjectPage,
): Promise<(ProjectRow & { total: number })[]> {
  const { memberId } = view
  const isByName = page.orderBy === 'name'
  return await db.rows(sql<ProjectRow & { total: number }>`
    with mine as materialized (
      select g.project_id from role_grant g
      where g.organization_id = ${organizationId} and g.member_id = ${memberId} and g.project_id is not null and ${LIVE}
      union
      select g.project_id from group_membership gm
      join role_grant g on g.organization_id = gm.organization_id and g.group_id = gm.group_id
        and g.project_id is not null and ${LIVE}
      where gm.organization_id = ${organizationId} and gm.member_id = ${memberId}
        and (gm.expires_at is null or gm.expires_at > now())
    )
    select p.*, count(*) over () as total from project p
    where p.organization_id = ${organizationId} and p.workspace_id = ${view.workspaceId}
      and (p.archived_at is null or ${view.includeArchived} and not p.metadata ? ${view.hiddenBy})
      and (${memberId}::uuid is null or p.visibility = 'public' or p.id in (select project_id from mine))
    order by
      case when ${isByName}::boolean and not ${page.descending}::boolean then lower(p.name) end,
      case when ${isByName}::boolean and ${page.descending}::boolean then lower(p.name) end desc,
      case when not ${page.descending}::boolean then p.id end, p.id desc
    offset ${page.offset} limit ${page.limit}`)
}

/** One of them, archived or not. */
export async function findVisibleProject(
  db: Queryable,
  organizationId: string,
  view: Omit<ProjectView, 'includeArchived'>,
  id: string,
): Promise<ProjectRow | undefined> {
  const { memberId } = view
  return await db.row(sql<ProjectRow>`
    select p.* from project p
    where p.organization_id = ${organizationId} and p.workspace_id = ${view.workspaceId} and p.id = ${id}
      and (p.archived_at is null or not p.metadata ? ${view.hiddenBy})
      and (${memberId}::uuid is null or p.visibility = 'public' or exists (
        select 1 from role_grant g
        where g.organization_id = p.organization_id and g.project_id = p.id and ${LIVE}
          and (g.member_id = ${memberId} or g.group_id in (
            select gm.group_id from group_membership gm
            where gm.organization_id = p.organization_id and gm.member_id = ${memberId}
              and (gm.expires_at is null or gm.expires_at > now())))))`)
}

/** What a list tells of a project beside its fields. */
export interface ProjectSummaryRow {
  id: string
  /** Members with a role there by themselves who are active. */
  members: number
  /** The highest role of the member who asks; null: none by itself. */
  role_id: string | null
  role_key: string | null
  role_name: string | null
}

export async function summarizeProjects(
  db: Queryable,
  organizationId: string,
  ids: readonly string[],
  memberId: string | null,
): Promise<ProjectSummaryRow[]> {
  return await db.rows(sql<ProjectSummaryRow>`
    select a.id, (
        select count(distinct g.member_id) from role_grant g
        join member m on m.organization_id = g.organization_id and m.id = g.member_id and m.status = 'active'
        where g.organization_id = ${organizationId} and g.project_id = a.id and ${LIVE}
      ) as members, own.role_id, own.role_key, own.role_name
    from unnest(${ids}::uuid[]) a (id)
    left join lateral (
      select r.id as role_id, r.key as role_key, r.name as role_name from role_grant g
      join role r on r.organization_id = g.organization_id and r.id = g.role_id
      where g.organization_id = ${organizationId} and g.project_id = a.id and g.member_id = ${memberId} and ${LIVE}
      order by ${ROLE_RANK} desc, g.opened_change, r.id limit 1
    ) own on true`)
}

/** The project of a workspace with an identifier in any case, archived or not. */
export async function findProjectIdentified(
  db: Queryable,
  organizationId: string,
  workspaceId: string,
  identifier: string,
): Promise<ProjectRow | undefined> {
  return await db.row(sql<ProjectRow>`
    select * from project
    where organization_id = ${organizationId} and workspace_id = ${workspaceId}
      and upper(identifier) = upper(${identifier})`)
}
