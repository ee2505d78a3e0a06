import { requirePermissionOn } from '../access/authority.ts'
import { type Actor, isInScope } from '../access/permission.ts'
import type { Context } from '../context.ts'
import { findTeamspace, lockTeamspace, type TeamspaceRow } from './teamspace.sql.ts'
import { onWorkspace, requireTeamspace } from './teamspace.ts'

/** Whether the actor is the one who leads the teamspace, with a key that may be used for it. */
function isLead(actor: Actor, row: TeamspaceRow | undefined): boolean {
  if (actor.kind !== 'api_key' || actor.memberId === null) return false
  return actor.memberId === row?.lead_id && isInScope(actor, 'teamspaces:write')
}

/**
 * Locks a teamspace for who may say who is in it and on which projects: whoever has `teamspaces:write` on the
 * workspace, and its lead.
 *
 * @throws {DirectoryError} teamspace.not_found, permission.denied
 */
export async function requireManagedTeamspace(
  context: Context,
  workspaceId: string,
  id: string,
): Promise<TeamspaceRow> {
  const { db, organizationId } = context
  await lockTeamspace(db, organizationId, id)
  const row = await findTeamspace(db, organizationId, workspaceId, id)
  if (!isLead(context.actor, row)) {
    await requirePermissionOn(context, 'teamspaces:write', onWorkspace(workspaceId))
  }
  return row ?? (await requireTeamspace(context, workspaceId, id))
}
