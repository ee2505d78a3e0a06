import { isDeepStrictEqual } from 'node:util'
import { uuidV7 } from '../../platform/uuid.ts'
import { requirePermissionOn } from '../access/authority.ts'
import { numberChange } from '../changes/change.ts'
import type { Context, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { endMembershipsOfGroup } from '../grants/group-membership.sql.ts'
import { endRoleGrantsOfGroup } from '../grants/role-grant.sql.ts'
import {
  groupIsDeletedBy,
  insertGroup,
  lockGroupAgainstGrants,
  markGroupDeleted,
  updateGroup,
} from '../groups/group.sql.ts'
import type { Target } from '../roles/target.ts'
import { requireVersion } from '../version.ts'
import {
  countTeamspaces,
  findTeamspace,
  insertTeamspace,
  type ListPage,
  listTeamspaces as listTeamspaceRows,
  lockTeamspace,
  type TeamspaceFields,
  type TeamspaceRow,
  updateTeamspaceFields,
} from './teamspace.sql.ts'
import { requireInWorkspace } from './workspace-presence.ts'

export type { TeamspaceRow } from './teamspace.sql.ts'

export const TEAMSPACE_NAME_LENGTH_MAX = 255

export interface NewTeamspace extends TeamspaceFields {
  readonly name: string
}

/**
 * A teamspace is a group of a workspace: its members are memberships of the group, its projects are roles of the
 * group on them. So everything that is said of groups holds for it: sources, ends, explanations, undo.
 */
export const onWorkspace = (id: string): Target => ({ kind: 'workspace', id })

/** What the changes of a teamspace tell. */
export function detailOf(row: Pick<TeamspaceRow, 'id' | 'workspace_id'>): Record<string, unknown> {
  return { teamspace: row.id, workspace: row.workspace_id }
}

/**
 * Creates a teamspace.
 *
 * @param workspaceId of a workspace that is there
 * @throws {DirectoryError} workspace.not_member (the lead is not in the workspace), permission.denied
 */
export async function createTeamspace(
  context: Context,
  workspaceId: string,
  input: NewTeamspace,
): Promise<TeamspaceRow> {
  await requirePermissionOn(context, 'teamspaces:write', onWorkspace(workspaceId))
  const { db, organizationId, now } = context
  // Before the number: whoever is removing the lead takes one, too.
  if (input.leadId !== null) await requireInWorkspace(context, workspaceId, [input.leadId], () => 'lead')
  const { seq } = await numberChange(context)
  const id = uuidV7()
  const group = { name: input.name, externalReferenceId: null, metadata: {} }
  await insertGroup(db, organizationId, { ...group, id, createdSeq: seq, now, kind: 'teamspace' })
  await insertTeamspace(db, organizationId, { ...input, id, workspaceId })
  const row = await requireTeamspace(context, workspaceId, id)
  context.change.describe({ kind: 'teamspace.created', groupId: id, detail: detailOf(row) })
  return row
}

/** @throws {DirectoryError} teamspace.not_found */
export async function requireTeamspace(
  context: ReadContext,
  workspaceId: string,
  id: string,
): Promise<TeamspaceRow> {
  const row = await findTeamspace(context.db, context.organizationId, workspaceId, id)
  if (row === undefined) {
    throw new DirectoryError('teamspace.not_found', 'There is no teamspace with this id.')
  }
  return row
}

/** @throws {DirectoryError} teamspace.not_found, permission.denied */
export async function getTeamspace(
  context: ReadContext,
  workspaceId: string,
  id: string,
): Promise<TeamspaceRow> {
  await requirePermissionOn(context, 'teamspaces:read', onWorkspace(workspaceId))
  return await requireTeamspace(context, workspaceId, id)
}

/** One page of the teamspaces of a workspace in the order of their creation. @throws permission.denied */
export async function listTeamspaces(
  context: ReadContext,
  workspaceId: string,
  page: Pick<ListPage, 'afterId' | 'limit'>,
): Promise<TeamspaceRow[]> {
  await requirePermissionOn(context, 'teamspaces:read', onWorkspace(workspaceId))
  return await listTeamspaceRows(context.db, context.organizationId, workspaceId, page)
}

/** A page of a list that is paged by number. */
export interface NumberedPage<Row> {
  readonly rows: Row[]
  readonly total: number
}

/** As `listTeamspaces`, from a position, with the number of all. @throws {DirectoryError} permission.denied */
export async function pageTeamspaces(
  context: ReadContext,
  workspaceId: string,
  offset: number,
  limit: number,
): Promise<NumberedPage<TeamspaceRow>> {
  await requirePermissionOn(context, 'teamspaces:read', onWorkspace(workspaceId))
  const { db, organizationId } = context
  const total = await countTeamspaces(db, organizationId, workspaceId)
  const page = { afterId: null, offset, limit }
  return { rows: await listTeamspaceRows(db, organizationId, workspaceId, page), total }
}

/**
 * Changes a teamspace's fields; a field left out stays, null takes the lead away.
 *
 * @throws {DirectoryError} teamspace.not_found, workspace.not_member (the lead is not in the workspace),
 *   version.mismatch, permission.denied
 */
export async function updateTeamspace(
  context: Context,
  workspaceId: string,
  id: string,
  update: { [Field in keyof NewTeamspace]?: NewTeamspace[Field] | undefined },
  expectedVersion?: number,
): Promise<TeamspaceRow> {
  await requirePermissionOn(context, 'teamspaces:write', onWorkspace(workspaceId))
  const { db, organizationId, now } = context
  await lockTeamspace(db, organizationId, id)
  const before = await requireTeamspace(context, workspaceId, id)
  requireVersion(before.version, expectedVersion)
  const { lead_id: leadId, name, description, logo } = before
  const kept = { name, leadId, description, logo }
  const fields = (['name', 'leadId', 'description', 'logo'] as const).filter(
    (field) => update[field] !== undefined && !isDeepStrictEqual(update[field], kept[field]),
  )
  if (fields.length === 0) return before
  const after = { ...kept, ...Object.fromEntries(fields.map((field) => [field, update[field]])) }
  if (fields.includes('leadId') && after.leadId !== null) {
    await requireInWorkspace(context, workspaceId, [after.leadId], () => 'lead')
  }
  const group = { id, name: after.name, externalReferenceId: null, metadata: {}, now }
  await updateGroup(db, organizationId, group)
  await updateTeamspaceFields(db, organizationId, { ...after, id })
  const changed = fields.map((field) => (field === 'leadId' ? 'lead' : field))
  context.change.describe({
    kind: 'teamspace.updated',
    groupId: id,
    detail: { ...detailOf(before), fields: changed },
  })
  return await requireTeamspace(context, workspaceId, id)
}

/**
 * Deletes a teamspace: ends its memberships and its roles on projects, in one change that can be undone.
 *
 * @param expectedVersion refuses (version.mismatch) if the row has moved on; absent: no check
 * @throws {DirectoryError} teamspace.not_found, version.mismatch, permission.denied
 */
export async function deleteTeamspace(
  context: Context,
  workspaceId: string,
  id: string,
  expectedVersion?: number,
): Promise<void> {
  await requirePermissionOn(context, 'teamspaces:write', onWorkspace(workspaceId))
  const { db, organizationId, change, now } = context
  await requireTeamspace(context, workspaceId, id)
  await lockGroupAgainstGrants(db, organizationId, id)
  const before = await requireTeamspace(context, workspaceId, id)
  requireVersion(before.version, expectedVersion)
  const memberships = await endMembershipsOfGroup(db, organizationId, id, change.id)
  const roles = await endRoleGrantsOfGroup(db, organizationId, id, change.id)
  change.count({ ended: memberships + roles })
  await markGroupDeleted(db, organizationId, { id, deletedChange: change.id, now })
  change.describe({ kind: 'teamspace.deleted', groupId: id, detail: detailOf(before) })
}

/** Takes a deletion back, for the undo of the change that made it. False if it is not deleted by it. */
export async function restoreTeamspace(
  context: Context,
  id: string,
  deletedChange: string,
): Promise<boolean> {
  const { db, organizationId, now } = context
  await lockGroupAgainstGrants(db, organizationId, id)
  if (!(await groupIsDeletedBy(db, organizationId, id, deletedChange))) return false
  await markGroupDeleted(db, organizationId, { id, deletedChange: null, now })
  return true
}
