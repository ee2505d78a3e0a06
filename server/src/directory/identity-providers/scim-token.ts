import type { Queryable } from '../../platform/postgres/database.ts'
import { digestSecret, makeSecret } from '../../platform/secret.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import { requirePermission } from '../access/permission.ts'
import type { Context, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { requireIdentityProvider, requireLockedIdentityProvider } from './identity-provider.ts'
import {
  countLiveScimTokens,
  findScimConnection,
  insertScimToken,
  listScimTokens as listScimTokenRows,
  revokeLiveScimTokens,
  revokeScimToken as revokeScimTokenRow,
  type ScimTokenRow,
} from './scim-token.sql.ts'

export type { ScimTokenRow } from './scim-token.sql.ts'

const SCIM_TOKEN_PREFIX = 'rcscim_'
const HINT_LENGTH = SCIM_TOKEN_PREFIX.length + 4
const SECRET_LENGTH_MAX = 512
/** The old one and the new one, while the provider is told the new one. */
const LIVE_TOKENS_MAX = 2

/**
 * Makes a token for the SCIM client of an identity provider. It is answered once and stored as a digest.
 *
 * @param input `replaces`: revokes the ones before in the same change, or all but the latest of them; else they work
 *   on, two at most at a time. `expiresAt`: RFC 3339; null: no end
 * @throws {DirectoryError} identity_provider.not_found, identity_provider.scim_disabled, scim_token.too_many,
 *   request.invalid (an end in the past), permission.denied
 */
export async function createScimToken(
  context: Context,
  identityProviderId: string,
  input: { expiresAt: string | null; replaces: boolean | 'all but the latest' },
): Promise<{ token: ScimTokenRow; secret: string }> {
  requirePermission(context.actor, 'identity_providers:write')
  const { db, organizationId, now } = context
  const provider = await requireLockedIdentityProvider(context, identityProviderId)
  if (!provider.scim_enabled) {
    throw new DirectoryError(
      'identity_provider.scim_disabled',
      'SCIM is off for this identity provider: switch it on.',
    )
  }
  if (input.expiresAt !== null && Date.parse(input.expiresAt) <= now.getTime()) {
    throw new DirectoryError('request.invalid', 'expires_at must be in the future.', { field: 'expires_at' })
  }
  const revoked =
    input.replaces === false
      ? undefined
      : await revokeLiveScimTokens(db, organizationId, identityProviderId, now, {
          keeps: input.replaces === true ? 0 : LIVE_TOKENS_MAX - 1,
        })
  if ((await countLiveScimTokens(db, organizationId, identityProviderId)) >= LIVE_TOKENS_MAX) {
    throw new DirectoryError(
      'scim_token.too_many',
      `The identity provider has ${LIVE_TOKENS_MAX} SCIM tokens that work: revoke one first.`,
    )
  }
  const secret = makeSecret(SCIM_TOKEN_PREFIX)
  const token = await insertScimToken(db, organizationId, {
    ...{ id: uuidV7(), identityProviderId, expiresAt: input.expiresAt, now },
    hint: secret.slice(0, HINT_LENGTH),
    digest: digestSecret(secret),
  })
  context.change.describe({
    kind: 'scim_token.created',
    detail: {
      ...{ identity_provider: identityProviderId, scim_token: token.id },
      ...(revoked === undefined ? {} : { scim_tokens_revoked: revoked }),
    },
  })
  return { token, secret }
}

/**
 * One page of the tokens that are not revoked, without their secrets.
 *
 * @throws {DirectoryError} identity_provider.not_found, permission.denied
 */
export async function listScimTokens(
  context: ReadContext,
  identityProviderId: string,
  page: { afterId: string | null; limit: number },
): Promise<ScimTokenRow[]> {
  requirePermission(context.actor, 'identity_providers:read')
  await requireIdentityProvider(context, identityProviderId)
  return await listScimTokenRows(context.db, context.organizationId, identityProviderId, page)
}

/**
 * Revokes a token: the next request with it is refused.
 *
 * @throws {DirectoryError} identity_provider.not_found, scim_token.not_found, permission.denied
 */
export async function revokeScimToken(
  context: Context,
  identityProviderId: string,
  id: string,
): Promise<void> {
  requirePermission(context.actor, 'identity_providers:write')
  const { db, organizationId, now } = context
  await requireIdentityProvider(context, identityProviderId)
  if (!(await revokeScimTokenRow(db, organizationId, { id, identityProviderId, now }))) {
    throw new DirectoryError('scim_token.not_found', 'There is no SCIM token with this id.')
  }
  context.change.describe({
    kind: 'scim_token.revoked',
    detail: { identity_provider: identityProviderId, scim_token: id },
  })
}

/** Who is behind a SCIM token that works. */
export interface ScimClient {
  readonly organizationId: string
  /** The identity provider whose client it is. */
  readonly connectionId: string
  readonly connectionName: string
  readonly tokenId: string
  /** The first characters of the token. */
  readonly tokenHint: string
  /** Milliseconds since 1970 at which the token ends; infinite: never. */
  readonly endsAt: number
}

/** Whether a secret could be a SCIM token at all: API keys and root keys are none. */
export function isScimTokenShaped(secret: string): boolean {
  return secret.startsWith(SCIM_TOKEN_PREFIX) && secret.length <= SECRET_LENGTH_MAX
}

/** Who presents a token; undefined: it does not work (unknown, revoked, past its end, SCIM off). */
export async function findScimClient(db: Queryable, secret: string): Promise<ScimClient | undefined> {
  const row = await findScimConnection(db, digestSecret(secret))
  if (row === undefined) return undefined
  return {
    organizationId: row.organization_id,
    connectionId: row.identity_provider_id,
    connectionName: row.name,
    tokenId: row.scim_token_id,
    tokenHint: row.hint,
    endsAt: row.expires_at === null ? Number.POSITIVE_INFINITY : Date.parse(row.expires_at),
  }
}
