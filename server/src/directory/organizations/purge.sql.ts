import type { Database } from '../../platform/postgres/database.ts'
import type { Statement } from '../../platform/postgres/sql.ts'

/** Every tenant table, those that refer to others first. A test compares it with the schema. */
export const TENANT_TABLES = [
  'plan_entry',
  'plan',
  'member_sync_desired',
  'member_sync_failure',
  'member_sync',
  'member_sync_lane',
  'group_membership',
  'group_membership_past',
  'mail',
  'invitation_token',
  'invitation_grant',
  'invitation',
  'role_grant',
  'group_claim',
  'scim_group_sync_due',
  'scim_group_member',
  'scim_group',
  'scim_user',
  'scim_roster',
  'group_sync_mapping',
  'group_sync_config',
  'page',
  'teamspace',
  'role_past',
  'role',
  'integration',
  'verified_domain',
  'domain',
  'scim_request',
  'scim_credential',
  'scim_token',
  'identity_provider',
  'project',
  'workspace',
  'credential',
  'api_key',
  'change',
  'org_group',
  'grant_source',
  'member',
  'task',
  'change_counter',
] as const

/** Rows that refer to rows of their own table, which another batch may delete first. */
const SELF_REFERENCES = [
  ['member', 'merged_into'],
  ['change', 'undoes'],
] as const

const BATCH = 10_000

/** Deletes every row of an organization whose grace period is over, in batches; the organization itself last. */
export async function purgeOrganization(db: Database, organizationId: string): Promise<void> {
  for (const [table, column] of SELF_REFERENCES) {
    await db.run({
      name: `purge_${table}_${column}`,
      text: `update ${table} set ${column} = null where organization_id = $1 and ${column} is not null`,
      values: [organizationId],
    })
  }
  for (const table of TENANT_TABLES) {
    // Table names cannot be parameters; these are the constants above.
    const statement: Statement<unknown> = {
      name: `purge_${table}`,
      text: `delete from ${table} where ctid = any (array(
        select ctid from ${table} where organization_id = $1 limit ${BATCH}))`,
      values: [organizationId],
    }
    while ((await db.run(statement)) === BATCH) {
      // Until a batch is not full.
    }
  }
  await db.run({
    name: 'purge_idempotency_key',
    text: 'delete from idempotency_key where scope = $1',
    values: [organizationId],
  })
  await db.run({
    name: 'purge_organization',
    text: 'delete from organization where id = $1 and purge_at <= now()',
    values: [organizationId],
  })
}
