import type { Queryable } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'

export interface MemberGroupRow {
  id: string
  name: string
  external_reference_id: string | null
  grants: { source: string; since: string; expires_at: string | null; change: string }[]
}

/** One page of the groups a member is in now, each with the grants that put it there. */
export async function listMemberGroups(
  db: Queryable,
  organizationId: string,
  memberId: string,
  page: { afterId: string | null; limit: number },
): Promise<MemberGroupRow[]> {
  return await db.rows(sql<MemberGroupRow>`
    select g.id, g.name, g.external_reference_id, h.grants
    from (
      select gm.group_id, json_agg(json_build_object('source', s.kind,
          'since', to_char(c.at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
          'expires_at', to_char(gm.expires_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
          'change', gm.opened_change)) as grants
      from group_membership gm
      join grant_source s on s.organization_id = gm.organization_id and s.id = gm.source_id
      join change c on c.organization_id = gm.organization_id and c.id = gm.opened_change
      join org_group k on k.organization_id = gm.organization_id and k.id = gm.group_id and k.kind = 'group'
      where gm.organization_id = ${organizationId} and gm.member_id = ${memberId}
        and gm.group_id > coalesce(${page.afterId}::uuid, '00000000-0000-0000-0000-000000000000')
        and (gm.expires_at is null or gm.expires_at > now())
      group by gm.group_id order by gm.group_id limit ${page.limit}
    ) h
    join org_group g on g.organization_id = ${organizationId} and g.id = h.group_id
    order by g.id`)
}
