import assert from 'node:assert/strict'
import { sql } from '#src/platform/postgres/sql.ts'
import type { BenchServer } from './bench-server.ts'
import { quantile, report } from './figures.ts'
import { startFloor } from './floor-process.ts'
import { fillScim, makeBareTables, type ScimWorld } from './scim-fill.ts'
import { benchScimGrowth } from './scim-growth.ts'
import { ScimSide } from './scim-loads.ts'

const ROUNDS = 15
const WARM_ROUNDS = 5
const MEMORY_MEGABYTES_MAX = 250

/** Other work on the machine only ever adds: the quicker rounds tell more than the middle one. */
const usual = (micros: readonly number[]) => quantile(micros, 0.25)

/** What is compared with the floor: the limit of ours as a multiple of it, and the aim. */
interface Row {
  readonly name: string
  readonly limit: number
  readonly aim: number
  readonly run: (side: ScimSide) => Promise<number>
}

const rows: readonly Row[] = [
  { name: 'create a user', limit: 3, aim: 2, run: (side) => side.create(200) },
  { name: 'read a user', limit: 2.5, aim: 1.7, run: (side) => side.read(500) },
  { name: 'look up by userName', limit: 2.5, aim: 1.7, run: (side) => side.lookUp(500) },
  { name: 'PATCH active', limit: 3, aim: 2, run: (side) => side.patchActive(200) },
  { name: 'list page of 100 at the end', limit: 1, aim: 0.3, run: (side) => side.listAtTheEnd(40) },
  { name: 'mixed cycle, a request of it', limit: 3, aim: 2, run: (side) => side.mixed(80) },
  {
    ...{ name: 'read a group of 10,000 members', limit: 2.5, aim: 1.5 },
    run: (side) => side.readGroup(side.world.groups.get(10_000)!, 10),
  },
]

/** What an identity provider's client asks, over HTTP, against a bare server with one statement for each request. */
export async function benchScim(server: BenchServer): Promise<boolean> {
  const floor = await startFloor('scim', server.connectionString)
  try {
    await server.forgetPeak()
    await makeBareTables(server)
    const small = await fillScim(server, 'bench-scim-small', 1000, [1000])
    const usualWorld = await fillScim(server, 'bench-scim', 10_000, [1000, 10_000])
    const large = await fillScim(server, 'bench-scim-large', 100_000, [1000, 99_000])
    await server.database.run(sql`vacuum analyze`)
    const oks: boolean[] = []
    const sides = sidesOf(usualWorld, floor.url)
    for (const row of rows) oks.push(await compare(row, sides))
    oks.push(...(await compareMembers(server, sides, 1000)))
    oks.push(...(await compareMembers(server, sidesOf(large, floor.url), 99_000)))
    oks.push(...(await benchScimGrowth(server, small, large)))
    oks.push(
      report({
        name: 'peak memory of the server against its limit',
        ours: await server.peakMegabytes(),
        floor: MEMORY_MEGABYTES_MAX,
        limit: 1,
        unit: 'MB',
      }),
    )
    return oks.every(Boolean)
  } finally {
    floor.process.kill('SIGTERM')
  }
}

type Sides = Readonly<Record<'ours' | 'floor', ScimSide>>

const sidesOf = (world: ScimWorld, floorUrl: string): Sides => ({
  ours: new ScimSide(world, world.url),
  floor: new ScimSide(world, floorUrl),
})

/** Takes turns between the sides, so that both see the same machine. */
async function compare({ name, limit, aim, run }: Row, sides: Sides): Promise<boolean> {
  const times = { ours: [] as number[], floor: [] as number[] }
  for (let round = -WARM_ROUNDS; round < ROUNDS; round++) {
    for (const side of ['ours', 'floor'] as const) {
      const micros = await run(sides[side])
      if (round >= 0) times[side].push(micros)
    }
  }
  return report({ name, limit, aim, ours: usual(times.ours), floor: usual(times.floor), unit: 'µs' })
}

async function compareMembers(server: BenchServer, sides: Sides, members: number): Promise<boolean[]> {
  const groupId = sides.ours.world.groups.get(members)!
  const added = { ours: [] as number[], floor: [] as number[] }
  const removed = { ours: [] as number[], floor: [] as number[] }
  for (let round = -WARM_ROUNDS; round < ROUNDS; round++) {
    for (const side of ['ours', 'floor'] as const) {
      const micros = await sides[side].changeMembers(groupId, 10)
      if (round < 0) continue
      added[side].push(micros.added)
      removed[side].push(micros.removed)
    }
  }
  const left = await server.database.row(
    sql<{ count: number }>`select count(*) as count from scim_group_member where group_id = ${groupId}`,
  )
  assert.equal(left?.count, members, 'nothing was added, or nothing removed')
  const figures = (times: typeof added) => ({
    ours: usual(times.ours),
    floor: usual(times.floor),
    unit: 'µs',
  })
  const size = members.toLocaleString('en')
  return [
    report({ name: `add 100 members to ${size}`, limit: 4, aim: 2.5, ...figures(added) }),
    report({ name: `remove 50 members of ${size}`, limit: 5, aim: 2.5, ...figures(removed) }),
  ]
}
