import type { Queryable } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { POSITION_MAX, type PositionPage, skipped } from '../position-page.ts'

/** The ids of one page of invitations that are neither accepted nor revoked, newest first. */
export async function listOpenInvitationIds(
  db: Queryable,
  organizationId: string,
  page: PositionPage,
): Promise<string[]> {
  const rows = await db.rows(sql<{ id: string }>`
    select id from invitation
    where organization_id = ${organizationId} and status in ('pending', 'expired')
      and (${page.afterId}::uuid is null or id < ${page.afterId})
    order by id desc offset ${skipped(page)} limit ${page.limit}`)
  return rows.map(({ id }) => id)
}

export async function countOpenInvitations(db: Queryable, organizationId: string): Promise<number> {
  const row = await db.row(sql<{ count: number }>`
    select count(*) as count from (
      select 1 from invitation
      where organization_id = ${organizationId} and status in ('pending', 'expired')
      limit ${POSITION_MAX}) counted`)
  return row?.count ?? 0
}
