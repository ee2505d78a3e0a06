import { violatedConstraint } from '../../platform/postgres/database.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import { requireHeld, requirePermissionOn } from '../access/authority.ts'
import { ranksAsOwner, requirePermission } from '../access/permission.ts'
import { requireGivenNotAbove } from '../access/rank.ts'
import { Conflict } from '../changes/conflicts.ts'
import { closeHistory } from '../changes/past.ts'
import type { Context, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { actorSource } from '../grants/actor-source.ts'
import {
  endRoleGrant,
  endRoleGrantsAt,
  findRoleGrantOfSource,
  isGivenAt,
  lockOwners,
  openRoleGrant,
  type RoleGrantPlace,
} from '../grants/role-grant.sql.ts'
import { groupNotFound, requireGroup } from '../groups/group.ts'
import { requireLastingOwner, requireMember } from '../members/member.ts'
import { lockProject } from '../projects/project.sql.ts'
import { requireActiveProject } from '../projects/project.ts'
import {
  type AssignmentFilter,
  findAssignment,
  listAssignments as listAssignmentRows,
  type RoleAssignmentRow,
} from './assignment.sql.ts'
import { permissionsOf } from './predefined.ts'
import type { RoleRow } from './role.sql.ts'
import { requireRole } from './role.ts'
import { fitsTarget } from './role-on.ts'
import { requireMayTake } from './taking.ts'
import { fromTargetColumns, type Target, type TargetColumns, targetColumns } from './target.ts'
import { requireTarget } from './target-lookup.ts'

export type { RoleAssignmentRow } from './assignment.sql.ts'

/** Who holds a role: a member, or everybody in a group. */
export type Subject =
  | { readonly kind: 'member'; readonly id: string }
  | { readonly kind: 'group'; readonly id: string }

export interface RoleAssignment {
  readonly subject: Subject
  readonly roleId: string
  readonly target: Target
}

/** The columns of a subject, as tables of grants have them. */
export function subjectColumns(subject: Subject): { memberId: string | null; groupId: string | null } {
  return {
    memberId: subject.kind === 'member' ? subject.id : null,
    groupId: subject.kind === 'group' ? subject.id : null,
  }
}

const isOwnerRole = (role: RoleRow) => role.resource === 'organization' && role.key === 'owner'

export function assignmentNotFound(): DirectoryError {
  return new DirectoryError('role_assignment.not_found', 'There is no such role assignment.')
}

/** Only owners make owners. @throws {DirectoryError} permission.denied */
export function requireMayHandle(context: ReadContext, role: RoleRow): void {
  if (!isOwnerRole(role) || ranksAsOwner(context.actor)) return
  throw new DirectoryError('permission.denied', 'Only an owner may make or unmake an owner.', {
    field: 'role',
  })
}

/** @throws {DirectoryError} role.wrong_target */
export function requireFit(role: RoleRow, target: Target, found: TargetColumns): void {
  if (fitsTarget(role, target, found)) return
  const why =
    role.resource === target.kind
      ? `The role ${role.name} is of another ${role.project_id === null ? 'workspace' : 'project'}.`
      : `The role ${role.name} is for a target of kind ${role.resource}, not ${target.kind}.`
  throw new DirectoryError('role.wrong_target', why, { field: 'role' })
}

/**
 * Nobody grants what they do not hold: a role may be given on a target by who holds on it all that the role gives.
 *
 * @throws {DirectoryError} role.not_found, role.wrong_target, role.permission_exceeded, workspace.not_found,
 *   project.not_found, permission.denied (the owner role, by who is none), member.outranks (a workspace's, by who is
 *   none there)
 */
export async function requireMayGrantRole(
  context: ReadContext,
  roleId: string,
  target: Target,
): Promise<RoleRow> {
  const found = await requireTarget(context, target)
  const role = await requireRole(context, roleId)
  requireFit(role, target, found)
  requireMayHandle(context, role)
  const given = { key: role.key, resource: role.resource, workspace_id: targetColumns(target).workspaceId }
  await requireGivenNotAbove(context, [given])
  await requireHeld(context, permissionsOf(role), target)
  return role
}

/**
 * Assigns a role on a target to a member or a group, for good or until `expiresAt`. If the same source gave it
 * already with the same end, nothing changes; with another end, the old grant ends and the new one opens.
 *
 * @throws {DirectoryError} what `requireMayGrantRole` throws; member.not_found, member.wrong_status (removed),
 *   group.not_found, project.archived, request.invalid (an end in the past), organization.last_owner (the last owner
 *   would get an end)
 */
export async function assignRole(
  context: Context,
  assignment: RoleAssignment,
  expiresAt: string | null = null,
): Promise<RoleAssignmentRow> {
  const { subject, roleId, target } = assignment
  await requirePermissionOn(context, 'roles:write', target)
  if (expiresAt !== null && Date.parse(expiresAt) <= context.now.getTime()) {
    throw new DirectoryError('request.invalid', 'expires_at must be in the future.', { field: 'expires_at' })
  }
  const { db, organizationId, change } = context
  const role = await requireMayGrantRole(context, roleId, target)
  if (target.kind === 'project') await requireActiveProject(context, target.id)
  if (isOwnerRole(role)) await lockOwners(db, organizationId)
  await requireSubject(context, subject)
  const sourceId = await actorSource(context)
  const place = { ...subjectColumns(subject), roleId, ...targetColumns(target) }
  const id = uuidV7()
  const grant = { ...place, id, sourceId, changeId: change.id, expiresAt }
  // Another assignment may come in between, so that there is again a grant to be replaced.
  while (!(await openRoleGrant(db, organizationId, grant).catch(grantRefused))) {
    const present = await findRoleGrantOfSource(db, organizationId, { ...place, sourceId })
    if (present === undefined) continue
    if (sameMoment(present.expires_at, expiresAt)) return await requireAssignment(context, present.id)
    const options = { evenExpired: true }
    if (await endRoleGrant(db, organizationId, present.id, change.id, options)) change.count({ ended: 1 })
  }
  change.count({ opened: 1 })
  if (isOwnerRole(role)) await requireLastingOwner(context)
  change.describe({
    kind: 'role.assigned',
    ...changeSubject(subject),
    sourceId,
    detail: {
      ...{ role: roleId, role_name: role.name, ...targetDetail(target) },
      ...(expiresAt === null ? {} : { expires_at: expiresAt }),
    },
  })
  return await requireAssignment(context, id)
}

function sameMoment(left: string | null, right: string | null): boolean {
  if (left === null || right === null) return left === right
  return Date.parse(left) === Date.parse(right)
}

export function changeSubject(subject: Subject): { memberId: string } | { groupId: string } {
  return subject.kind === 'member' ? { memberId: subject.id } : { groupId: subject.id }
}

function targetDetail(target: Target): Record<string, string> {
  return target.kind === 'organization' ? {} : { [target.kind]: target.id }
}

/** Who can hold grants. @throws {DirectoryError} member.not_found, member.wrong_status, group.not_found */
export async function requireSubject(context: ReadContext, subject: Subject): Promise<void> {
  if (subject.kind === 'group') {
    await requireGroup(context, subject.id)
    return
  }
  const member = await requireMember(context, subject.id)
  if (member.status === 'removed') throw memberRemoved()
}

function memberRemoved(): DirectoryError {
  return new DirectoryError('member.wrong_status', 'The member is removed: restore it first.')
}

/** The database refuses a grant of what another transaction has just taken away. */
function grantRefused(error: unknown): never {
  const constraint = violatedConstraint(error)
  if (constraint === 'role_grant_member') throw memberRemoved()
  if (constraint === 'role_grant_group') throw groupNotFound()
  if (constraint === 'role_grant_page') {
    throw new DirectoryError('page.not_found', 'There is no page with this id.')
  }
  if (constraint === 'role_grant_role') {
    throw new DirectoryError('role.not_found', 'There is no role with this id.')
  }
  throw error
}

async function requireAssignment(context: ReadContext, id: string): Promise<RoleAssignmentRow> {
  const row = await findAssignment(context.db, context.organizationId, id)
  if (row === undefined) throw assignmentNotFound()
  return row
}

/** A live assignment. @throws {DirectoryError} role_assignment.not_found, permission.denied */
export async function getAssignment(context: ReadContext, id: string): Promise<RoleAssignmentRow> {
  const row = await findAssignment(context.db, context.organizationId, id)
  if (row === undefined) requirePermission(context.actor, 'roles:read')
  else await requirePermissionOn(context, 'roles:read', fromTargetColumns(row))
  if (row === undefined) throw assignmentNotFound()
  return row
}

/**
 * Revokes one assignment: what other sources give stays.
 *
 * @throws {DirectoryError} role_assignment.not_found, organization.last_owner, permission.denied, member.outranks
 */
export async function revokeAssignment(context: Context, id: string): Promise<void> {
  const { db, organizationId, change } = context
  const row = await findAssignment(db, organizationId, id)
  if (row === undefined) requirePermission(context.actor, 'roles:write')
  else await requirePermissionOn(context, 'roles:write', fromTargetColumns(row))
  if (row === undefined) throw assignmentNotFound()
  const role = await requireRole(context, row.role_id)
  const subject: Subject =
    row.member_id === null ? { kind: 'group', id: row.group_id! } : { kind: 'member', id: row.member_id }
  const assignment = { subject, roleId: role.id, target: fromTargetColumns(row) }
  await requireMayTake(context, { ...subjectColumns(subject), ...targetColumns(assignment.target) }, role)
  if (isOwnerRole(role)) await lockOwners(db, organizationId)
  if (!(await endRoleGrant(db, organizationId, id, change.id))) throw assignmentNotFound()
  change.count({ ended: 1 })
  if (isOwnerRole(role)) await requireLastingOwner(context)
  describeRevoked(context, assignment, role)
}

/**
 * Revokes a role from a member or a group on a target, whatever gave it. What a member has through groups stays.
 *
 * @throws {DirectoryError} role_assignment.not_found (nothing gives it directly), role.not_found,
 *   organization.last_owner, workspace.not_found, project.not_found, permission.denied, member.outranks
 */
export async function revokeRole(context: Context, assignment: RoleAssignment): Promise<void> {
  const { subject, roleId, target } = assignment
  await requirePermissionOn(context, 'roles:write', target)
  await requireTarget(context, target)
  const role = await requireRole(context, roleId)
  const place: RoleGrantPlace = { ...subjectColumns(subject), roleId, ...targetColumns(target) }
  await requireMayTake(context, place, role)
  const { db, organizationId } = context
  if (isOwnerRole(role)) await lockOwners(db, organizationId)
  if ((await endGiven(context, place)) === 0) throw assignmentNotFound()
  if (isOwnerRole(role)) await requireLastingOwner(context)
  describeRevoked(context, assignment, role)
}

/**
 * Takes a member or a group off a workspace or project: ends every role it has there directly.
 *
 * @throws {DirectoryError} role_assignment.not_found (it has none), workspace.not_found, project.not_found,
 *   permission.denied, member.outranks
 */
export async function revokeRolesOn(
  context: Context,
  subject: Subject,
  target: Exclude<Target, { kind: 'organization' }>,
): Promise<void> {
  await requirePermissionOn(context, 'roles:write', target)
  await requireTarget(context, target)
  const place = { ...subjectColumns(subject), roleId: null, ...targetColumns(target) }
  await requireMayTake(context, place, null)
  const { db, organizationId, change } = context
  // Who replaces the subject's role at this moment comes wholly before or after.
  if (target.kind === 'project') await lockProject(db, organizationId, target.id)
  if ((await endGiven(context, place)) === 0) {
    throw new DirectoryError(
      'role_assignment.not_found',
      `The ${subject.kind} has no role on this ${target.kind}.`,
    )
  }
  change.describe({ kind: 'role.revoked', ...changeSubject(subject), detail: targetDetail(target) })
}

/** Ends what is given at a place, and answers how much that was. */
async function endGiven(
  { db, organizationId, change }: Context,
  place: Parameters<typeof endRoleGrantsAt>[2],
): Promise<number> {
  const ended = await endRoleGrantsAt(db, organizationId, place, change.id)
  // Where an end was being changed, the new grant was not seen: only the old one, which is over.
  if (await isGivenAt(db, organizationId, place)) throw new Conflict('given again meanwhile')
  change.count({ ended })
  return ended
}

function describeRevoked(context: Context, { subject, target }: RoleAssignment, role: RoleRow): void {
  context.change.describe({
    kind: 'role.revoked',
    ...changeSubject(subject),
    detail: { role: role.id, role_name: role.name, ...targetDetail(target) },
  })
}

/**
 * One page of role assignments, now or as of a past moment.
 *
 * @param filter.target those on this very target; null: wherever they are
 * @throws {DirectoryError} request.invalid, workspace.not_found, project.not_found, permission.denied
 */
export async function listAssignments(
  context: ReadContext,
  filter: Omit<AssignmentFilter, 'place'> & { target: Target | null },
): Promise<RoleAssignmentRow[]> {
  const { target, asOf } = filter
  if (target === null) requirePermission(context.actor, 'roles:read')
  else {
    await requirePermissionOn(context, 'roles:read', target)
    await requireTarget(context, target, { isPast: asOf !== null })
  }
  if (asOf !== null) {
    requirePermission(context.actor, 'changes:read')
    await closeHistory(context, asOf)
  }
  const place = target === null ? null : targetColumns(target)
  return await listAssignmentRows(context.db, context.organizationId, { ...filter, place })
}
