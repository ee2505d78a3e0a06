import pg from 'pg'
import { foldText } from '#src/directory/scim/fold.ts'
import { userType } from '#src/surfaces/scim/protocol/registry.ts'
import { emailKeys, searchDocument } from '#src/surfaces/scim/protocol/search-document.ts'
import { beforeDatabasesDrop, emptyDatabase } from './harness.ts'
import type { Json, Resource } from './scim-filter-evaluator.ts'

const ORGANIZATION = '0190aaaa-0000-7000-8000-000000000001'
const OTHER = '0190aaaa-0000-7000-8000-000000000002'

/**
 * A session with tables of its own, of the columns that criteria are about; it ends before its database is dropped.
 * Columns have the order of a language, as a database of one would give them: no answer may depend on it.
 */
export async function openScratch(): Promise<pg.Client> {
  const { connectionString } = await emptyDatabase()
  const client = new pg.Client({ connectionString })
  await client.connect()
  beforeDatabasesDrop(() => client.end())
  await client.query(`
    create temporary table scim_user (
      organization_id uuid not null, id uuid not null, connection_id uuid not null,
      user_name text not null, user_name_key text collate "und-x-icu" not null,
      external_id text collate "und-x-icu", active boolean not null,
      created_at timestamptz not null, updated_at timestamptz not null,
      search jsonb not null, email_keys text[] not null, seq bigint not null
    );
    create temporary table scim_group (
      organization_id uuid not null, id uuid not null, connection_id uuid not null,
      display_name text not null, display_name_key text collate "und-x-icu" not null,
      external_id text collate "und-x-icu",
      created_at timestamptz not null, updated_at timestamptz not null
    );
    create temporary table scim_group_member (
      organization_id uuid not null, group_id uuid not null, user_id uuid not null
    )`)
  return client
}

/** Puts these users and groups in the place of those before, and links of another organization beside them. */
export async function loadScratch(
  client: pg.Client,
  users: readonly Resource[],
  groups: readonly Resource[],
): Promise<void> {
  const members = groups.flatMap((group) =>
    (group.members as { value: string }[]).map(({ value }) => linkOf(ORGANIZATION, group.id, value)),
  )
  const foreign = groups.flatMap((group) => users.map((user) => linkOf(OTHER, group.id, user.id)))
  await client.query('truncate scim_user, scim_group, scim_group_member')
  await fill(client, 'scim_user', users.map(userRow))
  await fill(client, 'scim_group', groups.map(groupRow))
  await fill(client, 'scim_group_member', [...members, ...foreign])
}

const linkOf = (organization: string, group: Json | undefined, user: Json | undefined) => ({
  organization_id: organization,
  group_id: group,
  user_id: user,
})

export async function fill(client: pg.Client, table: string, rows: readonly object[]): Promise<void> {
  await client.query(`insert into ${table} select * from jsonb_populate_recordset(null::${table}, $1)`, [
    JSON.stringify(rows),
  ])
}

export function userRow(user: Resource, seq: number) {
  const { schemas: _, id, externalId, meta, groups: __, ...document } = user
  const { created, lastModified } = meta as Record<string, Json>
  return {
    organization_id: ORGANIZATION,
    connection_id: ORGANIZATION,
    id,
    user_name: user.userName,
    user_name_key: foldText(user.userName as string),
    external_id: externalId,
    active: user.active,
    created_at: created,
    updated_at: lastModified,
    search: searchDocument(userType, document),
    email_keys: emailKeys(document),
    seq,
  }
}

const groupRow = ({ id, displayName, externalId, meta }: Resource) => ({
  organization_id: ORGANIZATION,
  connection_id: ORGANIZATION,
  id,
  display_name: displayName,
  display_name_key: foldText(displayName as string),
  external_id: externalId,
  created_at: (meta as Record<string, Json>).created,
  updated_at: (meta as Record<string, Json>).lastModified,
})
