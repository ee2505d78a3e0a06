import { requirePermission } from '../access/permission.ts'
import type { ReadContext } from '../context.ts'
import { requireIdentityProvider } from '../identity-providers/identity-provider.ts'
import { listScimTokensOf, type ScimTokenRow } from '../identity-providers/scim-token.sql.ts'
import { listScimConnectionRows, type ScimConnectionRow } from './connection-page.sql.ts'
import { healthOf, type Provisioned, type ScimHealth, scimHealth } from './health.ts'

/** An identity provider as a SCIM client: with the tokens it may carry, and how it is doing. */
export interface ConnectionWithHealth {
  readonly id: string
  readonly name: string
  readonly isEnabled: boolean
  /** Those that are not revoked; of many that are past their end, the latest. */
  readonly tokens: readonly ScimTokenRow[]
  readonly health: ScimHealth
}

const TOKENS_MAX = 10

/** One page of SCIM connections in the order of their creation. @throws {DirectoryError} permission.denied */
export async function listScimConnections(
  context: ReadContext,
  page: { afterId: string | null; limit: number },
): Promise<ConnectionWithHealth[]> {
  requirePermission(context.actor, 'identity_providers:read')
  const rows = await listScimConnectionRows(context.db, context.organizationId, page)
  const ids = rows.map(({ id }) => id)
  return await withTokens(context, rows, await healthOf(context, ids))
}

/** @throws {DirectoryError} identity_provider.not_found, permission.denied */
export async function getScimConnection(
  context: ReadContext,
  id: string,
): Promise<ConnectionWithHealth & { readonly provisioned: Provisioned }> {
  const { provisioned, ...health } = await scimHealth(context, id)
  const row = await requireIdentityProvider(context, id)
  const [connection] = await withTokens(context, [row], new Map([[id, health]]))
  return { ...connection!, provisioned }
}

async function withTokens(
  { db, organizationId }: ReadContext,
  rows: readonly ScimConnectionRow[],
  health: ReadonlyMap<string, ScimHealth>,
): Promise<ConnectionWithHealth[]> {
  const ids = rows.map(({ id }) => id)
  const tokens = await listScimTokensOf(db, organizationId, ids, TOKENS_MAX)
  return rows.map(({ id, name, scim_enabled: isEnabled }) => ({
    ...{ id, name, isEnabled },
    tokens: tokens.filter((token) => token.identity_provider_id === id),
    health: health.get(id)!,
  }))
}
