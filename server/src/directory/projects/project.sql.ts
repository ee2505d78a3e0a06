import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'

export interface ProjectRow {
  id: string
  workspace_id: string
  identifier: string
  name: string
  metadata: Record<string, unknown>
  version: number
  created_at: string
  updated_at: string
}

export interface ProjectFields {
  name: string
  metadata: Record<string, unknown>
}

export async function insertProject(
  tx: Transaction,
  organizationId: string,
  project: ProjectFields & { id: string; workspaceId: string; identifier: string; now: Date },
): Promise<ProjectRow> {
  const row = await tx.row(sql<ProjectRow>`
    insert into project (organization_id, id, workspace_id, identifier, name, metadata, created_at, updated_at)
    values (${organizationId}, ${project.id}, ${project.workspaceId}, ${project.identifier}, ${project.name},
      ${JSON.stringify(project.metadata)}, ${project.now}, ${project.now})
    returning *`)
  return row!
}

export async function findProject(
  db: Queryable,
  organizationId: string,
  workspaceId: string,
  id: string,
): Promise<ProjectRow | undefined> {
  return await db.row(sql<ProjectRow>`
    select * from project
    where organization_id = ${organizationId} and workspace_id = ${workspaceId} and id = ${id}`)
}

export async function lockProject(
  tx: Transaction,
  organizationId: string,
  workspaceId: string,
  id: string,
): Promise<ProjectRow | undefined> {
  return await tx.row(sql<ProjectRow>`
    select * from project
    where organization_id = ${organizationId} and workspace_id = ${workspaceId} and id = ${id}
    for no key update`)
}

export async function listProjects(
  db: Queryable,
  organizationId: string,
  workspaceId: string,
  page: { afterId: string | null; limit: number },
): Promise<ProjectRow[]> {
  return await db.rows(sql<ProjectRow>`
    select * from project
    where organization_id = ${organizationId} and workspace_id = ${workspaceId}
      and id > coalesce(${page.afterId}::uuid, '00000000-0000-0000-0000-000000000000')
    order by id limit ${page.limit}`)
}

export async function updateProject(
  tx: Transaction,
  organizationId: string,
  project: ProjectFields & { id: string; now: Date },
): Promise<ProjectRow> {
  const row = await tx.row(sql<ProjectRow>`
    update project set name = ${project.name}, metadata = ${JSON.stringify(project.metadata)},
      version = version + 1, updated_at = ${project.now}
    where organization_id = ${organizationId} and id = ${project.id} returning *`)
  return row!
}
