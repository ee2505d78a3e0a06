import type { ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { EVERYTHING, permissionsOf } from '../roles/predefined.ts'
import { fromTargetColumns, type Target, targetColumns } from '../roles/target.ts'
import { type GivenRoleRow, listGivenByChange, listGivenByGroup, listTakenByChange } from './authority.sql.ts'
import { checkMany } from './check.sql.ts'
import { holdsPermission, isInScope, type Permission, permissionDenied, ranksAsOwner } from './permission.ts'
import { requireGivenNotAbove, requireTakenNotAbove } from './rank.ts'

export type { GivenRoleRow as GivenRole } from './authority.sql.ts'

/** A permission on a target. */
interface Wanted {
  readonly permission: string
  readonly target: Target
}

/**
 * Of some permissions on targets, those that the actor does not hold: its scopes, cut to what its member has there.
 *
 * @param withoutChange what this open change has given does not count
 */
async function missing(
  context: ReadContext,
  wanted: readonly Wanted[],
  withoutChange: string | null = null,
): Promise<Wanted[]> {
  const { actor, db, organizationId } = context
  const beyond = wanted.filter(({ permission }) => !holdsPermission(actor, permission))
  if (beyond.length === 0 || actor.kind !== 'api_key' || actor.memberId === null) return beyond
  // What is not held on the whole organization may be held on the very target.
  const asked = beyond.filter(
    ({ permission, target }) => target.kind !== 'organization' && isInScope(actor, permission),
  )
  if (asked.length === 0) return beyond
  const { memberId } = actor
  const held = await checkMany(
    db,
    organizationId,
    asked.map(({ permission, target }) => ({ memberId, permission, ...targetColumns(target) })),
    withoutChange,
  )
  const allowed = new Set(asked.filter((_, index) => held[index]?.allowed === true))
  return beyond.filter((one) => !allowed.has(one))
}

/** @throws {DirectoryError} permission.denied, unless the actor holds the permission on the target */
export async function requirePermissionOn(
  context: ReadContext,
  permission: Permission,
  target: Target,
): Promise<void> {
  await requirePermissionOnAll(context, permission, [target])
}

/** The same on several targets, in one statement. @throws {DirectoryError} permission.denied */
export async function requirePermissionOnAll(
  context: ReadContext,
  permission: Permission,
  targets: readonly Target[],
): Promise<void> {
  if (holdsPermission(context.actor, permission)) return
  const beyond = await missing(
    context,
    targets.map((target) => ({ permission, target })),
  )
  if (beyond.length > 0) throw permissionDenied(permission)
}

function exceeded(names: readonly string[]): DirectoryError {
  const list = [...new Set(names)].map((name) => (name === EVERYTHING ? 'every permission' : name))
  return new DirectoryError(
    'role.permission_exceeded',
    `Nobody grants what they do not hold: you do not hold ${list.join(', ')} there.`,
    { context: { permissions: [...new Set(names)] } },
  )
}

/** Nobody gives what they do not hold. @throws {DirectoryError} role.permission_exceeded */
export async function requireHeld(
  context: ReadContext,
  permissions: readonly string[],
  target: Target,
): Promise<void> {
  await requireHeldOnAll(context, permissions, [target])
}

/** The same on several targets, in one statement. @throws {DirectoryError} role.permission_exceeded */
export async function requireHeldOnAll(
  context: ReadContext,
  permissions: readonly string[],
  targets: readonly Target[],
): Promise<void> {
  const beyond = await missing(
    context,
    targets.flatMap((target) => permissions.map((permission) => ({ permission, target }))),
  )
  if (beyond.length > 0) throw exceeded(beyond.map(({ permission }) => permission))
}

/** Whether the actor may give whatever there is to give, so that nothing need be looked up. */
function mayGiveEverything({ actor }: ReadContext): boolean {
  return holdsPermission(actor, EVERYTHING) && ranksAsOwner(actor)
}

/**
 * Whether the actor holds all that some roles give, each where it is given, and ranks as high.
 *
 * @param withoutChange what this open change has given does not count
 * @throws {DirectoryError} role.permission_exceeded, permission.denied (the owner role is among them), member.outranks
 *   (the owner role of a workspace is, and the actor is none there)
 */
export async function requireMayGive(
  context: ReadContext,
  given: readonly GivenRoleRow[],
  withoutChange: string | null = null,
): Promise<void> {
  const isOwnerRole = (role: GivenRoleRow) => role.resource === 'organization' && role.key === 'owner'
  if (given.some(isOwnerRole) && !ranksAsOwner(context.actor)) {
    throw new DirectoryError('permission.denied', 'Only an owner may make an owner.')
  }
  const wanted = given.flatMap((role) =>
    permissionsOf(role).map((permission) => ({ permission, target: fromTargetColumns(role) })),
  )
  const beyond = await missing(context, wanted, withoutChange)
  if (beyond.length > 0) throw exceeded(beyond.map(({ permission }) => permission))
  await requireGivenNotAbove(context, given, withoutChange)
}

/**
 * Whoever puts people into a group gives them the group's roles: it takes holding them.
 *
 * @throws {DirectoryError} what `requireMayGive` throws
 */
export async function requireMayFill(context: ReadContext, groupId: string): Promise<void> {
  if (mayGiveEverything(context)) return
  await requireMayGive(context, await listGivenByGroup(context.db, context.organizationId, groupId))
}

/**
 * The same for everything that the open change has opened by now, directly and through groups: nobody gives that to
 * themselves either.
 *
 * @throws {DirectoryError} what `requireMayGive` throws
 */
export async function requireMayGiveOpened(context: ReadContext, changeId: string): Promise<void> {
  if (mayGiveEverything(context)) return
  const given = await listGivenByChange(context.db, context.organizationId, changeId)
  await requireMayGive(context, given, changeId)
}

/**
 * Whoever puts people out of a group takes the group's roles from them: nobody takes from who ranks above them.
 *
 * @throws {DirectoryError} permission.denied, member.outranks
 */
export async function requireMayEmpty(context: ReadContext, groupId: string): Promise<void> {
  if (ranksAsOwner(context.actor)) return
  await requireTakenNotAbove(context, await listGivenByGroup(context.db, context.organizationId, groupId))
}

/**
 * Nobody takes from who ranks above them what the open change has ended by now, directly and through groups.
 *
 * @throws {DirectoryError} permission.denied, member.outranks
 */
export async function requireMayTakeEnded(context: ReadContext, changeId: string): Promise<void> {
  if (ranksAsOwner(context.actor)) return
  const taken = await listTakenByChange(context.db, context.organizationId, changeId)
  await requireTakenNotAbove(context, taken, changeId)
}
