import { z } from 'zod'
import type { DirectoryErrorCode } from '../../directory/errors.ts'

const INVALID_REQUEST = 'invalid_request_error'

type Answer = readonly [status: number, code: string]

const notFound: Answer = [404, 'not_found']
const invalid: Answer = [400, 'invalid_value']
const taken: Answer = [409, 'already_exists']
const conflict: Answer = [409, 'conflict']
const unauthenticated: Answer = [401, 'invalid_api_key']
const forbidden: Answer = [403, 'insufficient_permissions']

/**
 * The status and the code of each refusal in OpenAI's dialect: 409 for uniqueness and for races only, 400 for rules
 * of the directory. Total: a new code needs its line here.
 */
export const openaiErrors = {
  'request.invalid': invalid,
  'request.too_large': [413, 'request_too_large'],
  'request.media_type': [415, 'unsupported_media_type'],
  'request.rate_limited': [429, 'rate_limit_exceeded'],
  'authentication.missing': unauthenticated,
  'authentication.invalid': unauthenticated,
  'permission.denied': forbidden,
  'route.not_found': notFound,
  'organization.not_found': notFound,
  'organization.slug_taken': taken,
  'organization.not_deleted': conflict,
  'organization.deleted': conflict,
  'organization.last_owner': [400, 'last_owner'],
  'member.not_found': notFound,
  'member.email_taken': taken,
  'member.external_reference_id_taken': taken,
  // What is asked of members here fails by their status only when they are removed: then they are no users any more.
  'member.wrong_status': notFound,
  'member.unchangeable_self': [400, 'unchangeable_self'],
  'member.merge_conflict': conflict,
  'workspace.not_found': notFound,
  'workspace.slug_taken': taken,
  'project.not_found': notFound,
  'project.identifier_taken': taken,
  'project.archived': [400, 'project_archived'],
  'project.sole_admin': [400, 'sole_admin'],
  'page.not_found': notFound,
  'teamspace.not_found': notFound,
  'workspace.sole_admin': [400, 'sole_admin'],
  'workspace.seats_exhausted': [400, 'seats_exhausted'],
  'workspace.not_member': notFound,
  'role.guest_limit': [400, 'guest_limit'],
  'member.outranks': forbidden,
  'group.not_found': notFound,
  'group.external_reference_id_taken': taken,
  'group.managed': [403, 'group_managed_by_scim'],
  'membership.not_found': notFound,
  'role.not_found': notFound,
  'role.name_taken': taken,
  'role.predefined': [400, 'predefined_role'],
  'role.wrong_target': invalid,
  'role.permission_exceeded': forbidden,
  'role_assignment.not_found': notFound,
  'invitation.not_found': notFound,
  'invitation.already_member': taken,
  'invitation.already_pending': taken,
  'invitation.wrong_status': [400, 'invitation_wrong_status'],
  'domain.not_found': notFound,
  'domain.name_taken': taken,
  'domain.public': invalid,
  'domain.too_many': [400, 'too_many_domains'],
  'domain.taken': taken,
  'domain.already_verified': conflict,
  'domain.not_verified': [400, 'domain_not_verified'],
  'domain.would_lock_out': [400, 'would_lock_out'],
  'identity_provider.not_found': notFound,
  'identity_provider.certificate_refused': invalid,
  'identity_provider.scim_disabled': [400, 'scim_disabled'],
  'scim_token.not_found': notFound,
  'scim_token.too_many': [400, 'too_many_tokens'],
  'scim_user.not_found': notFound,
  'scim_user.user_name_taken': taken,
  'scim_user.member_taken': taken,
  'scim_group.not_found': notFound,
  'scim_group.name_taken': taken,
  'scim_group.member_not_found': notFound,
  'member.deprovisioned': [400, 'member_deprovisioned'],
  'integration.not_found': notFound,
  'integration.already_connected': taken,
  'integration.not_connectable': [400, 'not_connectable'],
  'encryption.unavailable': [503, 'encryption_unavailable'],
  'invitation.expired': [400, 'invitation_expired'],
  'invitation.wrong_recipient': forbidden,
  'invitation.inviter_unauthorized': [400, 'invitation_inviter_unauthorized'],
  'invitation.resent_too_soon': [429, 'rate_limit_exceeded'],
  'member_sync.not_found': notFound,
  'member_sync.duplicate_reference_id': invalid,
  'member_sync.too_many_members': invalid,
  'member_sync.already_started': conflict,
  'group_sync_mapping.not_found': notFound,
  'group_sync_mapping.taken': taken,
  'group_sync.brake': conflict,
  'plan.not_found': notFound,
  'plan.not_held': conflict,
  'plan.changed': conflict,
  'change.not_found': notFound,
  'change.already_undone': conflict,
  'change.not_undoable': conflict,
  'api_key.not_found': notFound,
  'api_key.scope_exceeded': forbidden,
  'version.mismatch': conflict,
  'idempotency.key_reused': invalid,
  'idempotency.answer_withheld': conflict,
  'server.busy': [503, 'server_busy'],
} satisfies Record<DirectoryErrorCode, Answer>

/** The kind of error by its status, as the vendor names them. */
function typeOf(status: number): string {
  if (status === 429) return 'requests'
  return status >= 500 ? 'server_error' : INVALID_REQUEST
}

export const openaiError = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.string(),
      /** The field the rule is about. */
      param: z.string().nullable(),
      code: z.string().nullable(),
    }),
  })
  .meta({ id: 'OpenaiError' })

/** The error body that the SDKs read; all four fields are always there. */
export function toOpenaiError(
  refusal: { status: number; code: string },
  message: string,
  param: string | null,
): z.infer<typeof openaiError> {
  return { error: { message, type: typeOf(refusal.status), param, code: refusal.code } }
}
