import type { Queryable } from '../../platform/postgres/database.ts'
import { SqlFragment, sql } from '../../platform/postgres/sql.ts'
import { POSITION_MAX, type PositionPage, skipped } from '../position-page.ts'
import { MEMBER_COLUMNS, type MemberRow } from './member.sql.ts'

/** Which active members; null: whoever. */
export interface MemberFilter {
  readonly emailKey: string | null
  /** Part of a name or of an address, however it is written. */
  readonly search: string | null
  readonly updatedAfter: string | null
}

/** The text as a pattern of LIKE that it stands in. */
function patternOf(text: string | null): string | null {
  return text === null ? null : `%${text.replace(/[\\%_]/g, '\\$&')}%`
}

const MATCHES = new SqlFragment(`concat_ws(' ', m.display_name, m.first_name, m.last_name, m.email)`)

/** One page of active members in the order of their creation, either way round. */
export async function listMembersAt(
  db: Queryable,
  organizationId: string,
  filter: MemberFilter,
  page: PositionPage & { order: 'asc' | 'desc' },
): Promise<MemberRow[]> {
  const pattern = patternOf(filter.search)
  if (page.order === 'asc') {
    return await db.rows(sql<MemberRow>`
      select ${MEMBER_COLUMNS} from (
        select * from member m
        where m.organization_id = ${organizationId} and m.status = 'active'
          and (${page.afterId}::uuid is null or m.id > ${page.afterId})
          and (${filter.emailKey}::text is null or m.email_key = ${filter.emailKey})
          and (${filter.updatedAfter}::timestamptz is null or m.updated_at >= ${filter.updatedAfter})
          and (${pattern}::text is null or ${MATCHES} ilike ${pattern})
        order by m.id offset ${skipped(page)} limit ${page.limit}) m
      order by m.id`)
  }
  return await db.rows(sql<MemberRow>`
    select ${MEMBER_COLUMNS} from (
      select * from member m
      where m.organization_id = ${organizationId} and m.status = 'active'
        and (${page.afterId}::uuid is null or m.id < ${page.afterId})
        and (${filter.emailKey}::text is null or m.email_key = ${filter.emailKey})
        and (${filter.updatedAfter}::timestamptz is null or m.updated_at >= ${filter.updatedAfter})
        and (${pattern}::text is null or ${MATCHES} ilike ${pattern})
      order by m.id desc offset ${skipped(page)} limit ${page.limit}) m
    order by m.id desc`)
}

export async function countMembers(
  db: Queryable,
  organizationId: string,
  filter: MemberFilter,
): Promise<number> {
  const pattern = patternOf(filter.search)
  const row = await db.row(sql<{ count: number }>`
    select count(*) as count from (
      select 1 from member m
      where m.organization_id = ${organizationId} and m.status = 'active'
        and (${filter.emailKey}::text is null or m.email_key = ${filter.emailKey})
        and (${filter.updatedAfter}::timestamptz is null or m.updated_at >= ${filter.updatedAfter})
        and (${pattern}::text is null or ${MATCHES} ilike ${pattern})
      limit ${POSITION_MAX}) counted`)
  return row?.count ?? 0
}

/** Members by their ids, whatever their status. */
export async function findMembers(
  db: Queryable,
  organizationId: string,
  ids: readonly string[],
): Promise<MemberRow[]> {
  if (ids.length === 0) return []
  return await db.rows(sql<MemberRow>`
    select ${MEMBER_COLUMNS} from member m where m.organization_id = ${organizationId} and m.id = any(${ids})`)
}
