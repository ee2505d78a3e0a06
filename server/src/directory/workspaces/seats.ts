import { requirePermissionOn } from '../access/authority.ts'
import { requirePermission } from '../access/permission.ts'
import { countGuests, countUsedSeats } from '../changes/invariants.sql.ts'
import type { ReadContext } from '../context.ts'
import { findWorkspace } from './workspace.sql.ts'
import { requireWorkspace } from './workspace-members.ts'

/**
 * The seats of a workspace: purchased (null: no limit), taken by active members with a role other than guest, and
 * the guests, who take none. Pending invitations take none either.
 *
 * @throws {DirectoryError} workspace.not_found, permission.denied
 */
export async function readSeats(
  context: ReadContext,
  slug: string,
): Promise<{ purchased: number | null; used: number; guests: number }> {
  const { db, organizationId } = context
  const found = await findWorkspace(db, organizationId, slug)
  if (found === undefined) requirePermission(context.actor, 'workspaces:read')
  else await requirePermissionOn(context, 'workspaces:read', { kind: 'workspace', id: found.id })
  const workspace = await requireWorkspace(context, slug)
  const used = await countUsedSeats(db, organizationId, workspace.id)
  return {
    purchased: workspace.purchased_seats,
    used,
    guests: await countGuests(db, organizationId, workspace.id),
  }
}
