import { isDeepStrictEqual } from 'node:util'
import { violatedConstraint } from '../../platform/postgres/database.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import { requireHeld } from '../access/authority.ts'
import { type Level, levelOf, levelsAbove, ranksAsOwner, requirePermission } from '../access/permission.ts'
import type { ChangeKind } from '../changes/change-draft.ts'
import type { Context, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { actorSource } from '../grants/actor-source.ts'
import {
  endLevelGrants,
  hasLastingOwner,
  holdsLevel,
  lockOwners,
  openLevelGrant,
} from '../grants/role-grant.sql.ts'
import type { SourceKind } from '../grants/source.ts'
import { EVERYTHING } from '../roles/predefined.ts'
import { requireRole } from '../roles/role.ts'
import { ORGANIZATION, type Target, targetColumns } from '../roles/target.ts'
import { requireTarget } from '../roles/target-lookup.ts'
import { requireVersion } from '../version.ts'
import { parseEmail } from './email.ts'
import {
  findMember,
  insertMember,
  listMembers as listMemberRows,
  listMembersByEmail,
  listMembersByReference,
  lockMember,
  type MemberAttributes,
  type MemberFields,
  type MemberPage,
  type MemberRow,
  updateMemberFields,
} from './member.sql.ts'
import { listMembersOfSource, listMembersWithRole } from './member-filter.sql.ts'

export type { MemberAttributes, MemberRow } from './member.sql.ts'

export interface NewMember {
  email?: string | null | undefined
  displayName?: string | null | undefined
  firstName?: string | null | undefined
  lastName?: string | null | undefined
  externalReferenceId?: string | null | undefined
  attributes?: MemberAttributes | undefined
  metadata?: Record<string, unknown> | undefined
  level?: Level | undefined
}

export type MemberUpdate = Omit<NewMember, 'level'>

/** @throws {DirectoryError} request.invalid, naming the rule the address breaks. */
function readEmail(email: string | null | undefined): { email: string | null; emailKey: string | null } {
  if (email === null || email === undefined) return { email: null, emailKey: null }
  const parsed = parseEmail(email)
  if ('problem' in parsed) {
    throw new DirectoryError('request.invalid', `email ${parsed.problem}.`, { field: 'email' })
  }
  return { email: parsed.address, emailKey: parsed.key }
}

/** Turns the two uniqueness rules of members, which the database enforces, into refusals. */
export function memberConflict(error: unknown): never {
  const constraint = violatedConstraint(error)
  if (constraint === 'member_email') {
    throw new DirectoryError('member.email_taken', 'Another member of the organization has this email.', {
      field: 'email',
    })
  }
  if (constraint === 'member_external_reference') {
    throw new DirectoryError(
      'member.external_reference_id_taken',
      'Another member of the organization, who may be removed, has this external_reference_id.',
      { field: 'external_reference_id' },
    )
  }
  throw error
}

/**
 * Creates a member. It needs an email or an external reference id.
 *
 * @throws {DirectoryError} request.invalid, member.email_taken, member.external_reference_id_taken,
 *   permission.denied (also for a level above the actor's own)
 */
export async function createMember(
  context: Context,
  input: NewMember,
  kind: ChangeKind = 'member.created',
): Promise<MemberRow> {
  requirePermission(context.actor, 'members:write')
  const address = readEmail(input.email)
  const externalReferenceId = input.externalReferenceId ?? null
  if (address.email === null && externalReferenceId === null) {
    throw new DirectoryError('request.invalid', 'A member needs an email or an external_reference_id.', {
      field: 'email',
    })
  }
  const level = input.level ?? 'member'
  await requireMayGrantLevel(context, level)
  const id = uuidV7()
  await insertMember(context.db, context.organizationId, {
    id,
    ...address,
    displayName: input.displayName ?? null,
    firstName: input.firstName ?? null,
    lastName: input.lastName ?? null,
    externalReferenceId,
    attributes: input.attributes ?? {},
    metadata: input.metadata ?? {},
    now: context.now,
  }).catch(memberConflict)
  await grantLevel(context, id, level)
  context.change.describe({ kind, memberId: id, detail: { level } })
  return await requireMember(context, id)
}

async function grantLevel(context: Context, memberId: string, level: Level): Promise<void> {
  if (level === 'member') return
  const sourceId = await actorSource(context)
  const grant = { memberId, level, sourceId, changeId: context.change.id }
  if (await openLevelGrant(context.db, context.organizationId, grant)) context.change.count({ opened: 1 })
}

/**
 * Nobody grants what they do not hold: a level above `member` is everything.
 *
 * @throws {DirectoryError} permission.denied (owner, by who is none), role.permission_exceeded
 */
export async function requireMayGrantLevel(context: Context, level: Level): Promise<void> {
  if (level === 'member') return
  if (level === 'admin' || ranksAsOwner(context.actor))
    return await requireHeld(context, [EVERYTHING], ORGANIZATION)
  throw new DirectoryError('permission.denied', 'Only an owner may make an owner.', { field: 'level' })
}

/** @throws {DirectoryError} member.not_found */
export async function requireMember(context: ReadContext, id: string): Promise<MemberRow> {
  const row = await findMember(context.db, context.organizationId, id)
  if (row === undefined) throw new DirectoryError('member.not_found', 'There is no member with this id.')
  return row
}

/** Locks a member and reads it. @throws {DirectoryError} member.not_found */
export async function requireLockedMember(context: Context, id: string): Promise<MemberRow> {
  await lockMember(context.db, context.organizationId, id)
  return await requireMember(context, id)
}

/** A member, whatever its status. @throws {DirectoryError} member.not_found, permission.denied */
export async function getMember(context: ReadContext, id: string): Promise<MemberRow> {
  requirePermission(context.actor, 'members:read')
  return await requireMember(context, id)
}

/** One page of members, all or those with an email or a reference id. @throws permission.denied */
export async function listMembers(
  context: ReadContext,
  filter: MemberPage & { email: string | null; externalReferenceId: string | null },
): Promise<MemberRow[]> {
  requirePermission(context.actor, 'members:read')
  const { email, externalReferenceId, ...page } = filter
  if (externalReferenceId !== null) {
    const rows = await listMembersByReference(context.db, context.organizationId, externalReferenceId, page)
    return email === null ? rows : rows.filter((row) => row.email_key === readEmail(email).emailKey)
  }
  if (email !== null) {
    const { emailKey } = readEmail(email)
    return await listMembersByEmail(context.db, context.organizationId, emailKey!, page)
  }
  return await listMemberRows(context.db, context.organizationId, page)
}

/**
 * One page of members who hold what the filter says: a role on a target, or any grant, from a source.
 *
 * @throws {DirectoryError} workspace.not_found, project.not_found, permission.denied
 */
export async function listMembersHolding(
  context: ReadContext,
  filter: { roleId: string | null; target: Target | null; sourceKind: SourceKind | null },
  page: MemberPage,
): Promise<MemberRow[]> {
  requirePermission(context.actor, 'members:read')
  const { db, organizationId } = context
  const { roleId, target, sourceKind } = filter
  if (roleId === null && target === null) {
    return sourceKind === null ? [] : await listMembersOfSource(db, organizationId, sourceKind, page)
  }
  if (roleId !== null) await requireRole(context, roleId)
  if (target !== null) await requireTarget(context, target)
  const place = target === null ? null : targetColumns(target)
  return await listMembersWithRole(db, organizationId, { roleId, place, sourceKind }, page)
}

/**
 * Changes a member's fields; a field left out stays, null clears it.
 *
 * @throws {DirectoryError} member.not_found, member.wrong_status (removed), version.mismatch, request.invalid,
 *   member.email_taken, member.external_reference_id_taken, permission.denied
 */
export async function updateMember(
  context: Context,
  id: string,
  update: MemberUpdate,
  expectedVersion?: number,
): Promise<MemberRow> {
  requirePermission(context.actor, 'members:write')
  const before = await requireLockedMember(context, id)
  requireVersion(before.version, expectedVersion)
  if (before.status === 'removed') {
    throw new DirectoryError('member.wrong_status', 'The member is removed: restore it first.')
  }
  requireMayTouch(context, before)
  const kept = <T>(value: T | undefined, old: T): T => (value === undefined ? old : value)
  const fields: MemberFields = {
    ...(update.email === undefined
      ? { email: before.email, emailKey: before.email_key }
      : readEmail(update.email)),
    displayName: kept(update.displayName, before.display_name),
    firstName: kept(update.firstName, before.first_name),
    lastName: kept(update.lastName, before.last_name),
    externalReferenceId: kept(update.externalReferenceId, before.external_reference_id),
    attributes: kept(update.attributes, before.attributes),
    metadata: kept(update.metadata, before.metadata),
  }
  if (fields.email === null && fields.externalReferenceId === null) {
    throw new DirectoryError('request.invalid', 'A member needs an email or an external_reference_id.', {
      field: 'email',
    })
  }
  const changed = changedFields(before, fields)
  if (changed.length === 0) return before
  await updateMemberFields(context.db, context.organizationId, { ...fields, id, now: context.now }).catch(
    memberConflict,
  )
  context.change.describe({
    kind: 'member.updated',
    memberId: id,
    // Names only: personal values do not outlive an erasure in the history.
    detail: { fields: changed },
  })
  return await requireMember(context, id)
}

function changedFields(before: MemberRow, after: MemberFields): string[] {
  const pairs: [string, unknown, unknown][] = [
    ['email', before.email, after.email],
    ['display_name', before.display_name, after.displayName],
    ['first_name', before.first_name, after.firstName],
    ['last_name', before.last_name, after.lastName],
    ['external_reference_id', before.external_reference_id, after.externalReferenceId],
    ['attributes', before.attributes, after.attributes],
    ['metadata', before.metadata, after.metadata],
  ]
  return pairs.filter(([, old, now]) => !isDeepStrictEqual(old, now)).map(([name]) => name)
}

/**
 * Sets a member's organization level: ends the roles that gave another one, opens the one that gives this.
 *
 * @throws {DirectoryError} organization.last_owner, permission.denied (owners are made and unmade by owners)
 */
export async function changeMemberLevel(context: Context, id: string, level: Level): Promise<MemberRow> {
  requirePermission(context.actor, 'members:write')
  await lockOwners(context.db, context.organizationId)
  const before = await requireLockedMember(context, id)
  if (before.status === 'removed') {
    throw new DirectoryError('member.wrong_status', 'The member is removed: restore it first.')
  }
  await requireMayGrantLevel(context, level)
  requireMayTouch(context, before)
  const { db, organizationId, change } = context
  // A group may give the level, too: what is set here is what the member holds itself.
  const isHeld = await holdsLevel(db, organizationId, id, level)
  // A grant of the level that has expired would be in the way of the new one.
  const kept = isHeld ? [level] : []
  change.count({ ended: await endLevelGrants(db, organizationId, id, change.id, kept) })
  if (!isHeld) await grantLevel(context, id, level)
  if (change.opened + change.ended === 0) return before
  await requireLastingOwner(context)
  context.change.describe({
    kind: 'member.level_changed',
    memberId: id,
    detail: { before: before.level, after: level },
  })
  return await requireMember(context, id)
}

/** Nobody changes a member above their own rank. @throws {DirectoryError} permission.denied */
export function requireMayTouch(context: ReadContext, member: MemberRow): void {
  if (!levelsAbove(levelOf(context.actor)).includes(member.level)) return
  const who =
    member.level === 'owner' ? 'an owner may change an owner' : 'an admin or owner may change an admin'
  throw new DirectoryError('permission.denied', `Only ${who}.`)
}

/** @throws {DirectoryError} organization.last_owner */
export async function requireLastingOwner(context: ReadContext): Promise<void> {
  if (await hasLastingOwner(context.db, context.organizationId)) return
  throw new DirectoryError(
    'organization.last_owner',
    'This would leave the organization without an active owner: make another member an owner first.',
  )
}
