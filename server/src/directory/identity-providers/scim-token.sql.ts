import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'

export interface ScimTokenRow {
  id: string
  identity_provider_id: string
  hint: string
  created_at: string
  expires_at: string | null
  last_used_at: string | null
  revoked_at: string | null
}

export async function insertScimToken(
  tx: Transaction,
  organizationId: string,
  token: {
    id: string
    identityProviderId: string
    hint: string
    digest: Buffer
    expiresAt: string | null
    now: Date
  },
): Promise<ScimTokenRow> {
  const row = await tx.row(sql<ScimTokenRow>`
    insert into scim_token (organization_id, id, identity_provider_id, hint, created_at, expires_at)
    values (${organizationId}, ${token.id}, ${token.identityProviderId}, ${token.hint}, ${token.now},
      ${token.expiresAt})
    returning *`)
  await tx.run(sql`
    insert into scim_credential (digest, organization_id, scim_token_id)
    values (${token.digest}, ${organizationId}, ${token.id})`)
  return row!
}

/** Those that work: not revoked and not past their end. */
export async function countLiveScimTokens(
  db: Queryable,
  organizationId: string,
  identityProviderId: string,
): Promise<number> {
  const row = await db.row(sql<{ count: number }>`
    select count(*) as count from scim_token
    where organization_id = ${organizationId} and identity_provider_id = ${identityProviderId}
      and revoked_at is null and (expires_at is null or expires_at > now())`)
  return row?.count ?? 0
}

/** Tokens that are not revoked; those past their end stay to be seen. */
export async function listScimTokens(
  db: Queryable,
  organizationId: string,
  identityProviderId: string,
  page: { afterId: string | null; limit: number },
): Promise<ScimTokenRow[]> {
  return await db.rows(sql<ScimTokenRow>`
    select * from scim_token
    where organization_id = ${organizationId} and identity_provider_id = ${identityProviderId}
      and revoked_at is null and id > coalesce(${page.afterId}::uuid, '00000000-0000-0000-0000-000000000000')
    order by id limit ${page.limit}`)
}

/** Tokens of several identity providers that are not revoked, the latest of each. */
export async function listScimTokensOf(
  db: Queryable,
  organizationId: string,
  identityProviderIds: readonly string[],
  limitOfEach: number,
): Promise<ScimTokenRow[]> {
  return await db.rows(sql<ScimTokenRow>`
    select t.* from unnest(${identityProviderIds}::uuid[]) p (id)
    cross join lateral (
      select * from scim_token
      where organization_id = ${organizationId} and identity_provider_id = p.id and revoked_at is null
      order by id desc limit ${limitOfEach}) t
    order by t.id`)
}

export async function revokeScimToken(
  tx: Transaction,
  organizationId: string,
  token: { id: string; identityProviderId: string; now: Date },
): Promise<boolean> {
  const count = await tx.run(sql`
    update scim_token set revoked_at = ${token.now}
    where organization_id = ${organizationId} and id = ${token.id}
      and identity_provider_id = ${token.identityProviderId} and revoked_at is null`)
  return count === 1
}

/** Revokes all that are not revoked, but for the latest that work. Their number. */
export async function revokeLiveScimTokens(
  tx: Transaction,
  organizationId: string,
  identityProviderId: string,
  now: Date,
  { keeps }: { keeps: number } = { keeps: 0 },
): Promise<number> {
  return await tx.run(sql`
    update scim_token set revoked_at = ${now}
    where organization_id = ${organizationId} and identity_provider_id = ${identityProviderId}
      and revoked_at is null and id not in (
        select id from scim_token
        where organization_id = ${organizationId} and identity_provider_id = ${identityProviderId}
          and revoked_at is null and (expires_at is null or expires_at > now())
        order by id desc limit ${keeps})`)
}

export async function deleteScimTokens(
  tx: Transaction,
  organizationId: string,
  identityProviderId: string,
): Promise<void> {
  await tx.run(sql`
    delete from scim_credential where organization_id = ${organizationId} and scim_token_id in (
      select id from scim_token
      where organization_id = ${organizationId} and identity_provider_id = ${identityProviderId})`)
  await tx.run(sql`
    delete from scim_token
    where organization_id = ${organizationId} and identity_provider_id = ${identityProviderId}`)
}

export interface ScimConnectionRow {
  organization_id: string
  identity_provider_id: string
  name: string
  scim_token_id: string
  hint: string
  expires_at: string | null
}

/** The connection that a presented token opens, if it works right now. Starts without an organization. */
export async function findScimConnection(
  db: Queryable,
  digest: Buffer,
): Promise<ScimConnectionRow | undefined> {
  return await db.row(sql<ScimConnectionRow>`
    select c.organization_id, t.identity_provider_id, p.name, c.scim_token_id, t.hint, t.expires_at
    from scim_credential c
    join scim_token t on t.organization_id = c.organization_id and t.id = c.scim_token_id
    join identity_provider p on p.organization_id = t.organization_id and p.id = t.identity_provider_id
    join organization o on o.id = c.organization_id and o.deleted_at is null
    where c.digest = ${digest} and t.revoked_at is null and (t.expires_at is null or t.expires_at > now())
      and p.scim_enabled`)
}

/** Writes when tokens of any organization were last used; never an earlier moment than is known. */
export async function touchScimTokens(
  db: Queryable,
  uses: readonly { organizationId: string; id: string; at: Date }[],
): Promise<void> {
  await db.run(sql`
    update scim_token t set last_used_at = u.at
    from unnest(${uses.map((use) => use.organizationId)}::uuid[], ${uses.map((use) => use.id)}::uuid[],
      ${uses.map((use) => use.at)}::timestamptz[]) u (organization_id, id, at)
    where t.organization_id = u.organization_id and t.id = u.id
      and (t.last_used_at is null or t.last_used_at < u.at)`)
}
