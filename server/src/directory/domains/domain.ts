import { violatedConstraint } from '../../platform/postgres/database.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import { requirePermission } from '../access/permission.ts'
import type { Context, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { lockOwners } from '../grants/role-grant.sql.ts'
import { requireIdentityProvider } from '../identity-providers/identity-provider.ts'
import { requireVersion } from '../version.ts'
import {
  countDomains,
  type DomainRow,
  deleteDomain as deleteDomainRow,
  findDomain,
  insertDomain,
  listDomains as listDomainRows,
  lockDomain,
  type SsoEnforcement,
  updateDomainSettings,
} from './domain.sql.ts'
import { parseDomainName } from './name.ts'
import { makeChallenge } from './proof.ts'
import { keepingAWayIn, requireWayIn } from './way-in.ts'

export { type DomainRow, ssoEnforcements } from './domain.sql.ts'

/**
 * Each verified domain is work for ever, and whoever has one zone can prove any number of names in it. Not exact under
 * concurrency, which does not matter here.
 */
const DOMAINS_MAX = 500

export function domainNotFound(): DirectoryError {
  return new DirectoryError('domain.not_found', 'There is no domain with this id.')
}

/**
 * Names a domain as the organization's. Nothing follows from it until it is proven (`verifyDomain`), so it does not
 * matter who else names it.
 *
 * @throws {DirectoryError} request.invalid (not the name of a domain), domain.public (a public suffix, a provider of
 *   mailboxes), domain.name_taken (listed already), domain.too_many, identity_provider.not_found, permission.denied
 */
export async function createDomain(
  context: Context,
  input: { name: string; identityProviderId: string | null },
): Promise<DomainRow> {
  requirePermission(context.actor, 'domains:write')
  const name = parseDomainName(input.name)
  if (typeof name !== 'string') {
    const code = name.isPublic ? 'domain.public' : 'request.invalid'
    throw new DirectoryError(code, `name ${name.problem}.`, { field: 'name' })
  }
  const { identityProviderId } = input
  if (identityProviderId !== null) await requireIdentityProvider(context, identityProviderId)
  const { db, organizationId, now } = context
  if ((await countDomains(db, organizationId)) >= DOMAINS_MAX) {
    throw new DirectoryError('domain.too_many', `An organization has at most ${DOMAINS_MAX} domains.`)
  }
  const row = await insertDomain(db, organizationId, {
    ...{ id: uuidV7(), name, challenge: makeChallenge(), identityProviderId, now },
  }).catch((error: unknown) => {
    if (violatedConstraint(error) !== 'domain_name') throw error
    throw new DirectoryError('domain.name_taken', `The organization lists ${name} already.`, {
      field: 'name',
    })
  })
  context.change.describe({ kind: 'domain.created', detail: detailOf(row) })
  return row
}

/** What a change tells about its domain. The challenge is no secret, but says nothing either. */
export function detailOf(row: Pick<DomainRow, 'id' | 'name'>): Record<string, unknown> {
  return { domain: row.id, name: row.name }
}

/** @throws {DirectoryError} domain.not_found, permission.denied */
export async function getDomain(context: ReadContext, id: string): Promise<DomainRow> {
  requirePermission(context.actor, 'domains:read')
  const row = await findDomain(context.db, context.organizationId, id)
  if (row === undefined) throw domainNotFound()
  return row
}

/**
 * One page of domains in the order of their creation.
 *
 * @param page `identityProviderId`: those linked to it; null: all
 * @throws {DirectoryError} permission.denied
 */
export async function listDomains(
  context: ReadContext,
  page: { afterId: string | null; limit: number; identityProviderId: string | null },
): Promise<DomainRow[]> {
  requirePermission(context.actor, 'domains:read')
  return await listDomainRows(context.db, context.organizationId, page)
}

export interface DomainUpdate {
  /** People who sign in from the domain become members by it. Needs the proof. */
  justInTime?: boolean | undefined
  /** How the people of the domain have to sign in. Needs the proof. */
  ssoEnforcement?: SsoEnforcement | undefined
  identityProviderId?: string | null | undefined
}

/**
 * Changes what a domain does; a field left out stays. Its name never changes.
 *
 * @param expectedVersion refuses (version.mismatch) if the row has moved on; absent: no check
 * @throws {DirectoryError} domain.not_found, domain.not_verified (naming the field that needs the proof),
 *   domain.would_lock_out, identity_provider.not_found, version.mismatch, permission.denied
 */
export async function updateDomain(
  context: Context,
  id: string,
  update: DomainUpdate,
  expectedVersion?: number,
): Promise<DomainRow> {
  requirePermission(context.actor, 'domains:write')
  const { db, organizationId, change, now } = context
  await lockOwners(db, organizationId)
  const before = await requireLockedDomain(context, id)
  requireVersion(before.version, expectedVersion)
  requireProofFor(before, update)
  const { identityProviderId } = update
  if (typeof identityProviderId === 'string') await requireIdentityProvider(context, identityProviderId)
  const after = {
    justInTime: update.justInTime ?? before.just_in_time,
    ssoEnforcement: update.ssoEnforcement ?? before.sso_enforcement,
    identityProviderId: identityProviderId === undefined ? before.identity_provider_id : identityProviderId,
  }
  const was = settingsOf(before)
  const fields = Object.entries(settingsOf(toColumns(after))).filter(
    ([field, value]) => was[field as keyof typeof was] !== value,
  )
  if (fields.length === 0) return before
  const isNewlyEnforced = after.ssoEnforcement !== '' && after.ssoEnforcement !== before.sso_enforcement
  const row = await keepingAWayIn(
    context,
    () => updateDomainSettings(db, organizationId, { ...after, id, now }),
    isNewlyEnforced ? 'sso_enforcement' : 'identity_provider',
  )
  // Enforcing it now is refused even where nobody had a way in before.
  if (isNewlyEnforced) await requireWayIn(context, 'sso_enforcement')
  change.describe({
    kind: 'domain.updated',
    detail: {
      ...detailOf(row),
      before: Object.fromEntries(fields.map(([field]) => [field, was[field as keyof typeof was]])),
      after: Object.fromEntries(fields),
    },
  })
  return row
}

function toColumns(after: {
  justInTime: boolean
  ssoEnforcement: SsoEnforcement
  identityProviderId: string | null
}): Pick<DomainRow, 'just_in_time' | 'sso_enforcement' | 'identity_provider_id'> {
  return {
    just_in_time: after.justInTime,
    sso_enforcement: after.ssoEnforcement,
    identity_provider_id: after.identityProviderId,
  }
}

/** A domain's settings, as changes tell of them. */
function settingsOf(row: Pick<DomainRow, 'just_in_time' | 'sso_enforcement' | 'identity_provider_id'>) {
  return {
    just_in_time: row.just_in_time,
    sso_enforcement: row.sso_enforcement,
    identity_provider: row.identity_provider_id,
  }
}

/** Until a domain is proven, nothing about its people's sign-in is switched on. */
function requireProofFor(domain: DomainRow, update: DomainUpdate): void {
  if (domain.verified_at !== null) return
  const field =
    update.justInTime === true
      ? 'just_in_time'
      : (update.ssoEnforcement ?? '') === ''
        ? undefined
        : 'sso_enforcement'
  if (field === undefined) return
  throw new DirectoryError(
    'domain.not_verified',
    `${field} needs a verified domain: verify ${domain.name} first.`,
    {
      field,
    },
  )
}

/** @throws {DirectoryError} domain.not_found */
export async function requireLockedDomain(context: Context, id: string): Promise<DomainRow> {
  const row = await lockDomain(context.db, context.organizationId, id)
  if (row === undefined) throw domainNotFound()
  return row
}

/**
 * Removes a domain, and with it everything it did. Its name is free to be proven by anybody.
 *
 * @param expectedVersion refuses (version.mismatch) if the row has moved on; absent: no check
 * @throws {DirectoryError} domain.not_found, version.mismatch, permission.denied
 */
export async function deleteDomain(context: Context, id: string, expectedVersion?: number): Promise<void> {
  requirePermission(context.actor, 'domains:write')
  const row = await requireLockedDomain(context, id)
  requireVersion(row.version, expectedVersion)
  await deleteDomainRow(context.db, context.organizationId, id)
  context.change.describe({
    kind: 'domain.deleted',
    detail: { ...detailOf(row), verified: row.verified_at !== null, before: settingsOf(row) },
  })
}
