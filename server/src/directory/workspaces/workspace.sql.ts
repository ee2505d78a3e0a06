import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'

export interface WorkspaceRow {
  id: string
  slug: string
  name: string
  metadata: Record<string, unknown>
  purchased_seats: number | null
  version: number
  created_at: string
  updated_at: string
}

export interface WorkspaceFields {
  name: string
  metadata: Record<string, unknown>
  purchasedSeats: number | null
}

export async function insertWorkspace(
  tx: Transaction,
  organizationId: string,
  workspace: WorkspaceFields & { id: string; slug: string; now: Date },
): Promise<WorkspaceRow> {
  const row = await tx.row(sql<WorkspaceRow>`
    insert into workspace (organization_id, id, slug, name, metadata, purchased_seats, created_at, updated_at)
    values (${organizationId}, ${workspace.id}, ${workspace.slug}, ${workspace.name},
      ${JSON.stringify(workspace.metadata)}, ${workspace.purchasedSeats}, ${workspace.now}, ${workspace.now})
    returning *`)
  return row!
}

export async function findWorkspace(
  db: Queryable,
  organizationId: string,
  slug: string,
): Promise<WorkspaceRow | undefined> {
  return await db.row(sql<WorkspaceRow>`
    select * from workspace where organization_id = ${organizationId} and slug = ${slug}`)
}

/** Workspaces by their ids. */
export async function findWorkspaces(
  db: Queryable,
  organizationId: string,
  ids: readonly string[],
): Promise<WorkspaceRow[]> {
  return await db.rows(sql<WorkspaceRow>`
    select * from workspace where organization_id = ${organizationId} and id = any(${ids})`)
}

export async function lockWorkspace(
  tx: Transaction,
  organizationId: string,
  slug: string,
): Promise<WorkspaceRow | undefined> {
  return await tx.row(sql<WorkspaceRow>`
    select * from workspace where organization_id = ${organizationId} and slug = ${slug} for no key update`)
}

export async function lockWorkspaceById(
  tx: Transaction,
  organizationId: string,
  id: string,
): Promise<WorkspaceRow | undefined> {
  return await tx.row(sql<WorkspaceRow>`
    select * from workspace where organization_id = ${organizationId} and id = ${id} for no key update`)
}

export async function listWorkspaces(
  db: Queryable,
  organizationId: string,
  page: { afterId: string | null; limit: number },
): Promise<WorkspaceRow[]> {
  return await db.rows(sql<WorkspaceRow>`
    select * from workspace
    where organization_id = ${organizationId}
      and id > coalesce(${page.afterId}::uuid, '00000000-0000-0000-0000-000000000000')
    order by id limit ${page.limit}`)
}

export async function updateWorkspace(
  tx: Transaction,
  organizationId: string,
  workspace: WorkspaceFields & { id: string; now: Date },
): Promise<WorkspaceRow> {
  const row = await tx.row(sql<WorkspaceRow>`
    update workspace set name = ${workspace.name}, metadata = ${JSON.stringify(workspace.metadata)},
      purchased_seats = ${workspace.purchasedSeats}, version = version + 1, updated_at = ${workspace.now}
    where organization_id = ${organizationId} and id = ${workspace.id} returning *`)
  return row!
}
