import { requirePermissionOn } from '../access/authority.ts'
import type { ReadContext } from '../context.ts'
import { roleNotFound } from './role.ts'
import { listWorkspaceRoles, type RankedRoleRow } from './role-page.sql.ts'

export type { RankedRoleRow } from './role-page.sql.ts'

export type WorkspaceRoleKind = 'workspace' | 'project'
const KINDS: readonly WorkspaceRoleKind[] = ['workspace', 'project']

/** More roles than a workspace has. */
const LIMIT_MAX = 10_000

/**
 * The page of the roles of a workspace and of its projects that starts at a position: projects' first, each kind by
 * rank and name.
 *
 * @param kind null: both
 * @throws {DirectoryError} permission.denied
 */
export async function pageWorkspaceRoles(
  context: ReadContext,
  workspaceId: string,
  kind: WorkspaceRoleKind | null,
  page: { offset: number; limit: number },
): Promise<{ rows: RankedRoleRow[]; total: number }> {
  await requirePermissionOn(context, 'roles:read', { kind: 'workspace', id: workspaceId })
  const filter = { resources: kind === null ? KINDS : [kind], id: null }
  const { db, organizationId } = context
  const rows = await listWorkspaceRoles(db, organizationId, workspaceId, filter, page)
  const [first] = rows
  if (first !== undefined) return { rows, total: first.total }
  if (page.offset === 0) return { rows, total: 0 }
  const [any] = await listWorkspaceRoles(db, organizationId, workspaceId, filter, { offset: 0, limit: 1 })
  return { rows, total: any?.total ?? 0 }
}

/** One of them. @throws {DirectoryError} role.not_found, permission.denied */
export async function getWorkspaceRole(
  context: ReadContext,
  workspaceId: string,
  id: string,
): Promise<RankedRoleRow> {
  await requirePermissionOn(context, 'roles:read', { kind: 'workspace', id: workspaceId })
  const { db, organizationId } = context
  const page = { offset: 0, limit: 1 }
  const [row] = await listWorkspaceRoles(db, organizationId, workspaceId, { resources: KINDS, id }, page)
  if (row === undefined) throw roleNotFound()
  return row
}

/** All roles of one kind, for who has to find one by what a dialect calls it. Asks for no permission. */
export async function readWorkspaceRoles(
  { db, organizationId }: ReadContext,
  workspaceId: string,
  kind: WorkspaceRoleKind,
): Promise<RankedRoleRow[]> {
  const filter = { resources: [kind], id: null }
  return await listWorkspaceRoles(db, organizationId, workspaceId, filter, { offset: 0, limit: LIMIT_MAX })
}
