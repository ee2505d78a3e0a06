import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { part, SqlFragment, type SqlPart, sql } from '../../platform/postgres/sql.ts'
import type { Level, Scope } from '../access/permission.ts'
import type { RateLimit } from '../organizations/settings.ts'

export interface ApiKeyRow {
  id: string
  name: string
  hint: string
  scopes: Scope[]
  member_id: string | null
  created_at: string
  expires_at: string | null
  last_used_at: string | null
  revoked_at: string | null
}

export async function insertApiKey(
  tx: Transaction,
  organizationId: string,
  key: {
    id: string
    name: string
    hint: string
    scopes: readonly Scope[]
    memberId: string | null
    expiresAt: string | null
    digest: Buffer
    now: Date
  },
): Promise<ApiKeyRow> {
  const row = await tx.row(sql<ApiKeyRow>`
    insert into api_key (organization_id, id, name, hint, scopes, member_id, created_at, expires_at)
    values (${organizationId}, ${key.id}, ${key.name}, ${key.hint}, ${key.scopes}, ${key.memberId}, ${key.now},
      ${key.expiresAt})
    returning *`)
  await insertCredential(tx, organizationId, { apiKeyId: key.id, digest: key.digest, expiresAt: null })
  return row!
}

/** A secret that stands for a key: the key's own, or a short-lived access token. */
export async function insertCredential(
  tx: Queryable,
  organizationId: string,
  credential: { apiKeyId: string; digest: Buffer; expiresAt: Date | null },
): Promise<void> {
  await tx.run(sql`
    insert into credential (digest, organization_id, api_key_id, expires_at)
    values (${credential.digest}, ${organizationId}, ${credential.apiKeyId}, ${credential.expiresAt})`)
}

export async function listApiKeys(
  db: Queryable,
  organizationId: string,
  page: { afterId: string | null; limit: number },
): Promise<ApiKeyRow[]> {
  return await db.rows(sql<ApiKeyRow>`
    select * from api_key
    where organization_id = ${organizationId} and revoked_at is null
      and id > coalesce(${page.afterId}::uuid, '00000000-0000-0000-0000-000000000000')
    order by id limit ${page.limit}`)
}

export async function revokeApiKey(
  tx: Transaction,
  organizationId: string,
  id: string,
  now: Date,
): Promise<boolean> {
  const count = await tx.run(sql`
    update api_key set revoked_at = ${now}
    where organization_id = ${organizationId} and id = ${id} and revoked_at is null`)
  return count === 1
}

export async function revokeKeysOfMember(
  tx: Transaction,
  organizationId: string,
  memberId: string,
  now: Date,
): Promise<void> {
  await tx.run(sql`
    update api_key set revoked_at = ${now}
    where organization_id = ${organizationId} and member_id = ${memberId} and revoked_at is null`)
}

/** The same within a statement that does more; nothing unless `isOver`. */
export function revokingKeysOfMember(
  organizationId: string,
  member: { id: string; isOver: boolean; now: Date },
): SqlPart {
  return part`
    update api_key set revoked_at = ${member.now}
    where organization_id = ${organizationId} and member_id = ${member.id} and revoked_at is null
      and ${member.isOver}::boolean`
}

/** The same of several members; fails where somebody holds one of their keys, and waits for nobody. */
export function revokingFreeKeys(organizationId: string, members: SqlPart, now: Date): SqlPart {
  return part`
    update api_key set revoked_at = ${now}
    where organization_id = ${organizationId} and id = any(array(
      select id from api_key
      where organization_id = ${organizationId} and member_id = any(array(${members})) and revoked_at is null
      for no key update nowait))`
}

export interface CredentialRow {
  organization_id: string
  organization_slug: string
  /** The organization's limit for each of its keys. */
  rate_limit: RateLimit | null
  api_key_id: string
  scopes: Scope[]
  member_id: string | null
  /** The highest that a role on the organization gives the member, held directly or through a group. */
  level: Level
  /** What the member's other roles on the organization give. */
  permissions: string[]
  /** A short-lived access token of the key, not the key itself. */
  is_token: boolean
  /** When the credential, or a role or a membership of the member, ends by itself: all of this may change then. */
  ends_at: string | null
}

/** SQL: what a member has by roles on the organization, and when any of that ends by itself. */
function heldOnOrganization(organizationId: string, memberId: string): SqlFragment {
  return new SqlFragment(`
      select min(g.expires_at) as ends_at,
        case when bool_or(r.key = 'owner') then 'owner' when bool_or(r.key = 'admin') then 'admin' else 'member' end
          as level,
        array_agg(distinct p.permission) filter (where p.permission is not null) as permissions
      from (
        select role_id, expires_at
        from role_grant
        where organization_id = ${organizationId} and member_id = ${memberId} and ended_change is null
          and target_id is null and (expires_at is null or expires_at > now())
        union all
        select role_id, expires_at
        from role_grant
        where organization_id = ${organizationId} and group_id = any (array(
            select group_id from group_membership
            where organization_id = ${organizationId} and member_id = ${memberId}
              and (expires_at is null or expires_at > now())))
          and ended_change is null and target_id is null
          and (expires_at is null or expires_at > now())
      ) g
      join role r on r.organization_id = ${organizationId} and r.id = g.role_id and r.resource = 'organization'
      left join lateral unnest(r.permissions) p (permission) on true`)
}

/**
 * The key behind a presented secret, if it works right now, and what it may do: not revoked, not expired, of an
 * organization that is not deleted, acting (if at all) as a member who is active. Starts without an organization.
 * The member's groups come first and are asked for their roles at once: no plan goes through a group's members.
 */
export async function findCredential(db: Queryable, digest: Buffer): Promise<CredentialRow | undefined> {
  return await db.row(sql<CredentialRow>`
    select c.organization_id, o.slug as organization_slug, o.settings -> 'rate_limit' as rate_limit, c.api_key_id,
      k.scopes, k.member_id, c.expires_at is not null as is_token,
      least(c.expires_at, k.expires_at, held.ends_at, (
        select min(expires_at) from group_membership
        where organization_id = c.organization_id and member_id = k.member_id and expires_at > now()
      )) as ends_at,
      case when k.member_id is null then 'owner' else held.level end as level,
      coalesce(held.permissions, '{}') as permissions
    from credential c
    join api_key k on k.organization_id = c.organization_id and k.id = c.api_key_id
    join organization o on o.id = c.organization_id and o.deleted_at is null
    left join member m on m.organization_id = c.organization_id and m.id = k.member_id
    cross join lateral (${heldOnOrganization('c.organization_id', 'k.member_id')}) held
    where c.digest = ${digest} and k.revoked_at is null
      and (c.expires_at is null or c.expires_at > now())
      and (k.expires_at is null or k.expires_at > now())
      and (k.member_id is null or m.status = 'active')`)
}

/** What an active member may do as its own: its level, and what its other roles on the organization give. */
export async function findActingMember(
  db: Queryable,
  organizationId: string,
  memberId: string,
): Promise<Pick<CredentialRow, 'level' | 'permissions'> | undefined> {
  return await db.row(sql<Pick<CredentialRow, 'level' | 'permissions'>>`
    select held.level, coalesce(held.permissions, '{}') as permissions
    from member m
    cross join lateral (${heldOnOrganization('m.organization_id', 'm.id')}) held
    where m.organization_id = ${organizationId} and m.id = ${memberId} and m.status = 'active'`)
}

/** A key that works now: neither revoked nor past its end. */
export async function findWorkingKey(
  db: Queryable,
  organizationId: string,
  id: string,
): Promise<Pick<ApiKeyRow, 'scopes'> | undefined> {
  return await db.row(sql<Pick<ApiKeyRow, 'scopes'>>`
    select scopes from api_key
    where organization_id = ${organizationId} and id = ${id} and revoked_at is null
      and (expires_at is null or expires_at > now())`)
}

/** Notes the last use of many keys at once. */
export async function touchApiKeys(
  db: Queryable,
  uses: readonly { organizationId: string; id: string; at: Date }[],
): Promise<void> {
  await db.run(sql`
    update api_key k set last_used_at = u.at
    from unnest(${uses.map((use) => use.organizationId)}::uuid[], ${uses.map((use) => use.id)}::uuid[],
      ${uses.map((use) => use.at)}::timestamptz[]) u (organization_id, id, at)
    where k.organization_id = u.organization_id and k.id = u.id
      and (k.last_used_at is null or k.last_used_at < u.at)`)
}

/** Forgets access tokens that have ended. */
export async function deleteExpiredCredentials(db: Queryable): Promise<number> {
  return await db.run(sql`delete from credential where expires_at < now()`)
}

export async function findRootKeyDigests(db: Queryable): Promise<Buffer[]> {
  return (await db.rows(sql<{ digest: Buffer }>`select digest from root_key`)).map((row) => row.digest)
}

/** Stores the first root key. False if another process was first. */
export async function insertFirstRootKey(tx: Transaction, digest: Buffer, now: Date): Promise<boolean> {
  await tx.run(sql`lock table root_key in share row exclusive mode`)
  const count = await tx.run(sql`
    insert into root_key (digest, created_at) select ${digest}, ${now} where not exists (select 1 from root_key)`)
  return count === 1
}
