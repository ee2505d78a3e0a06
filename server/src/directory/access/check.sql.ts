import type { Queryable } from '../../platform/postgres/database.ts'
import { SqlFragment, sql } from '../../platform/postgres/sql.ts'
import type { GroupKind } from '../groups/group.sql.ts'
import { roleGives } from '../roles/predefined.ts'
import type { TargetColumns } from '../roles/target.ts'

/**
 * SQL: whether a role grant `g` reaches a target `t`: it is on the organization, on the very target, or on the
 * workspace that the target is in.
 */
const REACHES = new SqlFragment(`(g.target_id is null or g.workspace_id = t.workspace_id
    or g.project_id = t.project_id or g.page_id = t.page_id)`)
const GIVES = roleGives(new SqlFragment('t.permission'))
const LIVE = new SqlFragment('g.ended_change is null and (g.expires_at is null or g.expires_at > now())')

/** A way in which a member has a permission: a role of its own, or one of a group it is in. */
export interface PathRow {
  role_grant_id: string
  role_id: string
  role_key: string | null
  role_name: string
  resource: string
  workspace_id: string | null
  project_id: string | null
  page_id: string | null
  source: string
  expires_at: string | null
  group_id: string | null
  group_name: string | null
  /** A teamspace is a group of its own kind. */
  group_kind: GroupKind | null
  membership_source: string | null
  membership_change: string | null
  membership_expires_at: string | null
}

export interface CheckRow {
  status: 'active' | 'suspended' | 'removed' | null
  target_found: boolean
  paths: PathRow[] | null
}

const TIME = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
const PATH = new SqlFragment(`'role_grant_id', g.id, 'role_id', r.id, 'role_key', r.key, 'role_name', r.name,
        'resource', r.resource, 'workspace_id', g.workspace_id, 'project_id', g.project_id,
        'page_id', g.page_id, 'source', s.kind,
        'expires_at', to_char(g.expires_at at time zone 'utc', '${TIME}')`)
const MEMBERSHIP =
  new SqlFragment(`'group_id', gm.group_id, 'group_name', og.name, 'group_kind', og.kind, 'membership_source', ms.kind,
        'membership_change', gm.opened_change,         'membership_expires_at', to_char(gm.expires_at at time zone 'utc', '${TIME}')`)
const NO_MEMBERSHIP = new SqlFragment(
  `'group_id', null, 'group_name', null, 'group_kind', null, 'membership_source', null, 'membership_change', null,
        'membership_expires_at', null`,
)

/**
 * Every way in which a member has a permission on a target now, in one indexed read. The groups come as an array:
 * joined, PostgreSQL would go through all grants of the organization where it knows nothing of the tables yet.
 */
export async function checkOne(
  db: Queryable,
  organizationId: string,
  check: { memberId: string; permission: string } & TargetColumns,
): Promise<CheckRow> {
  const row = await db.row(sql<CheckRow>`
    with t as (
      select ${check.permission}::text as permission, 
        coalesce(p.workspace_id, pg.workspace_id, ${check.workspaceId}::uuid) as workspace_id, p.id as project_id,
        pg.id as page_id,
        (${check.projectId}::uuid is null or p.id is not null) and (${check.pageId}::uuid is null or pg.id is not null)
          and (${check.workspaceId}::uuid is null or exists (
            select 1 from workspace w where w.organization_id = ${organizationId} and w.id = ${check.workspaceId}
          )) as found
      from (select 1) one
      left join page pg on pg.organization_id = ${organizationId} and pg.id = ${check.pageId} and pg.deleted_change is null
      left join project p on p.organization_id = ${organizationId}
        and p.id = coalesce(${check.projectId}::uuid, pg.project_id)
    )
    select (select status from member where organization_id = ${organizationId} and id = ${check.memberId}) as status,
      t.found as target_found,
      (select json_agg(path) from (
        select json_build_object(${PATH}, ${NO_MEMBERSHIP}) as path
        from t, role_grant g
        join role r on r.organization_id = g.organization_id and r.id = g.role_id
        join grant_source s on s.organization_id = g.organization_id and s.id = g.source_id
        where g.organization_id = ${organizationId} and g.member_id = ${check.memberId} and ${LIVE} and ${REACHES}
          and ${GIVES}
        union all
        select json_build_object(${PATH}, ${MEMBERSHIP})
        from t, role_grant g
        join role r on r.organization_id = g.organization_id and r.id = g.role_id
        join grant_source s on s.organization_id = g.organization_id and s.id = g.source_id
        join group_membership gm on gm.organization_id = g.organization_id and gm.group_id = g.group_id
          and gm.member_id = ${check.memberId} and (gm.expires_at is null or gm.expires_at > now())
        join grant_source ms on ms.organization_id = gm.organization_id and ms.id = gm.source_id
        join org_group og on og.organization_id = gm.organization_id and og.id = gm.group_id
        where g.organization_id = ${organizationId} and g.group_id = any (array(
            select mine.group_id from group_membership mine
            where mine.organization_id = ${organizationId} and mine.member_id = ${check.memberId}))
          and ${LIVE} and ${REACHES} and ${GIVES}
      ) paths) as paths
    from t`)
  return row!
}

export interface ManyRow {
  status: 'active' | 'suspended' | 'removed' | null
  target_found: boolean
  /** Whether a role gives it, whatever the member's status. */
  allowed: boolean
}

/**
 * Whether members have permissions on targets now: one statement for all of them, answered in their order.
 *
 * @param withoutChange what this change opened does not count; null: everything counts
 */
export async function checkMany(
  db: Queryable,
  organizationId: string,
  checks: readonly ({ memberId: string; permission: string } & TargetColumns)[],
  withoutChange: string | null = null,
): Promise<ManyRow[]> {
  return await db.rows(sql<ManyRow>`
    with asked as (
      select * from unnest(${checks.map((check) => check.memberId)}::uuid[],
        ${checks.map((check) => check.permission)}::text[], ${checks.map((check) => check.workspaceId)}::uuid[],
        ${checks.map((check) => check.projectId)}::uuid[], ${checks.map((check) => check.pageId)}::uuid[])
        with ordinality a (member_id, permission, asked_workspace_id, asked_project_id, asked_page_id, n)
    ), t as (
      select a.*, coalesce(p.workspace_id, pg.workspace_id, w.id) as workspace_id, p.id as project_id, pg.id as page_id,
        (a.asked_project_id is null or p.id is not null) and (a.asked_workspace_id is null or w.id is not null)
          and (a.asked_page_id is null or pg.id is not null)
          as found
      from asked a
      left join page pg on pg.organization_id = ${organizationId} and pg.id = a.asked_page_id
        and pg.deleted_change is null
      left join project p on p.organization_id = ${organizationId} and p.id = coalesce(a.asked_project_id, pg.project_id)
      left join workspace w on w.organization_id = ${organizationId} and w.id = a.asked_workspace_id
    )
    select m.status, t.found as target_found,
      exists (
        select 1 from role_grant g
        join role r on r.organization_id = g.organization_id and r.id = g.role_id
        where g.organization_id = ${organizationId} and g.member_id = t.member_id and ${LIVE} and ${REACHES}
          and ${GIVES} and g.opened_change is distinct from ${withoutChange}
      ) or exists (
        select 1 from role_grant g
        join role r on r.organization_id = g.organization_id and r.id = g.role_id
        where g.organization_id = ${organizationId} and g.group_id = any (array(
            select gm.group_id from group_membership gm
            where gm.organization_id = ${organizationId} and gm.member_id = t.member_id
              and (gm.expires_at is null or gm.expires_at > now())))
          -- Apart, so that the index alone answers the groups.
          and (${withoutChange}::uuid is null or exists (
            select 1 from group_membership other
            where other.organization_id = ${organizationId} and other.group_id = g.group_id
              and other.member_id = t.member_id and other.opened_change <> ${withoutChange}
              and (other.expires_at is null or other.expires_at > now())))
          and ${LIVE} and ${REACHES} and ${GIVES} and g.opened_change is distinct from ${withoutChange}
      ) as allowed
    from t
    left join member m on m.organization_id = ${organizationId} and m.id = t.member_id
    order by t.n`)
}
