import type { Database } from '#src/platform/postgres/database.ts'

/** Every table with its number of rows and a digest of what is in them. */
export type DatabaseState = Readonly<Record<string, string>>

/** The names of all tables, or of those that have a column. */
export async function tableNames(database: Database, column?: string): Promise<string[]> {
  const rows = await database.rows<{ name: string }>({
    name: '',
    text: `select t.table_name as name from information_schema.tables t
      where t.table_schema = 'public' and t.table_type = 'BASE TABLE' and ($1::text is null or exists (
        select from information_schema.columns c
        where c.table_schema = 'public' and c.table_name = t.table_name and c.column_name = $1))
      order by t.table_name`,
    values: [column ?? null],
  })
  return rows.map(({ name }) => name)
}

/**
 * What the whole database holds, to be compared before and after: equal states mean that nothing was written.
 * Notes of a key's last use do not count, they come at any time.
 */
export async function databaseState(database: Database): Promise<DatabaseState> {
  const tables = await tableNames(database)
  const parts = tables.map(
    (table) => `select '${table}' as name, count(*) || ' ' ||
      md5(coalesce(string_agg(row, ',' order by row), '')) as state
      from (select (to_jsonb(t) - 'last_used_at')::text as row from ${table} t) rows`,
  )
  const rows = await database.rows<{ name: string; state: string }>({
    name: '',
    text: parts.join(' union all '),
    values: [],
  })
  return Object.fromEntries(rows.map(({ name, state }) => [name, state]))
}
