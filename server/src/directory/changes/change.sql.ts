import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { part, type SqlPart, type Statement, sql } from '../../platform/postgres/sql.ts'
import type { RecordedActor } from '../access/permission.ts'
import type { ChangeKind, ChangeNumber, ChangeRecord, GroupListEffect } from './change-draft.ts'

export interface ChangeRow {
  id: string
  seq: number
  at: string
  effective_at: string | null
  kind: ChangeKind
  actor_kind: RecordedActor['kind']
  actor_id: string | null
  cause_kind: string | null
  cause_id: string | null
  source_id: string | null
  member_id: string | null
  group_id: string | null
  opened_count: number
  ended_count: number
  detail: Record<string, unknown>
  undoes: string | null
  undone_by: string | null
}

/**
 * Locks the organization's counter and gives the next number and time together, so the order of numbers, of
 * times and of commits is one order.
 */
export async function takeChangeNumber(
  tx: Transaction,
  organizationId: string,
  groupList: GroupListEffect,
): Promise<ChangeNumber> {
  const row = await tx.row(sql<ChangeNumber>`
    update change_counter set
      last_seq = last_seq + 1,
      last_at = greatest(last_at + interval '1 microsecond', clock_timestamp()),
      group_count = group_count + ${groupList.count}::integer,
      group_moves = group_moves + ${groupList.moved ? 1 : 0}::integer
    where organization_id = ${organizationId}
    returning last_seq as seq, last_at as at`)
  if (row === undefined) throw new Error('organization without a change counter')
  return row
}

/** A change to be written. */
export interface NewChange {
  readonly id: string
  readonly number: ChangeNumber | undefined
  readonly actor: RecordedActor
  readonly opened: number
  readonly ended: number
  readonly record: ChangeRecord
}

/**
 * The statement that writes a change with its number; takes the number in the same statement if it is not taken yet,
 * because until COMMIT every other change of the organization waits.
 */
export function insertingChange(organizationId: string, change: NewChange): Statement<never> {
  const { record, number, actor } = change
  const groupList = record.groupList ?? { count: 0, moved: false }
  return sql`
    with taken as (
      update change_counter set
        last_seq = last_seq + 1,
        last_at = greatest(last_at + interval '1 microsecond', clock_timestamp()),
        group_count = group_count + ${groupList.count}::integer,
        group_moves = group_moves + ${groupList.moved ? 1 : 0}::integer
      where organization_id = ${organizationId} and ${number === undefined}::boolean
      returning last_seq as seq, last_at as at
    ), number as (
      select seq, at from taken
      union all
      select ${number?.seq ?? null}::bigint, ${number?.at ?? null}::timestamptz
      where not ${number === undefined}::boolean
    )
    insert into change (organization_id, id, seq, at, effective_at, kind, actor_kind, actor_id, cause_kind,
      cause_id, source_id, member_id, group_id, opened_count, ended_count, detail, undoes)
    select ${organizationId}::uuid, ${change.id}::uuid, seq, at, ${record.effectiveAt ?? null}::timestamptz,
      ${record.kind}::text, ${actor.kind}::text, ${actor.id}::uuid, ${record.cause?.kind ?? null}::text,
      ${record.cause?.id ?? null}::uuid, ${record.sourceId ?? null}::uuid, ${record.memberId ?? null}::uuid,
      ${record.groupId ?? null}::uuid, ${change.opened}::integer, ${change.ended}::integer,
      ${JSON.stringify(record.detail ?? {})}::jsonb, ${record.undoes ?? null}::uuid
    from number`
}

/**
 * The next numbers of an organization, as `taken (seq, at)`, those before the first: an item of a WITH.
 *
 * @param count how many; none: the counter is left alone, and nothing is looked at
 * @param written looked at before the counter is locked, so that what it names is written by then; unless it holds, a
 *   division by zero fails the statement
 */
export function takingNumbers(organizationId: string, count: number | SqlPart, written: SqlPart): SqlPart {
  return part`taken as (
      update change_counter set
        last_seq = last_seq + ${count}::integer,
        last_at = greatest(last_at + interval '1 microsecond', clock_timestamp())
          + (${count}::integer - 1) * interval '1 microsecond'
      where organization_id = ${organizationId}
        and case when ${count}::integer > 0 then 1 / (${written})::integer = 1 else false end
      returning last_seq - ${count}::integer as seq, last_at - ${count}::integer * interval '1 microsecond' as at
    )`
}

/**
 * Writes changes, the last part of a statement that has them as `wanted (n, change_id, kind, member_id, detail)`, n from
 * 1, and their numbers as `taken`.
 */
export function insertingChanges(organizationId: string, actor: RecordedActor): SqlPart {
  return part`
    insert into change (organization_id, id, seq, at, kind, actor_kind, actor_id, member_id, detail)
    select ${organizationId}, c.change_id, t.seq + c.n, t.at + c.n * interval '1 microsecond', c.kind,
      ${actor.kind}, ${actor.id}::uuid, c.member_id, c.detail
    from taken t, wanted c`
}

export async function findChange(
  db: Queryable,
  organizationId: string,
  id: string,
): Promise<ChangeRow | undefined> {
  return await db.row(sql<ChangeRow>`
    select c.*, u.id as undone_by
    from change c
    left join change u on u.organization_id = c.organization_id and u.undoes = c.id
    where c.organization_id = ${organizationId} and c.id = ${id}`)
}

/** Changes in the order of their numbers, after `afterSeq`; or the latest first, before it. */
export async function listChanges(
  db: Queryable,
  organizationId: string,
  filter: {
    afterSeq: number | null
    order: 'asc' | 'desc'
    memberId: string | null
    groupId: string | null
    kind: string | null
    limit: number
  },
): Promise<ChangeRow[]> {
  const { afterSeq, memberId, groupId, kind, limit } = filter
  if (filter.order === 'asc') {
    return await db.rows(sql<ChangeRow>`
      select c.*, u.id as undone_by
      from change c
      left join change u on u.organization_id = c.organization_id and u.undoes = c.id
      where c.organization_id = ${organizationId} and c.seq > coalesce(${afterSeq}::bigint, 0)
        and (${memberId}::uuid is null or c.member_id = ${memberId})
        and (${groupId}::uuid is null or c.group_id = ${groupId})
        and (${kind}::text is null or c.kind = ${kind})
      order by c.seq limit ${limit}`)
  }
  return await db.rows(sql<ChangeRow>`
    select c.*, u.id as undone_by
    from change c
    left join change u on u.organization_id = c.organization_id and u.undoes = c.id
    where c.organization_id = ${organizationId} and (${afterSeq}::bigint is null or c.seq < ${afterSeq})
      and (${memberId}::uuid is null or c.member_id = ${memberId})
      and (${groupId}::uuid is null or c.group_id = ${groupId})
      and (${kind}::text is null or c.kind = ${kind})
    order by c.seq desc limit ${limit}`)
}

/**
 * Closes the past up to a moment: changes recorded later get a later time, so a read as of that moment answers
 * the same for ever. Waits for a change that already has its time and is about to commit.
 */
export async function sealHistory(db: Queryable, organizationId: string, until: string): Promise<void> {
  await db.run(sql`
    update change_counter set last_at = ${until}
    where organization_id = ${organizationId} and last_at < ${until}`)
}
