import type { Queryable } from '../../platform/postgres/database.ts'
import { SqlFragment, sql } from '../../platform/postgres/sql.ts'
import { POSITION_MAX, type PositionPage, skipped } from '../position-page.ts'
import type { IdentityProviderRow } from './identity-provider.sql.ts'

/** An identity provider, and whether a SCIM client has a token that works. */
export interface ProviderWithScim extends IdentityProviderRow {
  has_scim_token: boolean
}

const COLUMNS = new SqlFragment(`p.*, exists (
      select 1 from scim_token t
      where t.organization_id = p.organization_id and t.identity_provider_id = p.id and t.revoked_at is null
        and (t.expires_at is null or t.expires_at > now())) as has_scim_token`)

export async function findProvidersWithScim(
  db: Queryable,
  organizationId: string,
  ids: readonly string[],
): Promise<ProviderWithScim[]> {
  return await db.rows(sql<ProviderWithScim>`
    select ${COLUMNS} from identity_provider p where p.organization_id = ${organizationId} and p.id = any(${ids})`)
}

/** One page in the order of creation. */
export async function listProvidersWithScim(
  db: Queryable,
  organizationId: string,
  page: PositionPage,
): Promise<ProviderWithScim[]> {
  return await db.rows(sql<ProviderWithScim>`
    select ${COLUMNS} from identity_provider p
    where p.organization_id = ${organizationId}
      and p.id > coalesce(${page.afterId}::uuid, '00000000-0000-0000-0000-000000000000')
    order by p.id offset ${skipped(page)} limit ${page.limit}`)
}

export async function countProviders(db: Queryable, organizationId: string): Promise<number> {
  const row = await db.row(sql<{ count: number }>`
    select count(*) as count from (
      select 1 from identity_provider where organization_id = ${organizationId} limit ${POSITION_MAX}) counted`)
  return row?.count ?? 0
}
