import { requirePermission } from '../access/permission.ts'
import type { ReadContext } from '../context.ts'
import type { Counted, PositionPage } from '../position-page.ts'
import type { IntegrationRow } from './integration.sql.ts'
import { countIntegrations, listIntegrationsAt } from './integration-positions.sql.ts'

/** A page of integrations by position, in the order of their creation. @throws {DirectoryError} permission.denied */
export async function pageIntegrations(
  context: ReadContext,
  page: PositionPage,
): Promise<Counted<IntegrationRow>> {
  requirePermission(context.actor, 'integrations:read')
  const { db, organizationId } = context
  return {
    rows: await listIntegrationsAt(db, organizationId, page),
    count: await countIntegrations(db, organizationId),
  }
}
