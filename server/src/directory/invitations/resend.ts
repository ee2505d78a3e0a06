import { violatedConstraint } from '../../platform/postgres/database.ts'
import { recordedActor } from '../access/permission.ts'
import type { Context } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { cancelMails } from '../outbox/outbox.ts'
import { type InvitationRow, renewInvitation } from './invitation.sql.ts'
import { requireInvitation, requireLockedInvitation, requireOwnOrganization } from './invitation.ts'
import { requireMayRepeat, toOffer } from './offer.ts'
import { refusePending } from './pending.ts'
import { MAILS_APART_SECONDS, sendInvitations } from './send.ts'

/**
 * Mails an invitation again, one past its end as well: the old link dies, and its time begins anew. Whoever sends it
 * makes the offer as if anew, so it takes holding what is offered.
 *
 * @throws {DirectoryError} invitation.not_found, invitation.wrong_status (accepted or revoked),
 *   invitation.resent_too_soon, invitation.already_pending (it is past its end, and another one took its place),
 *   role.permission_exceeded, permission.denied
 */
export async function resendInvitation(context: Context, id: string): Promise<InvitationRow> {
  const { db, organizationId, now } = context
  const before = await requireLockedInvitation(context, id)
  if (before.status === 'accepted' || before.status === 'revoked') {
    throw new DirectoryError('invitation.wrong_status', `The invitation is ${before.status}.`)
  }
  requireSomeTimeSince(before.mailed_at, now)
  await requireMayRepeat(context, [toOffer(before)])
  const expiresAt = new Date(now.getTime() + before.lifetime_seconds * 1000)
  const invitedBy = recordedActor(context.actor)
  await renewInvitation(db, organizationId, { id, expiresAt, invitedBy, now }).catch((error: unknown) => {
    if (violatedConstraint(error) !== 'invitation_pending') throw error
    refusePending()
  })
  await cancelMails(context, [id])
  const row = await requireInvitation(context, id)
  await sendInvitations(context, await requireOwnOrganization(context), [row])
  context.change.describe({ kind: 'invitation.resent', detail: { invitation: id } })
  return row
}

/** @throws {DirectoryError} invitation.resent_too_soon */
function requireSomeTimeSince(mailedAt: string | null, now: Date): void {
  if (mailedAt === null) return
  const wait = Math.ceil((Date.parse(mailedAt) + MAILS_APART_SECONDS * 1000 - now.getTime()) / 1000)
  if (wait <= 0) return
  throw new DirectoryError(
    'invitation.resent_too_soon',
    `The invitation was mailed less than ${MAILS_APART_SECONDS} seconds ago: try again in ${wait} seconds.`,
    { context: { retry_after_seconds: wait } },
  )
}
