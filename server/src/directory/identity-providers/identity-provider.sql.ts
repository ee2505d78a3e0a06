import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'

export interface IdentityProviderRow {
  id: string
  name: string
  saml_entity_id: string | null
  saml_sso_url: string | null
  /** PEM. */
  saml_certificates: string[]
  oidc_issuer: string | null
  oidc_client_id: string | null
  /** Encrypted. */
  oidc_client_secret: string | null
  id_jag_issuer: string | null
  id_jag_jwks_url: string | null
  /** None: every client. */
  id_jag_allowed_clients: string[]
  scim_enabled: boolean
  version: number
  created_at: string
  updated_at: string
}

/** What can be changed of an identity provider, as it is stored. */
export type IdentityProviderColumns = Omit<
  IdentityProviderRow,
  'id' | 'version' | 'created_at' | 'updated_at'
>

export async function insertIdentityProvider(
  tx: Transaction,
  organizationId: string,
  provider: IdentityProviderColumns & { id: string; now: Date },
): Promise<IdentityProviderRow> {
  const row = await tx.row(sql<IdentityProviderRow>`
    insert into identity_provider (organization_id, id, name, saml_entity_id, saml_sso_url, saml_certificates,
      oidc_issuer, oidc_client_id, oidc_client_secret, id_jag_issuer, id_jag_jwks_url, id_jag_allowed_clients,
      scim_enabled, created_at, updated_at)
    values (${organizationId}, ${provider.id}, ${provider.name}, ${provider.saml_entity_id},
      ${provider.saml_sso_url}, ${provider.saml_certificates}, ${provider.oidc_issuer}, ${provider.oidc_client_id},
      ${provider.oidc_client_secret}, ${provider.id_jag_issuer}, ${provider.id_jag_jwks_url},
      ${provider.id_jag_allowed_clients}, ${provider.scim_enabled}, ${provider.now}, ${provider.now})
    returning *`)
  return row!
}

export async function findIdentityProvider(
  db: Queryable,
  organizationId: string,
  id: string,
): Promise<IdentityProviderRow | undefined> {
  return await db.row(sql<IdentityProviderRow>`
    select * from identity_provider where organization_id = ${organizationId} and id = ${id}`)
}

/** Locks it until COMMIT against other changes of it, links of domains included. */
export async function lockIdentityProvider(
  tx: Transaction,
  organizationId: string,
  id: string,
): Promise<IdentityProviderRow | undefined> {
  return await tx.row(sql<IdentityProviderRow>`
    select * from identity_provider where organization_id = ${organizationId} and id = ${id} for update`)
}

/** One page of identity providers in the order of their creation. */
export async function listIdentityProviders(
  db: Queryable,
  organizationId: string,
  page: { afterId: string | null; limit: number },
): Promise<IdentityProviderRow[]> {
  return await db.rows(sql<IdentityProviderRow>`
    select * from identity_provider
    where organization_id = ${organizationId}
      and id > coalesce(${page.afterId}::uuid, '00000000-0000-0000-0000-000000000000')
    order by id limit ${page.limit}`)
}

export async function updateIdentityProvider(
  tx: Transaction,
  organizationId: string,
  provider: IdentityProviderColumns & { id: string; now: Date },
): Promise<IdentityProviderRow> {
  const row = await tx.row(sql<IdentityProviderRow>`
    update identity_provider set name = ${provider.name}, saml_entity_id = ${provider.saml_entity_id},
      saml_sso_url = ${provider.saml_sso_url}, saml_certificates = ${provider.saml_certificates},
      oidc_issuer = ${provider.oidc_issuer}, oidc_client_id = ${provider.oidc_client_id},
      oidc_client_secret = ${provider.oidc_client_secret}, id_jag_issuer = ${provider.id_jag_issuer},
      id_jag_jwks_url = ${provider.id_jag_jwks_url}, id_jag_allowed_clients = ${provider.id_jag_allowed_clients},
      scim_enabled = ${provider.scim_enabled}, version = version + 1, updated_at = ${provider.now}
    where organization_id = ${organizationId} and id = ${provider.id} returning *`)
  return row!
}

/** Needs its domains unlinked and its tokens deleted. */
export async function deleteIdentityProvider(
  tx: Transaction,
  organizationId: string,
  id: string,
): Promise<void> {
  await tx.run(sql`delete from identity_provider where organization_id = ${organizationId} and id = ${id}`)
}
