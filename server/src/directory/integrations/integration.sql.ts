import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import type { RecordedActor } from '../access/permission.ts'

export interface IntegrationRow {
  id: string
  kind: string
  /** The other product's own id of the connection. */
  integration_id: string | null
  /** What may be shown. */
  config: Record<string, unknown>
  /** Encrypted. */
  secrets: string | null
  /** Null: the environments are not mapped. */
  production_project_id: string | null
  preview_project_id: string | null
  development_project_id: string | null
  created_by_kind: RecordedActor['kind']
  created_by_id: string | null
  version: number
  created_at: string
  updated_at: string
}

/** The project that each environment stands for. */
export interface EnvironmentProjects {
  readonly production: string
  readonly preview: string
  readonly development: string
}

export async function insertIntegration(
  tx: Transaction,
  organizationId: string,
  integration: {
    id: string
    kind: string
    integrationId: string | null
    config: Record<string, unknown>
    secrets: string | null
    createdBy: RecordedActor
    now: Date
  },
): Promise<IntegrationRow> {
  const row = await tx.row(sql<IntegrationRow>`
    insert into integration (organization_id, id, kind, integration_id, config, secrets, created_by_kind,
      created_by_id, created_at, updated_at)
    values (${organizationId}, ${integration.id}, ${integration.kind}, ${integration.integrationId},
      ${JSON.stringify(integration.config)}, ${integration.secrets}, ${integration.createdBy.kind},
      ${integration.createdBy.id}, ${integration.now}, ${integration.now})
    returning *`)
  return row!
}

export async function findIntegration(
  db: Queryable,
  organizationId: string,
  id: string,
): Promise<IntegrationRow | undefined> {
  return await db.row(sql<IntegrationRow>`
    select * from integration where organization_id = ${organizationId} and id = ${id}`)
}

export async function lockIntegration(
  tx: Transaction,
  organizationId: string,
  id: string,
): Promise<IntegrationRow | undefined> {
  return await tx.row(sql<IntegrationRow>`
    select * from integration where organization_id = ${organizationId} and id = ${id} for update`)
}

/** One page of integrations in the order of their creation. */
export async function listIntegrations(
  db: Queryable,
  organizationId: string,
  page: { afterId: string | null; limit: number; kind: string | null },
): Promise<IntegrationRow[]> {
  return await db.rows(sql<IntegrationRow>`
    select * from integration
    where organization_id = ${organizationId} and (${page.kind}::text is null or kind = ${page.kind})
      and id > coalesce(${page.afterId}::uuid, '00000000-0000-0000-0000-000000000000')
    order by id limit ${page.limit}`)
}

export async function updateEnvironments(
  tx: Transaction,
  organizationId: string,
  integration: { id: string; projects: EnvironmentProjects; now: Date },
): Promise<IntegrationRow> {
  const { production, preview, development } = integration.projects
  const row = await tx.row(sql<IntegrationRow>`
    update integration set production_project_id = ${production}, preview_project_id = ${preview},
      development_project_id = ${development}, version = version + 1, updated_at = ${integration.now}
    where organization_id = ${organizationId} and id = ${integration.id} returning *`)
  return row!
}

export async function deleteIntegration(tx: Transaction, organizationId: string, id: string): Promise<void> {
  await tx.run(sql`delete from integration where organization_id = ${organizationId} and id = ${id}`)
}
