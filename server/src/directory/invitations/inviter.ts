import type { Actor } from '../access/permission.ts'
import { findActingMember, findWorkingKey } from '../api-keys/api-key.sql.ts'
import type { Context } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import type { InvitationRow } from './invitation.sql.ts'
import { requireMayRepeat, toOffer } from './offer.ts'
import { requireForInvitations, toInviting } from './permission.ts'

/** Who made an offer last, with what they may do by now; undefined: they are gone, or their key works no more. */
async function findInviter(context: Context, invitation: InvitationRow): Promise<Actor | undefined> {
  const { db, organizationId } = context
  const { invited_by_kind: kind, invited_by_id: id } = invitation
  if (kind === 'root' || kind === 'system') return { kind }
  const key = { kind: 'api_key', organizationId } as const
  if (kind === 'api_key') {
    const found = await findWorkingKey(db, organizationId, id!)
    return found && { ...key, id: id!, scopes: found.scopes, memberId: null, level: 'owner' }
  }
  const found = await findActingMember(db, organizationId, id!)
  return found && { ...key, ...found, id: id!, scopes: ['*'], memberId: id! }
}

/**
 * An offer is good as long as who made it, or sent it again, might make it still: they are there, may invite to what it
 * is to, and hold what it gives (what cannot be given any more aside).
 *
 * @throws {DirectoryError} invitation.inviter_unauthorized
 */
export async function requireInviterStillMay(context: Context, invitation: InvitationRow): Promise<void> {
  const inviter = await findInviter(context, invitation)
  if (inviter === undefined) throw inviterUnauthorized()
  const asInviter = { ...context, actor: inviter }
  try {
    await requireForInvitations(asInviter, 'invitations:write', [toInviting(invitation)])
    await requireMayRepeat(asInviter, [toOffer(invitation)])
  } catch (error) {
    if (error instanceof DirectoryError) throw inviterUnauthorized()
    throw error
  }
}

function inviterUnauthorized(): DirectoryError {
  return new DirectoryError(
    'invitation.inviter_unauthorized',
    'Whoever sent the invitation may not invite to this any more: ask for a new one.',
  )
}
