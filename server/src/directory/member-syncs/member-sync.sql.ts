import type { Queryable } from '../../platform/postgres/database.ts'
import { SqlFragment, sql } from '../../platform/postgres/sql.ts'
import type { Level, RecordedActor } from '../access/permission.ts'

export const MEMBER_SYNC_TASK = 'member_sync'

type MemberSyncStatus =
  | 'pending'
  | 'held'
  | 'completed'
  | 'cancelled'
  | 'superseded'
  | 'discarded'
  | 'expired'
  | 'failed'

export interface MemberSyncFailure {
  reference_id: string
  operation: 'add' | 'remove'
  reason: string
}

export interface MemberSyncRow {
  id: string
  group_id: string
  position: number
  status: MemberSyncStatus
  actor_kind: RecordedActor['kind']
  actor_id: string | null
  actor_level: Level
  row_count: number
  accepted_at: string
  completed_at: string | null
  change_id: string | null
  opened_count: number | null
  ended_count: number | null
  left_count: number | null
  created_members: number | null
  updated_members: number | null
  failure_count: number | null
  /** The first refused rows, up to the limit of the read; null until the sync is over. */
  failures: MemberSyncFailure[] | null
  /** The plan that waits for a decision, while the sync is held. */
  held_plan_id: string | null
}

/** The columns of a submission; a column nobody filled is null. Text arrays in PostgreSQL's binary format. */
export interface DesiredColumns {
  readonly referenceIds: Buffer
  readonly emails: Buffer | null
  readonly emailKeys: Buffer | null
  readonly displayNames: Buffer | null
  readonly firstNames: Buffer | null
  readonly lastNames: Buffer | null
  readonly attributes: Buffer | null
  /** Why a row is refused; null where it is not. */
  readonly outcomes: Buffer | null
}

export interface NewMemberSync {
  id: string
  groupId: string
  actor: RecordedActor
  actorLevel: Level
  rowCount: number
  columns: DesiredColumns
}

/** A sync with its held plan and its first failures. */
const WITH_HELD_PLAN = new SqlFragment(`from member_sync s
    left join plan p on p.organization_id = s.organization_id and p.group_id = s.group_id
      and p.member_sync_id = s.id and p.status = 'held'`)

function failuresOf(limit: number): SqlFragment {
  return new SqlFragment(`case when s.completed_at is not null then coalesce((
      select json_agg(json_build_object('reference_id', f.reference_id, 'operation', f.operation,
        'reason', f.reason) order by f.ordinal)
      from (
        select * from member_sync_failure
        where organization_id = s.organization_id and sync_id = s.id order by ordinal limit ${limit}
      ) f), '[]') end as failures`)
}

/** Refused rows that come with one sync, and with each of a list. The rest is paged by itself. */
export const FAILURES_SHOWN_MAX = 5000
const FAILURES_OF_ONE = failuresOf(FAILURES_SHOWN_MAX)
const FAILURES_OF_LISTED = failuresOf(20)

export async function findMemberSync(
  db: Queryable,
  organizationId: string,
  groupId: string,
  id: string,
): Promise<MemberSyncRow | undefined> {
  return await db.row(sql<MemberSyncRow>`
    select s.*, p.id as held_plan_id, ${FAILURES_OF_ONE} ${WITH_HELD_PLAN}
    where s.organization_id = ${organizationId} and s.group_id = ${groupId} and s.id = ${id}`)
}

/** The latest submissions of a group first. */
export async function listMemberSyncs(
  db: Queryable,
  organizationId: string,
  groupId: string,
  page: { beforePosition: number | null; limit: number },
): Promise<MemberSyncRow[]> {
  return await db.rows(sql<MemberSyncRow>`
    select s.*, p.id as held_plan_id, ${FAILURES_OF_LISTED} ${WITH_HELD_PLAN}
    where s.organization_id = ${organizationId} and s.group_id = ${groupId}
      and (${page.beforePosition}::bigint is null or s.position < ${page.beforePosition})
    order by s.position desc limit ${page.limit}`)
}

export interface NumberedFailure extends MemberSyncFailure {
  ordinal: number
}

/** Refused rows of a sync that is over, in the order of the request. */
export async function listMemberSyncFailures(
  db: Queryable,
  organizationId: string,
  id: string,
  page: { afterOrdinal: number; limit: number },
): Promise<NumberedFailure[]> {
  return await db.rows(sql<NumberedFailure>`
    select ordinal, reference_id, operation, reason from member_sync_failure
    where organization_id = ${organizationId} and sync_id = ${id} and ordinal > ${page.afterOrdinal}::bigint
    order by ordinal limit ${page.limit}`)
}

export interface SyncedMembers {
  opened: string[]
  ended: string[]
}

/** Ids of the members whose grants a sync opened and ended, read from the grants themselves. */
export async function listSyncedMembers(
  db: Queryable,
  organizationId: string,
  changeId: string,
): Promise<SyncedMembers> {
  const row = await db.row(sql<{ opened: string[]; ended: string[] }>`
    select
      array(
        select member_id from group_membership
        where organization_id = ${organizationId} and opened_change = ${changeId}
        union all
        select member_id from group_membership_past
        where organization_id = ${organizationId} and opened_change = ${changeId}
        order by 1)::text[] as opened,
      array(
        select member_id from group_membership_past
        where organization_id = ${organizationId} and ended_change = ${changeId} order by 1)::text[] as ended`)
  return row ?? { opened: [], ended: [] }
}
