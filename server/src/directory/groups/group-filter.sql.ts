import type { Queryable } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import type { SourceKind } from '../grants/source.ts'
import { type TargetColumns, targetId } from '../roles/target.ts'
import type { GroupRow } from './group.sql.ts'

export interface GroupFilter {
  readonly roleId: string | null
  /** The very target of the role; null: any. */
  readonly place: TargetColumns | null
  /** Where the role of the group comes from; without a role or target, where memberships in the group come from. */
  readonly sourceKind: SourceKind | null
}

/** One page of groups that have a role, in the order of their creation. */
export async function listGroupsWithRole(
  db: Queryable,
  organizationId: string,
  filter: GroupFilter,
  page: { afterSeq: number; limit: number },
): Promise<GroupRow[]> {
  const { roleId, place, sourceKind } = filter
  const isPlaced = place !== null
  return await db.rows(sql<GroupRow>`
    select * from org_group o
    where o.organization_id = ${organizationId} and o.created_seq > ${page.afterSeq} and o.kind = 'group' and o.deleted_change is null
      and o.id in (
        select g.group_id from role_grant g
        join grant_source s on s.organization_id = g.organization_id and s.id = g.source_id
        where g.organization_id = ${organizationId} and g.group_id is not null and g.ended_change is null
          and (g.expires_at is null or g.expires_at > now())
          and (${roleId}::uuid is null or g.role_id = ${roleId})
          and (not ${isPlaced}::boolean or g.target_id is not distinct from ${place && targetId(place)})
          and (${sourceKind}::text is null or s.kind = ${sourceKind}))
    order by o.created_seq limit ${page.limit}`)
}

/** One page of groups in which a source has put somebody, in the order of their creation. */
export async function listGroupsOfSource(
  db: Queryable,
  organizationId: string,
  sourceKind: SourceKind,
  page: { afterSeq: number; limit: number },
): Promise<GroupRow[]> {
  return await db.rows(sql<GroupRow>`
    with sources as materialized (
      select id from grant_source where organization_id = ${organizationId} and kind = ${sourceKind}
    )
    select * from org_group o
    where o.organization_id = ${organizationId} and o.created_seq > ${page.afterSeq} and o.kind = 'group' and o.deleted_change is null
      and exists (
        select 1 from group_membership gm
        where gm.organization_id = o.organization_id and gm.group_id = o.id
          and gm.source_id in (select id from sources) and (gm.expires_at is null or gm.expires_at > now()))
    order by o.created_seq limit ${page.limit}`)
}
