import type { ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import type { Target, TargetColumns } from './target.ts'
import { findTarget } from './target-lookup.sql.ts'

/**
 * The workspace and the project of a target: what is held on either of them, or on the organization, holds on it.
 *
 * @throws {DirectoryError} workspace.not_found, project.not_found
 */
export async function requireTarget(context: ReadContext, target: Target): Promise<TargetColumns> {
  if (target.kind === 'organization') return { workspaceId: null, projectId: null }
  const row = await findTarget(context.db, context.organizationId, target)
  if (row === undefined) throw targetNotFound(target)
  return { workspaceId: row.workspace_id, projectId: row.project_id }
}

export function targetNotFound(target: Target): DirectoryError {
  return target.kind === 'workspace'
    ? new DirectoryError('workspace.not_found', 'There is no workspace with this slug.')
    : new DirectoryError('project.not_found', 'There is no project with this id.')
}
