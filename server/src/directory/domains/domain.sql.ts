import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'

/** How the people of a domain have to sign in; `''`: as they like. A closed set. */
export const ssoEnforcements = ['', 'saml', 'oidc', 'google-oauth2', 'github', 'gitlab'] as const
export type SsoEnforcement = (typeof ssoEnforcements)[number]

export interface DomainRow {
  id: string
  /** Lower-case A-labels. */
  name: string
  challenge: string
  just_in_time: boolean
  sso_enforcement: SsoEnforcement
  identity_provider_id: string | null
  verified_at: string | null
  /** The last look for the record, and what was wrong with it then. */
  checked_at: string | null
  check_problem: string | null
  next_check_at: string | null
  /** Since when the record of a verified domain is gone. */
  proof_missing_since: string | null
  version: number
  created_at: string
  updated_at: string
}

export async function insertDomain(
  tx: Transaction,
  organizationId: string,
  domain: { id: string; name: string; challenge: string; identityProviderId: string | null; now: Date },
): Promise<DomainRow> {
  const row = await tx.row(sql<DomainRow>`
    insert into domain (organization_id, id, name, challenge, identity_provider_id, created_at, updated_at)
    values (${organizationId}, ${domain.id}, ${domain.name}, ${domain.challenge}, ${domain.identityProviderId},
      ${domain.now}, ${domain.now})
    returning *`)
  return row!
}

export async function findDomain(
  db: Queryable,
  organizationId: string,
  id: string,
): Promise<DomainRow | undefined> {
  return await db.row(sql<DomainRow>`
    select * from domain where organization_id = ${organizationId} and id = ${id}`)
}

export async function lockDomain(
  tx: Transaction,
  organizationId: string,
  id: string,
): Promise<DomainRow | undefined> {
  return await tx.row(sql<DomainRow>`
    select * from domain where organization_id = ${organizationId} and id = ${id} for update`)
}

export async function countDomains(db: Queryable, organizationId: string): Promise<number> {
  const row = await db.row(sql<{ count: number }>`
    select count(*) as count from domain where organization_id = ${organizationId}`)
  return row?.count ?? 0
}

/** One page of domains in the order of their creation. */
export async function listDomains(
  db: Queryable,
  organizationId: string,
  page: { afterId: string | null; limit: number; identityProviderId: string | null },
): Promise<DomainRow[]> {
  return await db.rows(sql<DomainRow>`
    select * from domain
    where organization_id = ${organizationId}
      and (${page.identityProviderId}::uuid is null or identity_provider_id = ${page.identityProviderId})
      and id > coalesce(${page.afterId}::uuid, '00000000-0000-0000-0000-000000000000')
    order by id limit ${page.limit}`)
}

export async function updateDomainSettings(
  tx: Transaction,
  organizationId: string,
  domain: {
    id: string
    justInTime: boolean
    ssoEnforcement: SsoEnforcement
    identityProviderId: string | null
    now: Date
  },
): Promise<DomainRow> {
  const row = await tx.row(sql<DomainRow>`
    update domain set just_in_time = ${domain.justInTime}, sso_enforcement = ${domain.ssoEnforcement},
      identity_provider_id = ${domain.identityProviderId}, version = version + 1, updated_at = ${domain.now}
    where organization_id = ${organizationId} and id = ${domain.id} returning *`)
  return row!
}

/** Takes a deleted identity provider off the domains that were linked to it. Their number. */
export async function unlinkIdentityProvider(
  tx: Transaction,
  organizationId: string,
  identityProviderId: string,
  now: Date,
): Promise<number> {
  return await tx.run(sql`
    update domain set identity_provider_id = null, version = version + 1, updated_at = ${now}
    where organization_id = ${organizationId} and identity_provider_id = ${identityProviderId}`)
}

/** A domain and the claim to its name, if it had proven it. */
export async function deleteDomain(tx: Transaction, organizationId: string, id: string): Promise<void> {
  await tx.run(sql`
    delete from verified_domain where organization_id = ${organizationId} and domain_id = ${id}`)
  await tx.run(sql`delete from domain where organization_id = ${organizationId} and id = ${id}`)
}

/**
 * Whether each lasting owner who has an address is kept from signing in by the organization's own domains: the
 * address is in an enforced domain whose identity provider lacks what that way of signing in needs. False where no
 * owner has an address: there is nobody to keep out. Providers of the other kinds are the server's, not a
 * customer's; there are none yet, so none of them lets anybody in.
 */
export async function everyOwnerIsKeptOut(db: Queryable, organizationId: string): Promise<boolean> {
  const row = await db.row(sql<{ kept_out: boolean | null }>`
    select bool_and(exists (
      select 1 from domain d
      left join identity_provider p on p.organization_id = d.organization_id and p.id = d.identity_provider_id
      where d.organization_id = m.organization_id and d.sso_enforcement <> ''
        and d.name = substring(m.email_key from '@(.*)$')
        and not coalesce(case d.sso_enforcement
          when 'saml' then p.saml_entity_id is not null and p.saml_sso_url is not null
            and cardinality(p.saml_certificates) > 0
          when 'oidc' then p.oidc_issuer is not null and p.oidc_client_id is not null
            and p.oidc_client_secret is not null
        end, false)
    )) as kept_out
    from role r
    join role_grant g on g.organization_id = r.organization_id and g.role_id = r.id
      and g.ended_change is null and g.expires_at is null
    join member m on m.organization_id = g.organization_id and m.id = g.member_id and m.status = 'active'
      and m.email_key is not null
    where r.organization_id = ${organizationId} and r.resource = 'organization' and r.key = 'owner'`)
  return row?.kept_out ?? false
}
