import type { Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'

/**
 * Forgets what a connection provisioned. The members stay as they are; the groups stay with everybody in them, and are
 * managed by nobody from then on.
 */
export async function deleteProvisioned(
  tx: Transaction,
  organizationId: string,
  connectionId: string,
): Promise<void> {
  await tx.run(sql`
    update org_group set managed_by = null
    where organization_id = ${organizationId} and managed_by in (
      select source_id from scim_roster
      where organization_id = ${organizationId} and connection_id = ${connectionId})`)
  await tx.run(sql`
    delete from scim_group_member
    where organization_id = ${organizationId} and group_id in (
      select id from scim_group where organization_id = ${organizationId} and connection_id = ${connectionId})`)
  await tx.run(sql`
    delete from scim_group where organization_id = ${organizationId} and connection_id = ${connectionId}`)
  await tx.run(sql`
    delete from scim_user where organization_id = ${organizationId} and connection_id = ${connectionId}`)
  await tx.run(sql`
    delete from scim_roster where organization_id = ${organizationId} and connection_id = ${connectionId}`)
}
