import { violatedConstraint } from '../../platform/postgres/database.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import { numberChange } from '../changes/change.ts'
import type { Context, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { endMembershipsOfGroup } from '../grants/group-membership.sql.ts'
import { countLiveMembershipsOfGroup } from '../grants/membership-sets.sql.ts'
import { endRoleGrantsOfGroup } from '../grants/role-grant.sql.ts'
import { insertGroup, lockGroupAgainstGrants, markGroupDeleted, renameGroup } from '../groups/group.sql.ts'
import { brakeOf, brakeReason } from '../plans/brake.ts'
import { requireVersion } from '../version.ts'
import type { MemberAssertion } from './assertion.sql.ts'
import { connectionOf } from './connection.ts'
import {
  deleteScimGroup as deleteScimGroupRow,
  findMemberIds,
  findScimGroup,
  insertScimGroup,
  type LockedScimGroupRow,
  listMemberIds,
  lockScimGroup,
  type ScimGroupFields,
  type ScimGroupRow,
  updateScimGroup,
} from './group.sql.ts'
import { requestGroupSync } from './group-sync.ts'
import { noteMembersOfGroup } from './group-sync-due.sql.ts'
import {
  holdNewMembers,
  holdProjection,
  type Projected,
  projectAssertion,
  projectJoining,
  projectLeaving,
  supersedeHeldProjections,
} from './projection.ts'
import { appendGroup, leaveGroups, lockRoster } from './roster.sql.ts'

export type { ScimGroupFields, ScimGroupRow } from './group.sql.ts'

function groupNotFound(): DirectoryError {
  return new DirectoryError('scim_group.not_found', 'There is no group with this id.')
}

function groupConflict(error: unknown): never {
  if (violatedConstraint(error) !== 'scim_group_name') throw error
  throw new DirectoryError(
    'scim_group.name_taken',
    'Another group of this connection has this displayName; letter case does not tell them apart.',
    { field: 'displayName' },
  )
}

/** @throws {DirectoryError} scim_group.not_found */
export async function getScimGroup(context: ReadContext, id: string): Promise<ScimGroupRow> {
  const connectionId = connectionOf(context)
  const row = await findScimGroup(context.db, context.organizationId, { connectionId, id })
  if (row === undefined) throw groupNotFound()
  return row
}

/** The ids of a group's members in one text, 36 characters each. */
export async function readMemberIds({ db, organizationId }: ReadContext, id: string): Promise<string> {
  return await findMemberIds(db, organizationId, id)
}

/** The same of several groups of the connection, by their ids. */
export async function readMemberIdsOfGroups(
  { db, organizationId }: ReadContext,
  ids: readonly string[],
): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map()
  const rows = await listMemberIds(db, organizationId, ids)
  return new Map(rows.map(({ id, members }) => [id, members]))
}

async function requireLockedScimGroup(context: Context, id: string): Promise<LockedScimGroupRow> {
  const connectionId = connectionOf(context)
  const row = await lockScimGroup(context.db, context.organizationId, { connectionId, id })
  if (row === undefined) throw groupNotFound()
  return row
}

/**
 * Creates a group that the connection manages, with its first members.
 *
 * @param memberIds users of the connection
 * @throws {DirectoryError} scim_group.name_taken, scim_group.member_not_found
 */
export async function createScimGroup(
  context: Context,
  group: ScimGroupFields,
  memberIds: readonly string[],
): Promise<ScimGroupRow> {
  const { db, organizationId, change, now } = context
  const connectionId = connectionOf(context)
  const id = uuidV7()
  if (memberIds.length > 0) await holdNewMembers(context, memberIds)
  const { seq, source_id: sourceId } = await appendGroup(db, organizationId, connectionId)
  const number = await numberChange(context, { count: 1, moved: false })
  await insertGroup(db, organizationId, {
    ...{ id, name: group.displayName, externalReferenceId: null, metadata: {} },
    ...{ createdSeq: number.seq, managedBy: sourceId, now },
  })
  const row = await insertScimGroup(db, organizationId, { ...group, id, connectionId, seq, now }).catch(
    groupConflict,
  )
  change.describe({ kind: 'group.created', groupId: id, sourceId })
  if (memberIds.length === 0) return row
  const projected = await projectJoining(context, id, memberIds)
  if (projected.due > 0) await requestGroupSync(context)
  return withCounts(row, projected)
}

function withCounts(row: ScimGroupRow, { member_count, version, updated_at }: Projected): ScimGroupRow {
  return {
    ...row,
    member_count: member_count ?? row.member_count,
    version: version ?? row.version,
    updated_at: updated_at ?? row.updated_at,
  }
}

/** How a group is to be; a field left out stays. */
export interface ScimGroupChange {
  readonly fields?: Partial<ScimGroupFields>
  readonly members?: MemberAssertion
}

/**
 * Changes a group in a fixed number of statements, whatever the number of members, there or in the change. What is
 * asserted is always stored; removals may be held by the brake (projection.ts).
 *
 * @param expectedVersion refuses (version.mismatch) if the group has moved on; absent: no check
 * @throws {DirectoryError} scim_group.not_found, scim_group.name_taken, scim_group.member_not_found,
 *   workspace.seats_exhausted, role.guest_limit, version.mismatch
 */
export async function changeScimGroup(
  context: Context,
  id: string,
  wanted: ScimGroupChange,
  expectedVersion?: number,
): Promise<ScimGroupRow> {
  const { db, organizationId, change, now } = context
  const locking = requireLockedScimGroup(context, id)
  const projecting = projectDirectly(context, id, wanted)
  // What the lock says comes first.
  projecting?.catch(() => {})
  const before = await locking
  requireVersion(before.version, expectedVersion)
  change.expectsUntouched = !context.isRetry && !before.gives_seats
  const fields = {
    displayName: wanted.fields?.displayName ?? before.display_name,
    externalId: wanted.fields?.externalId === undefined ? before.external_id : wanted.fields.externalId,
  }
  const isRenamed = fields.displayName !== before.display_name
  const isUpdated = isRenamed || fields.externalId !== before.external_id
  let due = 0
  if (isRenamed) await lockRoster(db, organizationId, connectionOf(context))
  if (isUpdated) {
    const displayNameKey = wanted.fields?.displayNameKey
    await updateScimGroup(db, organizationId, { ...fields, displayNameKey, id, now }).catch(groupConflict)
  }
  if (isRenamed) {
    await renameGroup(db, organizationId, { id, name: fields.displayName, now })
    due += await noteMembersOfGroup(db, organizationId, id)
  }
  const projected = (await projecting) ?? (await projectWanted(context, before, wanted.members))
  due += projected?.due ?? 0
  const isMoved = projected !== undefined && projected.moved > 0
  if (!isUpdated && !isMoved && change.opened + change.ended === 0) return before
  if (due > 0) await requestGroupSync(context)
  change.describe({
    kind: 'scim_group.provisioned',
    groupId: id,
    sourceId: before.source_id,
    detail: {
      ...(isUpdated ? { fields: [...(isRenamed ? ['name'] : []), ...externalIdOf(before, fields)] } : {}),
      ...(isMoved ? { moved: projected.moved } : {}),
      ...(projected?.heldBecause === undefined ? {} : { held: projected.heldBecause }),
    },
  })
  if (!isUpdated) return projected === undefined ? before : withCounts(before, projected)
  return await getScimGroup(context, id)
}

/** Some users join a group, or some leave it, and nothing else is wanted; undefined: it is not as simple. */
function projectDirectly(
  context: Context,
  id: string,
  { members, fields = {} }: ScimGroupChange,
): Promise<Projected | undefined> | undefined {
  if (members === undefined || members.replaces || Object.keys(fields).length > 0) return undefined
  const { added, removed } = members
  if (added.length === 0 && removed.length > 0) return projectLeaving(context, id, removed)
  // Who is likely to be in the group already is asked for.
  if (removed.length > 0 || added.length === 0 || context.isRetry) return undefined
  return projectJoining(context, id, added)
}

async function projectWanted(
  context: Context,
  group: LockedScimGroupRow,
  members: MemberAssertion | undefined,
): Promise<Projected | undefined> {
  return members === undefined || isNothing(members)
    ? undefined
    : await projectAssertion(context, group, members)
}

function externalIdOf(before: ScimGroupRow, after: { externalId: string | null }): string[] {
  return before.external_id === after.externalId ? [] : ['external_id']
}

const isNothing = ({ replaces, added, removed }: MemberAssertion) =>
  !replaces && added.length === 0 && removed.length === 0

/**
 * Deletes a group: what it gave ends, unless the brake holds that; its users stay.
 *
 * @param expectedVersion refuses (version.mismatch) if the group has moved on; absent: no check
 * @throws {DirectoryError} scim_group.not_found, version.mismatch
 */
export async function deleteScimGroup(context: Context, id: string, expectedVersion?: number): Promise<void> {
  const { db, organizationId, change, now } = context
  const connectionId = connectionOf(context)
  await lockGroupAgainstGrants(db, organizationId, id)
  const before = await requireLockedScimGroup(context, id)
  requireVersion(before.version, expectedVersion)
  const due = await noteMembersOfGroup(db, organizationId, id)
  // Before the name is free: whoever takes it next waits here, and not for the row.
  await leaveGroups(db, organizationId, connectionId)
  await deleteScimGroupRow(db, organizationId, id)
  const held = await holdDeletion(context, before)
  if (held === undefined) {
    const memberships = await endMembershipsOfGroup(db, organizationId, id, change.id)
    const roles = await endRoleGrantsOfGroup(db, organizationId, id, change.id)
    change.count({ ended: memberships + roles })
    await supersedeHeldProjections(context, { groupId: id, sourceId: before.source_id })
    await markGroupDeleted(db, organizationId, { id, deletedChange: change.id, now })
  }
  if (due > 0) await requestGroupSync(context)
  change.describe({
    kind: held === undefined ? 'group.deleted' : 'scim_group.provisioned',
    groupId: id,
    sourceId: before.source_id,
    ...(held === undefined ? { groupList: { count: -1, moved: true } } : { detail: { deleted: true, held } }),
  })
}

async function holdDeletion(context: Context, group: LockedScimGroupRow): Promise<string | undefined> {
  const brake = brakeOf(group.settings, 'scim')
  if (brake === undefined) return undefined
  const source = { groupId: group.id, sourceId: group.source_id }
  const losing = await countLiveMembershipsOfGroup(context.db, context.organizationId, source)
  const reason = await brakeReason(context, brake, group.source_id, losing)
  if (reason !== undefined) await holdProjection(context, source, reason)
  return reason
}
