import { digestSecret } from '../../platform/secret.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import { type Level, levelsAbove } from '../access/permission.ts'
import { applyChange } from '../changes/change.ts'
import type { Context, Directory, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { openRoleGrants } from '../grants/role-grant.sql.ts'
import { openSource } from '../grants/source.ts'
import { parseEmail } from '../members/email.ts'
import { insertMember, listMembersByEmail } from '../members/member.sql.ts'
import { type MemberRow, requireLockedMember, requireMember } from '../members/member.ts'
import { findOrganization } from '../organizations/organization.sql.ts'
import { cancelMails } from '../outbox/outbox.ts'
import { requirePredefinedRole } from '../roles/role.ts'
import { requireNotDeprovisioned } from '../scim/deprovisioned.ts'
import {
  type InvitationGrant,
  type InvitationGrantRow,
  type InvitationRow,
  lockInvitationsOfEmail,
  markInvitationAccepted,
} from './invitation.sql.ts'
import { requireInvitation } from './invitation.ts'
import { requireInviterStillMay } from './inviter.ts'
import { findOffered, isGivable, toGrant } from './offer.ts'
import { endInvitations } from './pending.ts'
import { INVITATION_TOKEN } from './send.ts'
import { findInvitationByToken } from './token.sql.ts'

/** Who accepts. */
export interface Acceptance {
  /** The address they say they have; absent: that of the invitation, whose mailbox the token came to. */
  email?: string | undefined
  displayName?: string | null | undefined
  firstName?: string | null | undefined
  lastName?: string | null | undefined
}

/** What was offered and cannot be given any more. */
interface SkippedGrant {
  readonly grant: InvitationGrantRow
  readonly reason: 'role_deleted' | 'project_archived'
}

export interface Accepted {
  readonly organization: { readonly id: string; readonly name: string; readonly slug: string }
  readonly member: MemberRow
  /** False: somebody who was a member already has what was offered beside what they had. */
  readonly isNewMember: boolean
  readonly invitation: InvitationRow
  readonly skipped: readonly SkippedGrant[]
}

function tokenNotFound(): DirectoryError {
  return new DirectoryError('invitation.not_found', 'There is no invitation with this token.')
}

/** The invitation of a token, whatever its status, and where to read it. @throws {DirectoryError} invitation.not_found */
async function findByToken(
  directory: Directory,
  token: string,
): Promise<{ digest: Buffer; organizationId: string; invitationId: string }> {
  if (!INVITATION_TOKEN.test(token)) throw tokenNotFound()
  const digest = digestSecret(token)
  const found = await findInvitationByToken(directory.database, digest)
  if (found === undefined) throw tokenNotFound()
  return { digest, ...found }
}

/** @throws {DirectoryError} invitation.wrong_status, invitation.expired */
function requirePending({ status }: InvitationRow): void {
  if (status === 'pending') return
  if (status === 'expired') {
    throw new DirectoryError('invitation.expired', 'The invitation is past its end: ask for a new one.')
  }
  throw new DirectoryError('invitation.wrong_status', `The invitation is ${status}: its link works no more.`)
}

/**
 * What a token is an invitation to, for whoever holds it.
 *
 * @throws {DirectoryError} invitation.not_found, invitation.wrong_status, invitation.expired
 */
export async function lookUpInvitation(
  directory: Directory,
  token: string,
): Promise<Pick<Accepted, 'organization' | 'invitation'>> {
  const { organizationId, invitationId } = await findByToken(directory, token)
  const context: ReadContext = { db: directory.database, actor: { kind: 'system' }, organizationId }
  const invitation = await requireInvitation(context, invitationId)
  requirePending(invitation)
  return { invitation, organization: await requireOrganization(context) }
}

async function requireOrganization(context: ReadContext): Promise<Accepted['organization']> {
  const row = await findOrganization(context.db, context.organizationId)
  // Deleted since the token was looked up.
  if (row === undefined || row.deleted_at !== null) throw tokenNotFound()
  return { id: row.id, name: row.name, slug: row.slug }
}

/**
 * Accepts an invitation: having the token that was mailed to an address is the proof of that mailbox. Whoever has
 * the address becomes a member, or gets what was offered beside what they have; their other pending invitations in
 * the organization are over. The offer has to be one that who made it might make still
 * (docs/decisions/0014-invitations.md).
 *
 * @throws {DirectoryError} invitation.not_found, invitation.wrong_status (accepted or revoked), invitation.expired,
 *   invitation.wrong_recipient (another address than the invited one), invitation.inviter_unauthorized,
 *   member.wrong_status (suspended), member.deprovisioned (removed, and inactive at the identity provider)
 */
export async function acceptInvitation(
  directory: Directory,
  token: string,
  person: Acceptance,
): Promise<Accepted> {
  const { digest, organizationId, invitationId } = await findByToken(directory, token)
  const scope = { organizationId, actor: { kind: 'system' } as const }
  return await applyChange(directory, scope, async (context) => {
    const organization = await requireOrganization(context)
    const { email_key: emailKey } = await requireInvitation(context, invitationId)
    // First the member, as a removal does, which ends the invitations of the address.
    const present = await lockPresentMember(context, emailKey)
    const locked = await lockInvitationsOfEmail(context.db, organizationId, { id: invitationId, emailKey })
    // As it is now that nobody else can accept, revoke or resend it.
    if ((await findInvitationByToken(context.db, digest)) === undefined) throw tokenNotFound()
    const invitation = await requireInvitation(context, invitationId)
    requirePending(invitation)
    requireRecipient(invitation, person)
    await requireInviterStillMay(context, invitation)
    const made = await carryOut(context, invitation, present, person)
    const others = locked.filter((id) => id !== invitationId)
    await endInvitations(context, others, context.now)
    // Where no mail server is, it waits in the outbox still.
    await cancelMails(context, [invitationId])
    return { ...made, organization, invitation: await requireInvitation(context, invitationId) }
  })
}

/** @throws {DirectoryError} invitation.wrong_recipient */
function requireRecipient(invitation: InvitationRow, { email }: Acceptance): void {
  if (email === undefined) return
  const parsed = parseEmail(email)
  if (!('problem' in parsed) && parsed.key === invitation.email_key) return
  throw new DirectoryError('invitation.wrong_recipient', 'The invitation was sent to another address.', {
    field: 'email',
  })
}

async function carryOut(
  context: Context,
  invitation: InvitationRow,
  present: MemberRow | undefined,
  person: Acceptance,
): Promise<Pick<Accepted, 'member' | 'isNewMember' | 'skipped'>> {
  const { db, organizationId, change, now } = context
  const { id, level } = invitation
  if (present?.status === 'suspended') throw memberSuspended()
  if (present === undefined) await requireNotDeprovisioned(context, invitation.email_key)
  const memberId = present?.id ?? (await insertInvited(context, invitation, person))
  const { given, skipped } = await stillOffered(context, invitation)
  const isRaised = levelsAbove(present?.level ?? 'member').includes(level)
  const grants = isRaised ? [await levelGrant(context, level), ...given] : given
  const sourceId = await giveOffered(context, { invitationId: id, memberId, grants })
  await markInvitationAccepted(db, organizationId, { id, memberId, now })
  change.actor = { kind: 'member', id: memberId }
  change.describe({
    kind: 'invitation.accepted',
    memberId,
    ...(sourceId === undefined ? {} : { sourceId }),
    cause: { kind: 'invitation', id },
    detail: { invitation: id, level, new_member: present === undefined },
  })
  return { member: await requireMember(context, memberId), isNewMember: present === undefined, skipped }
}

/** Who has the address already, active or suspended, locked until COMMIT. */
async function lockPresentMember(context: Context, emailKey: string): Promise<MemberRow | undefined> {
  const page = { afterId: null, limit: 1, status: null }
  const [found] = await listMembersByEmail(context.db, context.organizationId, emailKey, page)
  if (found === undefined) return undefined
  const member = await requireLockedMember(context, found.id)
  // Removed, or given another address, at this very moment: the invitation makes a new member.
  return member.status === 'removed' || member.email_key !== emailKey ? undefined : member
}

function memberSuspended(): DirectoryError {
  return new DirectoryError(
    'member.wrong_status',
    'The member with this address is suspended: an administrator has to make it active first.',
  )
}

/** A new member, whatever removed ones had the address before: ids are never used again. */
async function insertInvited(
  context: Context,
  invitation: InvitationRow,
  person: Acceptance,
): Promise<string> {
  const id = uuidV7()
  // Made by somebody else a moment ago: the whole transaction runs again and finds them.
  await insertMember(context.db, context.organizationId, {
    id,
    email: invitation.email,
    emailKey: invitation.email_key,
    displayName: person.displayName ?? null,
    firstName: person.firstName ?? invitation.first_name,
    lastName: person.lastName ?? null,
    externalReferenceId: null,
    attributes: {},
    metadata: {},
    now: context.now,
  })
  return id
}

/** What of the offer can be given still. Roles deleted and projects archived since then are skipped by name. */
async function stillOffered(context: Context, { grants }: InvitationRow) {
  const offered = await findOffered(context, grants.map(toGrant))
  const given: InvitationGrant[] = []
  const skipped: SkippedGrant[] = []
  for (const [index, one] of offered.entries()) {
    if (isGivable(one)) given.push(one.grant)
    else {
      const reason = one.role === undefined ? 'role_deleted' : 'project_archived'
      skipped.push({ grant: grants[index]!, reason })
    }
  }
  return { given, skipped }
}

async function levelGrant(context: Context, level: Level): Promise<InvitationGrant> {
  const { id: roleId } = await requirePredefinedRole(context, 'organization', level)
  return { roleId, workspaceId: null, projectId: null }
}

/**
 * Gives a member what an invitation offers, from a source of its own. The only way from an invitation to access:
 * whatever limits that, such as seats, belongs here.
 */
async function giveOffered(
  context: Context,
  offered: { invitationId: string; memberId: string; grants: readonly InvitationGrant[] },
): Promise<string | undefined> {
  const { db, organizationId, change } = context
  const { invitationId, memberId, grants } = offered
  if (grants.length === 0) return undefined
  const sourceId = await openSource(db, organizationId, 'invitation', invitationId)
  change.count({
    opened: await openRoleGrants(db, organizationId, { memberId, sourceId, changeId: change.id, grants }),
  })
  return sourceId
}
