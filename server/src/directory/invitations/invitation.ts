import { violatedConstraint } from '../../platform/postgres/database.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import { type Level, recordedActor, requirePermission } from '../access/permission.ts'
import type { Context, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { type Email, parseEmail } from '../members/email.ts'
import { listMembersByEmail } from '../members/member.sql.ts'
import { requireMayGrantLevel } from '../members/member.ts'
import { unknownAfter } from '../page.ts'
import { requireActiveProjects } from '../projects/project.ts'
import { requireMayGrantRole } from '../roles/assignment.ts'
import { fromTargetColumns } from '../roles/target.ts'
import {
  findInvitation,
  type InvitationGrant,
  type InvitationPage,
  type InvitationRow,
  insertInvitation,
  listInvitations as listInvitationRows,
  lockInvitation,
  markInvitationRevoked,
  retireExpiredInvitation,
} from './invitation.sql.ts'

export type { InvitationRow } from './invitation.sql.ts'

const DAY_SECONDS = 24 * 60 * 60
const SECONDS_DEFAULT = 3 * DAY_SECONDS
export const INVITATION_SECONDS_MIN = 60
export const INVITATION_SECONDS_MAX = 30 * DAY_SECONDS
/** Each is looked up and allowed by itself. */
export const INVITATION_GRANTS_MAX = 100

export interface NewInvitation {
  email: string
  /** What the person becomes in the organization. */
  level: Level
  /** Roles beside it: on a project, on a workspace, or on the organization. */
  grants: readonly { roleId: string; projectId?: string | null; workspaceId?: string | null }[]
  /** Absent: three days. */
  expiresInSeconds?: number | undefined
}

function invalid(field: string, rule: string): DirectoryError {
  return new DirectoryError('request.invalid', `${field} ${rule}.`, { field })
}

/** @throws {DirectoryError} request.invalid, naming the rule the address breaks. */
function readEmail(email: string): Email {
  const parsed = parseEmail(email)
  if ('problem' in parsed) throw invalid('email', parsed.problem)
  return parsed
}

/** @throws {DirectoryError} request.invalid */
function readEnd(context: Context, seconds = SECONDS_DEFAULT): Date {
  if (!Number.isInteger(seconds) || seconds < INVITATION_SECONDS_MIN || seconds > INVITATION_SECONDS_MAX) {
    const rule = `must be a whole number from ${INVITATION_SECONDS_MIN} to ${INVITATION_SECONDS_MAX}`
    throw invalid('expires_in_seconds', rule)
  }
  return new Date(context.now.getTime() + seconds * 1000)
}

/** The roles an invitation is to give, each once. @throws {DirectoryError} request.invalid */
function readGrants(given: NewInvitation['grants']): InvitationGrant[] {
  if (given.length > INVITATION_GRANTS_MAX) {
    throw invalid('grants', `must have at most ${INVITATION_GRANTS_MAX} entries`)
  }
  const grants = new Map<string, InvitationGrant>()
  for (const { roleId, workspaceId = null, projectId = null } of given) {
    if (workspaceId !== null && projectId !== null) {
      throw invalid('grants', 'must name a workspace or a project, not both')
    }
    grants.set(`${roleId} ${workspaceId} ${projectId}`, { roleId, workspaceId, projectId })
  }
  return [...grants.values()]
}

/**
 * Nobody invites to more than they hold: the person who accepts has it all.
 *
 * @throws {DirectoryError} permission.denied (the level owner, by who is none), role.permission_exceeded,
 *   role.not_found, role.wrong_target, workspace.not_found, project.not_found, project.archived
 */
async function requireMayGive(
  context: Context,
  level: Level,
  grants: readonly InvitationGrant[],
): Promise<void> {
  await requireMayGrantLevel(context, level)
  const projectIds = grants.flatMap(({ projectId }) => (projectId === null ? [] : [projectId]))
  if (projectIds.length > 0) await requireActiveProjects(context, projectIds)
  for (const { roleId, workspaceId, projectId } of grants) {
    const target = fromTargetColumns({ workspace_id: workspaceId, project_id: projectId, page_id: null })
    await requireMayGrantRole(context, roleId, target)
  }
}

/**
 * Invites an address to become a member, with the level and the roles that acceptance gives. An expired invitation
 * of the address gives way.
 *
 * @throws {DirectoryError} request.invalid, invitation.already_member (active or suspended),
 *   invitation.already_pending, role.not_found, role.wrong_target, role.permission_exceeded, workspace.not_found,
 *   project.not_found, project.archived, permission.denied (also for the level owner, by who is none)
 */
export async function createInvitation(context: Context, input: NewInvitation): Promise<InvitationRow> {
  requirePermission(context.actor, 'invitations:write')
  const { db, organizationId, now, actor } = context
  const { address: email, key: emailKey } = readEmail(input.email)
  const expiresAt = readEnd(context, input.expiresInSeconds)
  const grants = readGrants(input.grants)
  const { level } = input
  await requireMayGive(context, level, grants)
  const page = { afterId: null, limit: 1, status: null }
  // Who becomes a member at this very moment keeps a pending invitation, as who becomes one later does.
  if ((await listMembersByEmail(db, organizationId, emailKey, page)).length > 0) {
    throw new DirectoryError(
      'invitation.already_member',
      'A member of the organization, active or suspended, has this email.',
      { field: 'email' },
    )
  }
  await retireExpiredInvitation(db, organizationId, emailKey)
  const id = uuidV7()
  const invitedBy = recordedActor(actor)
  await insertInvitation(db, organizationId, {
    ...{ id, email, emailKey, level, invitedBy, now, expiresAt, grants },
  }).catch((error: unknown) => {
    if (violatedConstraint(error) !== 'invitation_pending') throw error
    throw new DirectoryError(
      'invitation.already_pending',
      'The email has an invitation that is pending: revoke it first.',
      { field: 'email' },
    )
  })
  // No address: personal values do not outlive an erasure in the history.
  context.change.describe({ kind: 'invitation.created', detail: { invitation: id, level } })
  return await requireInvitation(context, id)
}

/** @throws {DirectoryError} invitation.not_found */
async function requireInvitation(context: ReadContext, id: string): Promise<InvitationRow> {
  const row = await findInvitation(context.db, context.organizationId, id)
  if (row === undefined) throw invitationNotFound()
  return row
}

function invitationNotFound(): DirectoryError {
  return new DirectoryError('invitation.not_found', 'There is no invitation with this id.')
}

/** An invitation, whatever its status. @throws {DirectoryError} invitation.not_found, permission.denied */
export async function getInvitation(context: ReadContext, id: string): Promise<InvitationRow> {
  requirePermission(context.actor, 'invitations:read')
  return await requireInvitation(context, id)
}

/**
 * One page of invitations in the order of their creation.
 *
 * @throws {DirectoryError} request.invalid (`afterId` is no invitation of the organization), permission.denied
 */
export async function listInvitations(context: ReadContext, page: InvitationPage): Promise<InvitationRow[]> {
  requirePermission(context.actor, 'invitations:read')
  const { db, organizationId } = context
  const { afterId } = page
  if (afterId !== null && (await findInvitation(db, organizationId, afterId)) === undefined)
    throw unknownAfter()
  return await listInvitationRows(db, organizationId, page)
}

/**
 * Revokes an invitation that is not accepted; one that is past its end as well, so that it can be cleared away.
 *
 * @throws {DirectoryError} invitation.not_found (also if it is revoked already), invitation.wrong_status (it is
 *   accepted), permission.denied
 */
export async function revokeInvitation(context: Context, id: string): Promise<InvitationRow> {
  requirePermission(context.actor, 'invitations:write')
  const { db, organizationId, now } = context
  await lockInvitation(db, organizationId, id)
  const before = await requireInvitation(context, id)
  if (before.status === 'revoked') throw invitationNotFound()
  if (before.status === 'accepted') {
    throw new DirectoryError(
      'invitation.wrong_status',
      'The invitation is accepted: remove the member instead.',
    )
  }
  await markInvitationRevoked(db, organizationId, id, now)
  context.change.describe({ kind: 'invitation.revoked', detail: { invitation: id } })
  return await requireInvitation(context, id)
}
