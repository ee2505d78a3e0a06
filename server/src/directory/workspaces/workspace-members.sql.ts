import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { SqlFragment, sql } from '../../platform/postgres/sql.ts'

/** A role that somebody has on a workspace, its own or a group's. */
export interface WorkspaceRoleRow {
  member_id: string
  role_id: string
  role_key: string | null
  role_name: string
  is_direct: boolean
  since: string
}

/** The roles that some members have on a workspace now. */
export async function listWorkspaceRoles(
  db: Queryable,
  organizationId: string,
  workspaceId: string,
  memberIds: readonly string[],
): Promise<WorkspaceRoleRow[]> {
  return await db.rows(sql<WorkspaceRoleRow>`
    with held as (
      select g.member_id, g.role_id, g.opened_change, true as is_direct from role_grant g
      where g.organization_id = ${organizationId} and g.workspace_id = ${workspaceId}
        and g.member_id = any(${memberIds}) and g.ended_change is null
        and (g.expires_at is null or g.expires_at > now())
      union all
      select gm.member_id, g.role_id, gm.opened_change, false from role_grant g
      join group_membership gm on gm.organization_id = g.organization_id and gm.group_id = g.group_id
        and gm.member_id = any(${memberIds}) and (gm.expires_at is null or gm.expires_at > now())
      where g.organization_id = ${organizationId} and g.workspace_id = ${workspaceId} and g.group_id is not null
        and g.ended_change is null and (g.expires_at is null or g.expires_at > now())
    )
    select h.member_id, h.role_id, r.key as role_key, r.name as role_name, h.is_direct, coalesce(c.at, now()) as since
    from held h
    join role r on r.organization_id = ${organizationId} and r.id = h.role_id
    left join change c on c.organization_id = ${organizationId} and c.id = h.opened_change
    order by h.member_id, since, h.role_id`)
}

/**
 * The workspace that a grant `g` is in, by its own target: looked up for each grant of somebody, however many projects
 * and pages the workspace has.
 */
const WITHIN_WORKSPACE = new SqlFragment(`coalesce(g.workspace_id,
          (select p.workspace_id from project p where p.organization_id = g.organization_id and p.id = g.project_id),
          (select p.workspace_id from page p where p.organization_id = g.organization_id and p.id = g.page_id))`)

/**
 * Ends everything that a member has in a workspace: roles on it, on its projects and its pages, and memberships of
 * groups that have such roles, teamspaces among them.
 */
export async function endEverythingInWorkspace(
  tx: Transaction,
  organizationId: string,
  place: { workspaceId: string; memberId: string },
  changeId: string,
): Promise<number> {
  const { workspaceId, memberId } = place
  const row = await tx.row(sql<{ ended: number }>`
    with roles as (
      update role_grant g set ended_change = ${changeId}
      where g.organization_id = ${organizationId} and g.member_id = ${memberId} and g.ended_change is null
        and ${WITHIN_WORKSPACE} = ${workspaceId}
      returning 1
    ), mine as materialized (
      select distinct gm.group_id from group_membership gm
      where gm.organization_id = ${organizationId} and gm.member_id = ${memberId}
    ), giving as materialized (
      select m.group_id from mine m
      where exists (
        select 1 from teamspace t
        where t.organization_id = ${organizationId} and t.id = m.group_id and t.workspace_id = ${workspaceId}
      ) or exists (
        select 1 from role_grant g
        where g.organization_id = ${organizationId} and g.group_id = m.group_id and g.ended_change is null
          and ${WITHIN_WORKSPACE} = ${workspaceId})
    ), gone as (
      delete from group_membership gm
      where gm.organization_id = ${organizationId} and gm.member_id = ${memberId}
        and gm.group_id in (select group_id from giving)
      returning *
    ), past as (
      insert into group_membership_past
      select organization_id, group_id, member_id, source_id, opened_change, expires_at, ${changeId} from gone
      returning 1
    )
    select (select count(*) from roles) + (select count(*) from past) as ended`)
  return row?.ended ?? 0
}

/** Takes some of the purchased seats of a workspace back, or gives them again. */
export async function addPurchasedSeats(
  tx: Transaction,
  organizationId: string,
  workspaceId: string,
  seats: number,
  now: Date,
): Promise<void> {
  await tx.run(sql`
    update workspace set purchased_seats = purchased_seats + ${seats}::integer, version = version + 1,
      updated_at = ${now}
    where organization_id = ${organizationId} and id = ${workspaceId} and purchased_seats is not null`)
}

/** Lowers what guests of a workspace may not have on its projects, for one member: ends it, and opens `guest` there. */
export async function lowerProjectRolesToGuest(
  tx: Transaction,
  organizationId: string,
  place: { workspaceId: string; memberId: string; sourceId: string },
  changeId: string,
): Promise<{ opened: number; ended: number }> {
  const { workspaceId, memberId, sourceId } = place
  const row = await tx.row(sql<{ opened: number; ended: number }>`
    with lowered as (
      update role_grant g set ended_change = ${changeId}
      from project p, role r
      where g.organization_id = ${organizationId} and g.member_id = ${memberId} and g.ended_change is null
        and p.organization_id = ${organizationId} and p.id = g.project_id and p.workspace_id = ${workspaceId}
        and r.organization_id = ${organizationId} and r.id = g.role_id
        and (r.key is null or r.key not in ('guest', 'commenter', 'viewer'))
      returning g.project_id, g.expires_at
    ), opened as (
      insert into role_grant (organization_id, id, member_id, role_id, project_id, source_id, opened_change, expires_at)
      select ${organizationId}, uuid_v7(), ${memberId}, r.id, l.project_id, ${sourceId}, ${changeId}, l.expires_at
      from (
        select project_id, case when bool_or(expires_at is null) then null else max(expires_at) end as expires_at
        from lowered group by project_id
      ) l
      join role r on r.organization_id = ${organizationId} and r.resource = 'project' and r.key = 'guest'
      on conflict do nothing
      returning 1
    )
    select (select count(*) from opened) as opened, (select count(*) from lowered) as ended`)
  return row!
}
