import type { Queryable } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import type { GroupKind } from '../groups/group.sql.ts'

export async function findMembershipOfSource(
  db: Queryable,
  organizationId: string,
  grant: { groupId: string; memberId: string; sourceId: string },
): Promise<{ expires_at: string | null } | undefined> {
  return await db.row(sql<{ expires_at: string | null }>`
    select expires_at from group_membership
    where organization_id = ${organizationId} and group_id = ${grant.groupId}
      and member_id = ${grant.memberId} and source_id = ${grant.sourceId}`)
}

export interface HeldGrantRow {
  grant_kind: 'group_membership' | 'role'
  group_id: string | null
  group_name: string | null
  /** A teamspace is a group of its own kind. */
  group_kind: GroupKind | null
  role_grant_id: string | null
  role_id: string | null
  role_key: string | null
  role_name: string | null
  workspace_id: string | null
  workspace_slug: string | null
  project_id: string | null
  project_name: string | null
  page_id: string | null
  page_name: string | null
  source_kind: string
  opened_change: string
  cause: string
  actor_kind: string
  actor_id: string | null
  cause_kind: string | null
  cause_id: string | null
  since: string
  until: string | null
  expires_at: string | null
}

/**
 * Every grant one member holds at a moment, with its source and the change that opened it. `asOf` null: now.
 */
export async function listGrantsOfMember(
  db: Queryable,
  organizationId: string,
  memberId: string,
  asOf: string | null,
): Promise<HeldGrantRow[]> {
  return await db.rows(sql<HeldGrantRow>`
    with held as (
      select 'group_membership' as grant_kind, group_id, null::uuid as role_grant_id, null::uuid as role_id,
        null::uuid as workspace_id, null::uuid as project_id, null::uuid as page_id, source_id, opened_change,
        null::uuid as ended_change, expires_at
      from group_membership where organization_id = ${organizationId} and member_id = ${memberId}
      union all
      select 'group_membership', group_id, null, null, null, null, null, source_id, opened_change, ended_change, expires_at
      from group_membership_past
      where organization_id = ${organizationId} and member_id = ${memberId} and ${asOf}::timestamptz is not null
      union all
      select 'role', null, id, role_id, workspace_id, project_id, page_id, source_id, opened_change, ended_change, expires_at
      from role_grant
      where organization_id = ${organizationId} and member_id = ${memberId}
        and (ended_change is null or ${asOf}::timestamptz is not null)
    )
    select h.grant_kind, h.group_id, g.name as group_name, g.kind as group_kind, h.role_grant_id, h.role_id, r.key as role_key,
      r.name as role_name, h.workspace_id, w.slug as workspace_slug, h.project_id, p.name as project_name, h.page_id, pg.name as page_name,
      s.kind as source_kind,
      h.opened_change, o.kind as cause, o.actor_kind, o.actor_id, o.cause_kind, o.cause_id, o.at as since,
      least(e.at, h.expires_at) as until, h.expires_at
    from held h
    join change o on o.organization_id = ${organizationId} and o.id = h.opened_change
    left join change e on e.organization_id = ${organizationId} and e.id = h.ended_change
    join grant_source s on s.organization_id = ${organizationId} and s.id = h.source_id
    left join org_group g on g.organization_id = ${organizationId} and g.id = h.group_id
    left join role r on r.organization_id = ${organizationId} and r.id = h.role_id
    left join workspace w on w.organization_id = ${organizationId} and w.id = h.workspace_id
    left join project p on p.organization_id = ${organizationId} and p.id = h.project_id
    left join page pg on pg.organization_id = ${organizationId} and pg.id = h.page_id
    where o.at <= coalesce(${asOf}::timestamptz, 'infinity')
      and (h.ended_change is null or e.at > ${asOf})
      and (h.expires_at is null or h.expires_at > coalesce(${asOf}::timestamptz, now()))
    order by h.grant_kind, g.name, r.name, o.at, h.opened_change, h.role_grant_id`)
}
