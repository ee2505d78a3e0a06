import type { Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import type { RecordedActor } from '../access/permission.ts'

/**
 * Forgets what a connection provisioned. The members stay as they are; the groups stay with everybody in them, and are
 * managed by nobody from then on. What is held of them is over.
 */
export async function deleteProvisioned(
  tx: Transaction,
  organizationId: string,
  connectionId: string,
  by: { actor: RecordedActor; now: Date },
): Promise<void> {
  await tx.run(sql`
    with managed as (
      select id from org_group
      where organization_id = ${organizationId} and managed_by in (
        select source_id from scim_roster
        where organization_id = ${organizationId} and connection_id = ${connectionId})
      order by id for no key update
    )
    update org_group g set managed_by = null from managed
    where g.organization_id = ${organizationId} and g.id = managed.id`)
  await tx.run(sql`
    update plan set status = 'superseded', decided_at = ${by.now}, decided_by_kind = ${by.actor.kind},
      decided_by_id = ${by.actor.id}
    where organization_id = ${organizationId} and status = 'held' and source_id in (
      select source_id from scim_roster
      where organization_id = ${organizationId} and connection_id = ${connectionId})`)
  // Whoever changes a group's members holds it: what is deleted next is all there will be.
  await tx.run(sql`
    select 1 from scim_group
    where organization_id = ${organizationId} and connection_id = ${connectionId} order by id for update`)
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
