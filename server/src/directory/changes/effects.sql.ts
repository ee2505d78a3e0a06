import type { Queryable } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import type { GroupKind } from '../groups/group.sql.ts'

export interface GrantEffectRow {
  effect: 'opened' | 'ended'
  grant_kind: 'group_membership' | 'role'
  /** Null: the grant of a role to a group. */
  member_id: string | null
  member_reference: string | null
  member_name: string | null
  group_id: string | null
  group_name: string | null
  /** A teamspace is a group of its own kind. */
  group_kind: GroupKind | null
  role_key: string | null
  role_id: string | null
  role_name: string | null
  workspace_id: string | null
  project_id: string | null
  page_id: string | null
  source_kind: string
  expires_at: string | null
  opened_total: number
  ended_total: number
}

/** Everything one change opened and ended, of every kind of grant, wherever those grants are by now. */
export async function listGrantEffects(
  db: Queryable,
  organizationId: string,
  changeId: string,
  page: { offset: number; limit: number },
): Promise<GrantEffectRow[]> {
  return await db.rows(sql<GrantEffectRow>`
    with effects as materialized (
      select 'opened' as effect, 'group_membership' as grant_kind, member_id, group_id, null::uuid as role_id,
        null::uuid as workspace_id, null::uuid as project_id, null::uuid as page_id, source_id, expires_at
      from group_membership where organization_id = ${organizationId} and opened_change = ${changeId}
      union all
      select 'opened', 'group_membership', member_id, group_id, null, null, null, null, source_id, expires_at
      from group_membership_past where organization_id = ${organizationId} and opened_change = ${changeId}
      union all
      select 'ended', 'group_membership', member_id, group_id, null, null, null, null, source_id, expires_at
      from group_membership_past where organization_id = ${organizationId} and ended_change = ${changeId}
      union all
      select 'opened', 'role', member_id, group_id, role_id, workspace_id, project_id, page_id, source_id, expires_at
      from role_grant where organization_id = ${organizationId} and opened_change = ${changeId}
      union all
      select 'ended', 'role', member_id, group_id, role_id, workspace_id, project_id, page_id, source_id, expires_at
      from role_grant where organization_id = ${organizationId} and ended_change = ${changeId}
    ), totals as (
      select count(*) filter (where effect = 'opened') as opened_total,
        count(*) filter (where effect = 'ended') as ended_total
      from effects
    ), shown as (
      select * from effects order by effect desc, grant_kind, group_id, role_id, workspace_id, project_id, page_id,
        member_id, source_id
      offset ${page.offset} limit ${page.limit}
    )
    select e.effect, e.grant_kind, e.member_id, m.external_reference_id as member_reference,
      coalesce(m.display_name, nullif(concat_ws(' ', m.first_name, m.last_name), ''), m.email) as member_name,
      e.group_id, g.name as group_name, g.kind as group_kind, r.key as role_key, e.role_id, r.name as role_name, e.workspace_id,
      e.project_id, e.page_id, s.kind as source_kind, e.expires_at,
      t.opened_total, t.ended_total
    from shown e
    cross join totals t
    left join member m on m.organization_id = ${organizationId} and m.id = e.member_id
    join grant_source s on s.organization_id = ${organizationId} and s.id = e.source_id
    left join org_group g on g.organization_id = ${organizationId} and g.id = e.group_id
    left join role r on r.organization_id = ${organizationId} and r.id = e.role_id
    order by e.effect desc, e.grant_kind, e.group_id, e.role_id, e.workspace_id, e.project_id, e.page_id,
      e.member_id, e.source_id`)
}
