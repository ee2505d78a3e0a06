import type { ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { requireMember } from '../members/member.ts'
import { permissionsOf } from '../roles/predefined.ts'
import { type Target, type TargetColumns, targetColumns } from '../roles/target.ts'
import { requireTarget, targetNotFound } from '../roles/target-lookup.ts'
import { checkMany, checkOne, type PathRow } from './check.sql.ts'
import { type EndingGrant, lostByEnding, statusAt } from './member-access.ts'
import { listRolePaths, type RolePathRow } from './paths.sql.ts'
import { memberPermissions, permissionProblem, requirePermission } from './permission.ts'

export type { PathRow } from './check.sql.ts'

/** Checks in one batch. */
export const CHECKS_MAX = 100

export interface AccessCheck {
  readonly memberId: string
  /** Of the catalogue, or an application's own. */
  readonly permission: string
  readonly target: Target
}

export interface AccessDecision {
  readonly allowed: boolean
  readonly status: 'active' | 'suspended' | 'removed'
  /** The roles that give it, each with the way it comes. Of a member who is not active they give nothing. */
  readonly paths: readonly PathRow[]
  /** All of these together, and no fewer, would have to end for it to be lost; empty if it is not allowed. */
  readonly lostByEnding: readonly EndingGrant[]
}

function requirePermissionName(permission: string, field: string): void {
  const problem = permissionProblem(permission)
  if (problem !== undefined) throw new DirectoryError('request.invalid', `${field} ${problem}.`, { field })
}

const memberNotFound = () => new DirectoryError('member.not_found', 'There is no member with this id.')

function decide(
  status: AccessDecision['status'],
  permission: string,
  paths: readonly PathRow[],
): AccessDecision {
  const isMembers = memberPermissions.has(permission)
  const allowed = status === 'active' && (isMembers || paths.length > 0)
  // What every active member may do is lost with the membership of the organization, and by nothing less.
  const ending: EndingGrant[] = isMembers ? [{ grant: 'organization_membership' }] : lostByEnding(paths)
  return { allowed, status, paths, lostByEnding: allowed ? ending : [] }
}

/**
 * Whether a member may do something on a target, and through which grants; now or at a past moment.
 *
 * @param asOf RFC 3339, a past moment; null: now
 * @throws {DirectoryError} request.invalid (no such permission), member.not_found, workspace.not_found,
 *   project.not_found, permission.denied
 */
export async function checkAccess(
  context: ReadContext,
  check: AccessCheck,
  asOf: string | null = null,
): Promise<AccessDecision> {
  requirePermission(context.actor, 'roles:read')
  requirePermissionName(check.permission, 'permission')
  if (asOf !== null) return await checkPast(context, check, asOf)
  const row = await checkOne(context.db, context.organizationId, {
    ...check,
    ...targetColumns(check.target),
  })
  if (row.status === null) throw memberNotFound()
  if (!row.target_found) throw targetNotFound(check.target)
  return decide(row.status, check.permission, row.paths ?? [])
}

async function checkPast(context: ReadContext, check: AccessCheck, asOf: string): Promise<AccessDecision> {
  const member = await requireMember(context, check.memberId)
  const target = await requireTarget(context, check.target, { isPast: true })
  const status = await statusAt(context, member, asOf)
  const paths = await listRolePaths(context.db, context.organizationId, member.id, asOf)
  const giving = paths.filter((path) => reaches(path, target) && gives(path, check.permission))
  return decide(status ?? 'removed', check.permission, giving.map(toPathRow))
}

function reaches(path: RolePathRow, target: TargetColumns): boolean {
  if (path.page_id !== null) return path.page_id === target.pageId
  if (path.project_id !== null) return path.project_id === target.projectId
  return path.workspace_id === null || path.workspace_id === target.workspaceId
}

function gives(path: RolePathRow, permission: string): boolean {
  const given = permissionsOf({ resource: path.resource, key: path.role_key, permissions: path.permissions })
  return given.includes('*') || given.includes(permission)
}

function toPathRow(path: RolePathRow): PathRow {
  return {
    ...path,
    source: path.source_kind,
    expires_at: path.until,
    membership_expires_at: path.membership_until,
  }
}

export interface BatchDecision {
  readonly allowed: boolean
}

/**
 * Answers up to `CHECKS_MAX` checks at once, in their order, without the ways they come.
 *
 * @throws {DirectoryError} request.invalid, member.not_found, workspace.not_found, project.not_found (each naming
 *   the check), permission.denied
 */
export async function checkAccessBatch(
  context: ReadContext,
  checks: readonly AccessCheck[],
): Promise<BatchDecision[]> {
  requirePermission(context.actor, 'roles:read')
  for (const [index, { permission }] of checks.entries()) {
    requirePermissionName(permission, `checks[${index}].permission`)
  }
  const columns = checks.map((check) => ({ ...check, ...targetColumns(check.target) }))
  const rows = await checkMany(context.db, context.organizationId, columns)
  return rows.map((row, index) => {
    const { permission, target } = checks[index]!
    if (row.status === null) throw named(memberNotFound(), `checks[${index}].member`)
    if (!row.target_found) throw named(targetNotFound(target), `checks[${index}].target`)
    return { allowed: row.status === 'active' && (row.allowed || memberPermissions.has(permission)) }
  })
}

function named(error: DirectoryError, field: string): DirectoryError {
  return new DirectoryError(error.code, error.message, { field })
}
