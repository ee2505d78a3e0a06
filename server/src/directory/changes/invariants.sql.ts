import type { Queryable } from '../../platform/postgres/database.ts'
import { part, SqlFragment, type SqlPart, type Statement, sql } from '../../platform/postgres/sql.ts'

/** What a change may have broken, as far as its own rows tell. */
export interface Touched {
  /** It opened roles on workspaces with a limit of seats, or put people into groups that have such. */
  seats: boolean
  /** It took a direct admin away from a project or a workspace. */
  admins: boolean
  /** It gave somebody a role in a workspace or on one of its projects. */
  guests: boolean
}

/** Of the people whose status a change set: those it made active again, or no longer active. */
export interface StatusChange {
  readonly memberId: string | null
  readonly becameActive: boolean
  readonly becameInactive: boolean
}

/** A role `r` that administers what it is on. */
export const ADMIN = new SqlFragment(`(r.resource = 'project' and r.key = 'admin'
      or r.resource = 'workspace' and r.key in ('owner', 'admin'))`)
/** A role that takes a seat: every one on a workspace but that of guests. */
export const PAID = new SqlFragment(`r.resource = 'workspace' and r.key is distinct from 'guest'`)

/** A role `r` that guests of a workspace may not have on its projects. */
export const BEYOND_GUESTS = new SqlFragment(
  `(r.key is null or r.key not in ('guest', 'commenter', 'viewer'))`,
)

/** Seats taken of the workspace `t`. */
export const USED_SEATS = new SqlFragment(`
      select count(distinct u.member_id) from (
        select g.member_id from role_grant g
        join role r on r.organization_id = g.organization_id and r.id = g.role_id and ${PAID.text}
        where g.organization_id = t.organization_id and g.workspace_id = t.id and g.member_id is not null and g.ended_change is null
          and (g.expires_at is null or g.expires_at > now())
        union all
        select gm.member_id from role_grant g
        join role r on r.organization_id = g.organization_id and r.id = g.role_id and ${PAID.text}
        join group_membership gm on gm.organization_id = g.organization_id and gm.group_id = g.group_id
          and (gm.expires_at is null or gm.expires_at > now())
        where g.organization_id = t.organization_id and g.workspace_id = t.id and g.group_id is not null and g.ended_change is null
          and (g.expires_at is null or g.expires_at > now())
      ) u
      join member m on m.organization_id = t.organization_id and m.id = u.member_id and m.status = 'active'`)

type MayTouch = StatusChange & {
  /** False: it opened nothing, and what only openings break is not looked for. */
  readonly hasOpened: boolean
}

/** Which rules have to be looked at: a few index probes, so that most changes cost nothing more. */
export async function findTouched(
  db: Queryable,
  organizationId: string,
  changeId: string,
  may: MayTouch,
): Promise<Touched> {
  const row = await db.row(sql<Touched>`
    select (${touchingSeats(organizationId, changeId, may)}) as seats,
      (${touchingAdmins(organizationId, changeId, may)}) as admins,
      (${touchingGuests(organizationId, changeId, may)}) as guests`)
  return row!
}

/** Fails, by dividing by zero, if any rule has to be looked at. Run while the organization's counter is held. */
export function expectingUntouched(
  organizationId: string,
  changeId: string,
  may: MayTouch,
): Statement<never> {
  return sql`
    select 1 / (not (${touchingSeats(organizationId, changeId, may)})
      and not (${touchingAdmins(organizationId, changeId, may)})
      and not (${touchingGuests(organizationId, changeId, may)}))::integer`
}

function touchingSeats(organizationId: string, changeId: string, may: MayTouch): SqlPart {
  return part`
      (${may.hasOpened}::boolean or ${may.becameActive}::boolean) and exists (
        select 1 from workspace w
        join role_grant g on g.organization_id = w.organization_id and g.workspace_id = w.id and g.ended_change is null
        where w.organization_id = ${organizationId} and w.purchased_seats is not null
          and (g.opened_change = ${changeId}
            or ${may.becameActive}::boolean and g.member_id = ${may.memberId}
            or g.group_id is not null and exists (
              select 1 from group_membership gm
              where gm.organization_id = ${organizationId} and gm.group_id = g.group_id
                and (gm.opened_change = ${changeId}
                  or ${may.becameActive}::boolean and gm.member_id = ${may.memberId}))))`
}

function touchingAdmins(organizationId: string, changeId: string, may: MayTouch): SqlPart {
  return part`
      exists (
        select 1 from role_grant g
        join role r on r.organization_id = g.organization_id and r.id = g.role_id
        where g.organization_id = ${organizationId} and g.member_id is not null and ${ADMIN}
          and g.ended_change = ${changeId}
      ) or ${may.becameInactive}::boolean and exists (
        select 1 from role_grant g
        join role r on r.organization_id = g.organization_id and r.id = g.role_id
        where g.organization_id = ${organizationId} and g.member_id = ${may.memberId} and ${ADMIN}
          and g.ended_change is null)`
}

function touchingGuests(organizationId: string, changeId: string, may: MayTouch): SqlPart {
  return part`
      ${may.hasOpened}::boolean and exists (
        select 1 from role_grant g
        where g.organization_id = ${organizationId} and g.opened_change = ${changeId} and g.ended_change is null
          and g.member_id is not null and (g.workspace_id is not null or g.project_id is not null))`
}

export interface FullWorkspace {
  id: string
  name: string
  slug: string
  purchased_seats: number
  used_seats: number
}

/** Workspaces whose seats a change has overdrawn: active members with a paid role, their own or a group's. */
export async function listOverdrawnWorkspaces(
  db: Queryable,
  organizationId: string,
  changeId: string,
  status: StatusChange,
): Promise<FullWorkspace[]> {
  return await db.rows(sql<FullWorkspace>`
    with touched as materialized (
      select distinct w.organization_id, w.id, w.name, w.slug, w.purchased_seats from workspace w
      join role_grant g on g.organization_id = w.organization_id and g.workspace_id = w.id and g.ended_change is null
      where w.organization_id = ${organizationId} and w.purchased_seats is not null
        and (g.opened_change = ${changeId}
          or ${status.becameActive}::boolean and g.member_id = ${status.memberId}
          or g.group_id is not null and exists (
            select 1 from group_membership gm
            where gm.organization_id = ${organizationId} and gm.group_id = g.group_id
              and (gm.opened_change = ${changeId}
                or ${status.becameActive}::boolean and gm.member_id = ${status.memberId})))
    ), used as (
      select t.id, (${USED_SEATS}) as used_seats from touched t
    )
    select t.id, t.name, t.slug, t.purchased_seats, u.used_seats
    from touched t join used u on u.id = t.id
    where u.used_seats > t.purchased_seats
    order by t.slug`)
}

/**
 * Fails, by dividing by zero, if members have a role, their own or a group's, in a workspace whose seats are limited:
 * activating them is to be looked at as a whole then. Run while the organization's counter is held.
 *
 * @param members a query of their ids
 */
export function expectingNoSeats(organizationId: string, members: SqlPart): Statement<never> {
  return sql`
    select 1 / (not exists (
      select 1 from workspace where organization_id = ${organizationId} and purchased_seats is not null
    ) or not exists (
      select 1 from (${members}) m (id)
      cross join lateral (
        select g.workspace_id from role_grant g
        where g.organization_id = ${organizationId} and g.member_id = m.id and g.ended_change is null
          and g.workspace_id is not null
        union all
        select g.workspace_id from group_membership gm
        join role_grant g on g.organization_id = gm.organization_id and g.group_id = gm.group_id
          and g.ended_change is null and g.workspace_id is not null
        where gm.organization_id = ${organizationId} and gm.member_id = m.id) g
      join workspace w on w.organization_id = ${organizationId} and w.id = g.workspace_id
        and w.purchased_seats is not null
    ))::integer`
}

/** How many seats of a workspace are taken. */
export async function countUsedSeats(
  db: Queryable,
  organizationId: string,
  workspaceId: string,
): Promise<number> {
  const row = await db.row(sql<{ used_seats: number }>`
    select (${USED_SEATS}) as used_seats
    from workspace t where t.organization_id = ${organizationId} and t.id = ${workspaceId}`)
  return row?.used_seats ?? 0
}

/** Active members who have nothing on a workspace but the role of guests. */
export async function countGuests(
  db: Queryable,
  organizationId: string,
  workspaceId: string,
): Promise<number> {
  const row = await db.row(sql<{ guests: number }>`
    select count(*) as guests from (
      select u.member_id from (
        select g.member_id, r.key from role_grant g
        join role r on r.organization_id = g.organization_id and r.id = g.role_id
        where g.organization_id = ${organizationId} and g.workspace_id = ${workspaceId} and g.member_id is not null
          and g.ended_change is null and (g.expires_at is null or g.expires_at > now())
        union all
        select gm.member_id, r.key from role_grant g
        join role r on r.organization_id = g.organization_id and r.id = g.role_id
        join group_membership gm on gm.organization_id = g.organization_id and gm.group_id = g.group_id
          and (gm.expires_at is null or gm.expires_at > now())
        where g.organization_id = ${organizationId} and g.workspace_id = ${workspaceId} and g.group_id is not null
          and g.ended_change is null and (g.expires_at is null or g.expires_at > now())
      ) u
      join member m on m.organization_id = ${organizationId} and m.id = u.member_id and m.status = 'active'
      group by u.member_id
      having bool_and(u.key is not distinct from 'guest')
    ) guests`)
  return row?.guests ?? 0
}

export interface ContainerWithoutAdmin {
  kind: 'project' | 'workspace'
  id: string
  name: string
}

/**
 * Workspaces, and projects of workspaces, that this change left without a direct admin who is active. Archived
 * projects need none; projects of the organization itself are administered by its owners and admins.
 */
export async function listLeftWithoutAdmin(
  db: Queryable,
  organizationId: string,
  changeId: string,
  status: StatusChange,
): Promise<ContainerWithoutAdmin[]> {
  return await db.rows(sql<ContainerWithoutAdmin>`
    with lost as materialized (
      select g.workspace_id, g.project_id from role_grant g
      join role r on r.organization_id = g.organization_id and r.id = g.role_id
      where g.organization_id = ${organizationId} and g.member_id is not null and ${ADMIN}
        and g.ended_change = ${changeId}
      union
      select g.workspace_id, g.project_id from role_grant g
      join role r on r.organization_id = g.organization_id and r.id = g.role_id
      where ${status.becameInactive}::boolean and g.organization_id = ${organizationId}
        and g.member_id = ${status.memberId} and ${ADMIN} and g.ended_change is null
    ), kept as (
      select distinct g.workspace_id, g.project_id from lost l
      join role_grant g on g.organization_id = ${organizationId} and g.target_id = coalesce(l.workspace_id, l.project_id)
        and (g.workspace_id = l.workspace_id or g.project_id = l.project_id)
        and g.member_id is not null and g.ended_change is null and (g.expires_at is null or g.expires_at > now())
      join role r on r.organization_id = ${organizationId} and r.id = g.role_id and ${ADMIN}
      join member m on m.organization_id = ${organizationId} and m.id = g.member_id and m.status = 'active'
    )
    select 'project' as kind, p.id, p.name from lost l
    join project p on p.organization_id = ${organizationId} and p.id = l.project_id
      and p.workspace_id is not null and p.archived_at is null
    where not exists (select 1 from kept k where k.project_id = l.project_id)
    union all
    select 'workspace', w.id, w.name from lost l
    join workspace w on w.organization_id = ${organizationId} and w.id = l.workspace_id
    where not exists (select 1 from kept k where k.workspace_id = l.workspace_id)
    order by kind, name, id`)
}

export interface GuestWithTooMuch {
  member_id: string
  project_name: string
  role_name: string
}

/** Guests of a workspace, by their own roles there, whom this change gave or left more than a guest may have. */
export async function listGuestsWithTooMuch(
  db: Queryable,
  organizationId: string,
  changeId: string,
): Promise<GuestWithTooMuch[]> {
  return await db.rows(sql<GuestWithTooMuch>`
    with given as materialized (
      select distinct g.member_id, coalesce(g.workspace_id, p.workspace_id) as workspace_id
      from role_grant g
      left join project p on p.organization_id = g.organization_id and p.id = g.project_id
      where g.organization_id = ${organizationId} and g.opened_change = ${changeId} and g.ended_change is null
        and g.member_id is not null and (g.workspace_id is not null or p.workspace_id is not null)
    ), guests as (
      select i.member_id, i.workspace_id from given i
      join role_grant g on g.organization_id = ${organizationId} and g.member_id = i.member_id
        and g.workspace_id = i.workspace_id and g.ended_change is null
        and (g.expires_at is null or g.expires_at > now())
      join role r on r.organization_id = ${organizationId} and r.id = g.role_id
      group by i.member_id, i.workspace_id
      having bool_and(r.key is not distinct from 'guest')
    )
    select s.member_id, p.name as project_name, r.name as role_name from guests s
    join role_grant g on g.organization_id = ${organizationId} and g.member_id = s.member_id
      and g.project_id is not null and g.ended_change is null and (g.expires_at is null or g.expires_at > now())
    join project p on p.organization_id = ${organizationId} and p.id = g.project_id and p.workspace_id = s.workspace_id
    join role r on r.organization_id = ${organizationId} and r.id = g.role_id
      and ${BEYOND_GUESTS}
    order by s.member_id, p.name`)
}
