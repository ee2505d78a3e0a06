import type { Database, Queryable } from '../../platform/postgres/database.ts'
import { assembled, sql } from '../../platform/postgres/sql.ts'
import { firstUuidAt } from '../../platform/uuid.ts'
import type { ScimRequestRow } from './request-row.ts'

export interface StoredScimRequest extends ScimRequestRow {
  readonly organization_id: string
}

/**
 * Writes rows of any organization, given as a JSON list of `ScimRequestRow`. A row without an organization gets the one
 * whose connection it names; of a connection that there is not, nothing is written.
 */
export async function insertScimRequests(db: Queryable, rows: string): Promise<number> {
  return await db.run(sql`
    insert into scim_request (organization_id, id, connection_id, token_id, token_hint, method, route, path, status,
      duration_ms, scim_type, reason, user_id, group_id, headers, request_body, response_body, times, created_at)
    select coalesce(r.organization_id, p.organization_id), r.id, r.connection_id, r.token_id, r.token_hint, r.method,
      r.route, r.path, r.status, r.duration_ms, r.scim_type, r.reason, r.user_id, r.group_id, r.headers,
      r.request_body, r.response_body, r.times, r.created_at
    from jsonb_to_recordset(${rows}::jsonb) r (organization_id uuid, id uuid, connection_id uuid, token_id uuid,
      token_hint text, method text, route text, path text, status smallint, duration_ms integer, scim_type text,
      reason text, user_id uuid, group_id uuid, headers jsonb, request_body jsonb, response_body jsonb,
      times integer, created_at timestamptz)
    left join identity_provider p on r.organization_id is null and p.id = r.connection_id
    where coalesce(r.organization_id, p.organization_id) is not null`)
}

/** Which requests are asked for; null: any. */
export interface ScimRequestFilter {
  readonly connectionId: string | null
  readonly userId: string | null
  readonly groupId: string | null
  /** Both ends belong to it. */
  readonly status: { readonly min: number; readonly max: number } | null
  /** Answered at this moment or later. */
  readonly from: Date | null
  /** Answered before this moment. */
  readonly to: Date | null
  /** A text in the path, in the bodies or in the reason, as they are kept. */
  readonly search: string | null
}

/** The conditions of a filter: only those that are set, so that each shape finds its own index. */
function conditions(
  organizationId: string,
  filter: ScimRequestFilter,
  beforeId: string | null,
): { text: string; values: unknown[] } {
  const { connectionId, userId, groupId, status, from, to, search } = filter
  const values: unknown[] = [organizationId]
  const parts = ['organization_id = $1']
  const add = (value: unknown, part: (place: string) => string) => {
    if (value === null || value === undefined) return
    values.push(value)
    parts.push(part(`$${values.length}`))
  }
  add(connectionId, (place) => `connection_id = ${place}`)
  add(userId, (place) => `user_id = ${place}`)
  add(groupId, (place) => `group_id = ${place}`)
  // Refusals are few and have an index.
  if (status !== null && status.min >= 400) parts.push('(status >= 400) = true')
  add(status?.min, (place) => `status >= ${place}::integer`)
  add(status?.max, (place) => `status <= ${place}::integer`)
  // An id holds the moment: times are places in the order of the list.
  add(from && firstUuidAt(from.getTime()), (place) => `id >= ${place}`)
  add(to && firstUuidAt(to.getTime()), (place) => `id < ${place}`)
  add(beforeId, (place) => `id < ${place}`)
  add(
    search?.toLowerCase(),
    (place) => `strpos(lower(concat_ws(' ', path, request_body, response_body, reason)), ${place}) > 0`,
  )
  return { text: parts.join(' and '), values }
}

/** One page, the newest first. */
export async function listScimRequestRows(
  db: Queryable,
  organizationId: string,
  filter: ScimRequestFilter,
  page: { beforeId: string | null; offset: number; limit: number },
): Promise<StoredScimRequest[]> {
  const { text, values } = conditions(organizationId, filter, page.beforeId)
  return await db.rows(
    assembled<StoredScimRequest>(
      `select * from scim_request where ${text}
       order by id desc offset $${values.length + 1} limit $${values.length + 2}`,
      [...values, page.offset, page.limit],
    ),
  )
}

/** How many there are, counted up to a bound. */
export async function countScimRequestRows(
  db: Queryable,
  organizationId: string,
  filter: ScimRequestFilter,
  max: number,
): Promise<number> {
  const { text, values } = conditions(organizationId, filter, null)
  const row = await db.row(
    assembled<{ count: number }>(
      `select count(*) as count from (
        select 1 from scim_request where ${text} limit $${values.length + 1}) counted`,
      [...values, max],
    ),
  )
  return row?.count ?? 0
}

const DELETED_AT_ONCE = 10_000

/** Forgets one batch of what is older than its time, of any organization. */
export async function deleteOldScimRequests(db: Database, days: number): Promise<number> {
  return await db.run(sql`
    delete from scim_request where ctid = any (array(
      select ctid from scim_request where created_at < now() - make_interval(days => ${days})
      limit ${DELETED_AT_ONCE}))`)
}
