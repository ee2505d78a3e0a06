import type pg from 'pg'

/**
 * The schema as SQL text in one fixed form, whatever the order of the migrations and the version of the
 * server: pg_dump is not part of the embedded PostgreSQL and writes differently in each version. Views are not
 * covered: servers print their text in different ways, and the schema has none.
 */
export async function dumpSchema(client: pg.Client): Promise<string> {
  const view = await client.query(
    "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('v', 'm') limit 1",
  )
  if (view.rowCount !== 0) throw new Error(`The schema dump does not cover views (${view.rows[0].relname}).`)
  const parts: string[] = []
  for (const query of [EXTENSIONS, TYPES, SEQUENCES, FUNCTIONS, TABLES, INDEXES, TRIGGERS, POLICIES]) {
    const { rows } = await client.query<{ text: string }>(query)
    parts.push(...rows.map(({ text }) => text))
  }
  return `-- Written by npm run generate from the migrations; never edited.\n\n${parts.join('\n\n')}\n`
}

// Names are ordered by bytes ("C"): other collations differ from server to server.
const EXTENSIONS = `
  select format('create extension %I;', extname) as text
  from pg_extension where extname <> 'plpgsql' order by extname collate "C"`

const TYPES = `
  select coalesce(
    (select format('create type %I as enum (%s);', t.typname,
        string_agg(quote_literal(enumlabel), ', ' order by enumsortorder))
      from pg_enum where enumtypid = t.oid having count(*) > 0),
    format('create domain %I as %s%s%s;', t.typname, format_type(t.typbasetype, t.typtypmod),
      case when t.typnotnull then ' not null' end,
      (select string_agg(' ' || pg_get_constraintdef(oid), '' order by conname collate "C")
        from pg_constraint where contypid = t.oid and contype = 'c'))) as text
  from pg_type t
  where t.typnamespace = 'public'::regnamespace and t.typtype in ('e', 'd')
  order by t.typname collate "C"`

// Those of identity columns are said with the column.
const SEQUENCES = `
  select format('create sequence %I as %s start %s increment %s;', c.relname, format_type(s.seqtypid, null),
    s.seqstart, s.seqincrement) as text
  from pg_sequence s join pg_class c on c.oid = s.seqrelid
  where c.relnamespace = 'public'::regnamespace
    and not exists (select from pg_depend d
      where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'i')
  order by c.relname collate "C"`

const FUNCTIONS = `
  select rtrim(pg_get_functiondef(p.oid), E'\\n') || ';' as text
  from pg_proc p
  where p.pronamespace = 'public'::regnamespace and p.prokind in ('f', 'p')
    and not exists (select from pg_depend d
      where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
  order by p.proname collate "C", pg_get_function_identity_arguments(p.oid) collate "C"`

// NOT NULL is said with the column; from PostgreSQL 18 it is a constraint as well (contype n).
const TABLES = `
  select format(E'create %stable %I (\\n%s\\n)%s%s;%s',
    case c.relpersistence when 'u' then 'unlogged ' end,
    c.relname,
    concat_ws(E',\\n', columns.text, constraints.text),
    case when c.relispartition then
      format(' /* partition of %s %s */', (select inhparent::regclass from pg_inherits where inhrelid = c.oid),
        pg_get_expr(c.relpartbound, c.oid)) end,
    case when c.relkind = 'p' then ' partition by ' || pg_get_partkeydef(c.oid) end,
    coalesce(comments.text, '')) ||
    coalesce((select format(E'\\nalter table %I set (%s);', c.relname, string_agg(option, ', ' order by option collate "C"))
      from unnest(c.reloptions) option having count(*) > 0), '') ||
    case when c.relrowsecurity then format(E'\\nalter table %I enable row level security;', c.relname) else '' end
    as text
  from pg_class c
  cross join lateral (
    select string_agg(format('  %I %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
        case when a.attcollation <> t.typcollation then ' collate ' || quote_ident(l.collname) end,
        case
          when a.attgenerated <> '' then format(' generated always as (%s)%s', pg_get_expr(d.adbin, d.adrelid),
            case a.attgenerated when 's' then ' stored' else ' virtual' end)
          when a.attidentity <> '' then format(' generated %s as identity',
            case a.attidentity when 'a' then 'always' else 'by default' end)
          when d.adbin is not null then ' default ' || pg_get_expr(d.adbin, d.adrelid)
        end,
        case when a.attnotnull then ' not null' end), E',\\n' order by a.attnum) as text
    from pg_attribute a
    join pg_type t on t.oid = a.atttypid
    left join pg_collation l on l.oid = a.attcollation
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  ) columns
  cross join lateral (
    select string_agg(format('  constraint %I %s', n.conname, pg_get_constraintdef(n.oid)), E',\\n'
      order by position(n.contype::text in 'puxcf'), n.conname collate "C") as text
    from pg_constraint n
    where n.conrelid = c.oid and n.contype in ('p', 'u', 'x', 'c', 'f')
  ) constraints
  cross join lateral (
    select string_agg(format(E'\\ncomment on %s is %L;',
        case when o.objsubid = 0 then format('table %I', c.relname)
          else format('column %I.%I', c.relname, a.attname) end, o.description), '' order by o.objsubid) as text
    from pg_description o
    left join pg_attribute a on a.attrelid = c.oid and a.attnum = o.objsubid and o.objsubid > 0
    where o.classoid = 'pg_class'::regclass and o.objoid = c.oid
  ) comments
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
  order by c.relname collate "C"`

// Those behind a constraint are said with it.
const INDEXES = `
  select pg_get_indexdef(i.indexrelid) || ';' as text
  from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
  where c.relnamespace = 'public'::regnamespace
    and not exists (select from pg_constraint n where n.conindid = c.oid and n.contype in ('p', 'u', 'x'))
  order by t.relname collate "C", c.relname collate "C"`

const TRIGGERS = `
  select pg_get_triggerdef(g.oid) || ';' as text
  from pg_trigger g join pg_class c on c.oid = g.tgrelid
  where c.relnamespace = 'public'::regnamespace and not g.tgisinternal
  order by c.relname collate "C", g.tgname collate "C"`

const POLICIES = `
  select format('create policy %I on %I for %s using (%s)%s;', p.policyname, p.tablename, lower(p.cmd), p.qual,
    ' with check (' || p.with_check || ')') as text
  from pg_policies p where p.schemaname = 'public'
  order by p.tablename collate "C", p.policyname collate "C"`
