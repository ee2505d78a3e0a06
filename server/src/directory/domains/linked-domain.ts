import { isDeepStrictEqual } from 'node:util'
import { requirePermission } from '../access/permission.ts'
import type { Context, Directory, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { lockOwners } from '../grants/role-grant.sql.ts'
import {
  createIdentityProvider,
  nothingSet,
  requireLockedIdentityProvider,
} from '../identity-providers/identity-provider.ts'
import {
  findProvidersWithScim,
  type ProviderWithScim,
} from '../identity-providers/identity-provider-page.sql.ts'
import { updateTellingScim } from '../identity-providers/scim-switch.ts'
import { createScimToken } from '../identity-providers/scim-token.ts'
import { type IdentityProviderInput, type OpenColumns, readSettings } from '../identity-providers/settings.ts'
import type { Counted } from '../position-page.ts'
import { type DomainRow, findDomain } from './domain.sql.ts'
import { domainNotFound, requireLockedDomain } from './domain.ts'
import { countDomains, listDomainsByName } from './linked-domain.sql.ts'

/** A domain together with the identity provider it is linked to. */
export interface LinkedDomain {
  readonly domain: DomainRow
  readonly provider: ProviderWithScim | null
}

/** Both are shown, so both permissions are asked for. @throws {DirectoryError} permission.denied */
function requireReadBoth(context: ReadContext): void {
  requirePermission(context.actor, 'domains:read')
  requirePermission(context.actor, 'identity_providers:read')
}

async function withProviders(context: ReadContext, domains: readonly DomainRow[]): Promise<LinkedDomain[]> {
  const ids = [...new Set(domains.flatMap(({ identity_provider_id: id }) => (id === null ? [] : [id])))]
  const found = ids.length === 0 ? [] : await findProvidersWithScim(context.db, context.organizationId, ids)
  const providers = new Map(found.map((row) => [row.id, row]))
  return domains.map((domain) => ({
    domain,
    provider: providers.get(domain.identity_provider_id ?? '') ?? null,
  }))
}

/** @throws {DirectoryError} domain.not_found, permission.denied */
export async function getLinkedDomain(context: ReadContext, id: string): Promise<LinkedDomain> {
  requireReadBoth(context)
  return await requireLinkedDomain(context, id)
}

/** Asks for no permission: for what answers a change of it. @throws {DirectoryError} domain.not_found */
export async function requireLinkedDomain(context: ReadContext, id: string): Promise<LinkedDomain> {
  const row = await findDomain(context.db, context.organizationId, id)
  if (row === undefined) throw domainNotFound()
  const [linked] = await withProviders(context, [row])
  return linked!
}

/** A page of domains in the order of their names, each with its provider. @throws {DirectoryError} permission.denied */
export async function pageLinkedDomains(
  context: ReadContext,
  page: { offset: number; limit: number },
): Promise<Counted<LinkedDomain>> {
  requireReadBoth(context)
  const { db, organizationId } = context
  const rows = await listDomainsByName(db, organizationId, page)
  return { rows: await withProviders(context, rows), count: await countDomains(db, organizationId) }
}

/** Settings of a provider that reach the sign-in of a domain's people, so that they wait for the domain's proof. */
const NEEDS_PROOF = [
  ['scimEnabled', 'scim_enabled'],
  ['idJagIssuer', 'id_jag_issuer'],
  ['idJagJwksUrl', 'id_jag_jwks_url'],
  ['idJagAllowedClients', 'id_jag_allowed_clients'],
] as const

function isSwitchedOn(value: unknown): boolean {
  return Array.isArray(value)
    ? value.length > 0
    : value === true || (typeof value === 'string' && value !== '')
}

/** What is said to be as it is switches nothing on. @throws {DirectoryError} domain.not_verified, naming the setting */
function requireProofForProvider(
  domain: DomainRow,
  { before, after }: Readonly<Record<'before' | 'after', OpenColumns>>,
): void {
  if (domain.verified_at !== null) return
  const needs = NEEDS_PROOF.find(
    ([, column]) => isSwitchedOn(after[column]) && !isDeepStrictEqual(after[column], before[column]),
  )
  if (needs === undefined) return
  throw new DirectoryError(
    'domain.not_verified',
    `This needs a verified domain: verify ${domain.name} first.`,
    { field: needs[0] },
  )
}

/**
 * Changes the settings of the identity provider behind a domain; every domain that is linked to it follows. Where
 * there is none yet and something is set, one is created under the domain's name, which the caller links.
 *
 * @returns the provider that the domain is to be linked to; undefined: none
 * @throws {DirectoryError} domain.not_found, domain.not_verified; what `createIdentityProvider` and
 *   `updateIdentityProvider` throw
 */
export async function configureDomainProvider(
  context: Context,
  tools: Pick<Directory, 'encryption' | 'outbound'>,
  domainId: string,
  input: IdentityProviderInput,
): Promise<{ id: string; isScimSwitchedOn: boolean } | undefined> {
  requirePermission(context.actor, 'identity_providers:write')
  await lockOwners(context.db, context.organizationId)
  const domain = await requireLockedDomain(context, domainId)
  const { identity_provider_id: linkedId } = domain
  const before = linkedId === null ? nothingSet : await requireLockedIdentityProvider(context, linkedId)
  requireProofForProvider(domain, { before, after: readSettings(tools, input, before) })
  if (linkedId === null) {
    if (!Object.values(input).some(isSwitchedOn)) return undefined
    const made = await createIdentityProvider(context, tools, { ...input, name: domain.name })
    return { id: made.id, isScimSwitchedOn: made.scim_enabled }
  }
  return await updateTellingScim(context, tools, linkedId, input)
}

/**
 * A new token for the SCIM client of a domain's identity provider.
 *
 * @throws {DirectoryError} identity_provider.scim_disabled (also where none is linked); what `createScimToken` throws
 */
export async function createDomainScimToken(context: Context, domainId: string): Promise<{ secret: string }> {
  requirePermission(context.actor, 'domains:write')
  const { identity_provider_id: providerId } = await requireLockedDomain(context, domainId)
  if (providerId === null) {
    throw new DirectoryError(
      'identity_provider.scim_disabled',
      'SCIM is off for this domain: it has no identity provider.',
    )
  }
  return await createScimToken(context, providerId, { expiresAt: null, replaces: 'all but the latest' })
}
