import { requirePermission } from '../access/permission.ts'
import type { Context, ReadContext } from '../context.ts'
import type { Counted, PositionPage } from '../position-page.ts'
import {
  countCustomRoles,
  findCustomRole,
  listCustomRoles,
  listRoleHolders,
  type RoleHolderRow,
} from './custom-roles.sql.ts'
import type { RoleRow } from './role.sql.ts'
import { deleteRole, roleNotFound, updateRole } from './role.ts'

/** A role of the organization's own making, with the first of its holders. */
export interface HeldRole {
  readonly role: RoleRow
  readonly holders: readonly RoleHolderRow[]
}

/** Holders that a role is shown with; all of them are pages of their own. */
const SHOWN_HOLDERS_MAX = 100
const FIRST_HOLDERS: PositionPage = { afterId: null, offset: 0, limit: SHOWN_HOLDERS_MAX }

async function withHolders(context: ReadContext, roles: readonly RoleRow[]): Promise<HeldRole[]> {
  const ids = roles.map(({ id }) => id)
  const holders = await listRoleHolders(context.db, context.organizationId, ids, FIRST_HOLDERS)
  return roles.map((role) => ({ role, holders: holders.filter((holder) => holder.role_id === role.id) }))
}

/** A custom role of the organization. Asks for no permission. @throws {DirectoryError} role.not_found */
export async function requireCustomRole(context: ReadContext, id: string): Promise<RoleRow> {
  const row = await findCustomRole(context.db, context.organizationId, id)
  if (row === undefined) throw roleNotFound()
  return row
}

/** @throws {DirectoryError} role.not_found, permission.denied */
export async function getCustomRole(context: ReadContext, id: string): Promise<HeldRole> {
  requirePermission(context.actor, 'roles:read')
  return await requireHeldRole(context, id)
}

async function requireHeldRole(context: ReadContext, id: string): Promise<HeldRole> {
  const [held] = await withHolders(context, [await requireCustomRole(context, id)])
  return held!
}

/** A page of custom roles of the organization by position, in the order of their creation. @throws permission.denied */
export async function pageCustomRoles(context: ReadContext, page: PositionPage): Promise<Counted<HeldRole>> {
  requirePermission(context.actor, 'roles:read')
  const { db, organizationId } = context
  const roles = await listCustomRoles(db, organizationId, page)
  return { rows: await withHolders(context, roles), count: await countCustomRoles(db, organizationId) }
}

/** @throws {DirectoryError} role.not_found; what `updateRole` throws */
export async function renameCustomRole(
  context: Context,
  id: string,
  name: string | undefined,
): Promise<HeldRole> {
  requirePermission(context.actor, 'roles:write')
  await requireCustomRole(context, id)
  await updateRole(context, id, { name })
  return await requireHeldRole(context, id)
}

/** @throws {DirectoryError} role.not_found; what `deleteRole` throws */
export async function deleteCustomRole(context: Context, id: string): Promise<void> {
  requirePermission(context.actor, 'roles:write')
  await requireCustomRole(context, id)
  await deleteRole(context, id)
}
