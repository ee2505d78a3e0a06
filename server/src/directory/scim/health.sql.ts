import type { Queryable } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { firstUuidAt } from '../../platform/uuid.ts'

export interface ScimTrafficRow {
  connection_id: string
  last_request_at: string | null
  last_success_at: string | null
  last_error: { at: string; status: number; scim_type: string | null; reason: string | null } | null
  /** Since a moment, by the first digit of the status; without a digit of which there was none. */
  answers: Record<string, number>
}

/** What was asked through connections, and how it was answered since a moment. */
export async function readScimTraffic(
  db: Queryable,
  organizationId: string,
  connectionIds: readonly string[],
  since: Date,
): Promise<ScimTrafficRow[]> {
  return await db.rows(sql<ScimTrafficRow>`
    select c.id as connection_id, last.created_at as last_request_at, success.created_at as last_success_at,
      case when error.created_at is not null then jsonb_build_object(
        'at', to_char(error.created_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'status', error.status, 'scim_type', error.scim_type, 'reason', error.reason) end as last_error,
      coalesce(recent.answers, '{}') as answers
    from unnest(${connectionIds}::uuid[]) c (id)
    left join lateral (
      select created_at from scim_request where organization_id = ${organizationId} and connection_id = c.id
      order by id desc limit 1) last on true
    left join lateral (
      select created_at from scim_request
      where organization_id = ${organizationId} and connection_id = c.id and (status >= 400) = false
      order by id desc limit 1) success on true
    left join lateral (
      select created_at, status, scim_type, reason from scim_request
      where organization_id = ${organizationId} and connection_id = c.id and (status >= 400) = true
      order by id desc limit 1) error on true
    left join lateral (
      select jsonb_object_agg(digit, times) as answers from (
        select status / 100 as digit, sum(times) as times from scim_request
        where organization_id = ${organizationId} and connection_id = c.id and id >= ${firstUuidAt(since.getTime())}
        group by status / 100) counted) recent on true`)
}
