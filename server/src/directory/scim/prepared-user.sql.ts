import { part, SqlFragment, type SqlPart, type Statement, sql } from '../../platform/postgres/sql.ts'
import type { RecordedActor } from '../access/permission.ts'
import { revokingFreeKeys } from '../api-keys/api-key.sql.ts'
import { insertingChanges, takingNumbers } from '../changes/change.sql.ts'
import type { ChangeKind } from '../changes/change-draft.ts'
import type { MemberStatus } from '../members/member.sql.ts'

/** A user, the member it stands for and the change that writes both, as the statements take them: as JSON. */
export interface PreparedUser {
  readonly id: string
  readonly member_id: string
  readonly user_name: string
  readonly user_name_key: string
  readonly external_id: string | null
  readonly active: boolean
  readonly suspended_member: boolean
  /** Null, all three of them: as they are stored. */
  readonly document: string | null
  readonly search: string | null
  readonly email_keys: readonly string[] | null
  readonly email: string | null
  readonly email_key: string | null
  readonly display_name: string | null
  readonly first_name: string | null
  readonly last_name: string | null
  readonly status: MemberStatus
  readonly now: Date
  readonly change_id: string
  readonly kind: ChangeKind
  readonly detail: Record<string, unknown>
}

/** With the versions of the rows it was made from: any change of either gives another. */
export interface PreparedUserUpdate extends PreparedUser {
  readonly row_version: string
  readonly member_row_version: string
  /** Whether the member changes, too. */
  readonly is_person_new: boolean
}

const USER_COLUMNS = new SqlFragment(`id uuid, member_id uuid, user_name text, user_name_key text,
      external_id text, active boolean, suspended_member boolean, document text, search text, email_keys text[],
      email text, email_key text, display_name text, first_name text, last_name text, status text, now timestamptz,
      change_id uuid, kind text, detail jsonb`)

const placed = (users: readonly PreparedUser[]) =>
  JSON.stringify(users.map((user, index) => ({ place: index + 1, ...user })))
const numbered = (users: readonly PreparedUser[]) =>
  JSON.stringify(users.map((user, index) => ({ n: index + 1, ...user })))

/** Whether a user was created. */
export interface CreatedRow {
  readonly is_new: boolean
}

/**
 * Creates users of a connection, the members they stand for and the changes. Takes the addresses first, in their order:
 * whoever waits for one keeps nobody from the connection's list, which is locked next, from userNames, and from the
 * organization's counter. Fails where the connection is gone: then its list has no place.
 *
 * @param leavesKnown leaves out whose address a member has or had: that one has to be looked at more closely
 */
export function insertingPeople(
  organizationId: string,
  actor: RecordedActor,
  users: readonly PreparedUser[],
  leavesKnown: boolean,
): Statement<CreatedRow> {
  const count = part`(select count(*) from wanted)`
  const written = part`(select count(*) from people) + (select count(*) from created) > 0`
  // Both kinds of member have an index of their own for their addresses.
  return sql<CreatedRow>`
    with asked as materialized (
      select * from json_to_recordset(${placed(users)}) as w(place integer, ${USER_COLUMNS})
    ), known as materialized (
      select a.place from asked a where ${leavesKnown}::boolean and (exists (
          select 1 from member m
          where m.organization_id = ${organizationId} and m.email_key = a.email_key and m.can_hold_grants
        ) or exists (
          select 1 from member m
          where m.organization_id = ${organizationId} and m.email_key = a.email_key and not m.can_hold_grants))
    ), wanted as materialized (
      select row_number() over (order by a.place) as n, a.* from asked a
      where not exists (select 1 from known k where k.place = a.place)
    ), list as (
      update scim_roster set last_user_seq = last_user_seq + ${count}, user_count = user_count + ${count}
      where organization_id = ${organizationId} and connection_id = ${actor.id} and ${count} > 0
      returning last_user_seq - ${count} as seq
    ), people as (
      insert into member (organization_id, id, email, email_key, display_name, first_name, last_name, status,
        created_at, updated_at)
      select ${organizationId}, member_id, email, email_key, display_name, first_name, last_name, status, now, now
      from wanted order by email_key
      returning 1
    ), created as (
      insert into scim_user (organization_id, id, connection_id, member_id, seq, user_name, user_name_key,
        external_id, active, suspended_member, document, search, email_keys, created_at, updated_at)
      select ${organizationId}, id, ${actor.id}, member_id, (select seq from list) + n, user_name, user_name_key,
        external_id, active, suspended_member, document, search::jsonb, email_keys, now, now
      from wanted
      returning 1
    ), ${takingNumbers(organizationId, count, written)},
    recorded as (${insertingChanges(organizationId, actor)})
    select w.n is not null as is_new from asked a left join wanted w on w.place = a.place order by a.place`
}

/**
 * Stores what is new about users and the members they stand for, and the changes. Fails unless all rows are as they
 * were read, and where somebody holds one; keeps new grants and keys of the members out until COMMIT.
 */
export function updatingPeople(
  organizationId: string,
  actor: RecordedActor,
  users: readonly PreparedUserUpdate[],
): Statement<never> {
  const written = part`(select count(*) from people) >= 0
        and (select count(*) from changed) = ${users.length}::integer`
  // Rows by where they are: a table that has just been filled would be read whole, looked for by a join.
  return sql`
    with wanted as materialized (
      select * from json_to_recordset(${numbered(users)})
        as w(n integer, ${USER_COLUMNS}, row_version xid, member_row_version xid, is_person_new boolean)
    ), held as materialized (
      select w.*, u.ctid as user_at, m.ctid as member_at from wanted w
      cross join lateral (
        select ctid from scim_user
        where organization_id = ${organizationId} and id = w.id and xmin = w.row_version
        limit 1 for update nowait) u
      cross join lateral (
        select ctid from member
        where organization_id = ${organizationId} and id = w.member_id and xmin = w.member_row_version
        limit 1 for update nowait) m
    ), changed as (
      update scim_user u set user_name = h.user_name, user_name_key = h.user_name_key, external_id = h.external_id,
        active = h.active, suspended_member = h.suspended_member, document = coalesce(h.document, u.document),
        search = coalesce(h.search::jsonb, u.search), email_keys = coalesce(h.email_keys, u.email_keys),
        version = u.version + 1, updated_at = h.now
      from held h
      where u.organization_id = ${organizationId} and u.ctid = any(array(select user_at from held)) and u.id = h.id
      returning 1
    ), people as (
      update member m set email = h.email, email_key = h.email_key, display_name = h.display_name,
        first_name = h.first_name, last_name = h.last_name, status = h.status, version = m.version + 1,
        updated_at = h.now
      from held h
      where m.organization_id = ${organizationId}
        and m.ctid = any(array(select member_at from held where is_person_new)) and m.id = h.member_id
      returning 1
    ), ${takingNumbers(organizationId, users.length, written)}
    ${insertingChanges(organizationId, actor)}`
}

/** Whom those of the users stand for that this transaction has changed: a query of their ids. */
export function membersOf(organizationId: string, users: readonly { readonly id: string }[]): SqlPart {
  return part`
    select u.member_id from unnest(${users.map((user) => user.id)}::uuid[]) w (id)
    cross join lateral (
      select member_id from scim_user
      where organization_id = ${organizationId} and id = w.id and xmin = pg_current_xact_id()::xid limit 1) u`
}

/**
 * Ends the API keys of members whom this transaction has deactivated. Fails if somebody holds one, and if the
 * deactivation is about more than their own rows: one is an owner, or something is pending of an address. Run while the
 * organization's counter is held: whatever was given to a member before is seen, and what others give it meanwhile comes
 * after.
 *
 * @param members a query of their ids
 */
export function endingKeys(organizationId: string, members: SqlPart, now: Date): Statement<never> {
  return sql`
    with keys as (${revokingFreeKeys(organizationId, members, now)})
    select 1 / (not exists (
      select 1 from (${members}) m (id)
      cross join lateral (
        select 1 from role_grant g
        join role r on r.organization_id = g.organization_id and r.id = g.role_id
          and r.resource = 'organization' and r.key = 'owner'
        where g.organization_id = ${organizationId} and g.member_id = m.id and g.ended_change is null limit 1) o
    ) and not exists (
      select 1 from invitation i
      where i.organization_id = ${organizationId} and i.status = 'pending' and i.email_key = any(array(
        select email_key from member where organization_id = ${organizationId} and id = any(array(${members}))))
    ))::integer`
}
