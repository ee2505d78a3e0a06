import { z } from 'zod'
import type { DirectoryErrorCode } from '../../directory/errors.ts'
import { moment } from '../http/wire-types.ts'

/**
 * The status of each refusal in Vitable's dialect: 400 for malformed input, 409 for uniqueness, 422 for rules of
 * the directory. Total: a new code needs its line here.
 */
export const vitableStatus = {
  'request.invalid': 400,
  'request.too_large': 413,
  'request.media_type': 415,
  'request.rate_limited': 429,
  'authentication.missing': 401,
  'authentication.invalid': 401,
  'permission.denied': 403,
  'route.not_found': 404,
  'organization.not_found': 404,
  'organization.slug_taken': 409,
  'organization.not_deleted': 409,
  'organization.deleted': 409,
  'organization.last_owner': 422,
  'member.not_found': 404,
  'member.email_taken': 409,
  'member.external_reference_id_taken': 409,
  'member.wrong_status': 422,
  'member.unchangeable_self': 422,
  'member.merge_conflict': 422,
  'workspace.not_found': 404,
  'workspace.slug_taken': 409,
  'project.not_found': 404,
  'project.identifier_taken': 409,
  'project.archived': 422,
  'group.not_found': 404,
  'group.external_reference_id_taken': 409,
  'group.managed': 422,
  'membership.not_found': 404,
  'role.not_found': 404,
  'role.name_taken': 409,
  'role.predefined': 422,
  'role.wrong_target': 400,
  'role.permission_exceeded': 403,
  'role_assignment.not_found': 404,
  'invitation.not_found': 404,
  'invitation.already_member': 409,
  'invitation.already_pending': 409,
  'invitation.wrong_status': 422,
  'domain.not_found': 404,
  'domain.name_taken': 409,
  'domain.public': 400,
  'domain.too_many': 422,
  'domain.taken': 409,
  'domain.already_verified': 409,
  'domain.not_verified': 422,
  'domain.would_lock_out': 422,
  'identity_provider.not_found': 404,
  'identity_provider.certificate_refused': 400,
  'identity_provider.scim_disabled': 422,
  'scim_token.not_found': 404,
  'scim_token.too_many': 422,
  'integration.not_found': 404,
  'integration.already_connected': 409,
  'integration.not_connectable': 422,
  'encryption.unavailable': 502,
  'invitation.expired': 422,
  'invitation.wrong_recipient': 403,
  'invitation.resent_too_soon': 429,
  'member_sync.not_found': 404,
  'member_sync.duplicate_reference_id': 400,
  'member_sync.too_many_members': 400,
  'member_sync.already_started': 409,
  'plan.not_found': 404,
  'plan.not_held': 409,
  'plan.changed': 409,
  'change.not_found': 404,
  'change.already_undone': 409,
  'change.not_undoable': 422,
  'api_key.not_found': 404,
  'api_key.scope_exceeded': 403,
  'version.mismatch': 409,
  'idempotency.key_reused': 422,
  'idempotency.answer_withheld': 409,
  'server.busy': 502,
} satisfies Record<DirectoryErrorCode, number>

export const vitableError = z
  .object({
    timestamp: moment,
    message: z.string(),
    /** The same text as `message`: both generations of the SDK read one of the two. */
    error: z.string(),
    app_error_code: z.string().nullable(),
    trace_id: z.string(),
  })
  .meta({ id: 'VitableError' })

/** The flat error body of the current SDKs' `ErrorResponse`. */
export function toVitableError(
  message: string,
  code: string | null,
  traceId: string,
): z.infer<typeof vitableError> {
  return {
    timestamp: new Date().toISOString(),
    message,
    error: message,
    app_error_code: code,
    trace_id: traceId,
  }
}
