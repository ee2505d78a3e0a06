import { isDeepStrictEqual } from 'node:util'
import type { EncryptionContext } from '../../platform/encryption.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import { recordedActor, requirePermission } from '../access/permission.ts'
import type { Context, Directory, ReadContext } from '../context.ts'
import { unlinkIdentityProvider } from '../domains/domain.sql.ts'
import { keepingAWayIn } from '../domains/way-in.ts'
import { DirectoryError } from '../errors.ts'
import { lockOwners } from '../grants/role-grant.sql.ts'
import { openSource } from '../grants/source.ts'
import { deleteProvisioned } from '../scim/disconnect.sql.ts'
import { insertRoster } from '../scim/roster.sql.ts'
import { openSecret, type Secrets, sealSecret } from '../secrets.ts'
import { requireVersion } from '../version.ts'
import { fingerprintOf } from './certificate.ts'
import {
  deleteIdentityProvider as deleteIdentityProviderRow,
  findIdentityProvider,
  type IdentityProviderColumns,
  type IdentityProviderRow,
  insertIdentityProvider,
  listIdentityProviders as listIdentityProviderRows,
  lockIdentityProvider,
  updateIdentityProvider as updateIdentityProviderRow,
} from './identity-provider.sql.ts'
import { deleteScimTokens, revokeLiveScimTokens } from './scim-token.sql.ts'
import { type IdentityProviderInput, readSettings } from './settings.ts'

export type { IdentityProviderRow } from './identity-provider.sql.ts'

export const IDENTITY_PROVIDER_NAME_LENGTH_MAX = 255

type Tools = Pick<Directory, 'encryption' | 'outbound'>

function identityProviderNotFound(): DirectoryError {
  return new DirectoryError('identity_provider.not_found', 'There is no identity provider with this id.')
}

/** @throws {DirectoryError} identity_provider.not_found */
export async function requireIdentityProvider(
  context: ReadContext,
  id: string,
): Promise<IdentityProviderRow> {
  const row = await findIdentityProvider(context.db, context.organizationId, id)
  if (row === undefined) throw identityProviderNotFound()
  return row
}

/** @throws {DirectoryError} identity_provider.not_found */
export async function requireLockedIdentityProvider(
  context: Context,
  id: string,
): Promise<IdentityProviderRow> {
  const row = await lockIdentityProvider(context.db, context.organizationId, id)
  if (row === undefined) throw identityProviderNotFound()
  return row
}

/** An identity provider of which nobody has said anything. */
export const nothingSet: IdentityProviderColumns = {
  name: '',
  saml_entity_id: null,
  saml_sso_url: null,
  saml_certificates: [],
  oidc_issuer: null,
  oidc_client_id: null,
  oidc_client_secret: null,
  id_jag_issuer: null,
  id_jag_jwks_url: null,
  id_jag_allowed_clients: [],
  scim_enabled: false,
}

/**
 * Creates an identity provider. Any setting may be left for later; it works for nobody before a domain is linked.
 *
 * @throws {DirectoryError} request.invalid, identity_provider.certificate_refused, encryption.unavailable,
 *   permission.denied
 */
export async function createIdentityProvider(
  context: Context,
  tools: Tools,
  input: IdentityProviderInput,
): Promise<IdentityProviderRow> {
  requirePermission(context.actor, 'identity_providers:write')
  const { db, organizationId, now } = context
  const id = uuidV7()
  const columns = await toColumns(context, tools, id, input, nothingSet)
  const row = await insertIdentityProvider(db, organizationId, { ...columns, id, now })
  await insertRoster(db, organizationId, { id, sourceId: await openSource(db, organizationId, 'scim', id) })
  const { after } = difference(nothingSet, row)
  context.change.describe({ kind: 'identity_provider.created', detail: { ...detailOf(row), after } })
  return row
}

async function toColumns(
  context: ReadContext,
  tools: Tools,
  id: string,
  input: IdentityProviderInput,
  before: IdentityProviderColumns,
): Promise<IdentityProviderColumns> {
  const { oidcClientSecret: secret } = input
  const place = secretPlace(context.organizationId, id)
  const sealed = secret == null || secret === '' ? null : await sealSecret(tools, secret, place)
  return {
    ...readSettings(tools, input, before),
    oidc_client_secret: secret === undefined ? before.oidc_client_secret : sealed,
  }
}

function secretPlace(organizationId: string, id: string): EncryptionContext {
  return { organizationId, table: 'identity_provider.oidc_client_secret', rowId: id }
}

/** The secret to show to the provider's token endpoint; for nobody else. @throws {DirectoryError} encryption.unavailable */
export async function oidcClientSecret(
  tools: Secrets,
  organizationId: string,
  row: Pick<IdentityProviderRow, 'id' | 'oidc_client_secret'>,
): Promise<string | null> {
  if (row.oidc_client_secret === null) return null
  return await openSecret(tools, row.oidc_client_secret, secretPlace(organizationId, row.id))
}

function detailOf(row: Pick<IdentityProviderRow, 'id' | 'name'>): Record<string, unknown> {
  return { identity_provider: row.id, name: row.name }
}

/** What changes tell of settings: certificates by their fingerprints, and of the secret only that there is one. */
function shown(columns: IdentityProviderColumns): Record<string, unknown> {
  return {
    name: columns.name,
    saml_entity_id: columns.saml_entity_id,
    saml_sso_url: columns.saml_sso_url,
    saml_certificates: columns.saml_certificates.map(fingerprintOf),
    oidc_issuer: columns.oidc_issuer,
    oidc_client_id: columns.oidc_client_id,
    oidc_client_secret: columns.oidc_client_secret === null ? null : 'set',
    id_jag_issuer: columns.id_jag_issuer,
    id_jag_jwks_url: columns.id_jag_jwks_url,
    id_jag_allowed_clients: columns.id_jag_allowed_clients,
    scim_enabled: columns.scim_enabled,
  }
}

function difference(before: IdentityProviderColumns, after: IdentityProviderColumns) {
  const [was, is] = [shown(before), shown(after)]
  const isReplaced =
    before.oidc_client_secret !== after.oidc_client_secret && was.oidc_client_secret === is.oidc_client_secret
  if (isReplaced) is.oidc_client_secret = 'replaced'
  const fields = Object.keys(is).filter((field) => !isDeepStrictEqual(was[field], is[field]))
  const pick = (from: Record<string, unknown>) =>
    Object.fromEntries(fields.map((field) => [field, from[field]]))
  return { fields, before: pick(was), after: pick(is) }
}

/** @throws {DirectoryError} identity_provider.not_found, permission.denied */
export async function getIdentityProvider(context: ReadContext, id: string): Promise<IdentityProviderRow> {
  requirePermission(context.actor, 'identity_providers:read')
  return await requireIdentityProvider(context, id)
}

/** One page of identity providers in the order of their creation. @throws {DirectoryError} permission.denied */
export async function listIdentityProviders(
  context: ReadContext,
  page: { afterId: string | null; limit: number },
): Promise<IdentityProviderRow[]> {
  requirePermission(context.actor, 'identity_providers:read')
  return await listIdentityProviderRows(context.db, context.organizationId, page)
}

/**
 * Changes settings; a field left out stays. Switching SCIM off revokes its tokens.
 *
 * @param expectedVersion refuses (version.mismatch) if the row has moved on; absent: no check
 * @throws {DirectoryError} identity_provider.not_found, request.invalid, identity_provider.certificate_refused,
 *   domain.would_lock_out, encryption.unavailable, version.mismatch, permission.denied
 */
export async function updateIdentityProvider(
  context: Context,
  tools: Tools,
  id: string,
  input: IdentityProviderInput,
  expectedVersion?: number,
): Promise<IdentityProviderRow> {
  requirePermission(context.actor, 'identity_providers:write')
  const { db, organizationId, now } = context
  await lockOwners(db, organizationId)
  const before = await requireLockedIdentityProvider(context, id)
  requireVersion(before.version, expectedVersion)
  const columns = await toColumns(context, tools, id, input, before)
  const { fields, ...values } = difference(before, columns)
  if (fields.length === 0) return before
  const row = await keepingAWayIn(context, () =>
    updateIdentityProviderRow(db, organizationId, { ...columns, id, now }),
  )
  const isSwitchedOff = before.scim_enabled && !row.scim_enabled
  const revoked = isSwitchedOff ? await revokeLiveScimTokens(db, organizationId, id, now) : 0
  context.change.describe({
    kind: 'identity_provider.updated',
    detail: { ...detailOf(row), ...values, ...(isSwitchedOff ? { scim_tokens_revoked: revoked } : {}) },
  })
  return row
}

/**
 * Deletes an identity provider with its SCIM tokens and what it provisioned; members and groups stay. Domains that were linked to it stay, without it.
 *
 * @param expectedVersion refuses (version.mismatch) if the row has moved on; absent: no check
 * @throws {DirectoryError} identity_provider.not_found, domain.would_lock_out, version.mismatch, permission.denied
 */
export async function deleteIdentityProvider(
  context: Context,
  id: string,
  expectedVersion?: number,
): Promise<void> {
  requirePermission(context.actor, 'identity_providers:write')
  const { db, organizationId, now } = context
  await lockOwners(db, organizationId)
  const row = await requireLockedIdentityProvider(context, id)
  requireVersion(row.version, expectedVersion)
  const unlinked = await keepingAWayIn(context, async () => {
    const domains = await unlinkIdentityProvider(db, organizationId, id, now)
    await deleteScimTokens(db, organizationId, id)
    await deleteProvisioned(db, organizationId, id, { actor: recordedActor(context.actor), now })
    await deleteIdentityProviderRow(db, organizationId, id)
    return domains
  })
  context.change.describe({
    kind: 'identity_provider.deleted',
    detail: { ...detailOf(row), domains_unlinked: unlinked },
  })
}
