import { isDeepStrictEqual } from 'node:util'
import { violatedConstraint } from '../../platform/postgres/database.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import { requirePermissionOn } from '../access/authority.ts'
import { type Permission, requirePermission } from '../access/permission.ts'
import type { Context, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { applyClaimsToNewProject } from '../group-sync/apply.ts'
import { unknownAfter } from '../page.ts'
import { ORGANIZATION } from '../roles/target.ts'
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

export interface NewProject extends Pick<ProjectFields, 'name' | 'metadata'> {
  /** Absent: none. */
  description?: string | null
  /** Absent: public. */
  visibility?: ProjectFields['visibility']
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
 * Creates a project of a workspace or of the organization itself. Whose groups stand for a role on every project of
 * the workspace is on it at once.
 *
 * @throws {DirectoryError} workspace.not_found, request.invalid (a workspace's project without an identifier),
 *   project.identifier_taken (in the workspace, or among the organization's own), permission.denied
 */
export async function createProject(context: Context, input: NewProject): Promise<ProjectRow> {
  const { workspaceSlug, ...fields } = input
  if (workspaceSlug === null) requirePermission(context.actor, 'projects:write')
  const workspaceId = workspaceSlug === null ? null : await requireWorkspaceId(context, workspaceSlug)
  if (workspaceId !== null) {
    await requirePermissionOn(context, 'projects:write', { kind: 'workspace', id: workspaceId })
  }
  if (workspaceId !== null && input.identifier === null) {
    throw new DirectoryError('request.invalid', 'identifier is required for a project of a workspace.', {
      field: 'identifier',
    })
  }
  const row = await insertProject(context.db, context.organizationId, {
    description: null,
    visibility: 'public',
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
  await applyClaimsToNewProject(context, row)
  context.change.describe({ kind: 'project.created', detail: detailOf(row) })
  return row
}

function detailOf(project: ProjectRow): Record<string, unknown> {
  return { project: project.id, workspace: project.workspace_id }
}

/** What is not known is asked for on the whole organization. @throws {DirectoryError} permission.denied */
async function requirePermissionFor(
  context: ReadContext,
  permission: Permission,
  row: ProjectRow | undefined,
): Promise<void> {
  const target = row === undefined ? ORGANIZATION : ({ kind: 'project', id: row.id } as const)
  await requirePermissionOn(context, permission, target)
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
  const row = await findProject(context.db, context.organizationId, id)
  await requirePermissionFor(context, 'projects:read', row)
  return requireInPlace(row, await placeOf(context, workspaceSlug))
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
  const found = await lockProject(context.db, context.organizationId, id)
  await requirePermissionFor(context, 'projects:write', found)
  const before = requireInPlace(found, await placeOf(context, workspaceSlug))
  requireVersion(before.version, expectedVersion)
  requireActive(before)
  const fields: ProjectFields = {
    name: update.name ?? before.name,
    description: update.description === undefined ? before.description : update.description,
    visibility: update.visibility ?? before.visibility,
    metadata: update.metadata ?? before.metadata,
  }
  const { name, description, visibility, metadata } = before
  if (isDeepStrictEqual(fields, { name, description, visibility, metadata })) return before
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

/**
 * Archives a project and notes something in its metadata, as one change; one that is archived already gets the note.
 *
 * @throws as `archiveProject`
 */
export async function archiveProjectWithNote(
  context: Context,
  id: string,
  note: Readonly<Record<string, boolean>>,
): Promise<ProjectRow> {
  return await setArchived(context, id, true, undefined, note)
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
  note: Readonly<Record<string, boolean>> = {},
): Promise<ProjectRow> {
  const { db, organizationId, now } = context
  const found = await lockProjectAgainstGrants(db, organizationId, id)
  await requirePermissionFor(context, 'projects:write', found)
  const before = requireInPlace(found, undefined)
  requireVersion(before.version, expectedVersion)
  const metadata = { ...before.metadata, ...note }
  const isSo = (before.archived_at !== null) === archived
  if (isSo && isDeepStrictEqual(metadata, before.metadata)) return before
  const archivedAt = isSo ? before.archived_at : archived ? now : null
  const row = await markProjectArchived(db, organizationId, { id, archivedAt, metadata, now })
  context.change.describe({
    kind: archived ? 'project.archived' : 'project.unarchived',
    detail: detailOf(row),
  })
  return row
}
