import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { SqlFragment, sql } from '../../platform/postgres/sql.ts'
import type { MemberStatus } from '../members/member.sql.ts'
import { notingMoved } from './group-sync-due.sql.ts'

/** A user as its connection sees it. */
export interface ScimUserRow {
  id: string
  user_name: string
  external_id: string | null
  active: boolean
  document: string
  version: number
  created_at: string
  updated_at: string
  /** `[{"value": id, "display": name}, …]` as JSON text; null: in no group. */
  groups: string | null
}

/** A user together with whom it stands for. */
export interface ProvisionedPersonRow extends ScimUserRow {
  /** Which version of its row was read, and of the member's: any change of either gives another. */
  row_version: string
  member_row_version: string
  user_name_key: string
  suspended_member: boolean
  member_id: string
  member_status: MemberStatus
  is_merged: boolean
  email: string | null
  email_key: string | null
  display_name: string | null
  first_name: string | null
  last_name: string | null
}

/** What filters look at. */
interface SearchedFields {
  /** JSON text of the document as it is compared. */
  readonly search: string
  readonly emailKeys: readonly string[]
}

/** What is stored of a user. */
export interface ScimUserFields {
  readonly userName: string
  readonly userNameKey: string
  readonly externalId: string | null
  readonly active: boolean
  /** The resource as JSON text, without what the server says. */
  readonly document: string
  /** What can be looked for in the document; null: as it is stored, because the document is. */
  readonly searched: SearchedFields | null
}

export const USER_COLUMNS =
  new SqlFragment(`u.id, u.user_name, u.external_id, u.active, u.document, u.version, u.created_at,
    u.updated_at, (
      select json_agg(json_build_object('value', sg.id, 'display', sg.display_name) order by sg.id)::text
      from scim_group_member sm
      join scim_group sg on sg.organization_id = sm.organization_id and sg.id = sm.group_id
      where sm.organization_id = u.organization_id and sm.user_id = u.id) as groups`)

const PERSON_COLUMNS =
  new SqlFragment(`${USER_COLUMNS.text}, u.xmin as row_version, m.xmin as member_row_version,
    u.user_name_key, u.suspended_member, m.id as member_id, m.status as member_status,
    m.merged_into is not null as is_merged, m.email, m.email_key, m.display_name, m.first_name, m.last_name`)

export async function findScimUser(
  db: Queryable,
  organizationId: string,
  user: { connectionId: string; id: string },
): Promise<ScimUserRow | undefined> {
  return await db.row(sql<ScimUserRow>`
    select ${USER_COLUMNS} from scim_user u
    where u.organization_id = ${organizationId} and u.id = ${user.id} and u.connection_id = ${user.connectionId}`)
}

/** A user together with whom it stands for, without a lock. */
export async function findProvisionedPerson(
  db: Queryable,
  organizationId: string,
  user: { connectionId: string; id: string },
): Promise<ProvisionedPersonRow | undefined> {
  return await db.row(sql<ProvisionedPersonRow>`
    select ${PERSON_COLUMNS} from scim_user u
    join member m on m.organization_id = u.organization_id and m.id = u.member_id
    where u.organization_id = ${organizationId} and u.id = ${user.id} and u.connection_id = ${user.connectionId}`)
}

/**
 * Locks a user and the member it stands for until COMMIT, new grants of the member and new memberships of the user
 * included: a group that adds both waits for the user first, and holds nothing of either. Before them the owners, if the
 * user stands for one as far as is known then: as for whoever ends somebody.
 */
export async function lockScimUser(
  tx: Transaction,
  organizationId: string,
  user: { connectionId: string; id: string },
): Promise<ProvisionedPersonRow | undefined> {
  return await tx.row(sql<ProvisionedPersonRow>`
    with owners as materialized (
      select 1 from role r
      where r.organization_id = ${organizationId} and r.resource = 'organization' and r.key = 'owner'
        and exists (
          select 1 from scim_user u
          join role_grant g on g.organization_id = u.organization_id and g.member_id = u.member_id
            and g.role_id = r.id and g.ended_change is null
          where u.organization_id = ${organizationId} and u.id = ${user.id})
      for no key update of r
    )
    select ${PERSON_COLUMNS}
    from scim_user u
    join member m on m.organization_id = u.organization_id and m.id = u.member_id
    where u.organization_id = ${organizationId} and u.id = ${user.id} and u.connection_id = ${user.connectionId}
      -- Asked once, before any row is read.
      and (select count(*) from owners) >= 0
    for update of u, m`)
}

/** Deletes a user and takes it out of its groups, whose times of change move; the member's group sync is due. */
export async function deleteScimUser(
  tx: Transaction,
  organizationId: string,
  user: { id: string; memberId: string; now: Date },
): Promise<{ left: number; due: number }> {
  const row = await tx.row(sql<{ left: number; due: number }>`
    with gone as (
      delete from scim_group_member where organization_id = ${organizationId} and user_id = ${user.id}
      returning group_id
    ), counted as (
      update scim_group g set member_count = member_count - 1, version = version + 1, updated_at = ${user.now}
      from gone
      where g.organization_id = ${organizationId} and g.id = gone.group_id
    ), moved as (
      select ${user.memberId}::uuid as member_id from gone limit 1
    ), due as (${notingMoved(organizationId)})
    select (select count(*) from gone) as left, (select count(*) from due) as due`)
  await tx.run(sql`delete from scim_user where organization_id = ${organizationId} and id = ${user.id}`)
  return row!
}
