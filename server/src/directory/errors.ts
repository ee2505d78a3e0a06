/**
 * Every way the directory can refuse, once. Operations throw these without an HTTP status; each surface maps all
 * of them (`satisfies Record<DirectoryErrorCode, …>`), so a new code does not compile until every dialect
 * answers it.
 */
export const directoryErrorCodes = [
  'request.invalid',
  'request.too_large',
  'request.media_type',
  'request.rate_limited',
  'authentication.missing',
  'authentication.invalid',
  'permission.denied',
  'route.not_found',
  'organization.not_found',
  'organization.slug_taken',
  'organization.not_deleted',
  'organization.deleted',
  'organization.last_owner',
  'member.not_found',
  'member.email_taken',
  'member.external_reference_id_taken',
  'member.wrong_status',
  'member.unchangeable_self',
  'member.merge_conflict',
  'workspace.not_found',
  'workspace.slug_taken',
  'project.not_found',
  'project.identifier_taken',
  'project.archived',
  'project.sole_admin',
  'page.not_found',
  'teamspace.not_found',
  'workspace.sole_admin',
  'workspace.seats_exhausted',
  'workspace.not_member',
  'role.guest_limit',
  'member.outranks',
  'group.not_found',
  'group.external_reference_id_taken',
  'group.managed',
  'membership.not_found',
  'role.not_found',
  'role.name_taken',
  'role.predefined',
  'role.wrong_target',
  'role.permission_exceeded',
  'role_assignment.not_found',
  'invitation.not_found',
  'invitation.already_member',
  'invitation.already_pending',
  'invitation.wrong_status',
  'domain.not_found',
  'domain.name_taken',
  'domain.public',
  'domain.too_many',
  'domain.taken',
  'domain.already_verified',
  'domain.not_verified',
  'domain.would_lock_out',
  'identity_provider.not_found',
  'identity_provider.certificate_refused',
  'identity_provider.scim_disabled',
  'scim_token.not_found',
  'scim_token.too_many',
  'scim_user.not_found',
  'scim_user.user_name_taken',
  'scim_user.member_taken',
  'scim_group.not_found',
  'scim_group.name_taken',
  'scim_group.member_not_found',
  'member.deprovisioned',
  'integration.not_found',
  'integration.already_connected',
  'integration.not_connectable',
  'encryption.unavailable',
  'invitation.expired',
  'invitation.wrong_recipient',
  'invitation.inviter_unauthorized',
  'invitation.resent_too_soon',
  'member_sync.not_found',
  'member_sync.duplicate_reference_id',
  'member_sync.too_many_members',
  'member_sync.already_started',
  'group_sync_mapping.not_found',
  'group_sync_mapping.taken',
  'group_sync.brake',
  'plan.not_found',
  'plan.not_held',
  'plan.changed',
  'change.not_found',
  'change.already_undone',
  'change.not_undoable',
  'api_key.not_found',
  'api_key.scope_exceeded',
  'version.mismatch',
  'idempotency.key_reused',
  'idempotency.answer_withheld',
  'server.busy',
] as const

export type DirectoryErrorCode = (typeof directoryErrorCodes)[number]

export interface DirectoryErrorDetails {
  /** The field the rule is about, as a path: `members[3].reference_id`. */
  readonly field?: string
  /** The rule, where it is one that dialects tell apart. */
  readonly rule?: 'required' | 'too_long'
  /** More for the reader, by name; never secrets or another organization's data. */
  readonly context?: Record<string, unknown>
}

/** A refusal: a stable code and a sentence fit to show to the caller. */
export class DirectoryError extends Error {
  readonly code: DirectoryErrorCode
  readonly details: DirectoryErrorDetails

  constructor(code: DirectoryErrorCode, message: string, details: DirectoryErrorDetails = {}) {
    super(message)
    this.name = 'DirectoryError'
    this.code = code
    this.details = details
  }
}
