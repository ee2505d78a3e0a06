import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { UndoRefusal } from '../../directory/changes/undo.ts'
import type { DirectoryError, DirectoryErrorCode } from '../../directory/errors.ts'
import { toId, toUndoRefusal } from './wire.ts'

interface Problem {
  readonly status: number
  readonly title: string
  readonly context?: Record<string, unknown>
}

/** What the Directory API answers for each refusal (RFC 9457): total, so a new code needs its line here. */
export const problems = {
  'request.invalid': { status: 400, title: 'The request is not valid' },
  'request.too_large': { status: 413, title: 'The request is too large' },
  'request.media_type': { status: 415, title: 'The media type is not supported' },
  'request.rate_limited': { status: 429, title: 'Too many requests' },
  'authentication.missing': { status: 401, title: 'No credential was sent' },
  'authentication.invalid': { status: 401, title: 'The credential does not work' },
  'permission.denied': { status: 403, title: 'Permission is missing' },
  'route.not_found': { status: 404, title: 'There is no such endpoint' },
  'organization.not_found': { status: 404, title: 'Organization not found' },
  'organization.slug_taken': { status: 409, title: 'The slug is taken' },
  'organization.not_deleted': { status: 409, title: 'The organization is not deleted' },
  'organization.deleted': { status: 409, title: 'The organization is deleted' },
  'organization.last_owner': { status: 409, title: 'An organization needs an owner' },
  'member.not_found': { status: 404, title: 'Member not found' },
  'member.email_taken': { status: 409, title: 'The email is taken' },
  'member.external_reference_id_taken': { status: 409, title: 'The external_reference_id is taken' },
  'member.wrong_status': { status: 409, title: 'The member has another status' },
  'member.unchangeable_self': { status: 409, title: 'You cannot do this to yourself' },
  'member.merge_conflict': { status: 409, title: 'The members cannot be merged' },
  'workspace.not_found': { status: 404, title: 'Workspace not found' },
  'workspace.slug_taken': { status: 409, title: 'The slug is taken' },
  'project.not_found': { status: 404, title: 'Project not found' },
  'project.identifier_taken': { status: 409, title: 'The identifier is taken' },
  'project.archived': { status: 409, title: 'The project is archived' },
  'project.sole_admin': { status: 409, title: 'A project keeps an admin' },
  'page.not_found': { status: 404, title: 'Page not found' },
  'teamspace.not_found': { status: 404, title: 'Teamspace not found' },
  'workspace.sole_admin': { status: 409, title: 'A workspace keeps an admin' },
  'workspace.seats_exhausted': { status: 409, title: 'Every seat is taken' },
  'workspace.not_member': { status: 404, title: 'The member is not in the workspace' },
  'role.guest_limit': { status: 409, title: 'Guests get no such role' },
  'member.outranks': { status: 403, title: 'The member ranks higher' },
  'group.not_found': { status: 404, title: 'Group not found' },
  'group.external_reference_id_taken': { status: 409, title: 'The external_reference_id is taken' },
  'group.managed': { status: 409, title: 'The group is managed by an identity provider' },
  'membership.not_found': { status: 404, title: 'The member is not in the group' },
  'role.not_found': { status: 404, title: 'Role not found' },
  'role.name_taken': { status: 409, title: 'The name is taken' },
  'role.predefined': { status: 409, title: 'The role is predefined' },
  'role.wrong_target': { status: 400, title: 'The role is not for this target' },
  'role.permission_exceeded': { status: 403, title: 'Nobody grants what they do not hold' },
  'role_assignment.not_found': { status: 404, title: 'Role assignment not found' },
  'invitation.not_found': { status: 404, title: 'Invitation not found' },
  'invitation.already_member': { status: 409, title: 'The person is a member' },
  'invitation.already_pending': { status: 409, title: 'The person is invited' },
  'invitation.wrong_status': { status: 409, title: 'The invitation has another status' },
  'domain.not_found': { status: 404, title: 'Domain not found' },
  'domain.name_taken': { status: 409, title: 'The domain is listed' },
  'domain.public': { status: 400, title: 'The domain is public' },
  'domain.too_many': { status: 409, title: 'Too many domains' },
  'domain.taken': { status: 409, title: 'Another organization has proven the domain' },
  'domain.already_verified': { status: 409, title: 'The domain is verified' },
  'domain.not_verified': { status: 409, title: 'The domain is not verified' },
  'domain.would_lock_out': { status: 409, title: 'No owner could sign in' },
  'identity_provider.not_found': { status: 404, title: 'Identity provider not found' },
  'identity_provider.certificate_refused': { status: 400, title: 'The certificate is not accepted' },
  'identity_provider.scim_disabled': { status: 409, title: 'SCIM is off' },
  'scim_token.not_found': { status: 404, title: 'SCIM token not found' },
  'scim_token.too_many': { status: 409, title: 'Too many SCIM tokens' },
  'scim_user.not_found': { status: 404, title: 'SCIM user not found' },
  'scim_user.user_name_taken': { status: 409, title: 'The userName is taken' },
  'scim_user.member_taken': { status: 409, title: "The member is not this connection's" },
  'scim_group.not_found': { status: 404, title: 'SCIM group not found' },
  'scim_group.name_taken': { status: 409, title: 'The displayName is taken' },
  'scim_group.member_not_found': { status: 422, title: 'A SCIM group names unknown users' },
  'member.deprovisioned': { status: 409, title: 'The member is deactivated by its identity provider' },
  'integration.not_found': { status: 404, title: 'Integration not found' },
  'integration.already_connected': { status: 409, title: 'The integration is connected' },
  'integration.not_connectable': { status: 409, title: 'The integration has no environments' },
  'encryption.unavailable': { status: 503, title: 'Secrets cannot be kept here' },
  'invitation.expired': { status: 410, title: 'The invitation is past its end' },
  'invitation.wrong_recipient': { status: 403, title: 'The invitation is for somebody else' },
  'invitation.inviter_unauthorized': {
    status: 409,
    title: 'Whoever invited may not invite to this any more',
  },
  'invitation.resent_too_soon': { status: 429, title: 'The invitation was sent a moment ago' },
  'member_sync.not_found': { status: 404, title: 'Member sync not found' },
  'member_sync.duplicate_reference_id': { status: 400, title: 'A reference id stands twice' },
  'member_sync.too_many_members': { status: 400, title: 'Too many members' },
  'member_sync.already_started': { status: 409, title: 'The member sync has started' },
  'group_sync_mapping.not_found': { status: 404, title: 'Group sync mapping not found' },
  'group_sync_mapping.taken': { status: 409, title: 'The group is mapped already' },
  'group_sync.brake': { status: 409, title: 'Too much would be removed' },
  'plan.not_found': { status: 404, title: 'Plan not found' },
  'plan.not_held': { status: 409, title: 'The plan is not held' },
  'plan.changed': { status: 409, title: 'The plan has changed' },
  'change.not_found': { status: 404, title: 'Change not found' },
  'change.already_undone': { status: 409, title: 'The change is undone' },
  'change.not_undoable': { status: 409, title: 'The change cannot be undone' },
  'api_key.not_found': { status: 404, title: 'API key not found' },
  'api_key.scope_exceeded': { status: 403, title: 'Nobody grants what they do not hold' },
  'version.mismatch': { status: 412, title: 'The resource has changed' },
  'idempotency.key_reused': { status: 422, title: 'The Idempotency-Key was used before' },
  'idempotency.answer_withheld': { status: 409, title: 'The answer is not kept' },
  'server.busy': { status: 503, title: 'Try again shortly' },
} satisfies Record<DirectoryErrorCode, Problem>

/** What every refusal looks like on the wire. */
export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    /** A sentence that names the field and the rule. */
    detail: z.string(),
    /** Stable: `docs/errors.md` lists them all. */
    code: z.string(),
    field: z.string().optional(),
    context: z.record(z.string(), z.unknown()).optional(),
    request_id: z.string(),
  })
  .meta({ id: 'Problem' })

/** The problem document of a refusal. */
export function toProblem(error: DirectoryError, requestId: string): Record<string, unknown> & Problem {
  const { status, title } = problems[error.code]
  return {
    type: `urn:rollcall:problem:${error.code}`,
    title,
    status,
    detail: error.message,
    code: error.code,
    ...(error.details.field === undefined ? {} : { field: error.details.field }),
    ...(error.details.context === undefined ? {} : { context: toContext(error.details.context) }),
    request_id: requestId,
  }
}

/** What a refusal tells beside its sentence, with ids as they are written here. */
function toContext(context: Record<string, unknown>): Record<string, unknown> {
  const { undone_by: undoneBy, refused } = context
  return {
    ...context,
    ...(typeof undoneBy === 'string' ? { undone_by: toId('change', undoneBy) } : {}),
    ...(Array.isArray(refused) ? { refused: (refused as UndoRefusal[]).map(toUndoRefusal) } : {}),
  }
}

/** The problem document of a fault of ours: it tells nothing but where to look in the log. */
export function faultProblem(requestId: string): Record<string, unknown> & Problem {
  return {
    type: 'urn:rollcall:problem:server.error',
    title: 'Something went wrong here',
    status: 500,
    detail: `The request could not be carried out. The server's log has the reason under request ${requestId}.`,
    code: 'server.error',
    request_id: requestId,
  }
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'
const RETRY_AFTER_SECONDS = '1'

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.status === 401) void reply.header('www-authenticate', 'Bearer')
  if (problem.status === 503) void reply.header('retry-after', RETRY_AFTER_SECONDS)
  const { retry_after_seconds: wait } = problem.context ?? {}
  if (typeof wait === 'number') void reply.header('retry-after', wait)
  return reply.code(problem.status).type(PROBLEM_TYPE).send(JSON.stringify(problem))
}
