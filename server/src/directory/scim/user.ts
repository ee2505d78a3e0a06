import { sqlState, violatedConstraint } from '../../platform/postgres/database.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import { finishWith } from '../changes/change.ts'
import { Conflict } from '../changes/conflicts.ts'
import type { Context, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { lockOwners } from '../grants/role-grant.sql.ts'
import { endInvitationsOfEmail } from '../invitations/pending.ts'
import { parseEmail } from '../members/email.ts'
import { endAccess } from '../members/lifecycle.ts'
import { type MemberStatus, type Person, updateMemberStatus } from '../members/member.sql.ts'
import { memberConflict, requireLastingOwner } from '../members/member.ts'
import { requireVersion } from '../version.ts'
import { connectionOf } from './connection.ts'
import { lockScimGroupsOfUser } from './group.sql.ts'
import { requestGroupSync } from './group-sync.ts'
import { restoreAssertedGrants } from './projection.sql.ts'
import { connectionGone, leaveUsers } from './roster.sql.ts'
import {
  deleteScimUser as deleteScimUserRow,
  type FoundPersonRow,
  findScimUser,
  insertingUserAndMember,
  insertUserOfMember,
  type LockedScimUserRow,
  lockPersonByEmail,
  lockScimUser,
  type ScimUserFields,
  type ScimUserRow,
  updatingUserAndMember,
} from './user.sql.ts'

export type { ScimUserRow } from './user.sql.ts'

/** What a resource says of the person: what is undefined it says nothing new about. */
export interface StatedPerson {
  readonly email?: string | null | undefined
  readonly displayName?: string | null | undefined
  readonly firstName?: string | null | undefined
  readonly lastName?: string | null | undefined
}

export type ScimUserWrite = ScimUserFields & { readonly person: StatedPerson }

function userNotFound(): DirectoryError {
  return new DirectoryError('scim_user.not_found', 'There is no user with this id.')
}

/** A user without a place in the lists of its connection. */
const NOT_NULL_VIOLATION = '23502'

function userConflict(error: unknown): never {
  if (sqlState(error) === NOT_NULL_VIOLATION) connectionGone()
  const constraint = violatedConstraint(error)
  if (constraint === 'scim_user_name') {
    throw new DirectoryError(
      'scim_user.user_name_taken',
      'Another user of this connection has this userName; letter case does not tell them apart.',
      { field: 'userName' },
    )
  }
  if (constraint === 'scim_user_member') throw new Conflict('linked meanwhile')
  return memberConflict(error)
}

/** An address that somebody has since it was looked for: tried again, the member may be taken over. */
function newUserConflict(error: unknown): never {
  try {
    return userConflict(error)
  } catch (refusal) {
    if (!(refusal instanceof DirectoryError) || refusal.code !== 'member.email_taken') throw refusal
    throw new Conflict('the address was taken meanwhile', { cause: refusal })
  }
}

/** What a new resource leaves out it does not deny: a member who is taken over keeps it. */
function withoutSilence(stated: StatedPerson): StatedPerson {
  return Object.fromEntries(Object.entries(stated).filter(([, value]) => value !== null))
}

/** The person with what is stated; what is not stays. @throws {DirectoryError} request.invalid (the address) */
function withStated(person: Person, stated: StatedPerson): Person {
  const kept = <T>(value: T | undefined, old: T): T => (value === undefined ? old : value)
  return {
    ...readAddress(person, stated.email),
    displayName: kept(stated.displayName, person.displayName),
    firstName: kept(stated.firstName, person.firstName),
    lastName: kept(stated.lastName, person.lastName),
  }
}

function readAddress(person: Person, email: string | null | undefined): Pick<Person, 'email' | 'emailKey'> {
  if (email === undefined) return { email: person.email, emailKey: person.emailKey }
  if (email === null) return { email: null, emailKey: null }
  const parsed = parseEmail(email)
  if ('problem' in parsed) {
    throw new DirectoryError('request.invalid', `The address ${parsed.problem}.`, { field: 'emails' })
  }
  return { email: parsed.address, emailKey: parsed.key }
}

const NOBODY: Person = { email: null, emailKey: null, displayName: null, firstName: null, lastName: null }

function personOf(row: FoundPersonRow | LockedScimUserRow): Person {
  const { email, email_key: emailKey, display_name: displayName, first_name: firstName } = row
  return { email, emailKey, displayName, firstName, lastName: row.last_name }
}

const isSamePerson = (a: Person, b: Person) =>
  a.email === b.email &&
  a.displayName === b.displayName &&
  a.firstName === b.firstName &&
  a.lastName === b.lastName

/**
 * Provisions a user: makes a member, or takes over the member with the same address, if the organization has proven
 * the address's domain and no connection provisions that member yet; or brings back whom this connection removed.
 *
 * @throws {DirectoryError} scim_user.user_name_taken, scim_user.member_taken, request.invalid (the address),
 *   organization.last_owner (an inactive user takes over the last owner)
 */
export async function createScimUser(context: Context, user: ScimUserWrite): Promise<ScimUserRow> {
  const { db, organizationId, now } = context
  const connectionId = connectionOf(context)
  const stated = withStated(NOBODY, user.person)
  // Before the member it may take over, as for whoever ends somebody.
  if (!user.active) await lockOwners(db, organizationId)
  const found =
    stated.emailKey === null
      ? undefined
      : await lockPersonByEmail(db, organizationId, {
          connectionId,
          emailKey: stated.emailKey,
          domain: stated.emailKey.slice(stated.emailKey.lastIndexOf('@') + 1),
        })
  const id = uuidV7()
  if (found === undefined) {
    const memberId = uuidV7()
    const row = { ...user, id, connectionId, memberId, now }
    await finishWith(
      context,
      { kind: 'member.created', memberId, detail: { level: 'member', scim_user: id } },
      insertingUserAndMember(organizationId, row, stated),
      newUserConflict,
    )
    return toRow(user, id, { version: 1, created_at: toMoment(now), updated_at: toMoment(now) })
  }
  const stored = await takeOver(context, found, { ...user, id, connectionId, memberId: found.id, now })
  return toRow(user, id, stored)
}

function toRow(
  user: ScimUserFields,
  id: string,
  stored: { version: number; created_at: string; updated_at: string },
): ScimUserRow {
  const { userName, externalId, active, document } = user
  return { ...stored, id, user_name: userName, external_id: externalId, active, document, groups: null }
}

async function takeOver(
  context: Context,
  found: FoundPersonRow,
  user: ScimUserWrite & { id: string; connectionId: string; memberId: string; now: Date },
) {
  const { db, organizationId, change } = context
  const isBack = found.status === 'removed'
  if (found.is_provisioned || (!isBack && !found.is_domain_verified)) {
    const why = found.is_provisioned
      ? 'and an identity provider provisions it already'
      : 'and the domain of the address is not verified: verify it to let this connection manage that member'
    throw new DirectoryError(
      'scim_user.member_taken',
      `A member of the organization has this address, ${why}.`,
      { field: 'emails' },
    )
  }
  const before = personOf(found)
  const person = withStated(before, withoutSilence(user.person))
  const status = user.active ? (isBack ? 'active' : found.status) : 'suspended'
  const suspendedMember = !user.active && found.status !== 'suspended'
  const isChanged = status !== found.status || !isSamePerson(person, before)
  const stored = await insertUserOfMember(
    db,
    organizationId,
    { ...user, suspendedMember },
    { ...person, status, isChanged },
  ).catch(userConflict)
  if (!user.active) {
    await endWaysIn(context, [found.email_key, person.emailKey])
    await requireLastingOwner(context)
  }
  const kind = status === found.status ? 'scim_user.linked' : KIND_OF_STATUS[status]
  change.describe({ kind, memberId: found.id, detail: { scim_user: user.id } })
  return stored
}

const KIND_OF_STATUS = {
  active: 'member.reactivated',
  suspended: 'member.suspended',
  removed: 'member.removed',
} as const satisfies Record<MemberStatus, string>

/** What a deactivation ends beside the keys: what is pending of the address, the old one and the new one. */
async function endWaysIn(context: Context, emailKeys: readonly (string | null)[]): Promise<void> {
  for (const emailKey of new Set(emailKeys)) {
    if (emailKey !== null) await endInvitationsOfEmail(context, emailKey)
  }
}

/** @throws {DirectoryError} scim_user.not_found */
export async function getScimUser(context: ReadContext, id: string): Promise<ScimUserRow> {
  const connectionId = connectionOf(context)
  const row = await findScimUser(context.db, context.organizationId, { connectionId, id })
  if (row === undefined) throw userNotFound()
  return row
}

/** What changes users say: how the resource is to be, from how it is. */
export type ScimUserTransform = (row: ScimUserRow) => ScimUserWrite | undefined

/**
 * Changes a user in one step: nobody else changes it between the reading and the writing. Deactivation suspends the
 * member, revokes its keys and its pending invitations; activation makes active again whom a deactivation suspended.
 *
 * @param transform undefined: nothing is to change
 * @param expectedVersion refuses (version.mismatch) if the user has moved on; absent: no check
 * @throws {DirectoryError} scim_user.not_found, scim_user.user_name_taken, member.email_taken, request.invalid,
 *   organization.last_owner, workspace.seats_exhausted, version.mismatch
 */
export async function changeScimUser(
  context: Context,
  id: string,
  transform: ScimUserTransform,
  expectedVersion?: number,
): Promise<ScimUserRow> {
  const { db, organizationId, change, now } = context
  const connectionId = connectionOf(context)
  const before = await lockScimUser(db, organizationId, { connectionId, id })
  if (before === undefined) throw userNotFound()
  requireVersion(before.version, expectedVersion)
  const write = transform(before)
  if (write === undefined) return before
  const wasPerson = personOf(before)
  const stated = withStated(wasPerson, write.person)
  const { status, suspendedMember } = statusAfter(before, write.active)
  const isStatusNew = status !== before.member_status
  const isDeactivated = before.active && !write.active
  const addressKeys = [before.email_key, stated.emailKey]
  const statement = updatingUserAndMember(
    organizationId,
    { ...write, id, memberId: before.member_id, suspendedMember, isDeactivated, addressKeys, now },
    { ...stated, status, isChanged: isStatusNew || !isSamePerson(stated, wasPerson) },
  )
  const record = {
    kind: isStatusNew ? KIND_OF_STATUS[status] : 'scim_user.updated',
    memberId: before.member_id,
    detail: { scim_user: id },
  } as const
  const { groups, created_at } = before
  const row = toRow(write, id, { version: before.version + 1, created_at, updated_at: toMoment(now) })
  if (!isStatusNew && !isDeactivated) {
    await finishWith(context, record, statement, userConflict)
    return { ...row, groups }
  }
  const standing = (await db.row(statement).catch(userConflict))!
  if (isDeactivated && standing.is_invited) await endWaysIn(context, addressKeys)
  if (isDeactivated && standing.is_owner) {
    await lockOwners(db, organizationId)
    await requireLastingOwner(context)
  }
  if (before.member_status === 'removed' && status === 'active') {
    const back = { id: before.member_id, changeId: change.id }
    change.count({ opened: await restoreAssertedGrants(db, organizationId, back) })
  }
  change.describe(record)
  change.holdsNothing = !standing.holds_something
  return { ...row, groups }
}

/** A time as PostgreSQL keeps it and answers show it. */
const toMoment = (time: Date) => time.toISOString().replace('Z', '000Z')

/**
 * What becomes of the member. Whom somebody suspended by hand stays suspended; whom somebody removed by hand comes back
 * when the identity provider activates it anew.
 */
function statusAfter(
  before: LockedScimUserRow,
  active: boolean,
): { status: MemberStatus; suspendedMember: boolean } {
  const { member_status: status, suspended_member: suspendedMember } = before
  if (active === before.active || before.is_merged) return { status, suspendedMember }
  if (!active && status === 'active') return { status: 'suspended', suspendedMember: true }
  if (!active) return { status, suspendedMember: false }
  const isBack = status === 'removed' || suspendedMember
  return { status: isBack ? 'active' : status, suspendedMember: false }
}

/**
 * Deprovisions a user for good: removes the member, ends every grant, key and pending invitation, and forgets what was
 * provisioned. The member's row and its history stay; the same person can be provisioned again.
 *
 * @param expectedVersion refuses (version.mismatch) if the user has moved on; absent: no check
 * @throws {DirectoryError} scim_user.not_found, organization.last_owner, version.mismatch
 */
export async function deleteScimUser(context: Context, id: string, expectedVersion?: number): Promise<void> {
  const { db, organizationId, change, now } = context
  const connectionId = connectionOf(context)
  await lockOwners(db, organizationId)
  // Groups come before users, as for whoever adds users to them.
  const groups = await lockScimGroupsOfUser(db, organizationId, id)
  const before = await lockScimUser(db, organizationId, { connectionId, id })
  if (before === undefined) throw userNotFound()
  requireVersion(before.version, expectedVersion)
  const memberId = before.member_id
  if (before.member_status !== 'removed') {
    await endAccess(context, memberId)
    await updateMemberStatus(db, organizationId, { id: memberId, status: 'removed', mergedInto: null, now })
    if (before.email_key !== null) await endInvitationsOfEmail(context, before.email_key)
    await requireLastingOwner(context)
  }
  // Before the userName is free: whoever takes it next waits here, and not for the row.
  await leaveUsers(db, organizationId, connectionId)
  const { left, due } = await deleteScimUserRow(db, organizationId, { id, memberId, now })
  if (left > groups) throw new Conflict('joined a group meanwhile')
  if (due > 0) await requestGroupSync(context)
  const detail = { scim_user: id, before: before.member_status }
  change.describe({ kind: 'member.removed', memberId, detail })
}
