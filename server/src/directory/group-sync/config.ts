import { requirePermissionOn } from '../access/authority.ts'
import { requireTakenNotAbove } from '../access/rank.ts'
import type { Context, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { ensureSource } from '../grants/source.ts'
import { requireMayGrantRole } from '../roles/assignment.ts'
import { requireTarget } from '../roles/target-lookup.ts'
import { requestGroupSync } from '../scim/group-sync.ts'
import { noteEverybody } from '../scim/group-sync-due.sql.ts'
import { requireVersion } from '../version.ts'
import {
  findConfig,
  type GroupSyncConfigRow,
  type GroupSyncFields,
  insertConfig,
  lockConfig,
  updateConfig,
} from './config.sql.ts'

export type { GroupSyncConfigRow } from './config.sql.ts'

export const ATTRIBUTE_KEY_LENGTH_MAX = 255

export const workspaceTarget = (id: string) => ({ kind: 'workspace', id }) as const

/**
 * The config of a workspace's group sync; with its defaults, if it was never changed.
 *
 * @throws {DirectoryError} workspace.not_found, permission.denied
 */
export async function getGroupSyncConfig(
  context: ReadContext,
  workspaceId: string,
): Promise<GroupSyncConfigRow> {
  await requirePermissionOn(context, 'group_sync:read', workspaceTarget(workspaceId))
  return await requireConfig(context, workspaceId)
}

/** The config, made if there is none yet: that is no change. @throws {DirectoryError} workspace.not_found */
export async function requireConfig(context: ReadContext, workspaceId: string): Promise<GroupSyncConfigRow> {
  const { db, organizationId } = context
  const present = await findConfig(db, organizationId, workspaceId)
  if (present !== undefined) return present
  await requireTarget(context, workspaceTarget(workspaceId))
  const sourceId = await ensureSource(db, organizationId, { kind: 'group_sync', ref: workspaceId })
  await insertConfig(db, organizationId, { workspaceId, sourceId })
  return (await findConfig(db, organizationId, workspaceId))!
}

/**
 * Changes the config; a field left out stays. It applies from the next sync on.
 *
 * @throws {DirectoryError} workspace.not_found, version.mismatch, role.not_found, role.wrong_target,
 *   role.permission_exceeded (the default role gives what the actor does not hold), member.outranks (it ranks above the
 *   actor), permission.denied
 */
export async function updateGroupSyncConfig(
  context: Context,
  workspaceId: string,
  update: { [Field in keyof GroupSyncFields]?: GroupSyncFields[Field] | undefined },
  expectedVersion?: number,
): Promise<GroupSyncConfigRow> {
  const target = workspaceTarget(workspaceId)
  await requirePermissionOn(context, 'group_sync:write', target)
  const { db, organizationId, now } = context
  await requireConfig(context, workspaceId)
  await lockConfig(db, organizationId, workspaceId)
  const before = await requireConfig(context, workspaceId)
  requireVersion(before.version, expectedVersion)
  const wanted = update.defaultWorkspaceRoleId
  if (wanted !== undefined && wanted !== before.default_role_id) {
    const given = { key: before.default_role_key, resource: 'workspace', workspace_id: workspaceId }
    await requireTakenNotAbove(context, [given]).catch(inField('default_workspace_role'))
    if (wanted !== null) {
      await requireMayGrantRole(context, wanted, target).catch(inField('default_workspace_role'))
    }
  }
  const old: GroupSyncFields = {
    isEnabled: before.is_enabled,
    syncOnLogin: before.sync_on_login,
    autoRemove: before.auto_remove,
    syncOffline: before.sync_offline,
    groupAttributeKey: before.group_attribute_key,
    defaultWorkspaceRoleId: before.default_role_id,
  }
  const given = Object.entries(update).filter(([, value]) => value !== undefined)
  const changed = given.filter(([name, value]) => old[name as keyof GroupSyncFields] !== value)
  if (changed.length === 0) return before
  const fields = { ...old, ...Object.fromEntries(changed) }
  await updateConfig(db, organizationId, { ...fields, workspaceId, now })
  const followsScim = fields.isEnabled && fields.syncOffline
  if (followsScim && !(before.is_enabled && before.sync_offline)) {
    if ((await noteEverybody(db, organizationId)) > 0) await requestGroupSync(context)
  }
  const row = (await findConfig(db, organizationId, workspaceId))!
  context.change.describe({
    kind: 'group_sync.configured',
    sourceId: row.source_id,
    detail: {
      workspace: workspaceId,
      what: 'config',
      is_enabled: row.is_enabled,
      auto_remove: row.auto_remove,
      ...(row.default_role_id === null ? {} : { role: row.default_role_id }),
    },
  })
  return row
}

/** Names the field that a refusal is about. */
function inField(field: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof DirectoryError)) throw error
    throw new DirectoryError(error.code, error.message, { ...error.details, field })
  }
}
