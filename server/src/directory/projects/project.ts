import { isDeepStrictEqual } from 'node:util'
import { violatedConstraint } from '../../platform/postgres/database.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import { requirePermission } from '../access/permission.ts'
import type { Context, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { unknownAfter } from '../page.ts'
import { requireVersion } from '../version.ts'
import { findWorkspace } from '../workspaces/workspace.sql.ts'
import {
  findProject,
  holdProjects,
  insertProject,
  listProjects as listProjectRows,
  listProjectsOfWorkspace,
  lockProject,
  lockProjectAgainstGrants,
  markProjectArchived,
  type ProjectFields,
  type ProjectPage,
  type ProjectRow,
  updateProject as updateProjectRow,
} from './project.sql.ts'

export type { ProjectRow } from './project.sql.ts'

export const PROJECT_NAME_LENGTH_MAX = 255

export interface NewProject extends ProjectFields {
  /** Null: the project belongs to the organization itself. */
  workspaceSlug: string | null
  /** Null is for projects of the organization only. */
  identifier: string | null
}

async function requireWorkspaceId(context: ReadContext, slug: string): Promise<string> {
  const workspace = await findWorkspace(context.db, context.organizationId, slug)
  if (workspace === undefined) {
    throw new DirectoryError('workspace.not_found', 'There is no workspace with this slug.')
  }
  return workspace.id
}

export function projectNotFound(): DirectoryError {
  return new DirectoryError('project.not_found', 'There is no project with this id.')
}

/**
 * Creates a project of a workspace or of the organization itself.
 *
 * @throws {DirectoryError} workspace.not_found, request.invalid (a workspace's project without an identifier),
 *   project.identifier_taken (in the workspace, or among the organization's own), permission.denied
 */
export async function createProject(context: Context, input: NewProject): Promise<ProjectRow> {
  requirePermission(context.actor, 'projects:write')
  const { workspaceSlug, ...fields } = input
  const workspaceId = workspaceSlug === null ? null : await requireWorkspaceId(context, workspaceSlug)
  if (workspaceId !== null && input.identifier === null) {
    throw new DirectoryError('request.invalid', 'identifier is required for a project of a workspace.', {
      field: 'identifier',
    })
  }
  const row = await insertProject(context.db, context.organizationId, {
    ...fields,
    id: uuidV7(),
    workspaceId,
    now: context.now,
  }).catch((error: unknown) => {
    if (violatedConstraint(error) !== 'project_identifier') throw error
    const owner = workspaceId === null ? 'organization' : 'workspace'
    throw new DirectoryError(
      'project.identifier_taken',
      `Another project of the ${owner} has this identifier.`,
      { field: 'identifier' },
    )
  })
  context.change.describe({ kind: 'project.created', detail: detailOf(row) })
  return row
}

function detailOf(project: ProjectRow): Record<string, unknown> {
  return { project: project.id, workspace: project.workspace_id }
}

/** A project, archived or not. @throws {DirectoryError} project.not_found */
export async function requireProject(context: ReadContext, id: string): Promise<ProjectRow> {
  const row = await findProject(context.db, context.organizationId, id)
  if (row === undefined) throw projectNotFound()
  return row
}

/**
 * A project that is not archived, and that nobody archives before COMMIT.
 *
 * @throws {DirectoryError} project.not_found, project.archived
 */
export async function requireActiveProject(context: Context, id: string): Promise<ProjectRow> {
  const [row] = await requireActiveProjects(context, [id])
  return row!
}

/** As `requireActiveProject`, for any number of ids in one statement. */
export async function requireActiveProjects(context: Context, ids: readonly string[]): Promise<ProjectRow[]> {
  const rows = await holdProjects(context.db, context.organizationId, ids)
  if (rows.length < new Set(ids).size) throw projectNotFound()
  for (const row of rows) requireActive(row)
  return rows
}

/** @throws {DirectoryError} project.archived */
export function requireActive(project: ProjectRow): void {
  if (project.archived_at === null) return
  throw new DirectoryError('project.archived', 'The project is archived: unarchive it first.')
}

/**
 * @param workspaceSlug refuses a project that is not of this workspace; absent: any
 * @throws {DirectoryError} workspace.not_found, project.not_found, permission.denied
 */
export async function getProject(
  context: ReadContext,
  id: string,
  workspaceSlug?: string,
): Promise<ProjectRow> {
  requirePermission(context.actor, 'projects:read')
  const workspaceId = await placeOf(context, workspaceSlug)
  return requireInPlace(await findProject(context.db, context.organizationId, id), workspaceId)
}

async function placeOf(context: ReadContext, workspaceSlug: string | undefined) {
  return workspaceSlug === undefined ? undefined : await requireWorkspaceId(context, workspaceSlug)
}

function requireInPlace(row: ProjectRow | undefined, workspaceId: string | undefined): ProjectRow {
  const fits = workspaceId === undefined || row?.workspace_id === workspaceId
  if (row === undefined || !fits) throw projectNotFound()
  return row
}

/**
 * One page of projects in the order of their creation, of the whole organization or of one workspace.
 *
 * @throws {DirectoryError} workspace.not_found, request.invalid (`afterId` is no project of the organization),
 *   permission.denied
 */
export async function listProjects(
  context: ReadContext,
  filter: ProjectPage & { workspaceSlug: string | null },
): Promise<ProjectRow[]> {
  requirePermission(context.actor, 'projects:read')
  const { db, organizationId } = context
  const { workspaceSlug, ...page } = filter
  const { afterId } = page
  if (afterId !== null && (await findProject(db, organizationId, afterId)) === undefined) throw unknownAfter()
  if (workspaceSlug === null) return await listProjectRows(db, organizationId, page)
  const workspaceId = await requireWorkspaceId(context, workspaceSlug)
  return await listProjectsOfWorkspace(db, organizationId, workspaceId, page)
}

/**
 * Changes a project's fields; a field left out stays.
 *
 * @param workspaceSlug refuses a project that is not of this workspace; absent: any
 * @throws {DirectoryError} workspace.not_found, project.not_found, project.archived, version.mismatch,
 *   permission.denied
 */
export async function updateProject(
  context: Context,
  id: string,
  update: { [Field in keyof ProjectFields]?: ProjectFields[Field] | undefined },
  expectedVersion?: number,
  workspaceSlug?: string,
): Promise<ProjectRow> {
  requirePermission(context.actor, 'projects:write')
  const workspaceId = await placeOf(context, workspaceSlug)
  const before = requireInPlace(await lockProject(context.db, context.organizationId, id), workspaceId)
  requireVersion(before.version, expectedVersion)
  requireActive(before)
  const fields = { name: update.name ?? before.name, metadata: update.metadata ?? before.metadata }
  if (fields.name === before.name && isDeepStrictEqual(fields.metadata, before.metadata)) {
    return before
  }
  const row = await updateProjectRow(context.db, context.organizationId, { ...fields, id, now: context.now })
  context.change.describe({ kind: 'project.updated', detail: detailOf(row) })
  return row
}

/**
 * Archives a project: it is shown on request only, cannot be changed and takes no new grants. Nothing changes if
 * it is archived already.
 *
 * @param expectedVersion refuses (version.mismatch) if the row has moved on; absent: no check
 * @throws {DirectoryError} project.not_found, version.mismatch, permission.denied
 */
export async function archiveProject(
  context: Context,
  id: string,
  expectedVersion?: number,
): Promise<ProjectRow> {
  return await setArchived(context, id, true, expectedVersion)
}

/** Brings an archived project back. Nothing changes if it is not archived. @throws as `archiveProject` */
export async function unarchiveProject(
  context: Context,
  id: string,
  expectedVersion?: number,
): Promise<ProjectRow> {
  return await setArchived(context, id, false, expectedVersion)
}

async function setArchived(
  context: Context,
  id: string,
  archived: boolean,
  expectedVersion: number | undefined,
): Promise<ProjectRow> {
  requirePermission(context.actor, 'projects:write')
  const { db, organizationId, now } = context
  const before = requireInPlace(await lockProjectAgainstGrants(db, organizationId, id), undefined)
  requireVersion(before.version, expectedVersion)
  if ((before.archived_at !== null) === archived) return before
  const row = await markProjectArchived(db, organizationId, { id, archivedAt: archived ? now : null, now })
  context.change.describe({
    kind: archived ? 'project.archived' : 'project.unarchived',
    detail: detailOf(row),
  })
  return row
}
