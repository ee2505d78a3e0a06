import type { Queryable } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { POSITION_MAX, type PositionPage, skipped } from '../position-page.ts'
import type { IntegrationRow } from './integration.sql.ts'

/** One page in the order of creation. */
export async function listIntegrationsAt(
  db: Queryable,
  organizationId: string,
  page: PositionPage,
): Promise<IntegrationRow[]> {
  return await db.rows(sql<IntegrationRow>`
    select * from integration
    where organization_id = ${organizationId}
      and id > coalesce(${page.afterId}::uuid, '00000000-0000-0000-0000-000000000000')
    order by id offset ${skipped(page)} limit ${page.limit}`)
}

export async function countIntegrations(db: Queryable, organizationId: string): Promise<number> {
  const row = await db.row(sql<{ count: number }>`
    select count(*) as count from (
      select 1 from integration where organization_id = ${organizationId} limit ${POSITION_MAX}) counted`)
  return row?.count ?? 0
}
