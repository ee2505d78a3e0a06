import { z } from 'zod'
import type { DirectoryError, DirectoryErrorCode } from '../../directory/errors.ts'

/**
 * Plane has no one body for errors: `error` is what its views say, `detail` what its framework says, `field` a list of
 * texts under the name of a field, `throttle` its own codes.
 */
type Shape = 'error' | 'detail' | 'field' | 'throttle'

export type PlaneAnswer = readonly [status: number, shape: Shape, code?: string]

const invalid: PlaneAnswer = [400, 'field']
const refused: PlaneAnswer = [400, 'error']
const unauthenticated: PlaneAnswer = [401, 'detail']
const forbidden: PlaneAnswer = [403, 'detail']
const notFound: PlaneAnswer = [404, 'error']
const conflict: PlaneAnswer = [409, 'error']
const taken: PlaneAnswer = [409, 'field']

/** The status and the shape of each refusal in Plane's dialect. Total: a new code needs its line here. */
export const planeErrors = {
  'request.invalid': invalid,
  'request.too_large': [413, 'detail'],
  'request.media_type': [415, 'detail'],
  'request.rate_limited': [429, 'throttle'],
  'authentication.missing': unauthenticated,
  'authentication.invalid': unauthenticated,
  'permission.denied': forbidden,
  'route.not_found': notFound,
  'organization.not_found': notFound,
  'organization.slug_taken': taken,
  'organization.not_deleted': conflict,
  'organization.deleted': conflict,
  'organization.last_owner': refused,
  'member.not_found': notFound,
  'member.email_taken': taken,
  'member.external_reference_id_taken': taken,
  'member.wrong_status': refused,
  'member.unchangeable_self': refused,
  'member.merge_conflict': conflict,
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
  'workspace.not_member': notFound,
  'role.guest_limit': invalid,
  'member.outranks': refused,
  'group.not_found': notFound,
  'group.external_reference_id_taken': taken,
  'group.managed': forbidden,
  'membership.not_found': notFound,
  'role.not_found': notFound,
  'role.name_taken': taken,
  'role.predefined': refused,
  'role.wrong_target': invalid,
  'role.permission_exceeded': forbidden,
  'role_assignment.not_found': notFound,
  'invitation.not_found': notFound,
  'invitation.already_member': invalid,
  'invitation.already_pending': invalid,
  'invitation.wrong_status': [400, 'error', 'INVITE_ALREADY_RESPONDED'],
  'domain.not_found': notFound,
  'domain.name_taken': refused,
  'domain.public': invalid,
  'domain.too_many': refused,
  'domain.taken': refused,
  'domain.already_verified': refused,
  'domain.not_verified': refused,
  'domain.would_lock_out': refused,
  'identity_provider.not_found': notFound,
  'identity_provider.certificate_refused': invalid,
  'identity_provider.scim_disabled': refused,
  'scim_token.not_found': notFound,
  'scim_token.too_many': refused,
  'scim_user.not_found': notFound,
  'scim_user.user_name_taken': taken,
  'scim_user.member_taken': taken,
  'scim_group.not_found': notFound,
  'scim_group.name_taken': taken,
  'scim_group.member_not_found': notFound,
  'member.deprovisioned': refused,
  'integration.not_found': notFound,
  'integration.already_connected': refused,
  'integration.not_connectable': refused,
  'encryption.unavailable': [503, 'detail'],
  'invitation.expired': refused,
  'invitation.wrong_recipient': forbidden,
  'invitation.inviter_unauthorized': refused,
  'invitation.resent_too_soon': [429, 'throttle'],
  'member_sync.not_found': notFound,
  'member_sync.duplicate_reference_id': invalid,
  'member_sync.too_many_members': invalid,
  'member_sync.already_started': conflict,
  'group_sync_mapping.not_found': notFound,
  'group_sync_mapping.taken': conflict,
  'group_sync.brake': conflict,
  'plan.not_found': notFound,
  'plan.not_held': conflict,
  'plan.changed': conflict,
  'change.not_found': notFound,
  'change.already_undone': conflict,
  'change.not_undoable': refused,
  'api_key.not_found': notFound,
  'api_key.scope_exceeded': forbidden,
  'version.mismatch': conflict,
  'idempotency.key_reused': invalid,
  'idempotency.answer_withheld': conflict,
  'server.busy': [503, 'detail'],
} satisfies Record<DirectoryErrorCode, PlaneAnswer>

/** How a route answers some refusals otherwise than the dialect does on the whole. */
export interface RouteRefusals {
  /** What is elsewhere said as the framework does is said as a view does. */
  readonly asView?: boolean
  /** Are about the form on the whole, though the directory names a field. */
  readonly formErrors?: readonly DirectoryErrorCode[]
  /** What the route calls a field of the directory, or the field of a refusal that names none. */
  readonly fields?: Readonly<Record<string, string>>
  readonly answers?: Partial<Record<DirectoryErrorCode, PlaneAnswer>>
  readonly texts?: Partial<Record<DirectoryErrorCode, string>>
}

const THROTTLED = { error_code: 5900, error_message: 'RATE_LIMIT_EXCEEDED' }
const NO_FIELD = 'non_field_errors'
/** What pages are asked for with is no field of a form. */
const PAGING = new Set(['per_page', 'cursor'])

/** The same text in every shape: the SDK reads `message` and nothing else. */
export const planeError = z.looseObject({ message: z.string() }).meta({ id: 'PlaneError' })

/** The status and the body of a refusal; undefined is a fault of ours. */
export function toPlaneError(
  refusal: DirectoryError | undefined,
  route: RouteRefusals = {},
): { status: number; body: z.infer<typeof planeError> } {
  if (refusal === undefined) {
    const message = 'Something went wrong please try again later'
    return { status: 500, body: { error: message, message } }
  }
  const { code, details } = refusal
  const answers: Record<DirectoryErrorCode, PlaneAnswer> = planeErrors
  const own = route.answers?.[code]
  const [status, given, shown] = own ?? answers[code]
  // Who asks is found out before any view is reached.
  const isSaidByView = route.asView === true && own === undefined && status !== 401
  const shape = isSaidByView && given === 'detail' ? 'error' : given
  const message = route.texts?.[code] ?? refusal.message
  const field = route.formErrors?.includes(code) ? undefined : fieldOf(refusal, route)
  return { status, body: { ...said(shape, message, field, route), ...named(shown, details), message } }
}

/** The field of a body that a refusal is about, without what is inside it. */
function fieldOf({ code, details }: DirectoryError, { fields = {} }: RouteRefusals): string | undefined {
  const name = details.field?.split(/[.[]/)[0]
  return fields[name ?? code] ?? name
}

function said(
  shape: Shape,
  message: string,
  field: string | undefined,
  { asView = false }: RouteRefusals,
): Record<string, unknown> {
  if (shape === 'throttle') return THROTTLED
  if (shape === 'field') {
    if (field !== undefined && PAGING.has(field)) return { detail: message }
    if (field === undefined && asView) return { error: message }
    return { [field || NO_FIELD]: [message] }
  }
  return shape === 'detail' ? { detail: message } : { error: message }
}

/** What a refusal names beside its text: a code, and the projects it is about. */
function named(code: string | undefined, { context }: DirectoryError['details']): Record<string, unknown> {
  return {
    ...(code === undefined ? {} : { code }),
    ...(Array.isArray(context?.projects) ? { projects: context.projects } : {}),
  }
}
