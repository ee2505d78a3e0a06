import { isDeepStrictEqual } from 'node:util'
import { violatedConstraint } from '../../platform/postgres/database.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import { requirePermission } from '../access/permission.ts'
import { numberChange } from '../changes/change.ts'
import { countUsedSeats } from '../changes/invariants.sql.ts'
import type { Context, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { requireVersion } from '../version.ts'
import {
  findWorkspace,
  insertWorkspace,
  listWorkspaces as listWorkspaceRows,
  lockWorkspace,
  updateWorkspace as updateWorkspaceRow,
  type WorkspaceFields,
  type WorkspaceRow,
} from './workspace.sql.ts'

export type { WorkspaceRow } from './workspace.sql.ts'

/** Creates a workspace. @throws {DirectoryError} workspace.slug_taken (on the whole server), permission.denied */
export async function createWorkspace(
  context: Context,
  input: WorkspaceFields & { slug: string },
): Promise<WorkspaceRow> {
  requirePermission(context.actor, 'workspaces:write')
  const row = await insertWorkspace(context.db, context.organizationId, {
    ...input,
    id: uuidV7(),
    now: context.now,
  }).catch((error: unknown) => {
    if (violatedConstraint(error) !== 'workspace_slug') throw error
    throw new DirectoryError('workspace.slug_taken', 'Another workspace has this slug.', { field: 'slug' })
  })
  context.change.describe({ kind: 'workspace.created', detail: { workspace: row.id, slug: row.slug } })
  return row
}

function workspaceNotFound(): DirectoryError {
  return new DirectoryError('workspace.not_found', 'There is no workspace with this slug.')
}

/** @throws {DirectoryError} workspace.not_found, permission.denied */
export async function getWorkspace(context: ReadContext, slug: string): Promise<WorkspaceRow> {
  requirePermission(context.actor, 'workspaces:read')
  const row = await findWorkspace(context.db, context.organizationId, slug)
  if (row === undefined) throw workspaceNotFound()
  return row
}

/** One page of workspaces in the order of their creation. @throws {DirectoryError} permission.denied */
export async function listWorkspaces(
  context: ReadContext,
  page: { afterId: string | null; limit: number },
): Promise<WorkspaceRow[]> {
  requirePermission(context.actor, 'workspaces:read')
  return await listWorkspaceRows(context.db, context.organizationId, page)
}

/**
 * Changes a workspace's fields; a field left out stays.
 *
 * @throws {DirectoryError} workspace.not_found, version.mismatch, workspace.seats_exhausted (fewer than are taken),
 *   permission.denied
 */
export async function updateWorkspace(
  context: Context,
  slug: string,
  update: { [Field in keyof WorkspaceFields]?: WorkspaceFields[Field] | undefined },
  expectedVersion?: number,
): Promise<WorkspaceRow> {
  requirePermission(context.actor, 'workspaces:write')
  const before = await lockWorkspace(context.db, context.organizationId, slug)
  if (before === undefined) throw workspaceNotFound()
  requireVersion(before.version, expectedVersion)
  const fields = {
    name: update.name ?? before.name,
    metadata: update.metadata ?? before.metadata,
    purchasedSeats: update.purchasedSeats === undefined ? before.purchased_seats : update.purchasedSeats,
  }
  const same =
    fields.name === before.name &&
    fields.purchasedSeats === before.purchased_seats &&
    isDeepStrictEqual(fields.metadata, before.metadata)
  if (same) return before
  if (fields.purchasedSeats !== null && fields.purchasedSeats !== before.purchased_seats) {
    // Under the counter, as whoever takes a seat: neither misses the other.
    await numberChange(context)
    const used = await countUsedSeats(context.db, context.organizationId, before.id)
    if (used > fields.purchasedSeats) {
      throw new DirectoryError('workspace.seats_exhausted', `${used} seats are taken by now.`, {
        field: 'purchased_seats',
        context: { used_seats: used },
      })
    }
  }
  const row = await updateWorkspaceRow(context.db, context.organizationId, {
    ...fields,
    id: before.id,
    now: context.now,
  })
  context.change.describe({ kind: 'workspace.updated', detail: { workspace: row.id, slug } })
  return row
}
