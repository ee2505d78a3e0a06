import type { Queryable } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import type { DomainRow } from './domain.sql.ts'

export { countDomains } from './domain.sql.ts'

/** One page of domains in the order of their names. An organization has few enough for any page to be skipped to. */
export async function listDomainsByName(
  db: Queryable,
  organizationId: string,
  page: { offset: number; limit: number },
): Promise<DomainRow[]> {
  return await db.rows(sql<DomainRow>`
    select * from domain where organization_id = ${organizationId}
    order by name offset ${page.offset} limit ${page.limit}`)
}
