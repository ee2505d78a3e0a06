import type { Queryable } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { ROLE_RANK } from '../roles/predefined.ts'

/** How high a member ranks on a workspace. */
export interface WorkspaceRankRow {
  workspace_id: string
  rank: number
}

/**
 * The rank of a member's highest role on each of some workspaces, its own or a group's; where it has none, no row.
 *
 * @param beforeChange as it was before this open change: what it opened does not count, what it ended does
 */
export async function listWorkspaceRanks(
  db: Queryable,
  organizationId: string,
  memberId: string,
  workspaceIds: readonly string[],
  beforeChange: string | null,
): Promise<WorkspaceRankRow[]> {
  return await db.rows(sql<WorkspaceRankRow>`
    with mine as materialized (
      select group_id from group_membership
      where organization_id = ${organizationId} and member_id = ${memberId}
        and (expires_at is null or expires_at > now()) and opened_change is distinct from ${beforeChange}
      union all
      select group_id from group_membership_past
      where organization_id = ${organizationId} and ended_change = ${beforeChange} and member_id = ${memberId}
        and (expires_at is null or expires_at > now())
    ), held as (
      select role_id, workspace_id, expires_at from role_grant
      where organization_id = ${organizationId} and member_id = ${memberId} and ended_change is null
        and opened_change is distinct from ${beforeChange}
      union all
      select role_id, workspace_id, expires_at from role_grant
      where organization_id = ${organizationId} and group_id = any (array(select group_id from mine))
        and ended_change is null and opened_change is distinct from ${beforeChange}
      union all
      select role_id, workspace_id, expires_at from role_grant
      where organization_id = ${organizationId} and ended_change = ${beforeChange}
        and (member_id = ${memberId} or group_id = any (array(select group_id from mine)))
    )
    select h.workspace_id, max(${ROLE_RANK})::integer as rank
    from held h
    join role r on r.organization_id = ${organizationId} and r.id = h.role_id
    where h.workspace_id = any (${workspaceIds}) and (h.expires_at is null or h.expires_at > now())
    group by h.workspace_id`)
}
