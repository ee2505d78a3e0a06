import { z } from 'zod'
import type { DirectoryErrorCode } from '../../directory/errors.ts'

type Answer = readonly [status: number, code: string]

const notFound: Answer = [404, 'not_found']
const invalid: Answer = [400, 'invalid_input']
const taken: Answer = [400, 'unique']
const conflict: Answer = [409, 'conflict']
const forbidden: Answer = [403, 'permission_denied']

/**
 * The status and the code of each refusal in PostHog's dialect: 400 for what the request says, uniqueness included,
 * 403 for who asks, 409 for races only. Total: a new code needs its line here.
 */
export const posthogErrors = {
  'request.invalid': invalid,
  'request.too_large': [413, 'request_too_large'],
  'request.media_type': [415, 'unsupported_media_type'],
  'request.rate_limited': [429, 'throttled'],
  'authentication.missing': [401, 'not_authenticated'],
  'authentication.invalid': [401, 'authentication_failed'],
  'permission.denied': forbidden,
  'route.not_found': notFound,
  // As any other organization that is not the key's.
  'organization.not_found': forbidden,
  'organization.slug_taken': taken,
  'organization.not_deleted': conflict,
  'organization.deleted': conflict,
  'organization.last_owner': [400, 'last_owner'],
  'member.not_found': notFound,
  'member.email_taken': taken,
  'member.external_reference_id_taken': taken,
  'member.wrong_status': invalid,
  'member.unchangeable_self': forbidden,
  'member.merge_conflict': conflict,
  'workspace.not_found': notFound,
  'workspace.slug_taken': taken,
  'project.not_found': notFound,
  'project.identifier_taken': taken,
  'project.archived': invalid,
  'group.not_found': notFound,
  'group.external_reference_id_taken': taken,
  'group.managed': forbidden,
  'membership.not_found': notFound,
  'role.not_found': notFound,
  'role.name_taken': taken,
  'role.predefined': invalid,
  'role.wrong_target': invalid,
  'role.permission_exceeded': forbidden,
  'role_assignment.not_found': notFound,
  'invitation.not_found': notFound,
  'invitation.already_member': invalid,
  'invitation.already_pending': invalid,
  'invitation.wrong_status': invalid,
  'domain.not_found': notFound,
  'domain.name_taken': taken,
  'domain.public': invalid,
  'domain.too_many': [400, 'too_many_domains'],
  'domain.taken': taken,
  'domain.already_verified': [400, 'already_verified'],
  'domain.not_verified': [400, 'verification_required'],
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
  'invitation.expired': [400, 'expired'],
  'invitation.wrong_recipient': [400, 'invalid_recipient'],
  'invitation.inviter_unauthorized': [400, 'inviter_unauthorized'],
  'invitation.resent_too_soon': [429, 'throttled'],
  'project.sole_admin': [400, 'sole_admin'],
  'page.not_found': notFound,
  'teamspace.not_found': notFound,
  'workspace.sole_admin': [400, 'sole_admin'],
  'workspace.seats_exhausted': [400, 'seats_exhausted'],
  'workspace.not_member': notFound,
  'role.guest_limit': [400, 'guest_limit'],
  'member.outranks': forbidden,
  'group_sync_mapping.not_found': notFound,
  'group_sync_mapping.taken': taken,
  'group_sync.brake': [400, 'brake'],
  'member_sync.not_found': notFound,
  'member_sync.duplicate_reference_id': invalid,
  'member_sync.too_many_members': invalid,
  'member_sync.already_started': conflict,
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

/** The code of a rule that is told apart from other invalid input. */
export const ruleCodes = { required: 'required', too_long: 'max_length' } as const

const types = [
  'authentication_error',
  'invalid_request',
  'server_error',
  'throttled_error',
  'validation_error',
] as const

/** The kind of error by its status, as the vendor names them. */
function typeOf(status: number): (typeof types)[number] {
  if (status >= 500) return 'server_error'
  if (status === 429) return 'throttled_error'
  if (status === 401 || status === 403) return 'authentication_error'
  return status === 400 ? 'validation_error' : 'invalid_request'
}

export const posthogError = z
  .object({
    type: z.enum(types),
    code: z.string(),
    detail: z.string(),
    /** The field the rule is about; parts of its path are joined by two underscores. */
    attr: z.string().nullable(),
  })
  .meta({ id: 'PosthogError' })

/** `members[3].email` as the dialect writes it: `members__3__email`. */
export function toAttr(field: string): string {
  return field.replaceAll(']', '').split(/[.[]/).filter(Boolean).join('__')
}

/** The error body; all four fields are always there. */
export function toPosthogError(
  refusal: { status: number; code: string },
  detail: string,
  attr: string | null,
): z.infer<typeof posthogError> {
  return { type: typeOf(refusal.status), code: refusal.code, detail, attr }
}
