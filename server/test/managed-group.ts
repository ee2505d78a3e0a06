import type { Database } from '#src/platform/postgres/database.ts'

/** Gives the one group of a name to an identity provider, as provisioning will. */
export async function manageGroup(database: Database, name: string): Promise<void> {
  await database.run({
    name: '',
    text: `with source as (
        insert into grant_source (organization_id, id, kind, ref)
        select organization_id, uuid_v7(), 'scim', name from org_group where name = $1
        returning organization_id, id
      )
      update org_group g set managed_by = s.id from source s
      where g.organization_id = s.organization_id and g.name = $1`,
    values: [name],
  })
}
