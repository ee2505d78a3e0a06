import type { ReadContext } from '../context.ts'
import type { RoleRow } from './role.sql.ts'
import { requireRole, roleNotFound } from './role.ts'
import type { Target, TargetColumns } from './target.ts'
import { requireTarget } from './target-lookup.ts'

/** Whether a role can be assigned on a target: it is for its kind, and shared or of the very target or around it. */
export function fitsTarget(role: RoleRow, target: Target, found: TargetColumns): boolean {
  return (
    role.resource === target.kind &&
    (role.project_id === null || (target.kind === 'project' && target.id === role.project_id)) &&
    (role.workspace_id === null || found.workspaceId === role.workspace_id)
  )
}

/**
 * A role as one of a target's: any other is unknown there. Asks for no permission, as every `require…`.
 *
 * @throws {DirectoryError} role.not_found, workspace.not_found, project.not_found
 */
export async function requireRoleOn(context: ReadContext, id: string, target: Target): Promise<RoleRow> {
  const found = await requireTarget(context, target)
  const role = await requireRole(context, id)
  if (!fitsTarget(role, target, found)) throw roleNotFound()
  return role
}
