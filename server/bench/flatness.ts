import { sql } from '#src/platform/postgres/sql.ts'
import { type BenchServer, send } from './bench-server.ts'
import { median, report, timed } from './figures.ts'

const LARGE = 100_000
const SMALL = 10
const SAMPLES = 400
const PAGE = 100
const RATIO_MAX = 1.2

type Organization = Awaited<ReturnType<BenchServer['organization']>>

/** What must cost the same whatever the size: one member into a group, and a page wherever it is. */
export async function benchFlatness(server: BenchServer): Promise<boolean> {
  const organization = await server.organization('bench-flat')
  await fill(server, organization)
  const oks = [
    await benchAddingOne(server, organization),
    await benchPages(server, organization),
    await benchNumberedPages(server, organization),
  ]
  return oks.every(Boolean)
}

async function fill(server: BenchServer, { id }: Organization): Promise<void> {
  const { database } = server
  await database.run(sql`
    insert into member (organization_id, id, external_reference_id, display_name, created_at, updated_at)
    select ${id}, uuid_v7(), 'ref-' || i, 'Person ' || i, now(), now()
    from generate_series(1, ${LARGE + 1000}::integer) i`)
  await database.run(sql`
    insert into org_group (organization_id, id, name, external_reference_id, created_seq, created_at, updated_at)
    select ${id}, uuid_v7(), 'Group ' || i, 'group-' || i, 1000 + i, now(), now()
    from generate_series(1, ${LARGE + PAGE}::integer) i`)
  await database.run(sql`
    update change_counter set group_count = ${LARGE + PAGE}, last_seq = last_seq + ${LARGE + 10_000}
    where organization_id = ${id}`)
  await database.run(sql`analyze`)
  for (const [group, size] of [
    ['group-1', LARGE],
    ['group-2', SMALL],
  ] as const) {
    await database.run(sql`
      insert into group_membership (organization_id, group_id, member_id, source_id, opened_change)
      select ${id}, g.id, m.id, s.id, c.id
      from org_group g, grant_source s,
        (select id from change where organization_id = ${id} order by seq limit 1) c,
        (select id from member where organization_id = ${id} and external_reference_id is not null
          order by id limit ${size}) m
      where g.organization_id = ${id} and g.external_reference_id = ${group}
        and s.organization_id = ${id} and s.kind = 'member_sync'`)
  }
  await database.run(sql`analyze`)
}

/** Alternates between a large and a small group, so that both see the same machine. */
async function benchAddingOne(server: BenchServer, organization: Organization): Promise<boolean> {
  const { url } = server
  const { path, key } = organization
  const groupOf = async (reference: string) => {
    const list = await send(url, 'GET', `${path}/groups?external_reference_id=${reference}`, key)
    return (list.data as { id: string }[])[0]!.id
  }
  const groups = [await groupOf('group-1'), await groupOf('group-2')]
  const times: [number[], number[]] = [[], []]
  for (let sample = 0; sample < SAMPLES; sample++) {
    const list = await send(
      url,
      'GET',
      `${path}/members?external_reference_id=ref-${LARGE + 1 + sample}`,
      key,
    )
    const member = (list.data as { id: string }[])[0]!.id
    for (const [index, group] of groups.entries()) {
      times[index]!.push(
        await timed(() => send(url, 'POST', `${path}/groups/${group}/members`, key, { member })),
      )
    }
  }
  return report({
    name: 'add one member: group of 100,000 against 10',
    ours: median(times[0]),
    floor: median(times[1]),
    limit: RATIO_MAX,
  })
}

/** Members by cursor. */
async function benchPages(server: BenchServer, { path, key }: Organization): Promise<boolean> {
  const page = (cursor: string | null) =>
    send(server.url, 'GET', `${path}/members?limit=${PAGE}${cursor === null ? '' : `&after=${cursor}`}`, key)
  let cursor: string | null = null
  for (let number = 1; number < 1000; number++) cursor = (await page(cursor)).next_cursor as string
  return await comparePages(
    'members by cursor: page 1,000 against page 1',
    () => page(cursor),
    () => page(null),
  )
}

/** Groups by page number, as Vitable's dialect asks for them. */
async function benchNumberedPages(server: BenchServer, { key }: Organization): Promise<boolean> {
  const page = (number: number) => send(server.url, 'GET', `/v1/groups?limit=${PAGE}&page=${number}`, key)
  return await comparePages(
    'groups by number: page 1,000 against page 1',
    () => page(1000),
    () => page(1),
  )
}

async function comparePages(
  name: string,
  far: () => Promise<unknown>,
  near: () => Promise<unknown>,
): Promise<boolean> {
  const times: [number[], number[]] = [[], []]
  for (let sample = 0; sample < SAMPLES; sample++) {
    times[0].push(await timed(far))
    times[1].push(await timed(near))
  }
  return report({ name, ours: median(times[0]), floor: median(times[1]), limit: RATIO_MAX })
}
