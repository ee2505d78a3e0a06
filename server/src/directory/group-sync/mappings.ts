import { violatedConstraint } from '../../platform/postgres/database.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import { requireHeld, requirePermissionOn } from '../access/authority.ts'
import { requireTakenNotAbove } from '../access/rank.ts'
import type { Context, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { findProject } from '../projects/project.sql.ts'
import { requireMayGrantRole } from '../roles/assignment.ts'
import { permissionsOf } from '../roles/predefined.ts'
import { requireRole } from '../roles/role.ts'
import { requireTarget, targetNotFound } from '../roles/target-lookup.ts'
import { requireVersion } from '../version.ts'
import { lockConfig } from './config.sql.ts'
import { requireConfig, workspaceTarget } from './config.ts'
import {
  deleteDeadMappings,
  deleteMapping,
  findMapping,
  findMappingOfProject,
  insertMapping,
  listMappings as listMappingRows,
  type MappingFields,
  type MappingPage,
  type MappingRow,
  updateMapping as updateMappingRow,
} from './mapping.sql.ts'

export type { MappingRow } from './mapping.sql.ts'

export const IDP_GROUP_NAME_LENGTH_MAX = 255

/** Where a mapping gives its role: in the workspace, on one of its projects, or on all, later ones too. */
export type MappingPlace =
  | { readonly kind: 'workspace' }
  | { readonly kind: 'all_projects' }
  | { readonly kind: 'project'; readonly projectId: string }

export interface NewMapping {
  /** Compared exactly. */
  readonly idpGroupName: string
  readonly roleId: string
  readonly place: MappingPlace
}

/** Mappings of the workspace itself, or of its projects: two lists. */
export type MappingList = 'workspace' | 'projects'

const mappingNotFound = () =>
  new DirectoryError('group_sync_mapping.not_found', 'There is no group sync mapping with this id.')

function mappingConflict(error: unknown): never {
  if (violatedConstraint(error) !== 'group_sync_mapping_place') throw error
  throw new DirectoryError(
    'group_sync_mapping.taken',
    'The group is mapped there already: change that mapping.',
    {
      field: 'idp_group_name',
    },
  )
}

/**
 * Whoever maps a group to a role gives it to whom the identity provider puts there: it takes holding the role, for all
 * projects in the whole workspace.
 */
async function requireMayMap(context: Context, workspaceId: string, input: NewMapping): Promise<void> {
  const { place, roleId } = input
  if (place.kind === 'workspace') {
    await requireMayGrantRole(context, roleId, workspaceTarget(workspaceId))
    return
  }
  if (place.kind === 'project') {
    const project = await findProject(context.db, context.organizationId, place.projectId)
    if (project?.workspace_id !== workspaceId) throw targetNotFound({ kind: 'project', id: place.projectId })
    await requireMayGrantRole(context, roleId, { kind: 'project', id: place.projectId })
    return
  }
  const role = await requireRole(context, roleId)
  const isOfAll = role.project_id === null && (role.workspace_id ?? workspaceId) === workspaceId
  if (role.resource !== 'project' || !isOfAll) {
    throw new DirectoryError(
      'role.wrong_target',
      `The role ${role.name} is not for every project of the workspace.`,
      {
        field: 'role',
      },
    )
  }
  await requireHeld(context, permissionsOf(role), workspaceTarget(workspaceId))
}

/**
 * Whoever ends a mapping ends what it gives, from the next sync on: a mapping that makes owners is changed and deleted
 * by who might unmake them.
 *
 * @throws {DirectoryError} member.outranks
 */
async function requireMayUnmap(context: Context, row: MappingRow): Promise<void> {
  if (row.kind !== 'workspace') return
  await requireTakenNotAbove(context, [
    { key: row.role_key, resource: 'workspace', workspace_id: row.workspace_id },
  ])
}

function fieldsOf({ idpGroupName, roleId, place }: NewMapping): MappingFields {
  return {
    idpGroupName,
    roleId,
    kind: place.kind,
    projectId: place.kind === 'project' ? place.projectId : null,
  }
}

/** Opens a change of a workspace's mappings: running syncs end first. */
async function beginWrite(context: Context, workspaceId: string): Promise<string> {
  await requirePermissionOn(context, 'group_sync:write', workspaceTarget(workspaceId))
  const { source_id: sourceId } = await requireConfig(context, workspaceId)
  await lockConfig(context.db, context.organizationId, workspaceId)
  return sourceId
}

function describe(context: Context, what: string, sourceId: string, row: MappingRow): void {
  context.change.describe({
    kind: 'group_sync.configured',
    sourceId,
    detail: {
      workspace: row.workspace_id,
      what,
      mapping: row.id,
      idp_group_name: row.idp_group_name,
      role: row.role_id,
      on: row.kind,
      ...(row.project_id === null ? {} : { project: row.project_id }),
    },
  })
}

/**
 * Maps a group of the identity provider to a role. It applies from the next sync on.
 *
 * @throws {DirectoryError} workspace.not_found, project.not_found (also: of another workspace), role.not_found,
 *   role.wrong_target, role.permission_exceeded, member.outranks (a role above the actor's own),
 *   group_sync_mapping.taken, permission.denied
 */
export async function createMapping(
  context: Context,
  workspaceId: string,
  input: NewMapping,
): Promise<MappingRow> {
  const sourceId = await beginWrite(context, workspaceId)
  await requireMayMap(context, workspaceId, input)
  const { db, organizationId, now } = context
  const mapping = { ...fieldsOf(input), id: uuidV7(), workspaceId, now }
  await deleteDeadMappings(db, organizationId, mapping)
  await insertMapping(db, organizationId, mapping).catch(mappingConflict)
  const row = await requireMapping(context, workspaceId, listOf(input.place), mapping.id)
  describe(context, 'mapping_created', sourceId, row)
  return row
}

const listOf = (place: MappingPlace): MappingList => (place.kind === 'workspace' ? 'workspace' : 'projects')

async function requireMapping(
  context: ReadContext,
  workspaceId: string,
  list: MappingList,
  id: string,
): Promise<MappingRow> {
  const ofProjects = list === 'projects'
  const row = await findMapping(context.db, context.organizationId, { workspaceId, id, ofProjects })
  if (row === undefined) throw mappingNotFound()
  return row
}

/** @throws {DirectoryError} group_sync_mapping.not_found, permission.denied */
export async function getMapping(
  context: ReadContext,
  workspaceId: string,
  list: MappingList,
  id: string,
): Promise<MappingRow> {
  await requirePermissionOn(context, 'group_sync:read', workspaceTarget(workspaceId))
  return await requireMapping(context, workspaceId, list, id)
}

/**
 * The mapping of a group on one project, by what people call them: the project's identifier in any case, and the
 * group's exact name. A mapping of all projects is not found by one of them.
 *
 * @throws {DirectoryError} group_sync_mapping.not_found, permission.denied
 */
export async function findProjectMapping(
  context: ReadContext,
  workspaceId: string,
  by: { projectIdentifier: string; idpGroupName: string },
): Promise<MappingRow> {
  await requirePermissionOn(context, 'group_sync:read', workspaceTarget(workspaceId))
  const row = await findMappingOfProject(context.db, context.organizationId, { workspaceId, ...by })
  if (row === undefined) throw mappingNotFound()
  return row
}

/**
 * One page of mappings in the order of their creation.
 *
 * @param filter.project those of this very project, by its id or by its identifier in any case; null: all
 * @throws {DirectoryError} workspace.not_found, project.not_found (by its id), permission.denied
 */
export async function listMappings(
  context: ReadContext,
  workspaceId: string,
  list: MappingList,
  filter: MappingPage & { project: { id: string } | { identifier: string } | null },
): Promise<MappingRow[]> {
  const { db, organizationId } = context
  await requirePermissionOn(context, 'group_sync:read', workspaceTarget(workspaceId))
  await requireTarget(context, workspaceTarget(workspaceId))
  const { project, afterId, limit } = filter
  const projectId = project !== null && 'id' in project ? project.id : null
  if (projectId !== null) {
    const found = await findProject(db, organizationId, projectId)
    if (found?.workspace_id !== workspaceId) throw targetNotFound({ kind: 'project', id: projectId })
  }
  const projectIdentifier = project !== null && 'identifier' in project ? project.identifier : null
  return await listMappingRows(db, organizationId, {
    ...{ workspaceId, ofProjects: list === 'projects', projectId, projectIdentifier },
    ...{ afterId, limit },
  })
}

/**
 * Changes a mapping; a field left out stays. It applies from the next sync on.
 *
 * @throws {DirectoryError} group_sync_mapping.not_found, version.mismatch, what `createMapping` throws
 */
export async function updateMapping(
  context: Context,
  workspaceId: string,
  list: MappingList,
  id: string,
  update: { [Field in keyof NewMapping]?: NewMapping[Field] | undefined },
  expectedVersion?: number,
): Promise<MappingRow> {
  const sourceId = await beginWrite(context, workspaceId)
  const { db, organizationId, now } = context
  const before = await requireMapping(context, workspaceId, list, id)
  requireVersion(before.version, expectedVersion)
  const input: NewMapping = {
    idpGroupName: update.idpGroupName ?? before.idp_group_name,
    roleId: update.roleId ?? before.role_id,
    place: update.place ?? placeOf(before),
  }
  const fields = fieldsOf(input)
  const isMoved =
    fields.idpGroupName !== before.idp_group_name ||
    fields.kind !== before.kind ||
    fields.projectId !== before.project_id
  if (!isMoved && fields.roleId === before.role_id) return before
  await requireMayUnmap(context, before)
  await requireMayMap(context, workspaceId, input)
  if (isMoved) await deleteDeadMappings(db, organizationId, { ...fields, workspaceId })
  await updateMappingRow(db, organizationId, { ...fields, id, now }).catch(mappingConflict)
  const row = await requireMapping(context, workspaceId, list, id)
  describe(context, 'mapping_updated', sourceId, row)
  return row
}

function placeOf(row: MappingRow): MappingPlace {
  return row.kind === 'project' ? { kind: 'project', projectId: row.project_id! } : { kind: row.kind }
}

/**
 * Deletes a mapping. What it gave stays until a sync that may remove finds that nothing else gives it.
 *
 * @throws {DirectoryError} group_sync_mapping.not_found, version.mismatch, member.outranks (it gives a role above the
 *   actor's own), permission.denied
 */
export async function removeMapping(
  context: Context,
  workspaceId: string,
  list: MappingList,
  id: string,
  expectedVersion?: number,
): Promise<void> {
  const sourceId = await beginWrite(context, workspaceId)
  const before = await requireMapping(context, workspaceId, list, id)
  requireVersion(before.version, expectedVersion)
  await requireMayUnmap(context, before)
  await deleteMapping(context.db, context.organizationId, id)
  describe(context, 'mapping_deleted', sourceId, before)
}
