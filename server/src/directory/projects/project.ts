import { isDeepStrictEqual } from 'node:util'
import { violatedConstraint } from '../../platform/postgres/database.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import { requirePermission } from '../access/permission.ts'
import type { Context, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { requireVersion } from '../version.ts'
import { findWorkspace } from '../workspaces/workspace.sql.ts'
import {
  findProject,
  insertProject,
  listProjects as listProjectRows,
  lockProject,
  type ProjectFields,
  type ProjectRow,
  updateProject as updateProjectRow,
} from './project.sql.ts'

export type { ProjectRow } from './project.sql.ts'

async function requireWorkspaceId(context: ReadContext, slug: string): Promise<string> {
  const workspace = await findWorkspace(context.db, context.organizationId, slug)
  if (workspace === undefined) {
    throw new DirectoryError('workspace.not_found', 'There is no workspace with this slug.')
  }
  return workspace.id
}

function projectNotFound(): DirectoryError {
  return new DirectoryError('project.not_found', 'There is no project with this id in this workspace.')
}

/**
 * Creates a project.
 *
 * @throws {DirectoryError} workspace.not_found, project.identifier_taken (in the workspace), permission.denied
 */
export async function createProject(
  context: Context,
  workspaceSlug: string,
  input: ProjectFields & { identifier: string },
): Promise<ProjectRow> {
  requirePermission(context.actor, 'projects:write')
  const workspaceId = await requireWorkspaceId(context, workspaceSlug)
  const row = await insertProject(context.db, context.organizationId, {
    ...input,
    id: uuidV7(),
    workspaceId,
    now: context.now,
  }).catch((error: unknown) => {
    if (violatedConstraint(error) !== 'project_identifier') throw error
    throw new DirectoryError(
      'project.identifier_taken',
      'Another project of the workspace has this identifier.',
      { field: 'identifier' },
    )
  })
  context.change.describe({ kind: 'project.created', detail: { project: row.id, workspace: workspaceId } })
  return row
}

/** @throws {DirectoryError} workspace.not_found, project.not_found, permission.denied */
export async function getProject(
  context: ReadContext,
  workspaceSlug: string,
  id: string,
): Promise<ProjectRow> {
  requirePermission(context.actor, 'projects:read')
  const workspaceId = await requireWorkspaceId(context, workspaceSlug)
  const row = await findProject(context.db, context.organizationId, workspaceId, id)
  if (row === undefined) throw projectNotFound()
  return row
}

/** One page of a workspace's projects in the order of their creation. */
export async function listProjects(
  context: ReadContext,
  workspaceSlug: string,
  page: { afterId: string | null; limit: number },
): Promise<ProjectRow[]> {
  requirePermission(context.actor, 'projects:read')
  const workspaceId = await requireWorkspaceId(context, workspaceSlug)
  return await listProjectRows(context.db, context.organizationId, workspaceId, page)
}

/**
 * Changes a project's fields; a field left out stays.
 *
 * @throws {DirectoryError} workspace.not_found, project.not_found, version.mismatch, permission.denied
 */
export async function updateProject(
  context: Context,
  workspaceSlug: string,
  id: string,
  update: { [Field in keyof ProjectFields]?: ProjectFields[Field] | undefined },
  expectedVersion?: number,
): Promise<ProjectRow> {
  requirePermission(context.actor, 'projects:write')
  const workspaceId = await requireWorkspaceId(context, workspaceSlug)
  const before = await lockProject(context.db, context.organizationId, workspaceId, id)
  if (before === undefined) throw projectNotFound()
  requireVersion(before.version, expectedVersion)
  const fields = { name: update.name ?? before.name, metadata: update.metadata ?? before.metadata }
  if (fields.name === before.name && isDeepStrictEqual(fields.metadata, before.metadata)) {
    return before
  }
  const row = await updateProjectRow(context.db, context.organizationId, { ...fields, id, now: context.now })
  context.change.describe({ kind: 'project.updated', detail: { project: id, workspace: workspaceId } })
  return row
}
