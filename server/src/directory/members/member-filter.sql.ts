import type { Queryable } from '../../platform/postgres/database.ts'
import { SqlFragment, sql } from '../../platform/postgres/sql.ts'
import type { SourceKind } from '../grants/source.ts'
import { type TargetColumns, targetId } from '../roles/target.ts'
import { MEMBER_COLUMNS, type MemberPage, type MemberRow, shownStatuses } from './member.sql.ts'

export interface HoldingFilter {
  readonly roleId: string | null
  /** The very target of the role; null: any. */
  readonly place: TargetColumns | null
  /** Where the member's own grant comes from: of the role, or of the membership of a group that has it. */
  readonly sourceKind: SourceKind | null
}

const LIVE = new SqlFragment('g.ended_change is null and (g.expires_at is null or g.expires_at > now())')

/**
 * One page of members who hold a role, itself or through a group, in the order of their creation. Of each group no
 * more than a page is looked at, so that a group of everybody costs no more than a small one.
 */
export async function listMembersWithRole(
  db: Queryable,
  organizationId: string,
  filter: HoldingFilter,
  page: MemberPage,
): Promise<MemberRow[]> {
  const { roleId, place, sourceKind } = filter
  const isPlaced = place !== null
  const afterId = page.afterId ?? '00000000-0000-0000-0000-000000000000'
  const statuses = shownStatuses(page)
  return await db.rows(sql<MemberRow>`
    with given as materialized (
      select g.member_id, g.group_id, g.source_id from role_grant g
      where g.organization_id = ${organizationId} and ${LIVE}
        and (${roleId}::uuid is null or g.role_id = ${roleId})
        and (not ${isPlaced}::boolean or g.target_id is not distinct from ${place && targetId(place)})
    ), sources as (
      select id from grant_source
      where organization_id = ${organizationId} and (${sourceKind}::text is null or kind = ${sourceKind})
    ), holders as (
      select member_id from given where member_id is not null and source_id in (select id from sources)
      union
      select v.member_id from (select distinct group_id from given where group_id is not null) g
      cross join lateral (
        select gm.member_id from group_membership gm
        join member h on h.organization_id = ${organizationId} and h.id = gm.member_id and h.status = any(${statuses})
        where gm.organization_id = ${organizationId} and gm.group_id = g.group_id and gm.member_id > ${afterId}
          and (gm.expires_at is null or gm.expires_at > now()) and gm.source_id in (select id from sources)
        order by gm.member_id limit ${page.limit}
      ) v
    )
    select ${MEMBER_COLUMNS} from member m
    where m.organization_id = ${organizationId} and m.id > ${afterId} and m.status = any(${statuses})
      and m.id in (select member_id from holders)
    order by m.id limit ${page.limit}`)
}

/** One page of members who hold any grant from a source, in the order of their creation. */
export async function listMembersOfSource(
  db: Queryable,
  organizationId: string,
  sourceKind: SourceKind,
  page: MemberPage,
): Promise<MemberRow[]> {
  return await db.rows(sql<MemberRow>`
    with sources as materialized (
      select id from grant_source where organization_id = ${organizationId} and kind = ${sourceKind}
    )
    select ${MEMBER_COLUMNS} from member m
    where m.organization_id = ${organizationId}
      and m.id > coalesce(${page.afterId}::uuid, '00000000-0000-0000-0000-000000000000')
      and m.status = any(${shownStatuses(page)})
      and (exists (
        select 1 from group_membership gm
        where gm.organization_id = m.organization_id and gm.member_id = m.id
          and gm.source_id in (select id from sources) and (gm.expires_at is null or gm.expires_at > now())
      ) or exists (
        select 1 from role_grant g
        where g.organization_id = m.organization_id and g.member_id = m.id
          and g.source_id in (select id from sources) and ${LIVE}
      ))
    order by m.id limit ${page.limit}`)
}
