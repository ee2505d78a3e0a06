import { part, type Statement, sql } from '../../platform/postgres/sql.ts'
import type { RecordedActor } from '../access/permission.ts'
import { insertingChanges, takingNumbers } from '../changes/change.sql.ts'
import type { ChangeKind } from '../changes/change-draft.ts'
import { type ScimUserRow, USER_COLUMNS } from './user.sql.ts'

/** A user who is to be active or not, and the change that it is if it was not so before. */
export interface UserActivation {
  readonly id: string
  readonly change_id: string
  readonly now: Date
}

/**
 * Activates users of a connection, or deactivates them, with the members they stand for, and answers each as it is then;
 * who is so already stays as it is. Nothing of them was read before. Fails where it is not this simple: somebody is not
 * there, or asked for twice, or held by another; a member is not as the connection left it, because somebody suspended,
 * removed or merged it. Keeps new grants and keys of the members out until COMMIT.
 */
export function activatingPeople(
  organizationId: string,
  actor: RecordedActor,
  active: boolean,
  users: readonly UserActivation[],
): Statement<ScimUserRow> {
  const written = part`(select count(*) from changed) = (select count(*) from wanted)
        and (select count(*) from people) = (select count(*) from wanted)`
  // Rows by where they are: a table that has just been filled would be read whole, looked for by a join.
  return sql<ScimUserRow>`
    with held as materialized (
      select a.n, a.change_id, a.now, u.*, m.member_at, u.active <> ${active} as is_turned,
        m.merged_into is null and case when ${active} then m.status = 'suspended' and u.suspended_member
          else m.status = 'active' end as is_simple
      from json_to_recordset(${numbered(users)}) as a(n integer, id uuid, change_id uuid, now timestamptz)
      cross join lateral (
        select ${USER_COLUMNS}, u.ctid as user_at, u.member_id, u.suspended_member from scim_user u
        where u.organization_id = ${organizationId} and u.id = a.id and u.connection_id = ${actor.id}
        limit 1 for update nowait) u
      cross join lateral (
        select ctid as member_at, status, merged_into from member
        where organization_id = ${organizationId} and id = u.member_id limit 1 for update nowait) m
    ), checked as (
      select 1 / (count(*) = ${users.length}::integer and count(distinct id) = count(*)
        and bool_and(is_simple or not is_turned))::integer as is_good
      from held
    ), wanted as materialized (
      select row_number() over (order by n) as n, change_id, ${activationKind(active)}::text as kind, member_id,
        jsonb_build_object('scim_user', id) as detail
      from held where is_turned and (select is_good from checked) = 1
    ), changed as (
      update scim_user u set active = ${active}, suspended_member = not ${active}, version = u.version + 1,
        updated_at = h.now
      from held h
      where u.organization_id = ${organizationId}
        and u.ctid = any(array(select user_at from held where is_turned)) and u.id = h.id
      returning 1
    ), people as (
      update member m set status = case when ${active} then 'active' else 'suspended' end, version = m.version + 1,
        updated_at = h.now
      from held h
      where m.organization_id = ${organizationId}
        and m.ctid = any(array(select member_at from held where is_turned)) and m.id = h.member_id
      returning 1
    ), ${takingNumbers(organizationId, part`(select count(*) from wanted)`, written)},
    recorded as (${insertingChanges(organizationId, actor)})
    select id, user_name, external_id, ${active}::boolean as active, document, created_at, groups,
      version + is_turned::integer as version, case when is_turned then now else updated_at end as updated_at
    from held order by n`
}

/** The change that it is. */
export function activationKind(active: boolean): ChangeKind {
  return active ? 'member.reactivated' : 'member.suspended'
}

const numbered = (users: readonly UserActivation[]) =>
  JSON.stringify(users.map((user, index) => ({ n: index + 1, ...user })))
