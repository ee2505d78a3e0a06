import { requirePermission } from '../access/permission.ts'
import type { ReadContext } from '../context.ts'
import type { Counted, PositionPage } from '../position-page.ts'
import { findInvitations, type InvitationRow } from './invitation.sql.ts'
import { countOpenInvitations, listOpenInvitationIds } from './invitation-positions.sql.ts'

/**
 * A page of invitations that are neither accepted nor revoked, by position, newest first.
 *
 * @throws {DirectoryError} permission.denied
 */
export async function pageOpenInvitations(
  context: ReadContext,
  page: PositionPage,
): Promise<Counted<InvitationRow>> {
  requirePermission(context.actor, 'invitations:read')
  const { db, organizationId } = context
  const count = await countOpenInvitations(db, organizationId)
  const ids = await listOpenInvitationIds(db, organizationId, page)
  return { rows: await findInvitations(db, organizationId, ids), count }
}
