import { requirePermission } from '../access/permission.ts'
import type { Context, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import type { Counted, PositionPage } from '../position-page.ts'
import { findAssignment } from './assignment.sql.ts'
import { assignmentNotFound, assignRole, revokeAssignment } from './assignment.ts'
import { countRoleHolders, listRoleHolders, type RoleHolderRow } from './custom-roles.sql.ts'
import { requireCustomRole } from './custom-roles.ts'
import { ORGANIZATION } from './target.ts'

export type { RoleHolderRow } from './custom-roles.sql.ts'

/**
 * A page of a role's holders by position, in the order of the grants.
 *
 * @throws {DirectoryError} role.not_found, permission.denied
 */
export async function pageRoleHolders(
  context: ReadContext,
  roleId: string,
  page: PositionPage,
): Promise<Counted<RoleHolderRow>> {
  requirePermission(context.actor, 'roles:read')
  await requireCustomRole(context, roleId)
  const { db, organizationId } = context
  return {
    rows: await listRoleHolders(db, organizationId, [roleId], page),
    count: await countRoleHolders(db, organizationId, roleId),
  }
}

async function findHolder(context: ReadContext, roleId: string, id: string): Promise<RoleHolderRow> {
  const { db, organizationId } = context
  await requireCustomRole(context, roleId)
  const row = await findAssignment(db, organizationId, id)
  const isHere = row?.role_id === roleId && row.workspace_id === null && row.project_id === null
  if (row === undefined || !isHere || row.member_id === null) throw assignmentNotFound()
  return { id, role_id: roleId, member_id: row.member_id, since: row.since }
}

/** @throws {DirectoryError} role.not_found, role_assignment.not_found, permission.denied */
export async function getRoleHolder(
  context: ReadContext,
  roleId: string,
  id: string,
): Promise<RoleHolderRow> {
  requirePermission(context.actor, 'roles:read')
  return await findHolder(context, roleId, id)
}

/** Takes a role from one of its holders: what other grants give stays. @throws as `revokeAssignment` */
export async function revokeRoleHolder(context: Context, roleId: string, id: string): Promise<void> {
  requirePermission(context.actor, 'roles:write')
  await findHolder(context, roleId, id)
  await revokeAssignment(context, id)
}

/**
 * Gives a custom role to a member who does not have it from the same source.
 *
 * @throws {DirectoryError} role.not_found, request.invalid (the member has it); what `assignRole` throws
 */
export async function assignRoleOnce(
  context: Context,
  roleId: string,
  memberId: string,
): Promise<RoleHolderRow> {
  requirePermission(context.actor, 'roles:write')
  await requireCustomRole(context, roleId)
  const subject = { kind: 'member', id: memberId } as const
  const row = await assignRole(context, { subject, roleId, target: ORGANIZATION })
  if (context.change.opened === 0) {
    throw new DirectoryError('request.invalid', 'The member has this role already.', { field: 'member' })
  }
  return { id: row.id, role_id: roleId, member_id: memberId, since: row.since }
}
