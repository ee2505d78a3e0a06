import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'

/** Whether every member of the workspace may see it. */
type ProjectVisibility = 'public' | 'private'

export interface ProjectRow {
  id: string
  /** For dialects that know projects by a number; unique on the server. */
  alias: number
  /** Null: the project belongs to the organization itself. */
  workspace_id: string | null
  /** Null only without a workspace. */
  identifier: string | null
  name: string
  description: string | null
  visibility: ProjectVisibility
  metadata: Record<string, unknown>
  version: number
  created_at: string
  updated_at: string
  archived_at: string | null
}

export interface ProjectFields {
  name: string
  description: string | null
  visibility: ProjectVisibility
  metadata: Record<string, unknown>
}

export async function insertProject(
  tx: Transaction,
  organizationId: string,
  project: ProjectFields & {
    id: string
    workspaceId: string | null
    identifier: string | null
    now: Date
  },
): Promise<ProjectRow> {
  const row = await tx.row(sql<ProjectRow>`
    insert into project (organization_id, id, workspace_id, identifier, name, description, visibility, metadata,
      created_at, updated_at)
    values (${organizationId}, ${project.id}, ${project.workspaceId}, ${project.identifier}, ${project.name},
      ${project.description}, ${project.visibility}, ${JSON.stringify(project.metadata)}, ${project.now},
      ${project.now})
    returning *`)
  return row!
}

/** A project, archived or not. */
export async function findProject(
  db: Queryable,
  organizationId: string,
  id: string,
): Promise<ProjectRow | undefined> {
  return await db.row(sql<ProjectRow>`
    select * from project where organization_id = ${organizationId} and id = ${id}`)
}

/** Of projects by their ids, archived or not. */
export async function listProjectAliases(
  db: Queryable,
  organizationId: string,
  ids: readonly string[],
): Promise<Pick<ProjectRow, 'id' | 'alias'>[]> {
  if (ids.length === 0) return []
  return await db.rows(sql<Pick<ProjectRow, 'id' | 'alias'>>`
    select id, alias from project where organization_id = ${organizationId} and id = any(${ids})`)
}

/** Projects by their aliases, archived or not. */
export async function findProjectsByAlias(
  db: Queryable,
  organizationId: string,
  aliases: readonly number[],
): Promise<Pick<ProjectRow, 'id' | 'alias'>[]> {
  if (aliases.length === 0) return []
  return await db.rows(sql<Pick<ProjectRow, 'id' | 'alias'>>`
    select id, alias from project
    where organization_id = ${organizationId} and alias = any(${aliases}::bigint[])`)
}

/** Locks a project until COMMIT against other changes of it; new grants on it go on. */
export async function lockProject(
  tx: Transaction,
  organizationId: string,
  id: string,
): Promise<ProjectRow | undefined> {
  return await tx.row(sql<ProjectRow>`
    select * from project where organization_id = ${organizationId} and id = ${id} for no key update`)
}

/** Locks a project until COMMIT against every other change, new grants on it included. */
export async function lockProjectAgainstGrants(
  tx: Transaction,
  organizationId: string,
  id: string,
): Promise<ProjectRow | undefined> {
  return await tx.row(sql<ProjectRow>`
    select * from project where organization_id = ${organizationId} and id = ${id} for update`)
}

/** Projects by their ids, kept until COMMIT from being archived or brought back. */
export async function holdProjects(
  tx: Transaction,
  organizationId: string,
  ids: readonly string[],
): Promise<ProjectRow[]> {
  return await tx.rows(sql<ProjectRow>`
    select * from project where organization_id = ${organizationId} and id = any(${ids})
    order by id for key share`)
}

export interface ProjectPage {
  afterId: string | null
  limit: number
  includeArchived: boolean
}

/** One page of all projects of an organization, its own and those of its workspaces. */
export async function listWorkspacesOfProjects(
  db: Queryable,
  organizationId: string,
  ids: readonly string[],
): Promise<{ id: string; workspace_id: string | null }[]> {
  if (ids.length === 0) return []
  return await db.rows(sql<{ id: string; workspace_id: string | null }>`
    select id, workspace_id from project where organization_id = ${organizationId} and id = any (${ids})`)
}

export async function listProjects(
  db: Queryable,
  organizationId: string,
  page: ProjectPage,
): Promise<ProjectRow[]> {
  return await db.rows(sql<ProjectRow>`
    select * from project
    where organization_id = ${organizationId} and (archived_at is null or ${page.includeArchived})
      and id > coalesce(${page.afterId}::uuid, '00000000-0000-0000-0000-000000000000')
    order by id limit ${page.limit}`)
}

export async function listProjectsOfWorkspace(
  db: Queryable,
  organizationId: string,
  workspaceId: string,
  page: ProjectPage,
): Promise<ProjectRow[]> {
  return await db.rows(sql<ProjectRow>`
    select * from project
    where organization_id = ${organizationId} and workspace_id = ${workspaceId}
      and (archived_at is null or ${page.includeArchived})
      and id > coalesce(${page.afterId}::uuid, '00000000-0000-0000-0000-000000000000')
    order by id limit ${page.limit}`)
}

export async function updateProject(
  tx: Transaction,
  organizationId: string,
  project: ProjectFields & { id: string; now: Date },
): Promise<ProjectRow> {
  const row = await tx.row(sql<ProjectRow>`
    update project set name = ${project.name}, description = ${project.description},
      visibility = ${project.visibility}, metadata = ${JSON.stringify(project.metadata)}, version = version + 1,
      updated_at = ${project.now}
    where organization_id = ${organizationId} and id = ${project.id} returning *`)
  return row!
}

/** Archives a project, or brings it back. */
export async function markProjectArchived(
  tx: Transaction,
  organizationId: string,
  project: { id: string; archivedAt: Date | string | null; metadata: Record<string, unknown>; now: Date },
): Promise<ProjectRow> {
  const row = await tx.row(sql<ProjectRow>`
    update project set archived_at = ${project.archivedAt}, metadata = ${JSON.stringify(project.metadata)},
      version = version + 1, updated_at = ${project.now}
    where organization_id = ${organizationId} and id = ${project.id} returning *`)
  return row!
}
