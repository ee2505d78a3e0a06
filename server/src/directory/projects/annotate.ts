import { requirePermission } from '../access/permission.ts'
import type { Context } from '../context.ts'
import { lockProject } from './project.sql.ts'
import { type ProjectRow, requireProject, updateProject } from './project.ts'

/**
 * Sets entries of a project's metadata, and leaves out those that are null; the others stay.
 *
 * @param name its new name; absent: it stays
 * @throws {DirectoryError} what `updateProject` throws
 */
export async function annotateProject(
  context: Context,
  id: string,
  entries: Readonly<Record<string, string | null>>,
  name?: string,
): Promise<ProjectRow> {
  requirePermission(context.actor, 'projects:write')
  // Read under the lock, so that no entry of another change is lost.
  await lockProject(context.db, context.organizationId, id)
  const before = await requireProject(context, id)
  const merged = Object.entries({ ...before.metadata, ...entries }).filter(
    ([key, value]) => value !== null || !(key in entries),
  )
  return await updateProject(context, id, { name, metadata: Object.fromEntries(merged) })
}
