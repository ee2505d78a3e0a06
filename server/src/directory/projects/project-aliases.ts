import type { ReadContext } from '../context.ts'
import { findProjectsByAlias, listProjectAliases } from './project.sql.ts'

/** A UUID that no project has: what an unknown alias stands for. */
const NO_PROJECT = '00000000-0000-0000-0000-000000000000'

/**
 * The number of each project, by its id, for dialects that know projects by a number. Asks for no permission beside
 * that of what names the projects.
 */
export async function projectAliases(
  context: ReadContext,
  ids: readonly (string | null)[],
): Promise<Map<string, number>> {
  const wanted = [...new Set(ids.filter((id) => id !== null))]
  const rows = await listProjectAliases(context.db, context.organizationId, wanted)
  return new Map(rows.map(({ id, alias }) => [id, alias]))
}

/**
 * Tells the ids behind the numbers that a request names projects by. An unknown one stands for a project that is not
 * there, so that the operation itself refuses it (project.not_found), after it has asked who may.
 *
 * @param aliases whole numbers that a double holds exactly
 */
export async function projectsOfAliases(
  context: ReadContext,
  aliases: readonly number[],
): Promise<(alias: number) => string> {
  const rows = await findProjectsByAlias(context.db, context.organizationId, [...new Set(aliases)])
  const ids = new Map(rows.map(({ id, alias }) => [alias, id]))
  return (alias) => ids.get(alias) ?? NO_PROJECT
}
