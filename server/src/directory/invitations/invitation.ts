import { requirePermission } from '../access/permission.ts'
import type { Context, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { findOrganization, type OrganizationRow } from '../organizations/organization.sql.ts'
import { unknownAfter } from '../page.ts'
import {
  findInvitations,
  findInviteesWithin,
  type InvitationPage,
  type InvitationRow,
  type Invitee,
  listInvitations as listInvitationRows,
  lockInvitation,
  retireExpiredInvitations,
} from './invitation.sql.ts'
import {
  INVITATIONS_MAX,
  type InEntry,
  inEntryOfMany,
  inOnlyEntry,
  type NewInvitation,
  readEmail,
  readInvitation,
} from './new-invitation.ts'
import { requireMayOffer } from './offer.ts'
import { endInvitations, requireDistinct, storeInvitations } from './pending.ts'
import { requireForInvitations, toInviting } from './permission.ts'
import { sendInvitations } from './send.ts'

export { type InvitationRow, invitationStatuses } from './invitation.sql.ts'
export {
  INVITATION_GRANTS_MAX,
  INVITATION_MESSAGE_LENGTH_MAX,
  INVITATION_NAME_LENGTH_MAX,
  INVITATIONS_MAX,
  type NewInvitation,
} from './new-invitation.ts'

/**
 * Invites an address to become a member, with the level and the roles that acceptance gives, and mails it the link
 * that accepts. An expired invitation of the address gives way.
 *
 * @throws {DirectoryError} request.invalid, invitation.already_member (active or suspended; on the workspace, for an
 *   invitation to one), invitation.already_pending, role.not_found, role.wrong_target, role.permission_exceeded,
 *   workspace.not_found, project.not_found, project.archived, permission.denied (also for the level owner, by who is
 *   none)
 */
export async function createInvitation(context: Context, input: NewInvitation): Promise<InvitationRow> {
  const { rows, retired } = await invite(context, [input], inOnlyEntry)
  const { id, level, workspace_id: workspaceId } = rows[0]!
  // No address: personal values do not outlive an erasure in the history.
  context.change.describe({
    kind: 'invitation.created',
    detail: {
      ...{ invitation: id, level },
      ...(workspaceId === null ? {} : { workspace: workspaceId }),
      ...(retired.length === 0 ? {} : { retired }),
    },
  })
  return rows[0]!
}

/**
 * Invites up to 100 addresses, all of them or none, as one change.
 *
 * @throws {DirectoryError} as `createInvitation`, naming the place in the list: `invitations[3].email`
 */
export async function createInvitations(
  context: Context,
  inputs: readonly NewInvitation[],
): Promise<InvitationRow[]> {
  if (inputs.length === 0 || inputs.length > INVITATIONS_MAX) {
    throw new DirectoryError('request.invalid', `invitations must have 1 to ${INVITATIONS_MAX} entries.`, {
      field: 'invitations',
    })
  }
  const { rows, retired } = await invite(context, inputs, inEntryOfMany)
  context.change.describe({
    kind: 'invitations.created',
    detail: { invitations: rows.map(({ id }) => id), ...(retired.length === 0 ? {} : { retired }) },
  })
  return rows
}

/** A fixed number of statements, however many are invited to however much. */
async function invite(
  context: Context,
  inputs: readonly NewInvitation[],
  inEntry: InEntry,
): Promise<{ rows: InvitationRow[]; retired: string[] }> {
  await requireForInvitations(context, 'invitations:write', inputs)
  const { db, organizationId } = context
  const organization = await requireOwnOrganization(context)
  const read = inputs.map((input, place) =>
    inEntry(place, () => readInvitation(input, organization.settings)),
  )
  requireDistinct(read, inEntry)
  await requireMayOffer(context, read, inEntry)
  // Who becomes a member at this very moment keeps a pending invitation, as who becomes one later does.
  const [within] = await findInviteesWithin(db, organizationId, read)
  if (within !== undefined) inEntry(within, () => refuseWithin(read[within]!))
  const emailKeys = read.map(({ emailKey }) => emailKey)
  await retireExpiredInvitations(db, organizationId, emailKeys)
  const { ids, retired } = await storeInvitations(context, read, inEntry)
  const rows = await findInvitations(db, organizationId, ids)
  const mailed = rows.filter(({ mailed_at: mailedAt }) => mailedAt !== null)
  await sendInvitations(context, organization, mailed)
  return { rows, retired }
}

export async function requireOwnOrganization(context: Context): Promise<OrganizationRow> {
  const organization = await findOrganization(context.db, context.organizationId)
  if (organization === undefined) throw new Error('a change of no organization')
  return organization
}

function refuseWithin({ workspaceId }: Invitee): never {
  const where = workspaceId === null ? 'organization, active or suspended,' : 'workspace'
  throw new DirectoryError('invitation.already_member', `A member of the ${where} has this email.`, {
    field: 'email',
  })
}

/** @throws {DirectoryError} invitation.not_found */
export async function requireInvitation(context: ReadContext, id: string): Promise<InvitationRow> {
  const row = await findInvitation(context, id)
  if (row === undefined) throw invitationNotFound()
  return row
}

async function findInvitation(context: ReadContext, id: string): Promise<InvitationRow | undefined> {
  const [row] = await findInvitations(context.db, context.organizationId, [id])
  return row
}

/**
 * Locks an invitation, whatever its status, for who may invite to what it offers.
 *
 * @throws {DirectoryError} invitation.not_found, permission.denied
 */
export async function requireLockedInvitation(context: Context, id: string): Promise<InvitationRow> {
  await lockInvitation(context.db, context.organizationId, id)
  const row = await findInvitation(context, id)
  if (row === undefined) requirePermission(context.actor, 'invitations:write')
  else await requireForInvitations(context, 'invitations:write', [toInviting(row)])
  if (row === undefined) throw invitationNotFound()
  return row
}

function invitationNotFound(): DirectoryError {
  return new DirectoryError('invitation.not_found', 'There is no invitation with this id.')
}

/** An invitation, whatever its status. @throws {DirectoryError} invitation.not_found, permission.denied */
export async function getInvitation(context: ReadContext, id: string): Promise<InvitationRow> {
  const row = await findInvitation(context, id)
  if (row === undefined) requirePermission(context.actor, 'invitations:read')
  else await requireForInvitations(context, 'invitations:read', [toInviting(row)])
  if (row === undefined) throw invitationNotFound()
  return row
}

/**
 * One page of invitations in the order of their creation, all or those of an address.
 *
 * @throws {DirectoryError} request.invalid (`afterId` is no invitation of the organization), permission.denied
 */
export async function listInvitations(
  context: ReadContext,
  { email, ...page }: Omit<InvitationPage, 'emailKey'> & { email?: string | null },
): Promise<InvitationRow[]> {
  requirePermission(context.actor, 'invitations:read')
  const { db, organizationId } = context
  const { afterId } = page
  if (afterId !== null && (await findInvitations(db, organizationId, [afterId])).length === 0)
    throw unknownAfter()
  const emailKey = email === undefined || email === null ? null : readEmail(email).key
  return await listInvitationRows(db, organizationId, { ...page, emailKey })
}

/**
 * Revokes an invitation that is not accepted; one that is past its end as well, so that it can be cleared away.
 *
 * @throws {DirectoryError} invitation.not_found (also if it is revoked already), invitation.wrong_status (it is
 *   accepted), permission.denied
 */
export async function revokeInvitation(context: Context, id: string): Promise<InvitationRow> {
  const before = await requireLockedInvitation(context, id)
  if (before.status === 'revoked') throw invitationNotFound()
  if (before.status === 'accepted') {
    throw new DirectoryError(
      'invitation.wrong_status',
      'The invitation is accepted: remove the member instead.',
    )
  }
  await endInvitations(context, [id], context.now)
  context.change.describe({ kind: 'invitation.revoked', detail: { invitation: id } })
  return await requireInvitation(context, id)
}
