import type { Queryable } from '../../platform/postgres/database.ts'
import { SqlFragment, sql } from '../../platform/postgres/sql.ts'
import type { OrderedPage } from '../page.ts'
import type { RoleRow } from './role.sql.ts'
import { type TargetColumns, targetId } from './target.ts'

/** A role that somebody has on a target, once, however many grants give it. */
export interface SubjectRole extends RoleRow {
  /** Whether a grant of its own gives it. */
  is_direct: boolean
  /** The groups that give it, in the order of their creation. */
  via_groups: string[]
}

const LIVE = new SqlFragment('g.ended_change is null and (g.expires_at is null or g.expires_at > now())')

/** Whose roles, and on which target; one of the two subjects is null. */
export interface SubjectPlace extends TargetColumns {
  readonly memberId: string | null
  readonly groupId: string | null
}

/**
 * The roles that a member has on a target, its own and those of its groups, or that a group has itself.
 *
 * @param roleId this one only; null: a page of all
 */
export async function listSubjectRoles(
  db: Queryable,
  organizationId: string,
  place: SubjectPlace,
  roleId: string | null,
  page: OrderedPage,
): Promise<SubjectRole[]> {
  const { memberId, groupId } = place
  const isAscending = page.order === 'asc'
  // Few rows, whatever the organization's size: one order of sorting serves both.
  return await db.rows(sql<SubjectRole>`
    with held as (
      select g.role_id, null::uuid as via_group from role_grant g
      where g.organization_id = ${organizationId} and ${LIVE}
        and (g.member_id = ${memberId} or g.group_id = ${groupId})
        and g.target_id is not distinct from ${targetId(place)}
      union all
      select g.role_id, g.group_id from group_membership gm
      join role_grant g on g.organization_id = gm.organization_id and g.group_id = gm.group_id and ${LIVE}
        and g.target_id is not distinct from ${targetId(place)}
      where gm.organization_id = ${organizationId} and gm.member_id = ${memberId}
        and (gm.expires_at is null or gm.expires_at > now())
    )
    select r.*, h.is_direct, h.via_groups
    from (
      select role_id, bool_or(via_group is null) as is_direct,
        coalesce(array_agg(distinct via_group) filter (where via_group is not null), '{}') as via_groups
      from held
      where (${roleId}::uuid is null or role_id = ${roleId})
        and (${page.afterId}::uuid is null
          or ${isAscending}::boolean and role_id > ${page.afterId} or not ${isAscending}::boolean and role_id < ${page.afterId})
      group by role_id
    ) h
    join role r on r.organization_id = ${organizationId} and r.id = h.role_id
    order by case when ${isAscending}::boolean then r.id end, r.id desc limit ${page.limit}`)
}
