import { sql } from '../../platform/postgres/sql.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import { recordedActor } from '../access/permission.ts'
import type { Context } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { endRoleGrantsOfGroup } from '../grants/role-grant.sql.ts'
import { isAssertedGroup, markGroupDeleted, releaseGroup } from '../groups/group.sql.ts'
import { brakeOf, brakeReason } from '../plans/brake.ts'
import { countUnapprovedRemovals, decidePlan, lockHeldPlans, type PlanRow } from '../plans/plan.sql.ts'
import { type AssertedRow, assertMembers, holdUsers, type MemberAssertion } from './assertion.sql.ts'
import { connectionOf } from './connection.ts'
import { assertJoining, assertLeaving } from './direct-assertion.sql.ts'
import type { LockedScimGroupRow } from './group.sql.ts'
import { endProjected, insertProjectionPlan, projectWhole } from './projection.sql.ts'

/** How long a held projection waits for a decision. */
const HELD_DAYS = 7
const DAY_MILLIS = 24 * 60 * 60 * 1000

export interface Projected extends AssertedRow {
  /** Which limit of the brake is passed: what the connection asserts is stored, the removals wait for a person. */
  readonly heldBecause: string | undefined
}

/**
 * Stores what a connection asserts of a group's members, and makes the grants follow: new ones always, removals unless
 * the brake holds them.
 *
 * @throws {DirectoryError} scim_group.member_not_found, naming the first ids that are no users of the connection
 */
export async function projectAssertion(
  context: Context,
  group: LockedScimGroupRow,
  assertion: MemberAssertion,
): Promise<Projected> {
  const { db, organizationId, change, now } = context
  const brake = brakeOf(group.settings, 'scim')
  const to = { groupId: group.id, sourceId: group.source_id, changeId: change.id }
  requireKnown(assertion.added.filter((id) => !isUuid(id)))
  const asserted = await assertMembers(
    db,
    organizationId,
    { ...to, connectionId: connectionOf(context), endsGrants: brake === undefined, now },
    { ...assertion, removed: assertion.removed.filter(isUuid) },
  )
  requireKnown(asserted.unknown)
  change.count({ opened: asserted.opened, ended: asserted.ended })
  if (brake === undefined || asserted.held_ids.length === 0) return { ...asserted, heldBecause: undefined }
  const reason = await brakeReason(context, brake, group.source_id, asserted.held_ids.length)
  if (reason !== undefined) {
    await holdProjection(context, to, reason)
    return { ...asserted, heldBecause: reason }
  }
  const ended = await endProjected(db, organizationId, to, asserted.held_ids)
  change.count({ ended })
  return { ...asserted, ended, heldBecause: undefined }
}

/**
 * Stores that users join a group who most likely are not in it, and gives them its grants. Needs nothing that is known
 * of the group only once it is locked: it is sent together with that.
 *
 * @throws {DirectoryError} scim_group.member_not_found
 */
export async function projectJoining(
  context: Context,
  groupId: string,
  userIds: readonly string[],
): Promise<Projected> {
  const { db, organizationId, change, now } = context
  const to = { connectionId: connectionOf(context), groupId, changeId: change.id, now }
  requireKnown(userIds.filter((id) => !isUuid(id)))
  const asserted = await assertJoining(db, organizationId, to, userIds)
  requireKnown(asserted.unknown)
  change.count({ opened: asserted.opened })
  return { ...asserted, heldBecause: undefined }
}

/**
 * The same of users who leave a group.
 *
 * @returns undefined: removals run under a brake, and nothing is done
 */
export async function projectLeaving(
  context: Context,
  groupId: string,
  userIds: readonly string[],
): Promise<Projected | undefined> {
  const { db, organizationId, change, now } = context
  const to = { connectionId: connectionOf(context), groupId, changeId: change.id, now }
  const asserted = await assertLeaving(db, organizationId, to, userIds.filter(isUuid))
  if (asserted.is_braked) return undefined
  change.count({ ended: asserted.ended })
  return { ...asserted, heldBecause: undefined }
}

/** Keeps the users that are to join a new group, before what nobody may wait with is locked. */
export async function holdNewMembers(context: Context, userIds: readonly string[]): Promise<void> {
  const users = { connectionId: connectionOf(context), ids: userIds.filter(isUuid) }
  await holdUsers(context.db, context.organizationId, users)
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const isUuid = (id: string) => UUID.test(id)

const NAMED_MAX = 10

function requireKnown(unknown: readonly string[]): void {
  if (unknown.length === 0) return
  const named = unknown.slice(0, NAMED_MAX).join(', ')
  const more = unknown.length > NAMED_MAX ? ` and ${unknown.length - NAMED_MAX} more` : ''
  throw new DirectoryError(
    'scim_group.member_not_found',
    `There is no user with the id ${named}${more}: create the user before its membership.`,
    { field: 'members' },
  )
}

/** Ends the plans that are held of a group's projection: they are not wanted any more. */
export async function supersedeHeldProjections(
  context: Context,
  group: { groupId: string; sourceId: string },
): Promise<void> {
  const { db, organizationId, now } = context
  for (const plan of await lockHeldPlans(db, organizationId, group.groupId, group.sourceId)) {
    await decidePlan(db, organizationId, {
      id: plan.id,
      status: 'superseded',
      by: recordedActor(context.actor),
      changeId: null,
      now,
    })
  }
}

/** Holds what a projection would take away, in place of what was held before of the same group. */
export async function holdProjection(
  context: Context,
  group: { groupId: string; sourceId: string },
  reason: string,
): Promise<string> {
  const { db, organizationId, now } = context
  await supersedeHeldProjections(context, group)
  const id = uuidV7()
  const expiresAt = new Date(now.getTime() + HELD_DAYS * DAY_MILLIS)
  await insertProjectionPlan(db, organizationId, { ...group, id, reason, expiresAt })
  return id
}

/**
 * What becomes of a group whose held plan nobody applied: one that its identity provider has deleted stays, with
 * everybody in it, and is managed by nobody from then on.
 */
export async function keepGroup(context: Context, plan: PlanRow): Promise<void> {
  if (await isAssertedGroup(context.db, context.organizationId, plan.group_id)) return
  await releaseGroup(context.db, context.organizationId, { id: plan.group_id, now: context.now })
}

/**
 * Applies a held projection as an approval does: computed anew, unless somebody would lose what the plan did not show.
 * The caller holds the group's lock.
 *
 * @returns the id of the plan that is held instead; undefined: it was applied
 */
export async function applyHeldProjection(context: Context, plan: PlanRow): Promise<string | undefined> {
  const { db, organizationId, change, now } = context
  const group = { groupId: plan.group_id, sourceId: plan.source_id }
  await db.run(sql`savepoint projection`)
  const { opened, ended } = await projectWhole(db, organizationId, { ...group, changeId: change.id })
  if ((await countUnapprovedRemovals(db, organizationId, plan.id, change.id)) > 0) {
    await db.run(sql`rollback to savepoint projection`)
    return await holdProjection(context, group, 'More would be removed by now than the approved plan showed.')
  }
  change.count({ opened, ended })
  const isDeleted = !(await isAssertedGroup(db, organizationId, plan.group_id))
  if (isDeleted) {
    change.count({ ended: await endRoleGrantsOfGroup(db, organizationId, plan.group_id, change.id) })
    await markGroupDeleted(db, organizationId, { id: plan.group_id, deletedChange: change.id, now })
  }
  if (change.opened + change.ended === 0 && !isDeleted) return undefined
  change.describe({
    kind: isDeleted ? 'group.deleted' : 'scim_group.provisioned',
    groupId: plan.group_id,
    sourceId: plan.source_id,
    cause: { kind: 'plan', id: plan.id },
    ...(isDeleted ? { groupList: { count: -1, moved: true } } : {}),
  })
  return undefined
}
