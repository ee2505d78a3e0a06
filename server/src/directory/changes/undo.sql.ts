import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import type { GroupKind } from '../groups/group.sql.ts'

/** Why a grant that a change ended is not given back. */
type UndoRefusalReason =
  | 'expired'
  | 'group_deleted'
  | 'member_removed'
  | 'role_deleted'
  | 'page_deleted'
  | 'not_asserted'
  | 'changed_since'

export interface UndoRefusal {
  grant: 'group_membership' | 'role'
  /** Null: a role that a group had. */
  member_id: string | null
  group_id: string | null
  /** A teamspace is a group of its own kind. */
  group_kind: GroupKind | null
  /** The name of the role. */
  role: string | null
  reason: UndoRefusalReason
}

interface Reopened {
  opened: number
  /** Not given back because somebody gave it at the same moment. */
  missed: number
  refused: UndoRefusal[]
}

/** Makes two undos of one change wait for each other. Locked until COMMIT. */
export async function lockChange(tx: Transaction, organizationId: string, id: string): Promise<void> {
  await tx.run(
    sql`select 1 from change where organization_id = ${organizationId} and id = ${id} for no key update`,
  )
}

/**
 * Locks the groups whose members an undo may give back or end: a submission that runs at the same moment would
 * neither see nor end what is given back. Before owners and members, in the order of ids.
 */
export async function lockGroupsOfChange(tx: Transaction, organizationId: string, id: string): Promise<void> {
  await tx.run(sql`
    select 1 from org_group
    where organization_id = ${organizationId} and id in (
      select group_id from group_membership
      where organization_id = ${organizationId} and opened_change = ${id}
      union
      select group_id from group_membership_past
      where organization_id = ${organizationId} and ended_change = ${id}
      union
      select group_id from role_grant
      where organization_id = ${organizationId} and ended_change = ${id} and group_id is not null)
    order by id for no key update`)
}

/** Ends what a change opened, where it is still there. */
export async function endMembershipsOpenedBy(
  tx: Transaction,
  organizationId: string,
  changeId: string,
  undoId: string,
): Promise<number> {
  return await tx.run(sql`
    with gone as (
      delete from group_membership
      where organization_id = ${organizationId} and opened_change = ${changeId}
      returning *
    )
    insert into group_membership_past
    select organization_id, group_id, member_id, source_id, opened_change, expires_at, ${undoId} from gone`)
}

/** Gives back what a change ended and nobody touched since; says by name what it does not. */
export async function reopenMembershipsEndedBy(
  tx: Transaction,
  organizationId: string,
  change: { id: string; seq: number },
  undoId: string,
): Promise<Reopened> {
  const row = await tx.row(sql<Reopened>`
    with candidates as materialized (
      select p.group_id, g.kind as group_kind, p.member_id, p.source_id, p.expires_at,
        case
          when p.expires_at <= now() then 'expired'
          when not g.can_hold_grants then 'group_deleted'
          when not m.can_hold_grants then 'member_removed'
          -- What an identity provider gives follows what it says by now.
          when p.source_id = g.managed_by and not exists (
            select 1 from scim_user u
            join scim_group_member sm on sm.organization_id = u.organization_id and sm.user_id = u.id
              and sm.group_id = p.group_id
            where u.organization_id = p.organization_id and u.member_id = p.member_id
          ) then 'not_asserted'
          when exists (
            select 1 from group_membership l
            where l.organization_id = p.organization_id and l.group_id = p.group_id
              and l.member_id = p.member_id and l.source_id = p.source_id
          ) or exists (
            select 1 from group_membership_past q
            join change o on o.organization_id = q.organization_id and o.id = q.opened_change
            where q.organization_id = p.organization_id and q.group_id = p.group_id
              and q.member_id = p.member_id and q.source_id = p.source_id and o.seq > ${change.seq}
          ) then 'changed_since'
        end as reason
      from group_membership_past p
      join org_group g on g.organization_id = p.organization_id and g.id = p.group_id
      join member m on m.organization_id = p.organization_id and m.id = p.member_id
      where p.organization_id = ${organizationId} and p.ended_change = ${change.id}
    ), opened as (
      insert into group_membership (organization_id, group_id, member_id, source_id, opened_change, expires_at)
      select ${organizationId}, group_id, member_id, source_id, ${undoId}, expires_at
      from candidates where reason is null
      on conflict do nothing returning 1
    )
    select (select count(*) from opened) as opened,
      (select count(*) from candidates where reason is null) - (select count(*) from opened) as missed,
      coalesce((
        select json_agg(json_build_object('grant', 'group_membership', 'member_id', member_id,
          'group_id', group_id, 'group_kind', group_kind, 'role', null, 'reason', reason) order by group_id, member_id)
        from candidates where reason is not null), '[]') as refused`)
  return row!
}

export async function endRoleGrantsOpenedBy(
  tx: Transaction,
  organizationId: string,
  changeId: string,
  undoId: string,
): Promise<number> {
  return await tx.run(sql`
    update role_grant set ended_change = ${undoId}
    where organization_id = ${organizationId} and opened_change = ${changeId} and ended_change is null`)
}

export async function reopenRoleGrantsEndedBy(
  tx: Transaction,
  organizationId: string,
  change: { id: string; seq: number },
  undoId: string,
): Promise<Reopened> {
  const row = await tx.row(sql<Reopened>`
    with candidates as materialized (
      select p.member_id, p.group_id, p.role_id, p.workspace_id, p.project_id, p.page_id, p.source_id, p.expires_at,
        r.name as role, g.kind as group_kind,
        case
          when p.expires_at <= now() then 'expired'
          when not m.can_hold_grants then 'member_removed'
          when not g.can_hold_grants then 'group_deleted'
          when not r.can_hold_grants then 'role_deleted'
          when not pg.can_hold_grants then 'page_deleted'
          when exists (
            select 1 from role_grant q
            join change o on o.organization_id = q.organization_id and o.id = q.opened_change
            where q.organization_id = p.organization_id
              and (q.member_id = p.member_id or p.member_id is null and q.group_id = p.group_id)
              and q.role_id = p.role_id and q.source_id = p.source_id
              and q.target_id is not distinct from p.target_id
              and (q.ended_change is null or o.seq > ${change.seq})
          ) then 'changed_since'
        end as reason
      from role_grant p
      join role r on r.organization_id = p.organization_id and r.id = p.role_id
      left join member m on m.organization_id = p.organization_id and m.id = p.member_id
      left join org_group g on g.organization_id = p.organization_id and g.id = p.group_id
      left join page pg on pg.organization_id = p.organization_id and pg.id = p.page_id
      where p.organization_id = ${organizationId} and p.ended_change = ${change.id}
    ), opened as (
      insert into role_grant (organization_id, id, member_id, group_id, role_id, workspace_id, project_id, page_id,
        source_id, opened_change, expires_at)
      select ${organizationId}, uuid_v7(), member_id, group_id, role_id, workspace_id, project_id, page_id, source_id,
        ${undoId}, expires_at
      from candidates where reason is null
      on conflict do nothing
      returning 1
    )
    select (select count(*) from opened) as opened,
      (select count(*) from candidates where reason is null) - (select count(*) from opened) as missed,
      coalesce((
        select json_agg(json_build_object('grant', 'role', 'member_id', member_id, 'group_id', group_id, 'group_kind', group_kind,
          'role', role, 'reason', reason) order by member_id, group_id, role)
        from candidates where reason is not null), '[]') as refused`)
  return row!
}

/** Whether a later change set this member's status, itself or as the undo of one that did. */
export async function statusWasSetSince(
  db: Queryable,
  organizationId: string,
  change: { memberId: string; seq: number },
): Promise<boolean> {
  const row = await db.row(sql<{ found: number }>`
    select 1 as found from change
    where organization_id = ${organizationId} and member_id = ${change.memberId} and seq > ${change.seq}
      and case when kind = 'change.undone' then detail ->> 'undone_kind' else kind end
        in ('member.suspended', 'member.reactivated', 'member.removed', 'member.left')
    limit 1`)
  return row !== undefined
}
