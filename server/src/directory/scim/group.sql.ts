import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { SqlFragment, sql } from '../../platform/postgres/sql.ts'
import type { OrganizationSettings } from '../organizations/settings.ts'

/** A group as its connection sees it, without its members. */
export interface ScimGroupRow {
  id: string
  display_name: string
  external_id: string | null
  member_count: number
  version: number
  created_at: string
  updated_at: string
}

/** A group with what its projection runs by. */
export interface LockedScimGroupRow extends ScimGroupRow {
  source_id: string
  settings: OrganizationSettings
  /** Who joins takes a seat of a workspace that has only so many. */
  gives_seats: boolean
}

export interface ScimGroupFields {
  readonly displayName: string
  readonly displayNameKey: string
  readonly externalId: string | null
}

export const GROUP_COLUMNS = new SqlFragment(
  'g.id, g.display_name, g.external_id, g.member_count, g.version, g.created_at, g.updated_at',
)

export async function insertScimGroup(
  tx: Transaction,
  organizationId: string,
  group: ScimGroupFields & { id: string; connectionId: string; seq: number; now: Date },
): Promise<ScimGroupRow> {
  const row = await tx.row(sql<ScimGroupRow>`
    insert into scim_group as g (organization_id, id, connection_id, seq, display_name, display_name_key, external_id,
      created_at, updated_at)
    values (${organizationId}, ${group.id}, ${group.connectionId}, ${group.seq}, ${group.displayName},
      ${group.displayNameKey}, ${group.externalId}, ${group.now}, ${group.now})
    returning ${GROUP_COLUMNS}`)
  return row!
}

export async function findScimGroup(
  db: Queryable,
  organizationId: string,
  group: { connectionId: string; id: string },
): Promise<ScimGroupRow | undefined> {
  return await db.row(sql<ScimGroupRow>`
    select ${GROUP_COLUMNS} from scim_group g
    where g.organization_id = ${organizationId} and g.id = ${group.id} and g.connection_id = ${group.connectionId}`)
}

/** Locks a group until COMMIT against other changes of it, of its members as a whole and of its projection. */
export async function lockScimGroup(
  tx: Transaction,
  organizationId: string,
  group: { connectionId: string; id: string },
): Promise<LockedScimGroupRow | undefined> {
  return await tx.row(sql<LockedScimGroupRow>`
    select ${GROUP_COLUMNS}, r.source_id, o.settings, exists (
        select 1 from role_grant s
        join workspace w on w.organization_id = s.organization_id and w.id = s.workspace_id
          and w.purchased_seats is not null
        where s.organization_id = g.organization_id and s.group_id = g.id and s.ended_change is null) as gives_seats
    from scim_group g
    join org_group og on og.organization_id = g.organization_id and og.id = g.id
    join scim_roster r on r.organization_id = g.organization_id and r.connection_id = g.connection_id
    join organization o on o.id = g.organization_id
    where g.organization_id = ${organizationId} and g.id = ${group.id} and g.connection_id = ${group.connectionId}
    for no key update of og, g`)
}

/** Locks the groups a user is in, in the order of their ids. */
export async function lockScimGroupsOfUser(
  tx: Transaction,
  organizationId: string,
  userId: string,
): Promise<number> {
  return await tx.run(sql`
    select 1 from scim_group
    where organization_id = ${organizationId} and id in (
      select group_id from scim_group_member where organization_id = ${organizationId} and user_id = ${userId})
    order by id for no key update`)
}

export async function updateScimGroup(
  tx: Transaction,
  organizationId: string,
  group: Omit<ScimGroupFields, 'displayNameKey'> & {
    id: string
    /** Absent: the name stays. */
    displayNameKey: string | undefined
    now: Date
  },
): Promise<void> {
  await tx.run(sql`
    update scim_group set display_name = ${group.displayName}, 
      display_name_key = coalesce(${group.displayNameKey ?? null}, display_name_key),
      external_id = ${group.externalId}, version = version + 1, updated_at = ${group.now}
    where organization_id = ${organizationId} and id = ${group.id}`)
}

export async function deleteScimGroup(tx: Transaction, organizationId: string, id: string): Promise<void> {
  await tx.run(
    sql`delete from scim_group_member where organization_id = ${organizationId} and group_id = ${id}`,
  )
  await tx.run(sql`delete from scim_group where organization_id = ${organizationId} and id = ${id}`)
}

/** The same of several groups at once; those without members are left out. */
export async function listMemberIds(
  db: Queryable,
  organizationId: string,
  groupIds: readonly string[],
): Promise<{ id: string; members: string }[]> {
  return await db.rows(sql<{ id: string; members: string }>`
    select group_id as id, string_agg(user_id::text, '' order by user_id) as members
    from scim_group_member
    where organization_id = ${organizationId} and group_id = any(${groupIds}::uuid[])
    group by group_id`)
}

/** The ids of a group's members in one text, one behind the other: a row each would cost ten times as much. */
export async function findMemberIds(db: Queryable, organizationId: string, groupId: string): Promise<string> {
  const row = await db.row(sql<{ members: string | null }>`
    select string_agg(user_id::text, '' order by user_id) as members
    from scim_group_member where organization_id = ${organizationId} and group_id = ${groupId}`)
  return row?.members ?? ''
}
