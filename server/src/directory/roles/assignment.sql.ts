import type { Queryable } from '../../platform/postgres/database.ts'
import { SqlFragment, sql } from '../../platform/postgres/sql.ts'
import type { GroupKind } from '../groups/group.sql.ts'
import { type TargetColumns, type TargetKind, targetId } from './target.ts'

/** A grant of a role, as it stands now or stood at a moment. */
export interface RoleAssignmentRow {
  id: string
  member_id: string | null
  member_name: string | null
  member_email: string | null
  group_id: string | null
  group_name: string | null
  /** A teamspace is a group of its own kind. */
  group_kind: GroupKind | null
  role_id: string
  role_key: string | null
  role_name: string
  role_resource: TargetKind
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
}

const COLUMNS = new SqlFragment(`g.id, g.member_id,
      coalesce(m.display_name, nullif(concat_ws(' ', m.first_name, m.last_name), ''), m.email) as member_name,
      m.email as member_email, g.group_id, og.name as group_name, og.kind as group_kind, g.role_id, r.key as role_key, r.name as role_name,
      r.resource as role_resource, g.workspace_id, w.slug as workspace_slug, g.project_id, p.name as project_name,
      g.page_id, pg.name as page_name, s.kind as source_kind, g.opened_change, coalesce(o.at, now()) as since`)
const NAMES = new SqlFragment(`join role r on r.organization_id = g.organization_id and r.id = g.role_id
    join grant_source s on s.organization_id = g.organization_id and s.id = g.source_id
    left join change o on o.organization_id = g.organization_id and o.id = g.opened_change
    left join member m on m.organization_id = g.organization_id and m.id = g.member_id
    left join org_group og on og.organization_id = g.organization_id and og.id = g.group_id
    left join workspace w on w.organization_id = g.organization_id and w.id = g.workspace_id
    left join project p on p.organization_id = g.organization_id and p.id = g.project_id
    left join page pg on pg.organization_id = g.organization_id and pg.id = g.page_id`)
const JOINS = new SqlFragment(`role_grant g ${NAMES.text}`)
/** Of a live grant, and of one that may have ended since. */
const LIVE_UNTIL = new SqlFragment('g.expires_at as until')
const PAST_UNTIL = new SqlFragment('least(e.at, g.expires_at) as until')
const ENDED = new SqlFragment(
  'left join change e on e.organization_id = g.organization_id and e.id = g.ended_change',
)

/** One live grant. Of the change that is being made, the time is not known yet: it is the transaction's. */
export async function findAssignment(
  db: Queryable,
  organizationId: string,
  id: string,
): Promise<RoleAssignmentRow | undefined> {
  return await db.row(sql<RoleAssignmentRow>`
    select ${COLUMNS}, ${LIVE_UNTIL} from ${JOINS}
    where g.organization_id = ${organizationId} and g.id = ${id} and g.ended_change is null
      and (g.expires_at is null or g.expires_at > now())`)
}

export interface AssignmentFilter {
  afterId: string | null
  limit: number
  memberId: string | null
  groupId: string | null
  roleId: string | null
  /** The very target; null: any. */
  place: TargetColumns | null
  sourceKind: string | null
  /** Null: now. */
  asOf: string | null
}

export async function listAssignments(
  db: Queryable,
  organizationId: string,
  filter: AssignmentFilter,
): Promise<RoleAssignmentRow[]> {
  const { afterId, limit, memberId, groupId, roleId, place, sourceKind, asOf } = filter
  const isPlaced = place !== null
  if (asOf !== null) {
    return await db.rows(sql<RoleAssignmentRow>`
      select ${COLUMNS}, ${PAST_UNTIL} from ${JOINS} ${ENDED}
      where g.organization_id = ${organizationId} and (${afterId}::uuid is null or g.id > ${afterId})
        and (${memberId}::uuid is null or g.member_id = ${memberId})
        and (${groupId}::uuid is null or g.group_id = ${groupId})
        and (${roleId}::uuid is null or g.role_id = ${roleId})
        and (not ${isPlaced}::boolean or g.target_id is not distinct from ${place && targetId(place)})
        and (${sourceKind}::text is null or s.kind = ${sourceKind})
        and o.at <= ${asOf} and (g.ended_change is null or e.at > ${asOf})
        and (g.expires_at is null or g.expires_at > ${asOf})
      order by g.id limit ${limit}`)
  }
  return await db.rows(sql<RoleAssignmentRow>`
    select ${COLUMNS}, ${LIVE_UNTIL} from ${JOINS}
    where g.organization_id = ${organizationId} and (${afterId}::uuid is null or g.id > ${afterId})
      and g.ended_change is null and (g.expires_at is null or g.expires_at > now())
      and (${memberId}::uuid is null or g.member_id = ${memberId})
      and (${groupId}::uuid is null or g.group_id = ${groupId})
      and (${roleId}::uuid is null or g.role_id = ${roleId})
      and (not ${isPlaced}::boolean or g.target_id is not distinct from ${place && targetId(place)})
      and (${sourceKind}::text is null or s.kind = ${sourceKind})
    order by g.id limit ${limit}`)
}

/** One page of the live grants of roles that reach a member: its own, and those of the groups it is in. */
export async function listAssignmentsReaching(
  db: Queryable,
  organizationId: string,
  memberId: string,
  page: { afterId: string | null; limit: number },
): Promise<RoleAssignmentRow[]> {
  return await db.rows(sql<RoleAssignmentRow>`
    with g as materialized (
      select * from (
        select own.* from role_grant own
        where own.organization_id = ${organizationId} and own.member_id = ${memberId} and own.ended_change is null
          and (own.expires_at is null or own.expires_at > now())
        union all
        select via.* from role_grant via
        where via.organization_id = ${organizationId} and via.group_id = any (array(
            select group_id from group_membership gm
            where gm.organization_id = ${organizationId} and gm.member_id = ${memberId}
              and (gm.expires_at is null or gm.expires_at > now())))
          and via.ended_change is null and (via.expires_at is null or via.expires_at > now())
      ) reaching
      where id > coalesce(${page.afterId}::uuid, '00000000-0000-0000-0000-000000000000')
      order by id limit ${page.limit}
    )
    select ${COLUMNS}, ${LIVE_UNTIL} from g ${NAMES}
    order by g.id`)
}
