import type { ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { type Target, type TargetColumns, targetColumns } from './target.ts'
import { findTarget } from './target-lookup.sql.ts'

/**
 * The workspace and the project of a target: what is held on either of them, or on the organization, holds on it.
 *
 * @param options.isPast asks about the past, which a deleted page has, too
 * @throws {DirectoryError} workspace.not_found, project.not_found, page.not_found
 */
export async function requireTarget(
  context: ReadContext,
  target: Target,
  options: { isPast: boolean } = { isPast: false },
): Promise<TargetColumns> {
  if (target.kind === 'organization') return targetColumns(target)
  const row = await findTarget(context.db, context.organizationId, target, options.isPast)
  if (row === undefined) throw targetNotFound(target)
  return { workspaceId: row.workspace_id, projectId: row.project_id, pageId: row.page_id }
}

export function targetNotFound(target: Target): DirectoryError {
  switch (target.kind) {
    case 'workspace':
      return new DirectoryError('workspace.not_found', 'There is no workspace with this slug.')
    case 'page':
      return new DirectoryError('page.not_found', 'There is no page with this id.')
    default:
      return new DirectoryError('project.not_found', 'There is no project with this id.')
  }
}
