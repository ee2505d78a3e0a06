import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'

/** A page that the application has registered: what is on it is the application's. */
export interface PageRow {
  id: string
  workspace_id: string
  /** Null: a page of the workspace itself. */
  project_id: string | null
  name: string
  external_reference_id: string | null
  version: number
  created_at: string
  updated_at: string
}

export interface PageFields {
  name: string
  projectId: string | null
  externalReferenceId: string | null
}

export async function insertPage(
  tx: Transaction,
  organizationId: string,
  page: PageFields & { id: string; workspaceId: string; now: Date },
): Promise<PageRow> {
  const row = await tx.row(sql<PageRow>`
    insert into page (organization_id, id, workspace_id, project_id, name, external_reference_id, created_at,
      updated_at)
    values (${organizationId}, ${page.id}, ${page.workspaceId}, ${page.projectId}, ${page.name},
      ${page.externalReferenceId}, ${page.now}, ${page.now})
    returning *`)
  return row!
}

/** A page that is not deleted. */
export async function findPage(
  db: Queryable,
  organizationId: string,
  workspaceId: string,
  id: string,
): Promise<PageRow | undefined> {
  return await db.row(sql<PageRow>`
    select * from page
    where organization_id = ${organizationId} and workspace_id = ${workspaceId} and id = ${id}
      and deleted_change is null`)
}

/** Locks a page until COMMIT against other changes of it; sharing it goes on. */
export async function lockPage(tx: Transaction, organizationId: string, id: string): Promise<void> {
  await tx.run(
    sql`select 1 from page where organization_id = ${organizationId} and id = ${id} for no key update`,
  )
}

/** Locks a page until COMMIT, sharing it included: a grant's foreign key waits for this lock. */
export async function lockPageAgainstGrants(
  tx: Transaction,
  organizationId: string,
  id: string,
): Promise<void> {
  await tx.run(sql`select 1 from page where organization_id = ${organizationId} and id = ${id} for update`)
}

export interface PageFilter {
  readonly afterId: string | null
  readonly limit: number
  /** Null: wherever in the workspace. */
  readonly projectId: string | null
  readonly externalReferenceId: string | null
}

export async function listPages(
  db: Queryable,
  organizationId: string,
  workspaceId: string,
  filter: PageFilter,
): Promise<PageRow[]> {
  const { projectId, externalReferenceId } = filter
  return await db.rows(sql<PageRow>`
    select * from page
    where organization_id = ${organizationId} and workspace_id = ${workspaceId} and deleted_change is null
      and id > coalesce(${filter.afterId}::uuid, '00000000-0000-0000-0000-000000000000')
      and (${projectId}::uuid is null or project_id = ${projectId})
      and (${externalReferenceId}::text is null or external_reference_id = ${externalReferenceId})
    order by id limit ${filter.limit}`)
}

export async function updatePage(
  tx: Transaction,
  organizationId: string,
  page: PageFields & { id: string; now: Date },
): Promise<PageRow> {
  const row = await tx.row(sql<PageRow>`
    update page set name = ${page.name}, project_id = ${page.projectId},
      external_reference_id = ${page.externalReferenceId}, version = version + 1, updated_at = ${page.now}
    where organization_id = ${organizationId} and id = ${page.id} returning *`)
  return row!
}

/** Marks a page as deleted by a change, or as not deleted any more. */
export async function markPageDeleted(
  tx: Transaction,
  organizationId: string,
  page: { id: string; deletedChange: string | null; now: Date },
): Promise<void> {
  await tx.run(sql`
    update page set deleted_change = ${page.deletedChange}, version = version + 1, updated_at = ${page.now}
    where organization_id = ${organizationId} and id = ${page.id}`)
}

/** Locks a page that a change deleted. False if it is not deleted by it. */
export async function lockPageDeletedBy(
  tx: Transaction,
  organizationId: string,
  id: string,
  changeId: string,
): Promise<boolean> {
  const row = await tx.row(sql<{ found: number }>`
    select 1 as found from page
    where organization_id = ${organizationId} and id = ${id} and deleted_change = ${changeId}
    for update`)
  return row !== undefined
}
