import { requirePermission } from '../access/permission.ts'
import type { ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { type ChangeRow, findChange, listChanges as listChangeRows } from './change.sql.ts'
import { type Effects, readEffects } from './effects.ts'

export type { ChangeRow } from './change.sql.ts'

/** @throws {DirectoryError} change.not_found, permission.denied */
export async function getChange(context: ReadContext, id: string): Promise<ChangeRow> {
  requirePermission(context.actor, 'changes:read')
  const row = await findChange(context.db, context.organizationId, id)
  if (row === undefined) throw new DirectoryError('change.not_found', 'There is no change with this id.')
  return row
}

/** What a change opened and ended: the counts, and its first grants or a page of them. */
export async function readChangeEffects(
  context: ReadContext,
  change: ChangeRow,
  page?: { offset: number; limit: number },
): Promise<Effects> {
  return await readEffects(context.db, context.organizationId, change.id, page)
}

/**
 * One page of the change feed. Numbers have no gaps and rise with commits: who has seen a number has seen
 * everything before it.
 *
 * @throws {DirectoryError} permission.denied
 */
export async function listChanges(
  context: ReadContext,
  filter: Parameters<typeof listChangeRows>[2],
): Promise<ChangeRow[]> {
  requirePermission(context.actor, 'changes:read')
  return await listChangeRows(context.db, context.organizationId, filter)
}
