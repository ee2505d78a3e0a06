import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import type { OrganizationSettings } from './settings.ts'

export interface OrganizationRow {
  id: string
  slug: string
  name: string
  metadata: Record<string, unknown>
  settings: OrganizationSettings
  version: number
  created_at: string
  updated_at: string
  deleted_at: string | null
  purge_at: string | null
}

export async function insertOrganization(
  tx: Transaction,
  organization: { id: string; slug: string; name: string; metadata: object; settings: object; now: Date },
): Promise<OrganizationRow> {
  const { id, slug, name, metadata, settings, now } = organization
  const row = await tx.row(sql<OrganizationRow>`
    insert into organization (id, slug, name, metadata, settings, created_at, updated_at)
    values (${id}, ${slug}, ${name}, ${JSON.stringify(metadata)}, ${JSON.stringify(settings)}, ${now}, ${now})
    returning *`)
  await tx.run(sql`insert into change_counter (organization_id, last_at) values (${id}, ${now})`)
  return row!
}

/** By id, deleted ones too. */
export async function findOrganization(db: Queryable, id: string): Promise<OrganizationRow | undefined> {
  return await db.row(sql<OrganizationRow>`select * from organization where id = ${id}`)
}

export async function lockOrganization(tx: Transaction, id: string): Promise<OrganizationRow | undefined> {
  return await tx.row(sql<OrganizationRow>`select * from organization where id = ${id} for no key update`)
}

export async function findOrganizationBySlug(
  db: Queryable,
  slug: string,
): Promise<OrganizationRow | undefined> {
  return await db.row(sql<OrganizationRow>`select * from organization where slug = ${slug}`)
}

export async function listOrganizations(
  db: Queryable,
  page: { afterId: string | null; limit: number; includeDeleted: boolean },
): Promise<OrganizationRow[]> {
  return await db.rows(sql<OrganizationRow>`
    select * from organization
    where id > coalesce(${page.afterId}::uuid, '00000000-0000-0000-0000-000000000000')
      and (${page.includeDeleted}::boolean or deleted_at is null)
    order by id limit ${page.limit}`)
}

export async function updateOrganization(
  tx: Transaction,
  organization: { id: string; slug: string; name: string; metadata: object; settings: object; now: Date },
): Promise<OrganizationRow> {
  const { id, slug, name, metadata, settings, now } = organization
  const row = await tx.row(sql<OrganizationRow>`
    update organization set slug = ${slug}, name = ${name}, metadata = ${JSON.stringify(metadata)},
      settings = ${JSON.stringify(settings)}, version = version + 1, updated_at = ${now}
    where id = ${id} returning *`)
  return row!
}

export async function markOrganizationDeleted(
  tx: Transaction,
  id: string,
  now: Date,
  purgeAt: Date | null,
): Promise<OrganizationRow> {
  const row = await tx.row(sql<OrganizationRow>`
    update organization set deleted_at = ${purgeAt === null ? null : now}, purge_at = ${purgeAt},
      version = version + 1, updated_at = ${now}
    where id = ${id} returning *`)
  return row!
}

/** Deleted organizations whose grace period is over. */
export async function listOrganizationsToPurge(db: Queryable, limit: number): Promise<string[]> {
  const rows = await db.rows(sql<{ id: string }>`
    select id from organization where purge_at <= now() order by purge_at limit ${limit}`)
  return rows.map((row) => row.id)
}
