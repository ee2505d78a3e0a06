import type { Database } from '../../platform/postgres/database.ts'
import { requirePermission } from '../access/permission.ts'
import type { ReadContext } from '../context.ts'
import { type Counted, POSITION_MAX } from '../position-page.ts'
import {
  countScimRequestRows,
  deleteOldScimRequests,
  listScimRequestRows,
  type ScimRequestFilter,
  type StoredScimRequest,
} from './request.sql.ts'

export type { ScimRequestFilter, StoredScimRequest } from './request.sql.ts'

export const anyScimRequest: ScimRequestFilter = {
  ...{ connectionId: null, userId: null, groupId: null, status: null },
  ...{ from: null, to: null, search: null },
}

/**
 * Who may read the requests of SCIM clients: they tell when who came and went, though not by name.
 *
 * @throws {DirectoryError} permission.denied
 */
export function requireScimRequestAccess(context: ReadContext): void {
  requirePermission(context.actor, 'identity_providers:write')
}

/**
 * One page of the requests of SCIM clients that are kept, the newest first. What a filter names and there is not
 * was asked about by nobody.
 *
 * @throws {DirectoryError} permission.denied
 */
export async function listScimRequests(
  context: ReadContext,
  filter: ScimRequestFilter,
  page: { beforeId: string | null; limit: number },
): Promise<StoredScimRequest[]> {
  requireScimRequestAccess(context)
  return await listScimRequestRows(context.db, context.organizationId, filter, { ...page, offset: 0 })
}

/** The same by position, with their number. @throws {DirectoryError} permission.denied */
export async function pageScimRequests(
  context: ReadContext,
  filter: ScimRequestFilter,
  page: { offset: number; limit: number },
): Promise<Counted<StoredScimRequest>> {
  requireScimRequestAccess(context)
  const { db, organizationId } = context
  const count = await countScimRequestRows(db, organizationId, filter, POSITION_MAX)
  const rows = await listScimRequestRows(db, organizationId, filter, { ...page, beforeId: null })
  return { rows, count }
}

/**
 * Forgets requests whose time is over: one batch at a time, so that a sweep stays short.
 *
 * @param days how long they are kept
 */
export async function forgetOldScimRequests(database: Database, days: number): Promise<void> {
  await deleteOldScimRequests(database, days)
}
