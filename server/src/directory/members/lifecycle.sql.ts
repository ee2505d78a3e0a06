import type { Queryable } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import type { ChangeRow } from '../changes/change.sql.ts'

/** The change that removed a member last, unless the member was merged away since. */
export async function findRemovalChange(
  db: Queryable,
  organizationId: string,
  memberId: string,
): Promise<ChangeRow | undefined> {
  return await db.row(sql<ChangeRow>`
    select c.*, u.id as undone_by
    from change c
    left join change u on u.organization_id = c.organization_id and u.undoes = c.id
    join member m on m.organization_id = c.organization_id and m.id = c.member_id and m.merged_into is null
    where c.organization_id = ${organizationId} and c.member_id = ${memberId}
      and c.kind in ('member.removed', 'member.left')
    order by c.seq desc limit 1`)
}
