import { isDeepStrictEqual } from 'node:util'
import { violatedConstraint } from '../../platform/postgres/database.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import { requireHeld, requirePermissionOn } from '../access/authority.ts'
import { catalogue, permissionProblem, requirePermission } from '../access/permission.ts'
import type { Context, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { endRoleGrantsOfRole } from '../grants/role-grant.sql.ts'
import { unknownAfter } from '../page.ts'
import { requireVersion } from '../version.ts'
import {
  countHolders,
  findPredefinedRole,
  findRole,
  insertRole,
  listRoles as listRoleRows,
  lockRole,
  lockRoleDeletedBy,
  markRoleDeleted,
  type RoleRow,
  roleHasExisted,
  updateRole as updateRoleRow,
} from './role.sql.ts'
import { ORGANIZATION, type Target, type TargetKind, targetColumns } from './target.ts'
import { requireTarget } from './target-lookup.ts'

export type { RoleRow } from './role.sql.ts'

export const ROLE_NAME_LENGTH_MAX = 255
export const ROLE_DESCRIPTION_LENGTH_MAX = 1000
export const ROLE_PERMISSIONS_MAX = 200

/** The permission catalogue, each with what it is for. @throws {DirectoryError} permission.denied */
export function listPermissions(context: ReadContext): Readonly<Record<string, string>> {
  requirePermission(context.actor, 'roles:read')
  return catalogue
}

export interface NewRole {
  name: string
  description: string | null
  permissions: readonly string[]
  metadata: Record<string, unknown>
  /** The kind of target it can be assigned on. */
  resource: TargetKind
  /** The one workspace or project it is of; the organization: shared by all of its targets. */
  of: Target
}

export const roleNotFound = () => new DirectoryError('role.not_found', 'There is no role with this id.')

const nameKey = (name: string) => name.normalize('NFC').toLowerCase()

function roleConflict(error: unknown): never {
  if (violatedConstraint(error) !== 'role_name') throw error
  throw new DirectoryError('role.name_taken', 'Another role of the same kind has this name.', {
    field: 'name',
  })
}

/** Each permission once, in the order given. @throws {DirectoryError} request.invalid, naming the one that is none */
function readPermissions(names: readonly string[]): string[] {
  for (const [index, name] of names.entries()) {
    const problem = permissionProblem(name)
    if (problem === undefined) continue
    throw new DirectoryError('request.invalid', `permissions[${index}] ${problem}.`, {
      field: `permissions[${index}]`,
    })
  }
  return [...new Set(names)]
}

/**
 * Creates a custom role. Nobody creates one that holds what they do not hold themselves.
 *
 * @throws {DirectoryError} request.invalid (no such permission; a kind that cannot be of the target),
 *   role.name_taken, role.permission_exceeded, workspace.not_found, project.not_found, permission.denied
 */
export async function createRole(context: Context, input: NewRole): Promise<RoleRow> {
  await requirePermissionOn(context, 'roles:write', input.of)
  const permissions = readPermissions(input.permissions)
  if (input.of.kind !== 'organization') {
    await requireTarget(context, input.of)
    const isHome = input.of.kind !== 'page'
    const fits = isHome && (input.resource === 'project' || input.resource === input.of.kind)
    if (!fits) {
      throw new DirectoryError(
        'request.invalid',
        `A role of a ${input.of.kind} is not for ${input.resource}s.`,
        {
          field: 'resource',
        },
      )
    }
  }
  await requireHeld(context, permissions, input.of)
  const row = await insertRole(context.db, context.organizationId, {
    ...input,
    ...targetColumns(input.of),
    permissions,
    nameKey: nameKey(input.name),
    id: uuidV7(),
    now: context.now,
  }).catch(roleConflict)
  context.change.describe({
    kind: 'role.created',
    detail: { role: row.id, name: row.name, resource: row.resource, permissions },
  })
  return row
}

/** @throws {DirectoryError} role.not_found */
export async function requireRole(context: ReadContext, id: string): Promise<RoleRow> {
  const row = await findRole(context.db, context.organizationId, id)
  if (row === undefined) throw roleNotFound()
  return row
}

/** The predefined role of a kind of target. @throws {DirectoryError} role.not_found */
export async function requirePredefinedRole(
  context: ReadContext,
  resource: TargetKind,
  key: string,
): Promise<RoleRow> {
  const row = await findPredefinedRole(context.db, context.organizationId, resource, key)
  if (row === undefined) throw roleNotFound()
  return row
}

/** Where a role is at home: the target whose `roles:write` changes it. */
function homeOf(row: RoleRow): Target {
  if (row.project_id !== null) return { kind: 'project', id: row.project_id }
  if (row.workspace_id !== null) return { kind: 'workspace', id: row.workspace_id }
  return ORGANIZATION
}

/** @throws {DirectoryError} role.not_found, permission.denied */
export async function getRole(context: ReadContext, id: string): Promise<RoleRow> {
  const row = await findRole(context.db, context.organizationId, id)
  await requirePermissionOn(context, 'roles:read', row === undefined ? ORGANIZATION : homeOf(row))
  if (row === undefined) throw roleNotFound()
  return row
}

/**
 * One page of roles in the order of their creation.
 *
 * @param filter `target`: those that can be assigned on it; null: all roles of the organization
 * @throws {DirectoryError} workspace.not_found, project.not_found, request.invalid (`afterId` is no role of the
 *   organization), permission.denied
 */
export async function listRoles(
  context: ReadContext,
  filter: {
    afterId: string | null
    limit: number
    order: 'asc' | 'desc'
    resource: TargetKind | null
    target: Target | null
  },
): Promise<RoleRow[]> {
  const { target } = filter
  if (target === null) requirePermission(context.actor, 'roles:read')
  else await requirePermissionOn(context, 'roles:read', target)
  const found = target === null ? null : await requireTarget(context, target)
  const { db, organizationId } = context
  const { afterId } = filter
  if (afterId !== null && !(await roleHasExisted(db, organizationId, afterId))) throw unknownAfter()
  return await listRoleRows(db, organizationId, {
    ...filter,
    resource: filter.resource ?? target?.kind ?? null,
    assignableOn: found,
  })
}

export interface RoleUpdate {
  name?: string | undefined
  description?: string | null | undefined
  permissions?: readonly string[] | undefined
  metadata?: Record<string, unknown> | undefined
}

/**
 * Changes a custom role; a field left out stays. What it gives changes for everybody who holds it, at once.
 *
 * @throws {DirectoryError} role.not_found, role.predefined, role.name_taken, role.permission_exceeded (for what is
 *   added), version.mismatch, request.invalid, permission.denied
 */
export async function updateRole(
  context: Context,
  id: string,
  update: RoleUpdate,
  expectedVersion?: number,
): Promise<RoleRow> {
  const before = await requireLockedCustomRole(context, id)
  requireVersion(before.version, expectedVersion)
  const permissions =
    update.permissions === undefined ? before.permissions : readPermissions(update.permissions)
  const added = permissions.filter((name) => !before.permissions.includes(name))
  const removed = before.permissions.filter((name) => !permissions.includes(name))
  await requireHeld(context, added, homeOf(before))
  const after = {
    name: update.name ?? before.name,
    description: update.description === undefined ? before.description : update.description,
    permissions: added.length + removed.length === 0 ? before.permissions : permissions,
    metadata: update.metadata ?? before.metadata,
  }
  const fields = (['name', 'description', 'permissions', 'metadata'] as const).filter(
    (field) => !isDeepStrictEqual(after[field], before[field]),
  )
  if (fields.length === 0) return before
  const { db, organizationId, change, now } = context
  const row = await updateRoleRow(db, organizationId, {
    ...after,
    nameKey: nameKey(after.name),
    id,
    changeId: change.id,
    now,
  }).catch(roleConflict)
  const holders = removed.length === 0 ? {} : { holders: await countHolders(db, organizationId, id) }
  change.describe({
    kind: 'role.updated',
    detail: { role: id, fields, permissions_added: added, permissions_removed: removed, ...holders },
  })
  return row
}

async function requireLockedCustomRole(context: Context, id: string): Promise<RoleRow> {
  const row = await lockRole(context.db, context.organizationId, id)
  await requirePermissionOn(context, 'roles:write', row === undefined ? ORGANIZATION : homeOf(row))
  if (row === undefined) throw roleNotFound()
  if (row.key !== null) {
    throw new DirectoryError('role.predefined', `The role ${row.name} is predefined: it stays as it is.`)
  }
  return row
}

/**
 * Deletes a custom role and ends every assignment of it, in one change that can be undone.
 *
 * @param expectedVersion refuses (version.mismatch) if the row has moved on; absent: no check
 * @throws {DirectoryError} role.not_found, role.predefined, version.mismatch, permission.denied
 */
export async function deleteRole(context: Context, id: string, expectedVersion?: number): Promise<void> {
  const row = await requireLockedCustomRole(context, id)
  requireVersion(row.version, expectedVersion)
  const { db, organizationId, change, now } = context
  change.count({ ended: await endRoleGrantsOfRole(db, organizationId, id, change.id) })
  await markRoleDeleted(db, organizationId, { id, deletedChange: change.id, now })
  change.describe({ kind: 'role.deleted', detail: { role: id, name: row.name } })
}

/** Takes a deletion back, for the undo of the change that made it. False if the role is not deleted by it. */
export async function restoreRole(context: Context, id: string, deletedChange: string): Promise<boolean> {
  const { db, organizationId, now } = context
  if (!(await lockRoleDeletedBy(db, organizationId, id, deletedChange))) return false
  await markRoleDeleted(db, organizationId, { id, deletedChange: null, now }).catch(roleConflict)
  return true
}
