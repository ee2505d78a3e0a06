import type { Queryable } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import type { GroupKind } from '../groups/group.sql.ts'
import type { TargetKind } from '../roles/target.ts'

/** A role that a member has at a moment, and the way it comes: its own grant, or a group's and a membership. */
export interface RolePathRow {
  role_grant_id: string
  role_id: string
  role_key: string | null
  role_name: string
  resource: TargetKind
  /** What the role gave at that moment. */
  permissions: string[]
  workspace_id: string | null
  workspace_slug: string | null
  project_id: string | null
  project_name: string | null
  page_id: string | null
  page_name: string | null
  source_kind: string
  opened_change: string
  since: string
  until: string | null
  group_id: string | null
  group_name: string | null
  /** A teamspace is a group of its own kind. */
  group_kind: GroupKind | null
  membership_source: string | null
  membership_change: string | null
  membership_since: string | null
  membership_until: string | null
}

/** Every role a member has, its own and those of its groups, now (`asOf` null) or at a past moment. */
export async function listRolePaths(
  db: Queryable,
  organizationId: string,
  memberId: string,
  asOf: string | null,
): Promise<RolePathRow[]> {
  return await db.rows(sql<RolePathRow>`
    with joined as (
      select group_id, source_id, opened_change, null::uuid as ended_change, expires_at from group_membership
      where organization_id = ${organizationId} and member_id = ${memberId}
      union all
      select group_id, source_id, opened_change, ended_change, expires_at from group_membership_past
      where organization_id = ${organizationId} and member_id = ${memberId} and ${asOf}::timestamptz is not null
    ), memberships as (
      select j.group_id, s.kind as source_kind, j.opened_change, o.at as since, least(e.at, j.expires_at) as until
      from joined j
      join change o on o.organization_id = ${organizationId} and o.id = j.opened_change
      left join change e on e.organization_id = ${organizationId} and e.id = j.ended_change
      join grant_source s on s.organization_id = ${organizationId} and s.id = j.source_id
      where o.at <= coalesce(${asOf}::timestamptz, 'infinity')
        and (j.ended_change is null or e.at > ${asOf})
        and (j.expires_at is null or j.expires_at > coalesce(${asOf}::timestamptz, now()))
    ), held as (
      select g.*, null::uuid as via_group, null::text as membership_source, null::uuid as membership_change,
        null::timestamptz as membership_since, null::timestamptz as membership_until
      from role_grant g
      where g.organization_id = ${organizationId} and g.member_id = ${memberId}
        and (g.ended_change is null or ${asOf}::timestamptz is not null)
      union all
      select g.*, m.group_id, m.source_kind, m.opened_change, m.since, m.until
      from memberships m
      join role_grant g on g.organization_id = ${organizationId} and g.group_id = m.group_id
        and (g.ended_change is null or ${asOf}::timestamptz is not null)
    )
    select h.id as role_grant_id, h.role_id, r.key as role_key, r.name as role_name, r.resource,
      coalesce((
        select p.permissions from role_past p
        join change c on c.organization_id = p.organization_id and c.id = p.ended_change
        where p.organization_id = ${organizationId} and p.role_id = r.id and c.at > ${asOf}::timestamptz
        order by p.version limit 1), r.permissions) as permissions,
      h.workspace_id, w.slug as workspace_slug, h.project_id, p.name as project_name, h.page_id, pg.name as page_name,
      s.kind as source_kind,
      h.opened_change, o.at as since, least(e.at, h.expires_at) as until, h.via_group as group_id,
      og.name as group_name, og.kind as group_kind, h.membership_source, h.membership_change, h.membership_since, h.membership_until
    from held h
    join role r on r.organization_id = ${organizationId} and r.id = h.role_id
    join change o on o.organization_id = ${organizationId} and o.id = h.opened_change
    left join change e on e.organization_id = ${organizationId} and e.id = h.ended_change
    join grant_source s on s.organization_id = ${organizationId} and s.id = h.source_id
    left join org_group og on og.organization_id = ${organizationId} and og.id = h.via_group
    left join workspace w on w.organization_id = ${organizationId} and w.id = h.workspace_id
    left join project p on p.organization_id = ${organizationId} and p.id = h.project_id
    left join page pg on pg.organization_id = ${organizationId} and pg.id = h.page_id
    where o.at <= coalesce(${asOf}::timestamptz, 'infinity')
      and (h.ended_change is null or e.at > ${asOf})
      and (h.expires_at is null or h.expires_at > coalesce(${asOf}::timestamptz, now()))
    order by r.resource, r.name, h.role_id, h.target_id, og.name, h.via_group, o.at, h.id,
      h.membership_since, h.membership_change`)
}

/** What a member's status was at a past moment; undefined: it was not there yet. */
export async function findStatusAsOf(
  db: Queryable,
  organizationId: string,
  memberId: string,
  asOf: string,
): Promise<'active' | 'suspended' | 'removed' | undefined> {
  const row = await db.row(sql<{ status: 'active' | 'suspended' | 'removed' }>`
    with joined as (
      select c.seq
      from (
        select opened_change from group_membership
        where organization_id = ${organizationId} and member_id = ${memberId}
        union all
        select opened_change from group_membership_past
        where organization_id = ${organizationId} and member_id = ${memberId}
      ) g
      join change c on c.organization_id = ${organizationId} and c.id = g.opened_change
      where c.at <= ${asOf}
    ), said as (
      select c.seq, case
          when c.kind = 'member.suspended' then 'suspended'
          when c.kind in ('member.removed', 'member.left') then 'removed'
          when c.kind = 'change.undone' then coalesce(c.detail ->> 'status', 'active')
          else 'active' end as status
      from change c
      where c.organization_id = ${organizationId} and c.member_id = ${memberId} and c.at <= ${asOf}
        and (c.kind in ('member.suspended', 'member.reactivated', 'member.removed', 'member.left')
          or c.kind = 'change.undone' and c.detail ? 'status')
      order by c.seq desc limit 1
    )
    select case
        -- A merge is a change about who it was merged into. It is near the row's last update, of which nothing is
        -- later, but not at it: that is another clock's, from before the change had its time.
        when m.merged_into is not null and exists (
          select 1 from change c
          where c.organization_id = ${organizationId} and c.kind = 'member.merged' and c.at <= ${asOf}
            and c.at between m.updated_at - interval '1 hour' and m.updated_at + interval '1 hour'
            and c.detail ->> 'from' = m.id::text) then 'removed'
        -- A member sync brings people back without a change about them: it puts them into a group.
        when s.status = 'removed' and exists (select 1 from joined where joined.seq > s.seq) then 'active'
        else coalesce(s.status, 'active') end as status
    from member m
    left join said s on true
    where m.organization_id = ${organizationId} and m.id = ${memberId}
      -- Not by created_at, which is before the change's time. Whom a sync creates is in a group by the same change.
      and (exists (
        select 1 from change c
        where c.organization_id = ${organizationId} and c.member_id = ${memberId} and c.at <= ${asOf}
      ) or exists (select 1 from joined))`)
  return row?.status
}
