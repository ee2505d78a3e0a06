import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { encodeUuidArray, TextArrayBuilder } from '#src/platform/postgres/binary-array.ts'
import { sql } from '#src/platform/postgres/sql.ts'
import { type BenchServer, send } from './bench-server.ts'
import { median, quantile, report, timed } from './figures.ts'
import { BARE_TABLE, bareFloor, schemaFloor } from './floors/member-sync.sql.ts'

const MEMBERS = 100_000
const CHURN = MEMBERS / 10
/** Rounds that are timed, and then rounds in which another client reads. */
const ROUNDS = 7
const READ_ROUNDS = 3
const RATIO_MAX = 1.5
const READ_P99_MAX_MILLIS = 25
const PEAK_MAX_MEGABYTES = 400

/** Rows that any submission touches: itself, its task, the group's lane, the change and its number. */
const BOOKKEEPING_ROWS = 30

const reference = (index: number) => `ref-${String(index).padStart(6, '0')}`

interface Roster {
  readonly name: string
  readonly from: number
  readonly opened: number
  readonly ended: number
}

/** What is submitted, in this order, to a new group each round. */
const ROSTERS: readonly Roster[] = [
  { name: 'first fill', from: 0, opened: MEMBERS, ended: 0 },
  { name: 'nothing to do', from: 0, opened: 0, ended: 0 },
  { name: '10 % churn', from: CHURN, opened: CHURN, ended: CHURN },
]

function requestBody(roster: Roster): Buffer {
  const rows = Array.from({ length: MEMBERS }, (_, index) => ({
    external_reference_id: reference(roster.from + index),
  }))
  return Buffer.from(JSON.stringify({ members: rows }))
}

/** What the floor starts from: the reference ids as strings in memory. */
function referenceIds(roster: Roster): string[] {
  return Array.from({ length: MEMBERS }, (_, index) => reference(roster.from + index))
}

function encode(ids: readonly string[]): Buffer {
  const array = new TextArrayBuilder()
  for (const id of ids) array.push(id)
  return array.toBuffer()
}

/** 100,000 members submitted over HTTP against the best SQL for the same work, and what others feel meanwhile. */
export async function benchMemberSync(server: BenchServer): Promise<boolean> {
  const { database, url } = server
  const organization = await server.organization('bench-sync')
  await database.run(sql`
    insert into member (organization_id, id, external_reference_id, display_name, email, email_key, created_at,
      updated_at)
    select ${organization.id}, uuid_v7(), 'ref-' || lpad(i::text, 6, '0'), 'Person ' || i,
      'person' || i || '@bench.example', 'person' || i || '@bench.example', now(), now()
    from generate_series(0, ${MEMBERS + CHURN - 1}::integer) i`)
  await database.run(sql`analyze member`)
  const source = await database.row(sql<{ id: string }>`
    select id from grant_source where organization_id = ${organization.id} and kind = 'member_sync'`)
  const everybody = await database.row(sql<{ ids: string[] }>`
    select array_agg(id::text order by external_reference_id) as ids from member
    where organization_id = ${organization.id} and external_reference_id is not null`)
  await database.run({ name: 'bare_table', text: BARE_TABLE, values: [] })
  const bodies = ROSTERS.map(requestBody)
  const rosterIds = ROSTERS.map(referenceIds)
  const ours = ROSTERS.map((): number[] => [])
  const floors = ROSTERS.map((): number[] => [])
  const bareFloors = ROSTERS.map((): number[] => [])
  const touched: number[] = []
  const reads = await readMeanwhile(server, organization)
  for (let round = 0; round < ROUNDS + READ_ROUNDS; round++) {
    const isTimed = round < ROUNDS
    const group = await newGroup(server, organization, `ours ${round}`)
    const floorGroup = await newGroup(server, organization, `floor ${round}`)
    for (const [index, roster] of ROSTERS.entries()) {
      const before = round === 0 ? await countTouchedRows(database) : 0
      if (!isTimed) reads.on()
      const time = await timed(() => syncOverHttp(url, organization, group.id, bodies[index]!, roster))
      reads.off()
      if (isTimed) ours[index]!.push(time)
      if (round === 0) touched.push((await countTouchedRows(database)) - before)
      const plan = { groupId: floorGroup.uuid, sourceId: source!.id, changeId: randomUUID() }
      const floor = () =>
        database.row(schemaFloor(organization.id, { ...plan, referenceIds: encode(rosterIds[index]!) }))
      floors[index]!.push(await timed(floor))
      const ids = everybody!.ids.slice(roster.from, roster.from + MEMBERS)
      const bare = () =>
        database.transaction(async (tx) => {
          await tx.run(sql`select set_config('enable_seqscan', 'off', true)`)
          return await tx.row(bareFloor(floorGroup.uuid, encodeUuidArray(ids)))
        })
      bareFloors[index]!.push(await timed(bare))
    }
    await database.run(sql`delete from group_membership where organization_id = ${organization.id}`)
    await database.run(sql`vacuum group_membership`)
    await database.run({ name: 'bare_delete', text: 'delete from bare_membership', values: [] })
    await database.run({ name: 'bare_vacuum', text: 'vacuum bare_membership', values: [] })
  }
  const latencies = await reads.stop()
  for (const [index, roster] of ROSTERS.entries()) {
    report({
      name: `${roster.name}: against two UUIDs a row`,
      ours: median(ours[index]!),
      floor: median(bareFloors[index]!),
    })
  }
  const oks = ROSTERS.map((roster, index) =>
    report({
      name: `member sync of 100,000: ${roster.name}`,
      ours: median(ours[index]!),
      floor: median(floors[index]!),
      limit: RATIO_MAX,
    }),
  )
  for (const [index, roster] of ROSTERS.entries()) {
    // An opened grant is a row; an ended one leaves the live table and joins the past.
    const difference = roster.opened + 2 * roster.ended
    if (touched[index]! < difference)
      throw new Error(`statistics miss rows: ${touched[index]} of ${difference}`)
    oks.push(
      report({
        name: `rows touched: ${roster.name}`,
        ours: touched[index]!,
        floor: difference + BOOKKEEPING_ROWS,
        limit: 1,
        unit: 'rows',
      }),
    )
  }
  oks.push(
    report({
      name: `another client's read meanwhile, p99 of ${latencies.length}`,
      ours: quantile(latencies, 0.99),
      floor: READ_P99_MAX_MILLIS,
      limit: 1,
    }),
    report({
      name: "the server's peak memory",
      ours: await server.peakMegabytes(),
      floor: PEAK_MAX_MEGABYTES,
      limit: 1,
      unit: 'MB',
    }),
  )
  return oks.every(Boolean)
}

/** PostgreSQL's processes report what they wrote late, an idle one after ten seconds. */
const STATISTICS_MILLIS = 12_000

/** Rows that all statements so far have written. */
async function countTouchedRows(database: BenchServer['database']): Promise<number> {
  await setTimeout(STATISTICS_MILLIS)
  const row = await database.row(sql<{ rows: number }>`
    select sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint as rows from pg_stat_user_tables`)
  return row?.rows ?? 0
}

type Organization = Awaited<ReturnType<BenchServer['organization']>>

async function newGroup(
  server: BenchServer,
  organization: Organization,
  name: string,
): Promise<{ id: string; uuid: string }> {
  const created = await send(server.url, 'POST', `${organization.path}/groups`, organization.key, { name })
  const id = String(created.id)
  return { id, uuid: Buffer.from(id.slice(4), 'base64url').toString('hex') }
}

const POLL_MILLIS = 4

async function syncOverHttp(
  url: string,
  organization: Organization,
  groupId: string,
  body: Buffer,
  expected: Roster,
): Promise<void> {
  const path = `${organization.path}/groups/${groupId}/member_syncs`
  let sync = await send(url, 'POST', path, organization.key, body)
  while (sync.completed_at === null) {
    await setTimeout(POLL_MILLIS)
    sync = await send(url, 'GET', `${path}/${sync.id}`, organization.key)
  }
  const result = sync.result as { opened: number; ended: number }
  if (result.opened !== expected.opened || result.ended !== expected.ended) {
    throw new Error(`${expected.name}: ${JSON.stringify(result)}`)
  }
}

/** Reads one member over and over while switched on, and keeps how long each read took. */
async function readMeanwhile(server: BenchServer, organization: Organization) {
  const list = await send(server.url, 'GET', `${organization.path}/members?limit=1`, organization.key)
  const [member] = list.data as { id: string }[]
  const path = `${organization.path}/members/${member!.id}`
  const latencies: number[] = []
  let reading = false
  let stopped = false
  const loop = (async () => {
    while (!stopped) {
      if (reading) latencies.push(await timed(() => send(server.url, 'GET', path, organization.key)))
      await setTimeout(reading ? 1 : 5)
    }
  })()
  return {
    on() {
      reading = true
    },
    off() {
      reading = false
    },
    async stop() {
      stopped = true
      await loop
      return latencies
    },
  }
}
