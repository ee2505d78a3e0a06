import type { DirectoryError, DirectoryErrorCode } from '../../directory/errors.ts'
import { ScimError, type ScimType } from './protocol/scim-error.ts'

type Answer = readonly [status: number] | readonly [status: number, scimType: ScimType]

const notFound: Answer = [404]
const invalid: Answer = [400, 'invalidValue']
const refused: Answer = [400]
const taken: Answer = [409, 'uniqueness']
const denied: Answer = [403]

/** What SCIM clients are answered (RFC 7644 section 3.12); most refusals cannot arise here. */
export const scimErrors = {
  'request.invalid': invalid,
  'request.too_large': [413],
  'request.media_type': [415],
  'request.rate_limited': [429],
  'authentication.missing': [401],
  'authentication.invalid': [401],
  'permission.denied': denied,
  'route.not_found': notFound,
  'organization.not_found': notFound,
  'organization.slug_taken': taken,
  'organization.not_deleted': refused,
  'organization.deleted': denied,
  'organization.last_owner': refused,
  'member.not_found': notFound,
  'member.email_taken': taken,
  'member.external_reference_id_taken': taken,
  'member.wrong_status': refused,
  'member.unchangeable_self': refused,
  'member.merge_conflict': refused,
  'workspace.not_found': notFound,
  'workspace.slug_taken': taken,
  'project.not_found': notFound,
  'project.identifier_taken': taken,
  'project.archived': refused,
  'project.sole_admin': refused,
  'page.not_found': notFound,
  'teamspace.not_found': notFound,
  'workspace.sole_admin': refused,
  'workspace.seats_exhausted': refused,
  'workspace.not_member': refused,
  'role.guest_limit': refused,
  'member.outranks': denied,
  'group.not_found': notFound,
  'group.external_reference_id_taken': taken,
  'group.managed': refused,
  'membership.not_found': notFound,
  'role.not_found': notFound,
  'role.name_taken': taken,
  'role.predefined': refused,
  'role.wrong_target': refused,
  'role.permission_exceeded': denied,
  'role_assignment.not_found': notFound,
  'invitation.not_found': notFound,
  'invitation.already_member': refused,
  'invitation.already_pending': refused,
  'invitation.wrong_status': refused,
  'domain.not_found': notFound,
  'domain.name_taken': taken,
  'domain.public': refused,
  'domain.too_many': refused,
  'domain.taken': refused,
  'domain.already_verified': refused,
  'domain.not_verified': refused,
  'domain.would_lock_out': refused,
  'identity_provider.not_found': notFound,
  'identity_provider.certificate_refused': refused,
  'identity_provider.scim_disabled': refused,
  'scim_token.not_found': notFound,
  'scim_token.too_many': refused,
  'scim_user.not_found': notFound,
  'scim_user.user_name_taken': taken,
  'scim_user.member_taken': taken,
  'scim_group.not_found': notFound,
  'scim_group.name_taken': taken,
  'scim_group.member_not_found': invalid,
  'member.deprovisioned': refused,
  'integration.not_found': notFound,
  'integration.already_connected': refused,
  'integration.not_connectable': refused,
  'encryption.unavailable': [503],
  'invitation.expired': refused,
  'invitation.wrong_recipient': refused,
  'invitation.inviter_unauthorized': denied,
  'invitation.resent_too_soon': refused,
  'member_sync.not_found': notFound,
  'member_sync.duplicate_reference_id': refused,
  'member_sync.too_many_members': [413],
  'member_sync.already_started': refused,
  'group_sync_mapping.not_found': notFound,
  'group_sync_mapping.taken': taken,
  'group_sync.brake': refused,
  'plan.not_found': notFound,
  'plan.not_held': refused,
  'plan.changed': refused,
  'change.not_found': notFound,
  'change.already_undone': refused,
  'change.not_undoable': refused,
  'api_key.not_found': notFound,
  'api_key.scope_exceeded': denied,
  'version.mismatch': [412],
  'idempotency.key_reused': refused,
  'idempotency.answer_withheld': refused,
  'server.busy': [503],
} as const satisfies Record<DirectoryErrorCode, Answer>

/** An error as SCIM clients see it. */
export interface ScimErrorBody {
  readonly schemas: readonly string[]
  /** A text, by RFC 7644. */
  readonly status: string
  readonly scimType?: ScimType
  readonly detail: string
}

const FAULT = 'Something went wrong here; the request can be sent again.'

/** The body of a refusal; undefined is a fault of ours. */
export function toScimErrorBody(refusal: DirectoryError | ScimError | undefined): ScimErrorBody {
  const [status, scimType] = answerOf(refusal)
  return {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
    ...(scimType === undefined ? {} : { scimType }),
    detail: refusal?.message ?? FAULT,
    status: String(status),
  }
}

function answerOf(
  refusal: DirectoryError | ScimError | undefined,
): readonly [status: number, scimType?: ScimType | undefined] {
  if (refusal === undefined) return [500]
  if (refusal instanceof ScimError) return [refusal.status, refusal.scimType]
  const answer: Answer = scimErrors[refusal.code]
  // What cannot be parsed at all is no wrong value.
  if (refusal.code === 'request.invalid' && refusal.details.field === undefined) {
    return [400, 'invalidSyntax']
  }
  return answer
}
