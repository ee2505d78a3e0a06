import { digestSecret, makeSecret } from '../../platform/secret.ts'
import type { Context } from '../context.ts'
import { findMember } from '../members/member.sql.ts'
import { requireMailing, writeMails } from '../outbox/outbox.ts'
import { type InvitationRow, listLastMailed } from './invitation.sql.ts'
import { renderInvitationMail } from './invitation-mail.ts'
import { storeInvitationTokens } from './token.sql.ts'

const INVITATION_TOKEN_PREFIX = 'rcinv_'
/** A prefix and 32 random bytes as base64url. */
export const INVITATION_TOKEN = /^rcinv_[A-Za-z0-9_-]{43}$/

/** Where the page is that takes a token, below the server's public address. */
export const ACCEPT_PATH = '/invitations/accept'

/** Mails to one address are this far apart at least: nobody's mailbox is flooded through us. */
export const MAILS_APART_SECONDS = 60

/** When the mail of each invitation may leave, in their order: now, or after the last one to the address. */
async function departures(
  { db, organizationId, now }: Context,
  invitations: readonly InvitationRow[],
): Promise<Date[]> {
  const apart = MAILS_APART_SECONDS * 1000
  const rows = await listLastMailed(db, organizationId, {
    emailKeys: invitations.map((row) => row.email_key),
    exceptIds: invitations.map(({ id }) => id),
    since: new Date(now.getTime() - apart),
  })
  const last = new Map(rows.map(({ email_key: key, at }) => [key, Date.parse(at)]))
  return invitations.map(({ email_key: key }) => {
    const at = Math.max(now.getTime(), (last.get(key) ?? 0) + apart)
    last.set(key, at)
    return new Date(at)
  })
}

/** Who invites, as people know them. Keys of an organization and the root key are nobody. */
async function findInviter(context: Context): Promise<{ name: string | null; email: string | null }> {
  const { actor, db, organizationId } = context
  const memberId = actor.kind === 'api_key' ? actor.memberId : null
  const row = memberId === null ? undefined : await findMember(db, organizationId, memberId)
  if (row === undefined) return { name: null, email: null }
  const full = [row.first_name, row.last_name].filter((name) => name !== null && name !== '').join(' ')
  return { name: row.display_name ?? (full === '' ? row.email : full), email: row.email }
}

/**
 * Gives invitations new tokens and writes the mails that carry them, in four statements however many they are. The
 * tokens are nowhere else: who invites does not see them, because having one is the proof of the mailbox.
 */
export async function sendInvitations(
  context: Context,
  organization: { name: string },
  invitations: readonly InvitationRow[],
): Promise<void> {
  if (invitations.length === 0) return
  const { db, organizationId } = context
  const { publicUrl } = requireMailing(context)
  const inviter = await findInviter(context)
  const leaving = await departures(context, invitations)
  const sent = invitations.map((row) => ({ row, token: makeSecret(INVITATION_TOKEN_PREFIX) }))
  await storeInvitationTokens(
    db,
    organizationId,
    sent.map(({ row, token }) => ({ invitationId: row.id, digest: digestSecret(token) })),
  )
  await writeMails(
    context,
    sent.map(({ row, token }, place) => {
      const expiresAt = new Date(row.expires_at)
      return {
        ...renderInvitationMail({
          organizationName: organization.name,
          workspaceName: row.workspace_name,
          level: row.level,
          inviterName: inviter.name,
          inviterEmail: inviter.email,
          firstName: row.first_name,
          message: row.message,
          // Behind the #: what is there is sent to no server, and so stands in no log.
          link: `${publicUrl()}${ACCEPT_PATH}#${token}`,
          expiresAt,
        }),
        recipient: row.email,
        replyTo: inviter.email,
        purpose: 'invitation',
        aboutId: row.id,
        expiresAt,
        notBefore: leaving[place]!,
      }
    }),
  )
}
