import { sql } from '#src/platform/postgres/sql.ts'
import { uuidOf } from '../test/scim-client.ts'
import { type BenchServer, send } from './bench-server.ts'

/** A connection with users and groups, on our side and, with the same ids, on bare tables. */
export interface ScimWorld {
  readonly organizationId: string
  readonly connectionId: string
  readonly token: string
  /** Address of the connection. */
  readonly url: string
  readonly slug: string
  readonly size: number
  /** Ids of its users, in the order of their creation. */
  readonly userIds: readonly string[]
  /** Ids of its groups, by how many members they have: the first so many users. */
  readonly groups: ReadonlyMap<number, string>
}

const DIGITS = 7

/** A user as an identity provider sends it. */
export function userBody(slug: string, number: number) {
  const digits = String(number).padStart(DIGITS, '0')
  const userName = `person-${digits}@${slug}.example`
  return {
    schemas: [
      'urn:ietf:params:scim:schemas:core:2.0:User',
      'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User',
    ],
    userName,
    externalId: `00u${digits}`,
    active: true,
    name: { givenName: `Given${digits}`, familyName: `Family${digits}` },
    displayName: `Given${digits} Family${digits}`,
    emails: [{ value: userName, type: 'work', primary: true }],
    title: 'Engineer',
    preferredLanguage: 'en-US',
    'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': {
      employeeNumber: `E${digits}`,
      department: 'Tour Operations',
    },
  }
}

/** Makes the bare tables of the floor. */
export async function makeBareTables({ database }: BenchServer): Promise<void> {
  await database.run(sql`
    create table bare_user (
      id uuid primary key, user_name_key text not null unique, document text not null, active boolean not null)`)
  await database.run(sql`
    create table bare_group_member (group_id uuid not null, user_id uuid not null, primary key (group_id, user_id))`)
  // What a user's groups are read by.
  await database.run(sql`create index on bare_group_member (user_id, group_id)`)
}

/**
 * Fills a connection: one user comes through the API, the others are rows like its own.
 *
 * @param groupSizes members of each group; the first so many users
 */
export async function fillScim(
  server: BenchServer,
  slug: string,
  size: number,
  groupSizes: readonly number[],
): Promise<ScimWorld> {
  const { database } = server
  const { id: organizationId, path, key } = await server.organization(slug)
  const provider = { name: 'IdP', scim: { enabled: true } }
  const made = await send(server.url, 'POST', `${path}/identity_providers`, key, provider)
  const tokens = `${path}/identity_providers/${made.id}/scim_tokens`
  const { token } = await send(server.url, 'POST', tokens, key, {})
  const connectionId = uuidOf(String(made.id))
  const base = `/scim/v2/${connectionId}`
  await send(server.url, 'POST', `${base}/Users`, String(token), userBody(slug, 0))
  await fillUsers(server, { organizationId, connectionId, size })
  const groups = new Map<number, string>()
  for (const members of groupSizes) {
    const body = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'], displayName: `Group ${members}` }
    const group = await send(server.url, 'POST', `${base}/Groups`, String(token), body)
    await fillGroup(server, { organizationId, groupId: String(group.id), members })
    groups.set(members, String(group.id))
  }
  const rows = await database.rows(
    sql<{ id: string }>`select id from scim_user where organization_id = ${organizationId} order by seq`,
  )
  const userIds = rows.map((row) => row.id)
  const url = `${server.url}${base}`
  return { organizationId, connectionId, token: String(token), url, slug, size, userIds, groups }
}

async function fillUsers(
  { database }: BenchServer,
  of: { organizationId: string; connectionId: string; size: number },
): Promise<void> {
  const { organizationId, connectionId, size } = of
  const zeros = '0'.repeat(DIGITS)
  await database.run(sql`
    insert into member (organization_id, id, email, email_key, display_name, first_name, last_name, created_at, updated_at)
    select m.organization_id, uuid_v7(), replace(email, ${zeros}, n.digits), replace(email_key, ${zeros}, n.digits),
      replace(display_name, ${zeros}, n.digits), replace(first_name, ${zeros}, n.digits),
      replace(last_name, ${zeros}, n.digits), m.created_at, m.updated_at
    from scim_user u
    join member m on m.organization_id = u.organization_id and m.id = u.member_id
    cross join (select lpad(i::text, ${DIGITS}::integer, '0') as digits from generate_series(1, ${size - 1}::integer) i) n
    where u.organization_id = ${organizationId}`)
  await database.run(sql`
    insert into scim_user (organization_id, id, connection_id, member_id, seq, user_name, user_name_key, external_id,
      active, document, search, email_keys, created_at, updated_at)
    select u.organization_id, uuid_v7(), u.connection_id, m.id, 1 + n.digits::integer,
      replace(user_name, ${zeros}, n.digits), replace(user_name_key, ${zeros}, n.digits),
      replace(external_id, ${zeros}, n.digits), active, replace(document, ${zeros}, n.digits),
      replace(search::text, ${zeros}, n.digits)::jsonb, array[replace(email_keys[1], ${zeros}, n.digits)],
      u.created_at, u.updated_at
    from scim_user u
    cross join (
      select id, substring(email from ${`\\d{${DIGITS}}`}) as digits from member where organization_id = ${organizationId}
    ) m
    cross join lateral (select m.digits) n
    where u.organization_id = ${organizationId} and n.digits <> ${zeros}`)
  await database.run(sql`
    update scim_roster set last_user_seq = ${size}, user_count = ${size}
    where organization_id = ${organizationId} and connection_id = ${connectionId}`)
  await database.run(sql`
    insert into bare_user (id, user_name_key, document, active)
    select id, user_name_key, document, active from scim_user where organization_id = ${organizationId}`)
}

async function fillGroup(
  { database }: BenchServer,
  of: { organizationId: string; groupId: string; members: number },
): Promise<void> {
  const { organizationId, groupId, members } = of
  await database.run(sql`
    insert into scim_group_member (organization_id, group_id, user_id)
    select organization_id, ${groupId}, id from scim_user
    where organization_id = ${organizationId} and seq <= ${members}`)
  await database.run(sql`
    insert into group_membership (organization_id, group_id, member_id, source_id, opened_change)
    select u.organization_id, ${groupId}, u.member_id, r.source_id,
      (select id from change where organization_id = ${organizationId} order by seq limit 1)
    from scim_user u
    join scim_roster r on r.organization_id = u.organization_id and r.connection_id = u.connection_id
    where u.organization_id = ${organizationId} and u.seq <= ${members}`)
  await database.run(sql`
    update scim_group set member_count = ${members} where organization_id = ${organizationId} and id = ${groupId}`)
  await database.run(sql`
    insert into bare_group_member (group_id, user_id)
    select group_id, user_id from scim_group_member where organization_id = ${organizationId} and group_id = ${groupId}`)
}
