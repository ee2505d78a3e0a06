import { isDeepStrictEqual } from 'node:util'
import type { EncryptionContext } from '../../platform/encryption.ts'
import { violatedConstraint } from '../../platform/postgres/database.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import { recordedActor, requirePermission } from '../access/permission.ts'
import type { Context, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { requireActiveProjects } from '../projects/project.ts'
import { openSecret, type Secrets, sealSecret } from '../secrets.ts'
import { requireVersion } from '../version.ts'
import {
  deleteIntegration,
  type EnvironmentProjects,
  findIntegration,
  type IntegrationRow,
  insertIntegration,
  listIntegrations as listIntegrationRows,
  lockIntegration,
  updateEnvironments,
} from './integration.sql.ts'

export type { IntegrationRow } from './integration.sql.ts'

/** The type in an integration's config that has environments to map. */
const CONNECTABLE = 'connectable'

export interface NewIntegration {
  /** Which product. */
  kind: string
  /** That product's own id of the connection. */
  integrationId: string | null
  /** What may be shown. */
  config: Record<string, unknown>
  /** What may not. */
  secrets: Record<string, string>
}

function integrationNotFound(): DirectoryError {
  return new DirectoryError('integration.not_found', 'There is no integration with this id.')
}

function secretPlace(organizationId: string, id: string): EncryptionContext {
  return { organizationId, table: 'integration.secrets', rowId: id }
}

/**
 * Connects another product to the organization.
 *
 * @throws {DirectoryError} integration.already_connected, encryption.unavailable, permission.denied
 */
export async function connectIntegration(
  context: Context,
  tools: Secrets,
  input: NewIntegration,
): Promise<IntegrationRow> {
  requirePermission(context.actor, 'integrations:write')
  const { db, organizationId, actor, now } = context
  const { secrets: given, ...fields } = input
  const id = uuidV7()
  const secrets =
    Object.keys(given).length === 0
      ? null
      : await sealSecret(tools, JSON.stringify(given), secretPlace(organizationId, id))
  const row = await insertIntegration(db, organizationId, {
    ...{ ...fields, id, secrets, createdBy: recordedActor(actor), now },
  }).catch((error: unknown) => {
    if (violatedConstraint(error) !== 'integration_connection') throw error
    throw new DirectoryError('integration.already_connected', 'This integration is connected already.', {
      field: 'integration_id',
    })
  })
  context.change.describe({
    kind: 'integration.connected',
    // The names of the secrets, never what they are.
    detail: { ...detailOf(row), config: row.config, secrets: Object.keys(given) },
  })
  return row
}

function detailOf(row: IntegrationRow): Record<string, unknown> {
  return { integration: row.id, integration_kind: row.kind, integration_id: row.integration_id }
}

/** The secrets to speak to the other product with; for nobody else. @throws {DirectoryError} encryption.unavailable */
export async function integrationSecrets(
  tools: Secrets,
  organizationId: string,
  row: Pick<IntegrationRow, 'id' | 'secrets'>,
): Promise<Record<string, string>> {
  if (row.secrets === null) return {}
  return JSON.parse(await openSecret(tools, row.secrets, secretPlace(organizationId, row.id)))
}

/** @throws {DirectoryError} integration.not_found, permission.denied */
export async function getIntegration(context: ReadContext, id: string): Promise<IntegrationRow> {
  requirePermission(context.actor, 'integrations:read')
  const row = await findIntegration(context.db, context.organizationId, id)
  if (row === undefined) throw integrationNotFound()
  return row
}

/**
 * One page of integrations in the order of their creation.
 *
 * @param page `kind`: of one product; null: all
 * @throws {DirectoryError} permission.denied
 */
export async function listIntegrations(
  context: ReadContext,
  page: { afterId: string | null; limit: number; kind: string | null },
): Promise<IntegrationRow[]> {
  requirePermission(context.actor, 'integrations:read')
  return await listIntegrationRows(context.db, context.organizationId, page)
}

async function requireLocked(
  context: Context,
  id: string,
  expectedVersion?: number,
): Promise<IntegrationRow> {
  const row = await lockIntegration(context.db, context.organizationId, id)
  if (row === undefined) throw integrationNotFound()
  requireVersion(row.version, expectedVersion)
  return row
}

/** What each environment stands for; null: they are not mapped. */
export function environmentProjects(row: IntegrationRow): EnvironmentProjects | null {
  const { production_project_id: production, preview_project_id: preview } = row
  const { development_project_id: development } = row
  if (production === null || preview === null || development === null) return null
  return { production, preview, development }
}

/**
 * Says which project each environment of the other product stands for. An environment left out is the production one.
 *
 * @param expectedVersion refuses (version.mismatch) if the row has moved on; absent: no check
 * @throws {DirectoryError} integration.not_found, integration.not_connectable (it has no environments),
 *   project.not_found, project.archived, version.mismatch, permission.denied
 */
export async function setEnvironmentMapping(
  context: Context,
  id: string,
  mapping: { production: string; preview?: string | undefined; development?: string | undefined },
  expectedVersion?: number,
): Promise<IntegrationRow> {
  requirePermission(context.actor, 'integrations:write')
  const before = await requireLocked(context, id, expectedVersion)
  if (before.config.type !== CONNECTABLE) {
    throw new DirectoryError(
      'integration.not_connectable',
      `Only an integration whose config has type ${CONNECTABLE} has environments to map.`,
    )
  }
  const { production, preview = production, development = production } = mapping
  const projects = { production, preview, development }
  await requireActiveProjects(context, Object.values(projects))
  const was = environmentProjects(before)
  if (isDeepStrictEqual(was, projects)) return before
  const { db, organizationId, now } = context
  const row = await updateEnvironments(db, organizationId, { id, projects, now })
  context.change.describe({
    kind: 'integration.environments_mapped',
    detail: { ...detailOf(row), before: was, after: projects },
  })
  return row
}

/**
 * Disconnects another product; what was kept of it is deleted.
 *
 * @param expectedVersion refuses (version.mismatch) if the row has moved on; absent: no check
 * @throws {DirectoryError} integration.not_found, version.mismatch, permission.denied
 */
export async function disconnectIntegration(
  context: Context,
  id: string,
  expectedVersion?: number,
): Promise<void> {
  requirePermission(context.actor, 'integrations:write')
  const row = await requireLocked(context, id, expectedVersion)
  await deleteIntegration(context.db, context.organizationId, id)
  context.change.describe({ kind: 'integration.disconnected', detail: detailOf(row) })
}
