import type { Queryable } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { MEMBER_COLUMNS, type MemberPage, type MemberRow, shownStatuses } from './member.sql.ts'

/** Whether there is such a member, removed or not. */
export async function memberHasExisted(db: Queryable, organizationId: string, id: string): Promise<boolean> {
  const row = await db.row(sql<{ found: number }>`
    select 1 as found from member where organization_id = ${organizationId} and id = ${id}`)
  return row !== undefined
}

/**
 * Members with any of these addresses, in the order of their creation. Those who are there and those who are removed
 * have an index of their own each.
 */
export async function listMembersByEmails(
  db: Queryable,
  organizationId: string,
  emailKeys: readonly string[],
  page: MemberPage,
): Promise<MemberRow[]> {
  return await db.rows(sql<MemberRow>`
    select ${MEMBER_COLUMNS} from member m
    where m.organization_id = ${organizationId} and m.id = any (array(
        select id from member
        where organization_id = ${organizationId} and email_key = any(${emailKeys}::text[]) and can_hold_grants
        union all
        select id from member
        where organization_id = ${organizationId} and email_key = any(${emailKeys}::text[]) and not can_hold_grants))
      and m.id > coalesce(${page.afterId}::uuid, '00000000-0000-0000-0000-000000000000')
      and m.status = any(${shownStatuses(page)})
    order by m.id limit ${page.limit}`)
}
