import type { Database } from '../../platform/postgres/database.ts'
import { digestSecret } from '../../platform/secret.ts'
import { DirectoryError } from '../errors.ts'
import { touchScimTokens } from '../identity-providers/scim-token.sql.ts'
import { findScimClient, isScimTokenShaped, type ScimClient } from '../identity-providers/scim-token.ts'

export type { ScimClient } from '../identity-providers/scim-token.ts'

/** A token that stops working stops within this time in every process (design: within one second). */
const CACHE_MILLIS = 500
const CACHED_MAX = 10_000
const LAST_USE_FLUSH_MILLIS = 15_000

export interface ScimAuthentication {
  /**
   * Who presents a token to a connection. One and the same refusal for every token that does not open it: unknown,
   * revoked, past its end, another connection's, or no SCIM token at all.
   *
   * @param connectionId as the path names it
   * @throws {DirectoryError} authentication.missing, authentication.invalid
   */
  authenticate(secret: string | undefined, connectionId: string): Promise<ScimClient>
  /** Forgets what is cached, so that a revocation in this process works at once. */
  forget(): void
  /** Writes what is known of last uses. */
  flushLastUses(): Promise<void>
  close(): Promise<void>
}

/** Prepares the authentication of SCIM clients. */
export function openScimAuthentication(database: Database): ScimAuthentication {
  // Lookups, not their outcomes: requests that come together ask once, and what was asked before a `forget` is not kept.
  const cache = new Map<string, { found: Promise<ScimClient | undefined>; until: number }>()
  const lastUses = new Map<string, { organizationId: string; id: string; at: Date }>()

  function lookUp(secret: string): Promise<ScimClient | undefined> {
    const key = digestSecret(secret).toString('base64')
    const cached = cache.get(key)
    if (cached !== undefined && cached.until > performance.now()) return cached.found
    if (cache.size >= CACHED_MAX) cache.clear()
    // What does not work is kept too: an old token that a provider goes on sending is not looked up each time.
    const lookup = { found: findScimClient(database, secret), until: performance.now() + CACHE_MILLIS }
    cache.set(key, lookup)
    lookup.found.catch(() => {
      if (cache.get(key) === lookup) cache.delete(key)
    })
    return lookup.found
  }

  async function flushLastUses(): Promise<void> {
    if (lastUses.size === 0) return
    const uses = [...lastUses.values()]
    lastUses.clear()
    await touchScimTokens(database, uses)
  }

  // A lost note of a last use is no reason to trouble anybody.
  const timer = setInterval(() => void flushLastUses().catch(() => {}), LAST_USE_FLUSH_MILLIS)
  timer.unref()

  return {
    async authenticate(secret, connectionId) {
      if (secret === undefined || secret === '') {
        throw new DirectoryError(
          'authentication.missing',
          'A SCIM token is needed: send Authorization: Bearer <token>.',
        )
      }
      const client = isScimTokenShaped(secret) ? await lookUp(secret) : undefined
      if (client === undefined || client.connectionId !== connectionId || client.endsAt <= Date.now()) {
        throw new DirectoryError(
          'authentication.invalid',
          'The SCIM token does not work here: it is unknown, expired or revoked, or SCIM is off.',
        )
      }
      const { organizationId, tokenId: id } = client
      lastUses.set(id, { organizationId, id, at: new Date() })
      return client
    },
    forget() {
      cache.clear()
    },
    flushLastUses,
    async close() {
      clearInterval(timer)
      await flushLastUses()
    },
  }
}
