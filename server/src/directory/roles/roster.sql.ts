import type { Queryable } from '../../platform/postgres/database.ts'
import { SqlFragment, sql } from '../../platform/postgres/sql.ts'
import type { MemberStatus } from '../members/member.sql.ts'
import { ROLE_RANK } from './predefined.ts'

/** A member who has a role on a workspace or project, with the highest of those it has there. */
export interface RosterRow {
  id: string
  email: string | null
  display_name: string | null
  first_name: string | null
  last_name: string | null
  external_reference_id: string | null
  status: MemberStatus
  role_id: string
  role_key: string | null
  role_name: string
}

export interface RosterPlace {
  readonly targetId: string
  /** Whether those count whom a group has put there. */
  readonly throughGroups: boolean
}

/** What is looked for; null: whatever it is. Texts are contained, in any case of letters. */
export interface RosterFilter {
  readonly memberIds: readonly string[] | null
  readonly firstName: string | null
  readonly lastName: string | null
  readonly displayName: string | null
  readonly email: string | null
  readonly emailKey: string | null
  /** Of the highest role. */
  readonly roleIds: readonly string[] | null
  readonly statuses: readonly MemberStatus[]
}

const LIVE = new SqlFragment('g.ended_change is null and (g.expires_at is null or g.expires_at > now())')
const COLUMNS =
  new SqlFragment(`m.id, m.email, m.display_name, m.first_name, m.last_name, m.external_reference_id,
      m.status, h.role_id, h.role_key, h.role_name`)

/** One page of a roster in the order of the members' creation, and how many match in all. */
export async function listRoster(
  db: Queryable,
  organizationId: string,
  place: RosterPlace,
  filter: RosterFilter,
  page: { offset: number; limit: number | null },
): Promise<(RosterRow & { total: number })[]> {
  return await db.rows(sql<RosterRow & { total: number }>`
    with held as (
      select g.member_id, g.role_id, g.opened_change from role_grant g
      where g.organization_id = ${organizationId} and g.target_id = ${place.targetId} and g.member_id is not null
        and ${LIVE}
      union all
      select gm.member_id, g.role_id, gm.opened_change from role_grant g
      join group_membership gm on gm.organization_id = g.organization_id and gm.group_id = g.group_id
        and (gm.expires_at is null or gm.expires_at > now())
      where g.organization_id = ${organizationId} and g.target_id = ${place.targetId} and g.group_id is not null
        and ${place.throughGroups}::boolean and ${LIVE}
    ), highest as (
      select distinct on (d.member_id) d.member_id, r.id as role_id, r.key as role_key, r.name as role_name
      from held d join role r on r.organization_id = ${organizationId} and r.id = d.role_id
      where ${filter.memberIds}::uuid[] is null or d.member_id = any(${filter.memberIds})
      order by d.member_id, ${ROLE_RANK} desc, d.opened_change, r.id
    )
    select ${COLUMNS}, count(*) over () as total
    from highest h join member m on m.organization_id = ${organizationId} and m.id = h.member_id
    where m.status = any(${filter.statuses})
      and (${filter.firstName}::text is null or position(lower(${filter.firstName}) in lower(m.first_name)) > 0)
      and (${filter.lastName}::text is null or position(lower(${filter.lastName}) in lower(m.last_name)) > 0)
      and (${filter.displayName}::text is null or position(lower(${filter.displayName}) in lower(m.display_name)) > 0)
      and (${filter.email}::text is null or position(lower(${filter.email}) in lower(m.email)) > 0)
      and (${filter.emailKey}::text is null or m.email_key = ${filter.emailKey})
      and (${filter.roleIds}::uuid[] is null or h.role_id = any(${filter.roleIds}))
    order by m.id offset ${page.offset} limit ${page.limit}`)
}

/** How many of the members of a workspace's projects that are not archived have a role as their highest there. */
export interface RoleCountRow {
  role_id: string
  role_key: string | null
  role_name: string
  rank: number
  memberships: number
  members: number
}

/**
 * For each role that somebody has as the highest on a project of the workspace: on how many projects, and how many
 * people. The row without a role has the totals. Only what members have by themselves counts.
 */
export async function countProjectRoles(
  db: Queryable,
  organizationId: string,
  workspaceId: string,
): Promise<(Omit<RoleCountRow, 'role_id'> & { role_id: string | null })[]> {
  return await db.rows(sql<RoleCountRow>`
    with highest as (
      select distinct on (g.project_id, g.member_id) g.member_id, r.id as role_id, r.key as role_key,
        r.name as role_name, ${ROLE_RANK} as rank
      from project p
      join role_grant g on g.organization_id = p.organization_id and g.project_id = p.id and g.member_id is not null
        and ${LIVE}
      join role r on r.organization_id = g.organization_id and r.id = g.role_id
      join member m on m.organization_id = g.organization_id and m.id = g.member_id and m.status = 'active'
      where p.organization_id = ${organizationId} and p.workspace_id = ${workspaceId} and p.archived_at is null
      order by g.project_id, g.member_id, ${ROLE_RANK} desc, g.opened_change, r.id
    )
    select role_id, min(role_key) as role_key, min(role_name) as role_name, min(rank) as rank,
      count(*) as memberships, count(distinct member_id) as members
    from highest group by grouping sets ((role_id), ())
    order by min(rank) desc, min(role_name)`)
}
