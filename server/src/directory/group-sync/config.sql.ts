import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { uuidV7 } from '../../platform/uuid.ts'

export interface GroupSyncConfigRow {
  id: string
  workspace_id: string
  source_id: string
  is_enabled: boolean
  sync_on_login: boolean
  auto_remove: boolean
  sync_offline: boolean
  group_attribute_key: string
  default_role_id: string | null
  default_role_key: string | null
  default_role_name: string | null
  version: number
  created_at: string
  updated_at: string
}

export interface GroupSyncFields {
  isEnabled: boolean
  syncOnLogin: boolean
  autoRemove: boolean
  syncOffline: boolean
  groupAttributeKey: string
  defaultWorkspaceRoleId: string | null
}

/** The config of a workspace; a default role that was deleted since is none. */
export async function findConfig(
  db: Queryable,
  organizationId: string,
  workspaceId: string,
): Promise<GroupSyncConfigRow | undefined> {
  return await db.row(sql<GroupSyncConfigRow>`
    select c.*, r.id as default_role_id, r.key as default_role_key, r.name as default_role_name
    from group_sync_config c
    left join role r on r.organization_id = c.organization_id and r.id = c.default_workspace_role_id
      and r.deleted_change is null
    where c.organization_id = ${organizationId} and c.workspace_id = ${workspaceId}`)
}

/** Creates the config with its defaults, if there is none yet. */
export async function insertConfig(
  db: Queryable,
  organizationId: string,
  config: { workspaceId: string; sourceId: string },
): Promise<void> {
  await db.run(sql`
    insert into group_sync_config (organization_id, workspace_id, id, source_id, created_at, updated_at)
    values (${organizationId}, ${config.workspaceId}, ${uuidV7()}, ${config.sourceId}, now(), now())
    on conflict do nothing`)
}

/** Locks the config until COMMIT, against other changes of it and against running syncs. */
export async function lockConfig(
  tx: Transaction,
  organizationId: string,
  workspaceId: string,
): Promise<void> {
  await tx.run(sql`
    select 1 from group_sync_config
    where organization_id = ${organizationId} and workspace_id = ${workspaceId} for no key update`)
}

export async function updateConfig(
  tx: Transaction,
  organizationId: string,
  config: GroupSyncFields & { workspaceId: string; now: Date },
): Promise<void> {
  await tx.run(sql`
    update group_sync_config set is_enabled = ${config.isEnabled}, sync_on_login = ${config.syncOnLogin},
      auto_remove = ${config.autoRemove}, sync_offline = ${config.syncOffline},
      group_attribute_key = ${config.groupAttributeKey},
      default_workspace_role_id = ${config.defaultWorkspaceRoleId}, version = version + 1, updated_at = ${config.now}
    where organization_id = ${organizationId} and workspace_id = ${config.workspaceId}`)
}

/** What a sync runs by. */
export interface SyncRules {
  source_id: string
  is_enabled: boolean
  auto_remove: boolean
  /** The role of who matches mappings of projects only. */
  default_role_id: string
}

/**
 * What a sync runs by, kept until COMMIT from being changed. Syncs go on side by side; a new project, whose members
 * are looked up among the claims, waits for them.
 */
export async function holdRules(
  tx: Transaction,
  organizationId: string,
  workspaceId: string,
): Promise<SyncRules | undefined> {
  return await tx.row(sql<SyncRules>`
    select c.source_id, c.is_enabled, c.auto_remove, coalesce((
        select r.id from role r
        where r.organization_id = c.organization_id and r.id = c.default_workspace_role_id
          and r.deleted_change is null
      ), (
        select r.id from role r
        where r.organization_id = c.organization_id and r.resource = 'workspace' and r.key = 'member'
      )) as default_role_id
    from group_sync_config c
    where c.organization_id = ${organizationId} and c.workspace_id = ${workspaceId}
    for share of c`)
}

/** The same for a new project, alone: no sync runs beside it. Undefined: no group stands for every project. */
export async function lockRulesForProject(
  tx: Transaction,
  organizationId: string,
  workspaceId: string,
): Promise<SyncRules | undefined> {
  await lockConfig(tx, organizationId, workspaceId)
  return await tx.row(sql<SyncRules>`
    select c.source_id, c.is_enabled, c.auto_remove, r.id as default_role_id
    from group_sync_config c
    join role r on r.organization_id = c.organization_id and r.resource = 'workspace' and r.key = 'member'
    where c.organization_id = ${organizationId} and c.workspace_id = ${workspaceId} and c.is_enabled
      and exists (
        select 1 from group_sync_mapping m
        where m.organization_id = c.organization_id and m.workspace_id = c.workspace_id and m.kind = 'all_projects')`)
}
