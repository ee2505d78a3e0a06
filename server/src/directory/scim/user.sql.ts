import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { part, SqlFragment, type SqlPart, sql } from '../../platform/postgres/sql.ts'
import { revokingKeysOfMember } from '../api-keys/api-key.sql.ts'
import { type MemberStatus, type Person, updatingMember } from '../members/member.sql.ts'
import { notingMoved } from './group-sync-due.sql.ts'
import { appendingUser } from './roster.sql.ts'

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

/** Who has an address already, as far as a connection that provisions it must know. */
export interface FoundPersonRow {
  id: string
  status: MemberStatus
  email: string | null
  email_key: string | null
  display_name: string | null
  first_name: string | null
  last_name: string | null
  /** By whatever connection. */
  is_provisioned: boolean
  /** The organization has proven the domain of the address. */
  is_domain_verified: boolean
}

/**
 * The member with an address, locked until COMMIT: one who is not removed, or whom this connection removed last. Both
 * have an index of their own, which a condition with `or` alone would not find.
 *
 * @param person.domain of the address, as lower-case A-labels
 */
export async function lockPersonByEmail(
  tx: Transaction,
  organizationId: string,
  person: { connectionId: string; emailKey: string; domain: string },
): Promise<FoundPersonRow | undefined> {
  return await tx.row(sql<FoundPersonRow>`
    select m.id, m.status, m.email, m.email_key, m.display_name, m.first_name, m.last_name,
      exists (select 1 from scim_user u where u.organization_id = m.organization_id and u.member_id = m.id)
        as is_provisioned,
      exists (select 1 from verified_domain d where d.name = ${person.domain} and d.organization_id = m.organization_id)
        as is_domain_verified
    from member m
    where m.organization_id = ${organizationId} and m.email_key = ${person.emailKey} and m.merged_into is null
      and (m.can_hold_grants or (
        select c.kind = 'member.removed' and c.actor_kind = 'scim_connection' and c.actor_id = ${person.connectionId}
        from change c where c.organization_id = m.organization_id and c.member_id = m.id
        order by c.seq desc limit 1))
      and m.id = any (array(
        select id from member
        where organization_id = ${organizationId} and email_key = ${person.emailKey} and can_hold_grants
        union all
        select id from member
        where organization_id = ${organizationId} and email_key = ${person.emailKey} and not can_hold_grants))
    order by m.status = 'removed', m.id desc limit 1
    for update of m`)
}

interface StoredRow {
  version: number
  created_at: string
  updated_at: string
}

/** Has no place where the connection is gone meanwhile: then it fails, and with it whatever is written beside it. */
function insertingUser(
  organizationId: string,
  user: ScimUserFields & {
    id: string
    connectionId: string
    memberId: string
    suspendedMember: boolean
    now: Date
  },
): SqlPart {
  return part`
    insert into scim_user (organization_id, id, connection_id, member_id, seq, user_name, user_name_key,
      external_id, active, suspended_member, document, search, email_keys, created_at, updated_at)
    values (${organizationId}, ${user.id}, ${user.connectionId}, ${user.memberId}, (select seq from place),
      ${user.userName}, ${user.userNameKey}, ${user.externalId}, ${user.active}, ${user.suspendedMember},
      ${user.document}, ${user.searched?.search ?? null}, ${user.searched?.emailKeys ?? null}, ${user.now}, ${user.now})
    returning version, created_at, updated_at`
}

type NewScimUser = ScimUserFields & { id: string; connectionId: string; memberId: string; now: Date }

/** Creates a user that stands for a member who is there already, and says what becomes of that one. */
export async function insertUserOfMember(
  tx: Transaction,
  organizationId: string,
  user: NewScimUser & { suspendedMember: boolean },
  person: Person & { status: MemberStatus; isChanged: boolean },
): Promise<StoredRow> {
  const { memberId: id, now } = user
  const row = await tx.row(sql<StoredRow>`
    with place as (${appendingUser(organizationId, user.connectionId)}),
    person as (${updatingMember(organizationId, { ...person, id, now })}),
    keys as (${revokingKeysOfMember(organizationId, { id, isOver: !user.active, now })})
    ${insertingUser(organizationId, user)}`)
  return row!
}

/** What a member's deactivation or activation has to look at, as it is once the member is locked. */
interface Standing {
  is_owner: boolean
  /** By the address before or after. */
  is_invited: boolean
  holds_something: boolean
}

/** What is new about a user. */
export type ChangedScimUser = ScimUserFields & {
  readonly id: string
  readonly memberId: string
  readonly suspendedMember: boolean
  readonly isDeactivated: boolean
  /** Of the member, before and after. */
  readonly addressKeys: readonly (string | null)[]
  readonly now: Date
}

/** What is new about the member it stands for. */
export type ChangedPerson = Person & { readonly status: MemberStatus; readonly isChanged: boolean }

/**
 * Stores what is new about a user and the member it stands for, both of which are locked. Takes the address before the
 * userName, as whoever creates a user.
 */
export async function updateUserAndMember(
  tx: Transaction,
  organizationId: string,
  user: ChangedScimUser,
  person: ChangedPerson,
): Promise<Standing> {
  const { memberId: id, isDeactivated: isOver, now } = user
  const row = await tx.row(sql<Standing>`
    with person as (${updatingMember(organizationId, { ...person, id, now })} returning 1),
    keys as (${revokingKeysOfMember(organizationId, { id, isOver, now })})
    update scim_user set user_name = ${user.userName}, user_name_key = ${user.userNameKey},
      external_id = ${user.externalId}, active = ${user.active}, suspended_member = ${user.suspendedMember},
      document = ${user.document}, search = coalesce(${user.searched?.search ?? null}, search),
      email_keys = coalesce(${user.searched?.emailKeys ?? null}, email_keys),
      version = version + 1, updated_at = ${now}
    where organization_id = ${organizationId} and id = ${user.id} and (select count(*) from person) >= 0
    returning
      exists (
        select 1 from role_grant g join role r on r.organization_id = g.organization_id and r.id = g.role_id
          and r.resource = 'organization' and r.key = 'owner'
        where g.organization_id = ${organizationId} and g.member_id = ${id} and g.ended_change is null) as is_owner,
      exists (
        select 1 from invitation i
        where i.organization_id = ${organizationId} and i.email_key = any(${user.addressKeys}::text[])
          and i.status = 'pending') as is_invited,
      exists (
        select 1 from role_grant g
        where g.organization_id = ${organizationId} and g.member_id = ${id} and g.ended_change is null)
      or exists (
        select 1 from group_membership gm
        where gm.organization_id = ${organizationId} and gm.member_id = ${id}) as holds_something`)
  return row!
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

/** Whether the identity provider that provisions a member has deactivated it. */
export async function isDeprovisioned(
  db: Queryable,
  organizationId: string,
  memberId: string,
): Promise<boolean> {
  const row = await db.row(sql<{ found: number }>`
    select 1 as found from scim_user
    where organization_id = ${organizationId} and member_id = ${memberId} and not active`)
  return row !== undefined
}

/** Whether an identity provider has deactivated somebody with an address who was removed by hand, too. */
export async function isDeprovisionedAddress(
  db: Queryable,
  organizationId: string,
  emailKey: string,
): Promise<boolean> {
  const row = await db.row(sql<{ found: number }>`
    select 1 as found from member m
    join scim_user u on u.organization_id = m.organization_id and u.member_id = m.id and not u.active
    where m.organization_id = ${organizationId} and m.email_key = ${emailKey} and not m.can_hold_grants limit 1`)
  return row !== undefined
}

/** Locks the users that stand for some members until COMMIT: they come before the members. */
export async function lockUsersOfMembers(
  tx: Transaction,
  organizationId: string,
  memberIds: readonly string[],
): Promise<void> {
  await tx.run(sql`
    select 1 from scim_user where organization_id = ${organizationId} and member_id = any(${memberIds}::uuid[])
    order by id for update`)
}

/** Lets the user of a merged member stand for the one it was merged into. False: that one has a user already. */
export async function moveScimUser(
  tx: Transaction,
  organizationId: string,
  members: { fromId: string; intoId: string },
): Promise<boolean> {
  const row = await tx.row(sql<{ stays: boolean }>`
    with moved as (
      update scim_user set member_id = ${members.intoId}
      where organization_id = ${organizationId} and member_id = ${members.fromId}
        and not exists (
          select 1 from scim_user where organization_id = ${organizationId} and member_id = ${members.intoId})
      returning 1
    )
    select exists (
        select 1 from scim_user where organization_id = ${organizationId} and member_id = ${members.fromId})
      and not exists (select 1 from moved) as stays`)
  return row?.stays !== true
}
