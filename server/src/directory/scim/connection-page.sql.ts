import type { Queryable } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'

export interface ScimConnectionRow {
  id: string
  name: string
  scim_enabled: boolean
}

/** The identity providers that have SCIM on, or users from when they had, in the order of their creation. */
export async function listScimConnectionRows(
  db: Queryable,
  organizationId: string,
  page: { afterId: string | null; limit: number },
): Promise<ScimConnectionRow[]> {
  return await db.rows(sql<ScimConnectionRow>`
    select p.id, p.name, p.scim_enabled from identity_provider p
    where p.organization_id = ${organizationId} and (p.scim_enabled or exists (
        select 1 from scim_roster r
        where r.organization_id = p.organization_id and r.connection_id = p.id and r.user_count + r.group_count > 0))
      and p.id > coalesce(${page.afterId}::uuid, '00000000-0000-0000-0000-000000000000')
    order by p.id limit ${page.limit}`)
}
