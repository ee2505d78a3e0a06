import { requirePermission } from '../access/permission.ts'
import type { ReadContext } from '../context.ts'
import type { Counted, PositionPage } from '../position-page.ts'
import { requireIdentityProvider } from './identity-provider.ts'
import {
  countProviders,
  findProvidersWithScim,
  listProvidersWithScim,
  type ProviderWithScim,
} from './identity-provider-page.sql.ts'

export type { ProviderWithScim } from './identity-provider-page.sql.ts'

/** Asks for no permission: for what answers a change of it. @throws {DirectoryError} identity_provider.not_found */
export async function requireProviderWithScim(context: ReadContext, id: string): Promise<ProviderWithScim> {
  await requireIdentityProvider(context, id)
  const [row] = await findProvidersWithScim(context.db, context.organizationId, [id])
  return row!
}

/** @throws {DirectoryError} identity_provider.not_found, permission.denied */
export async function getProviderWithScim(context: ReadContext, id: string): Promise<ProviderWithScim> {
  requirePermission(context.actor, 'identity_providers:read')
  return await requireProviderWithScim(context, id)
}

/** A page of identity providers by position, in the order of their creation. @throws permission.denied */
export async function pageProvidersWithScim(
  context: ReadContext,
  page: PositionPage,
): Promise<Counted<ProviderWithScim>> {
  requirePermission(context.actor, 'identity_providers:read')
  const { db, organizationId } = context
  const count = await countProviders(db, organizationId)
  return { rows: await listProvidersWithScim(db, organizationId, page), count }
}
