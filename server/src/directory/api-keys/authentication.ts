import type { Database } from '../../platform/postgres/database.ts'
import { digestSecret, makeSecret, sameDigest } from '../../platform/secret.ts'
import type { Actor } from '../access/permission.ts'
import { DirectoryError } from '../errors.ts'
import {
  type CredentialRow,
  findCredential,
  findRootKeyDigests,
  insertFirstRootKey,
  touchApiKeys,
} from './api-key.sql.ts'
import { type Allowance, createRateLimiter } from './rate-limit.ts'

/** A key that stops working stops within this time in every process (design: within one second). */
const CACHE_MILLIS = 500
const CACHED_MAX = 10_000
const LAST_USE_FLUSH_MILLIS = 15_000
const SECRET_LENGTH_MAX = 512

export interface Authentication {
  /**
   * Who a presented secret stands for.
   *
   * @throws {DirectoryError} authentication.missing, authentication.invalid
   */
  authenticate(secret: string | undefined): Promise<Actor>
  /** Counts one request against the limit of the actor's key. Undefined: it has none. */
  countRequest(actor: Actor): Allowance | undefined
  /** Forgets what is cached, so that a revocation in this process works at once. */
  forget(): void
  /** Writes what is known of last uses. */
  flushLastUses(): Promise<void>
  close(): Promise<void>
}

/**
 * Prepares authentication. Without a configured root key, one is made at the first start of the database.
 *
 * @returns `madeRootKey` once, for printing; it is stored as a digest only
 */
export async function openAuthentication(
  database: Database,
  configuredRootKey: string | undefined,
): Promise<Authentication & { madeRootKey: string | undefined }> {
  const { digests, made } = await rootKeys(database, configuredRootKey)
  const cache = new Map<string, { row: CredentialRow; until: number }>()
  const lastUses = new Map<string, { organizationId: string; id: string; at: Date }>()
  const limiter = createRateLimiter()
  let forgotten = 0

  async function lookUp(digest: Buffer): Promise<CredentialRow | undefined> {
    const cacheKey = digest.toString('base64')
    const cached = cache.get(cacheKey)
    if (cached !== undefined && cached.until > Date.now()) return cached.row
    const forgottenBefore = forgotten
    const row = await findCredential(database, digest)
    // It may have been read just before the change that made us forget: good for this request, not to be kept.
    if (forgotten !== forgottenBefore) return row
    if (row === undefined) {
      cache.delete(cacheKey)
      return undefined
    }
    if (cache.size >= CACHED_MAX) cache.clear()
    const endsAt = row.ends_at === null ? Number.POSITIVE_INFINITY : Date.parse(row.ends_at)
    cache.set(cacheKey, { row, until: Math.min(Date.now() + CACHE_MILLIS, endsAt) })
    return row
  }

  async function flushLastUses(): Promise<void> {
    if (lastUses.size === 0) return
    const uses = [...lastUses.values()]
    lastUses.clear()
    await touchApiKeys(database, uses)
  }

  // A lost note of a last use is no reason to trouble anybody.
  const timer = setInterval(() => void flushLastUses().catch(() => {}), LAST_USE_FLUSH_MILLIS)
  timer.unref()

  return {
    madeRootKey: made,
    async authenticate(secret) {
      if (secret === undefined || secret === '') {
        throw new DirectoryError(
          'authentication.missing',
          'An API key is needed: send Authorization: Bearer <key>.',
        )
      }
      if (secret.length > SECRET_LENGTH_MAX) throw invalidKey()
      const digest = digestSecret(secret)
      if (digests.some((rootDigest) => sameDigest(rootDigest, digest))) return { kind: 'root' }
      const row = await lookUp(digest)
      if (row === undefined) throw invalidKey()
      lastUses.set(row.api_key_id, {
        organizationId: row.organization_id,
        id: row.api_key_id,
        at: new Date(),
      })
      return {
        kind: 'api_key',
        id: row.api_key_id,
        organizationId: row.organization_id,
        organizationSlug: row.organization_slug,
        scopes: row.scopes,
        memberId: row.member_id,
        level: row.level,
        permissions: row.permissions,
        withToken: row.is_token,
        ...(row.rate_limit === null ? {} : { rateLimit: row.rate_limit }),
      }
    },
    countRequest(actor) {
      if (actor.kind !== 'api_key' || actor.rateLimit === undefined) return undefined
      return limiter.take(actor.id, actor.rateLimit)
    },
    forget() {
      forgotten++
      cache.clear()
    },
    flushLastUses,
    async close() {
      clearInterval(timer)
      await flushLastUses()
    },
  }
}

function invalidKey(): DirectoryError {
  return new DirectoryError('authentication.invalid', 'The API key is unknown, expired or revoked.')
}

async function rootKeys(
  database: Database,
  configured: string | undefined,
): Promise<{ digests: Buffer[]; made: string | undefined }> {
  if (configured !== undefined) return { digests: [digestSecret(configured)], made: undefined }
  const stored = await findRootKeyDigests(database)
  if (stored.length > 0) return { digests: stored, made: undefined }
  const secret = makeSecret('rcroot_')
  const digest = digestSecret(secret)
  const first = await database.transaction((tx) => insertFirstRootKey(tx, digest, new Date()))
  if (first) return { digests: [digest], made: secret }
  return { digests: await findRootKeyDigests(database), made: undefined }
}
