import type { Context } from '../context.ts'
import { lockProject, type ProjectFields } from './project.sql.ts'
import { type ProjectRow, updateProject } from './project.ts'

/**
 * Sets entries of a project's metadata, and leaves out those that are null; the others stay.
 *
 * @param fields of it to be changed as well; absent ones stay
 * @throws {DirectoryError} what `updateProject` throws
 */
export async function annotateProject(
  context: Context,
  id: string,
  entries: Readonly<Record<string, string | number | boolean | null>>,
  fields: { [Field in Exclude<keyof ProjectFields, 'metadata'>]?: ProjectFields[Field] | undefined } = {},
): Promise<ProjectRow> {
  // Read under the lock, so that no entry of another change is lost.
  const before = await lockProject(context.db, context.organizationId, id)
  const merged = Object.entries({ ...before?.metadata, ...entries }).filter(
    ([key, value]) => value !== null || !Object.hasOwn(entries, key),
  )
  return await updateProject(context, id, { ...fields, metadata: Object.fromEntries(merged) })
}
