import { digestSecret, makeSecret } from '../../platform/secret.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import { holdsPermission, permissions, requirePermission, type Scope } from '../access/permission.ts'
import type { Context, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { requireMayTouch, requireMember } from '../members/member.ts'
import {
  type ApiKeyRow,
  insertApiKey,
  insertCredential,
  listApiKeys as listApiKeyRows,
  revokeApiKey as revokeApiKeyRow,
} from './api-key.sql.ts'

export type { ApiKeyRow } from './api-key.sql.ts'

const API_KEY_PREFIX = 'rck_'
const HINT_LENGTH = API_KEY_PREFIX.length + 4

export interface NewApiKey {
  name: string
  scopes: readonly Scope[]
  /** The member the key acts as; absent: the organization itself. */
  memberId: string | null
  /** RFC 3339; null: no end. */
  expiresAt: string | null
}

/**
 * Creates an API key. The secret is answered once and stored as a digest.
 *
 * @throws {DirectoryError} api_key.scope_exceeded (a scope the actor does not hold), member.not_found,
 *   member.wrong_status (not active), request.invalid (an end in the past), permission.denied
 */
export async function createApiKey(
  context: Context,
  input: NewApiKey,
): Promise<{ key: ApiKeyRow; secret: string }> {
  requirePermission(context.actor, 'api_keys:write')
  const wanted = input.scopes.includes('*') ? ['*', ...permissions] : input.scopes
  const beyond = wanted.filter((permission) => !holdsPermission(context.actor, permission))
  if (beyond.length > 0) {
    throw new DirectoryError('api_key.scope_exceeded', `You do not hold ${beyond.join(', ')} yourself.`, {
      field: 'scopes',
    })
  }
  if (input.memberId === null && context.actor.kind === 'api_key' && context.actor.memberId !== null) {
    throw new DirectoryError(
      'api_key.scope_exceeded',
      'A key that acts as a member cannot make a key that acts as the organization.',
      { field: 'member_id' },
    )
  }
  if (input.expiresAt !== null && Date.parse(input.expiresAt) <= context.now.getTime()) {
    throw new DirectoryError('request.invalid', 'expires_at must be in the future.', { field: 'expires_at' })
  }
  if (input.memberId !== null) {
    const member = await requireMember(context, input.memberId)
    // A key of somebody else acts in that person's name.
    const isOwn = context.actor.kind === 'api_key' && context.actor.memberId === member.id
    if (!isOwn) requirePermission(context.actor, 'members:write')
    requireMayTouch(context, member)
    if (member.status !== 'active') {
      throw new DirectoryError('member.wrong_status', `The member is ${member.status}, not active.`, {
        field: 'member_id',
      })
    }
  }
  const secret = makeSecret(API_KEY_PREFIX)
  const key = await insertApiKey(context.db, context.organizationId, {
    ...input,
    id: uuidV7(),
    hint: secret.slice(0, HINT_LENGTH),
    digest: digestSecret(secret),
    now: context.now,
  })
  context.change.describe({
    kind: 'api_key.created',
    ...(input.memberId === null ? {} : { memberId: input.memberId }),
    detail: { api_key: key.id, name: key.name, scopes: key.scopes },
  })
  return { key, secret }
}

/** One page of keys that are not revoked, without secrets. @throws {DirectoryError} permission.denied */
export async function listApiKeys(
  context: ReadContext,
  page: { afterId: string | null; limit: number },
): Promise<ApiKeyRow[]> {
  requirePermission(context.actor, 'api_keys:read')
  return await listApiKeyRows(context.db, context.organizationId, page)
}

/** Revokes a key: it stops within a second in every process. @throws {DirectoryError} api_key.not_found */
export async function revokeApiKey(context: Context, id: string): Promise<void> {
  requirePermission(context.actor, 'api_keys:write')
  if (!(await revokeApiKeyRow(context.db, context.organizationId, id, context.now))) {
    throw new DirectoryError('api_key.not_found', 'There is no API key with this id.')
  }
  context.change.describe({ kind: 'api_key.revoked', detail: { api_key: id } })
}

/** How long an access token works, in seconds. */
export const ACCESS_TOKEN_TTL_SECONDS = 900

/**
 * Issues a short-lived token with the rights of the key that asks. It ends with the key.
 *
 * @param prefix what the dialect's tokens begin with
 * @throws {DirectoryError} permission.denied for the root key, and for an access token
 */
export async function issueAccessToken(context: ReadContext, prefix: string): Promise<string> {
  if (context.actor.kind !== 'api_key') {
    throw new DirectoryError('permission.denied', 'Access tokens are issued to API keys of an organization.')
  }
  // Else a token that was stolen once would be renewed for ever.
  if (context.actor.withToken === true) {
    throw new DirectoryError(
      'permission.denied',
      'An access token is not exchanged for another: use the key.',
    )
  }
  const token = makeSecret(prefix)
  await insertCredential(context.db, context.organizationId, {
    apiKeyId: context.actor.id,
    digest: digestSecret(token),
    expiresAt: new Date(Date.now() + ACCESS_TOKEN_TTL_SECONDS * 1000),
  })
  return token
}
