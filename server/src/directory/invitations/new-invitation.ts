import { type Level, levels } from '../access/permission.ts'
import { DirectoryError, type DirectoryErrorDetails } from '../errors.ts'
import { type Email, parseEmail } from '../members/email.ts'
import {
  INVITATION_SECONDS_DEFAULT,
  INVITATION_SECONDS_MAX,
  INVITATION_SECONDS_MIN,
  type OrganizationSettings,
} from '../organizations/settings.ts'
import type { InvitationGrant, Invitee } from './invitation.sql.ts'
import type { Offer } from './offer.ts'

/** Each is looked up and allowed by itself. */
export const INVITATION_GRANTS_MAX = 100
export const INVITATION_MESSAGE_LENGTH_MAX = 1000
export const INVITATION_NAME_LENGTH_MAX = 255
/** In one call. */
export const INVITATIONS_MAX = 100

/** What becomes of a pending invitation of the same address to the same target. */
type PendingPolicy = 'refuse' | 'combine' | 'replace'

export interface NewInvitation {
  email: string
  /** What the person becomes in the organization. */
  level: Level
  /** Roles beside it: on a project, on a workspace, or on the organization. */
  grants: readonly { roleId: string; projectId?: string | null; workspaceId?: string | null }[]
  /** The workspace it is to, with a role there among the grants; absent: to the organization. */
  workspaceId?: string | null | undefined
  /** Absent: as long as the organization has set. */
  expiresInSeconds?: number | undefined
  firstName?: string | null | undefined
  /** What the inviter writes to the person. */
  message?: string | null | undefined
  /** False: no mail is written, and there is no token before a resend. Absent: true. */
  sendEmail?: boolean | undefined
  /** Absent: refuse. */
  pending?: PendingPolicy | undefined
}

/** An invitation that has been read and found well-formed. */
export interface ReadInvitation extends Offer, Invitee {
  readonly email: string
  readonly firstName: string | null
  readonly message: string | null
  readonly lifetimeSeconds: number
  readonly sendEmail: boolean
  readonly pending: PendingPolicy
}

function invalid(field: string, rule: string): DirectoryError {
  return new DirectoryError('request.invalid', `${field} ${rule}.`, { field })
}

/** @throws {DirectoryError} request.invalid, naming the rule the address breaks. */
export function readEmail(email: string): Email {
  const parsed = parseEmail(email)
  if ('problem' in parsed) throw invalid('email', parsed.problem)
  return parsed
}

/** @throws {DirectoryError} request.invalid */
function readLifetime(seconds: number): number {
  if (Number.isInteger(seconds) && seconds >= INVITATION_SECONDS_MIN && seconds <= INVITATION_SECONDS_MAX) {
    return seconds
  }
  const rule = `must be a whole number from ${INVITATION_SECONDS_MIN} to ${INVITATION_SECONDS_MAX}`
  throw invalid('expires_in_seconds', rule)
}

/** A text that may be left out. @throws {DirectoryError} request.invalid */
function readText(field: string, text: string | null | undefined, lengthMax: number): string | null {
  if (text === null || text === undefined || text === '') return null
  if (text.length > lengthMax) throw invalid(field, `must have at most ${lengthMax} characters`)
  return text
}

/** The roles an invitation is to give, each once. @throws {DirectoryError} request.invalid */
function readGrants(given: NewInvitation['grants']): InvitationGrant[] {
  if (given.length > INVITATION_GRANTS_MAX) {
    throw invalid('grants', `must have at most ${INVITATION_GRANTS_MAX} entries`)
  }
  for (const { workspaceId, projectId } of given) {
    if (typeof workspaceId === 'string' && typeof projectId === 'string') {
      throw invalid('grants', 'must name a workspace or a project, not both')
    }
  }
  return uniqueGrants(
    given.map(({ roleId, workspaceId = null, projectId = null }) => ({ roleId, workspaceId, projectId })),
  )
}

function uniqueGrants(grants: readonly InvitationGrant[]): InvitationGrant[] {
  return [
    ...new Map(
      grants.map((grant) => [`${grant.roleId} ${grant.workspaceId} ${grant.projectId}`, grant]),
    ).values(),
  ]
}

/** What an invitation says, with what it leaves out. @throws {DirectoryError} request.invalid, naming the field */
export function readInvitation(input: NewInvitation, settings: OrganizationSettings): ReadInvitation {
  const { address: email, key: emailKey } = readEmail(input.email)
  const workspaceId = input.workspaceId ?? null
  const grants = readGrants(input.grants)
  if (workspaceId !== null && !grants.some((grant) => grant.workspaceId === workspaceId)) {
    throw invalid('role', 'is required for an invitation to a workspace')
  }
  const standing = settings.invitation_expiry_seconds ?? INVITATION_SECONDS_DEFAULT
  return {
    ...{ email, emailKey, workspaceId, grants, level: input.level },
    lifetimeSeconds: readLifetime(input.expiresInSeconds ?? standing),
    firstName: readText('first_name', input.firstName, INVITATION_NAME_LENGTH_MAX),
    message: readText('message', input.message, INVITATION_MESSAGE_LENGTH_MAX),
    sendEmail: input.sendEmail ?? true,
    pending: input.pending ?? 'refuse',
  }
}

/** Both offers in one: the highest level, and every grant of either. */
export function combineOffers(offers: readonly Offer[]): Offer {
  const level = levels.find((name) => offers.some((offer) => offer.level === name))
  return { level: level ?? 'member', grants: uniqueGrants(offers.flatMap(({ grants }) => grants)) }
}

/** Says in a refusal which invitation of several it is about. */
function located(error: unknown, place: number): unknown {
  if (!(error instanceof DirectoryError)) return error
  const field = `invitations[${place}]`
  const details: DirectoryErrorDetails = {
    ...error.details,
    field: error.details.field === undefined ? field : `${field}.${error.details.field}`,
  }
  return new DirectoryError(error.code, `${field}: ${error.message}`, details)
}

export type InEntry = <T>(place: number, work: () => T) => T

/** Runs what may refuse one of several invitations. */
export const inEntryOfMany: InEntry = (place, work) => {
  try {
    const result = work()
    if (!(result instanceof Promise)) return result
    return result.catch((error: unknown) => {
      throw located(error, place)
    }) as typeof result
  } catch (error) {
    throw located(error, place)
  }
}

/** The same for the only one: its fields are the request's own. */
export const inOnlyEntry: InEntry = (_place, work) => work()
