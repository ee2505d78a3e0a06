import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import { predefinedRoles } from './predefined.ts'
import type { TargetKind } from './target.ts'

export interface RoleRow {
  id: string
  /** Of a predefined role; null: a custom one. */
  key: string | null
  name: string
  description: string | null
  /** The kind of target it can be assigned on. */
  resource: TargetKind
  /** The one workspace or project it is of, or neither. */
  workspace_id: string | null
  project_id: string | null
  /** Of a custom role; what a predefined one gives is in predefined.ts. */
  permissions: string[]
  metadata: Record<string, unknown>
  version: number
  created_at: string
  updated_at: string
  deleted_change: string | null
}

export interface RoleFields {
  name: string
  nameKey: string
  description: string | null
  permissions: readonly string[]
  metadata: Record<string, unknown>
}

export async function insertPredefinedRoles(tx: Transaction, organizationId: string): Promise<void> {
  const ids = predefinedRoles.map(() => uuidV7())
  await tx.run(sql`
    insert into role (organization_id, id, resource, key, name, name_key)
    select ${organizationId}, r.id, r.resource, r.key, r.name, lower(r.name)
    from unnest(${ids}::uuid[], ${predefinedRoles.map((role) => role.resource)}::text[],
      ${predefinedRoles.map((role) => role.key)}::text[], ${predefinedRoles.map((role) => role.name)}::text[])
      r (id, resource, key, name)`)
}

export async function insertRole(
  tx: Transaction,
  organizationId: string,
  role: RoleFields & {
    id: string
    resource: TargetKind
    workspaceId: string | null
    projectId: string | null
    now: Date
  },
): Promise<RoleRow> {
  const row = await tx.row(sql<RoleRow>`
    insert into role (organization_id, id, resource, workspace_id, project_id, name, name_key, description,
      permissions, metadata, created_at, updated_at)
    values (${organizationId}, ${role.id}, ${role.resource}, ${role.workspaceId}, ${role.projectId}, ${role.name},
      ${role.nameKey}, ${role.description}, ${role.permissions}, ${JSON.stringify(role.metadata)}, ${role.now},
      ${role.now})
    returning *`)
  return row!
}

/** A role that is not deleted. */
export async function findRole(
  db: Queryable,
  organizationId: string,
  id: string,
): Promise<RoleRow | undefined> {
  return await db.row(sql<RoleRow>`
    select * from role where organization_id = ${organizationId} and id = ${id} and deleted_change is null`)
}

/** Roles by their ids, those that are not deleted. */
export async function findRoles(
  db: Queryable,
  organizationId: string,
  ids: readonly string[],
): Promise<RoleRow[]> {
  return await db.rows(sql<RoleRow>`
    select * from role where organization_id = ${organizationId} and id = any(${ids}) and deleted_change is null`)
}

export async function findPredefinedRole(
  db: Queryable,
  organizationId: string,
  resource: TargetKind,
  key: string,
): Promise<RoleRow | undefined> {
  return await db.row(sql<RoleRow>`
    select * from role where organization_id = ${organizationId} and resource = ${resource} and key = ${key}`)
}

/** Whether there is such a role, or was before it was deleted. */
export async function roleHasExisted(db: Queryable, organizationId: string, id: string): Promise<boolean> {
  const row = await db.row(sql<{ found: number }>`
    select 1 as found from role where organization_id = ${organizationId} and id = ${id}`)
  return row !== undefined
}

/** Locks a role until COMMIT, new assignments of it included: their foreign key waits. */
export async function lockRole(
  tx: Transaction,
  organizationId: string,
  id: string,
): Promise<RoleRow | undefined> {
  return await tx.row(sql<RoleRow>`
    select * from role
    where organization_id = ${organizationId} and id = ${id} and deleted_change is null
    for update`)
}

export interface RoleFilter {
  afterId: string | null
  limit: number
  order: 'asc' | 'desc'
  resource: TargetKind | null
  /** Those that can be assigned there: shared ones and its own. Null: all, wherever they are of. */
  assignableOn: { workspaceId: string | null; projectId: string | null } | null
}

export async function listRoles(
  db: Queryable,
  organizationId: string,
  filter: RoleFilter,
): Promise<RoleRow[]> {
  const { afterId, limit, resource, assignableOn } = filter
  const isBound = assignableOn !== null
  const { workspaceId, projectId } = assignableOn ?? { workspaceId: null, projectId: null }
  if (filter.order === 'desc') {
    return await db.rows(sql<RoleRow>`
      select * from role
      where organization_id = ${organizationId} and deleted_change is null
        and (${afterId}::uuid is null or id < ${afterId})
        and (${resource}::text is null or resource = ${resource})
        and (not ${isBound}::boolean
          or (workspace_id is null or workspace_id = ${workspaceId}) and (project_id is null or project_id = ${projectId}))
      order by id desc limit ${limit}`)
  }
  return await db.rows(sql<RoleRow>`
    select * from role
    where organization_id = ${organizationId} and deleted_change is null
      and (${afterId}::uuid is null or id > ${afterId})
      and (${resource}::text is null or resource = ${resource})
      and (not ${isBound}::boolean
        or (workspace_id is null or workspace_id = ${workspaceId}) and (project_id is null or project_id = ${projectId}))
    order by id limit ${limit}`)
}

/** Changes a role and keeps what it was. */
export async function updateRole(
  tx: Transaction,
  organizationId: string,
  role: RoleFields & { id: string; changeId: string; now: Date },
): Promise<RoleRow> {
  const row = await tx.row(sql<RoleRow>`
    with past as (
      insert into role_past (organization_id, role_id, version, name, permissions, ended_change)
      select organization_id, id, version, name, permissions, ${role.changeId} from role
      where organization_id = ${organizationId} and id = ${role.id}
    )
    update role set name = ${role.name}, name_key = ${role.nameKey}, description = ${role.description},
      permissions = ${role.permissions}, metadata = ${JSON.stringify(role.metadata)}, version = version + 1,
      updated_at = ${role.now}
    where organization_id = ${organizationId} and id = ${role.id} returning *`)
  return row!
}

/** Marks a role as deleted by a change, or as not deleted any more. */
export async function markRoleDeleted(
  tx: Transaction,
  organizationId: string,
  role: { id: string; deletedChange: string | null; now: Date },
): Promise<void> {
  await tx.run(sql`
    update role set deleted_change = ${role.deletedChange}, version = version + 1, updated_at = ${role.now}
    where organization_id = ${organizationId} and id = ${role.id}`)
}

/** Locks a role that a change deleted. False if it is not deleted by it. */
export async function lockRoleDeletedBy(
  tx: Transaction,
  organizationId: string,
  id: string,
  changeId: string,
): Promise<boolean> {
  const row = await tx.row(sql<{ found: number }>`
    select 1 as found from role
    where organization_id = ${organizationId} and id = ${id} and deleted_change = ${changeId}
    for update`)
  return row !== undefined
}

/** How many live grants a role has. */
export async function countHolders(db: Queryable, organizationId: string, roleId: string): Promise<number> {
  const row = await db.row(sql<{ count: number }>`
    select count(*) as count from role_grant
    where organization_id = ${organizationId} and role_id = ${roleId} and ended_change is null
      and (expires_at is null or expires_at > now())`)
  return row?.count ?? 0
}
