import { uuidV7 } from '../../platform/uuid.ts'
import { recordedActor } from '../access/permission.ts'
import { Conflict } from '../changes/conflicts.ts'
import type { Context } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { cancelMails } from '../outbox/outbox.ts'
import {
  type InvitationFields,
  type Invitee,
  insertInvitations,
  lockInvitationsOfEmail,
  lockPendingInvitations,
  markInvitationsRevoked,
} from './invitation.sql.ts'
import { combineOffers, type InEntry, type ReadInvitation } from './new-invitation.ts'
import { type Offer, requireMayRepeat, toOffer } from './offer.ts'
import { requireForInvitations, toInviting } from './permission.ts'

const sameInvitee = (invitee: Invitee) => `${invitee.workspaceId} ${invitee.emailKey}`

/** @throws {DirectoryError} invitation.already_pending, of whoever stands in the list twice */
export function requireDistinct(read: readonly ReadInvitation[], inEntry: InEntry): void {
  const seen = new Set<string>()
  for (const [place, one] of read.entries()) {
    if (seen.has(sameInvitee(one))) inEntry(place, refusePending)
    seen.add(sameInvitee(one))
  }
}

export function refusePending(): never {
  throw new DirectoryError(
    'invitation.already_pending',
    'The email has an invitation that is pending: revoke it first, or replace it or combine with it.',
    { field: 'email' },
  )
}

/** How often somebody else may come first, to the same address with the same wish. */
const TURNS_MAX = 100

/** Stores invitations; those that ask for it retire the pending ones of the same invitees. */
export async function storeInvitations(
  context: Context,
  read: readonly ReadInvitation[],
  inEntry: InEntry,
): Promise<{ ids: string[]; retired: string[] }> {
  const { db, organizationId, now, actor } = context
  const all = read.map((one, place) => ({
    ...{ ...one, place, id: uuidV7(), mailedAt: one.sendEmail ? now : null },
    expiresAt: new Date(now.getTime() + one.lifetimeSeconds * 1000),
  }))
  const retired: string[] = []
  let waiting = all
  for (let turn = 0; waiting.length > 0; turn++) {
    if (turn === TURNS_MAX) throw new Conflict('invited by too many at the same moment')
    const taken = await takeOver(context, waiting, inEntry)
    retired.push(...taken.retired)
    const made = await insertInvitations(db, organizationId, taken.offers, recordedActor(actor), now)
    // Of the others, somebody has just invited the same: that one is now what is pending.
    waiting = waiting.filter(({ id }) => !made.has(id))
    for (const { place, pending } of waiting) if (pending === 'refuse') inEntry(place, refusePending)
  }
  return { ids: all.map(({ id }) => id), retired }
}

/**
 * Retires the pending invitations of the same invitees, where the new ones ask for that; `combine` takes over what
 * they offer, as far as the actor might offer it as well: it is offered anew, for longer and with other words.
 *
 * @throws {DirectoryError} invitation.already_pending, role.permission_exceeded, permission.denied
 */
async function takeOver(
  context: Context,
  wanted: readonly (ReadInvitation & InvitationFields & { place: number })[],
  inEntry: InEntry,
): Promise<{ offers: readonly InvitationFields[]; retired: string[] }> {
  const { db, organizationId, now } = context
  const pending = await lockPendingInvitations(db, organizationId, wanted)
  if (pending.length === 0) return { offers: wanted, retired: [] }
  const byInvitee = new Map(
    pending.map((row) => [sameInvitee({ emailKey: row.email_key, workspaceId: row.workspace_id }), row]),
  )
  const taken: Offer[] = []
  const offers = wanted.map((one) => {
    const old = byInvitee.get(sameInvitee(one))
    if (old === undefined || one.pending === 'replace') return one
    if (one.pending === 'refuse') return inEntry(one.place, refusePending)
    const offer = toOffer(old)
    taken.push(offer)
    return { ...one, ...combineOffers([one, offer]) }
  })
  await requireForInvitations(context, 'invitations:write', pending.map(toInviting))
  await requireMayRepeat(context, taken)
  const retired = pending.map(({ id }) => id)
  await endInvitations(context, retired, now)
  return { offers, retired }
}

/**
 * Ends the pending invitations of an address: who is removed does not come back by one that was under way. The
 * member who has the address is locked.
 */
export async function endInvitationsOfEmail(context: Context, emailKey: string): Promise<void> {
  const { db, organizationId, now } = context
  const ids = await lockInvitationsOfEmail(db, organizationId, { id: null, emailKey })
  await endInvitations(context, ids, now)
}

/** Ends invitations that are not accepted, and what has not left of their mails. */
export async function endInvitations(context: Context, ids: readonly string[], now: Date): Promise<void> {
  if (ids.length === 0) return
  await markInvitationsRevoked(context.db, context.organizationId, ids, now)
  await cancelMails(context, ids)
}
