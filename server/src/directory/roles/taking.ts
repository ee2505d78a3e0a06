import { type RankedRole, requireTakenNotAbove } from '../access/rank.ts'
import type { Context } from '../context.ts'
import { listRoleGrantsAt, type RoleGrantPlace } from '../grants/role-grant.sql.ts'
import { listWorkspaceRoles } from '../workspaces/workspace-members.sql.ts'
import { findRoles, type RoleRow } from './role.sql.ts'

/** Whom something is taken from, and where. */
type TakenPlace = Omit<RoleGrantPlace, 'roleId'>

/**
 * Nobody takes a role from who ranks above them. On the organization what is taken counts: a level. On a workspace all
 * that a member has there counts, so that its admins take nothing from its owners.
 *
 * @param role what is taken; null: all that is held there directly
 * @throws {DirectoryError} permission.denied (a level above the actor's), member.outranks
 */
export async function requireMayTake(
  context: Context,
  place: TakenPlace,
  role: RoleRow | null,
): Promise<void> {
  const { memberId, workspaceId } = place
  const taken = role === null ? await listHeldAt(context, place) : [role]
  const standing: RankedRole[] = taken.map(({ key, resource }) => ({
    key,
    resource,
    workspace_id: workspaceId,
  }))
  if (workspaceId !== null && memberId !== null) {
    const { db, organizationId } = context
    const held = await listWorkspaceRoles(db, organizationId, workspaceId, [memberId])
    standing.push(
      ...held.map((row) => ({ key: row.role_key, resource: 'workspace', workspace_id: workspaceId })),
    )
  }
  await requireTakenNotAbove(context, standing)
}

/** The roles that are held on a workspace directly: nobody ranks by what they have on a project or a page. */
async function listHeldAt({ db, organizationId }: Context, place: TakenPlace): Promise<RoleRow[]> {
  if (place.workspaceId === null) return []
  const grants = await listRoleGrantsAt(db, organizationId, place)
  return await findRoles(db, organizationId, [...new Set(grants.map((grant) => grant.role_id))])
}
