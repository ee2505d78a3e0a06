import { isDeepStrictEqual } from 'node:util'
import { requirePermissionOn } from '../access/authority.ts'
import type { Context } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { ORGANIZATION } from '../roles/target.ts'
import { lockWorkspace, updateWorkspace, type WorkspaceRow } from './workspace.sql.ts'

/**
 * Sets entries of a workspace's metadata; the others stay. Who administers the workspace alone may do so, too.
 *
 * @throws {DirectoryError} workspace.not_found, permission.denied
 */
export async function annotateWorkspace(
  context: Context,
  slug: string,
  entries: Readonly<Record<string, string | number | boolean>>,
): Promise<WorkspaceRow> {
  const { db, organizationId, now } = context
  const before = await lockWorkspace(db, organizationId, slug)
  const target = before === undefined ? ORGANIZATION : ({ kind: 'workspace', id: before.id } as const)
  await requirePermissionOn(context, 'workspaces:write', target)
  if (before === undefined) {
    throw new DirectoryError('workspace.not_found', 'There is no workspace with this slug.')
  }
  const metadata = { ...before.metadata, ...entries }
  if (isDeepStrictEqual(metadata, before.metadata)) return before
  const { id, name, purchased_seats: purchasedSeats } = before
  const row = await updateWorkspace(db, organizationId, { id, name, purchasedSeats, metadata, now })
  context.change.describe({ kind: 'workspace.updated', detail: { workspace: id, slug } })
  return row
}
