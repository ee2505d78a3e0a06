import assert from 'node:assert/strict'
import { encodeId, idPrefixes } from '#src/surfaces/http/prefixed-id.ts'
import {
  type AccessSample,
  type AccessSize,
  fillAccess,
  GROUPS_PER_MEMBER,
  sampleAccess,
} from './access-fill.ts'
import type { BenchServer } from './bench-server.ts'
import { quantile, report } from './figures.ts'
import { startFloor } from './floor-process.ts'
import { exchange, type LoadRequest, microsEach } from './http-load.ts'

const SMALL: AccessSize = { members: 1000, groups: 100, projects: 100 }
const LARGE: AccessSize = { members: 100_000, groups: 10_000, projects: 10_000 }
const SAMPLES = 500
const CHECKS_PER_BATCH = 100
/** Rounds that are measured, after some in which everything becomes warm. */
const ROUNDS = 21
const WARM_ROUNDS = 3
const FLOOR_RATIO_MAX = 2.5
const FLAT_RATIO_MAX = 1.2
const BATCH_RATIO_MAX = 0.1

type Side = 'ours' | 'floor'

/** One question to one side about one organization, asked about many members. */
type Load = Record<Side, LoadRequest[]>

interface Filled {
  readonly size: AccessSize
  readonly loads: Record<Question, Load>
  readonly batches: LoadRequest[]
}

/** Other work on the machine only ever adds: the quicker rounds tell more than the middle one. */
const usual = (micros: readonly number[]) => quantile(micros, 0.25)

const questions = ['groups of a member', 'roles of a member', 'may a member do it'] as const
type Question = (typeof questions)[number]

/** What applications ask all the time, over HTTP, against a bare server with one statement, in two sizes. */
export async function benchAccess(server: BenchServer): Promise<boolean> {
  const floor = await startFloor('access', server.connectionString)
  try {
    const small = await prepare(server, floor.url, 'bench-access-small', SMALL)
    const large = await prepare(server, floor.url, 'bench-access-large', LARGE)
    const oks: boolean[] = []
    for (const question of questions) oks.push(...(await compare(question, small, large)))
    oks.push(await benchBatch(large))
    return oks.every(Boolean)
  } finally {
    floor.process.kill('SIGTERM')
  }
}

async function prepare(
  server: BenchServer,
  floorUrl: string,
  slug: string,
  size: AccessSize,
): Promise<Filled> {
  const organization = await server.organization(slug)
  await fillAccess(server.database, organization.id, slug, size)
  const samples = await sampleAccess(server.database, organization.id, size, SAMPLES)
  assert.equal(samples.length, SAMPLES)
  const ours = `${server.url}${organization.path}`
  const floor = `${floorUrl}/${organization.id}`
  const authorization = `Bearer ${organization.key}`
  const get = (url: string): LoadRequest => ({ method: 'GET', url, headers: { authorization } })
  const post = (url: string, body: unknown): LoadRequest => {
    const headers = { authorization, 'content-type': 'application/json' }
    return { method: 'POST', url, headers, body: JSON.stringify(body) }
  }
  const memberOf = (sample: AccessSample) => encodeId(idPrefixes.member, sample.member_id)
  const checkOf = (sample: AccessSample) => ({
    member: memberOf(sample),
    permission: sample.permission,
    target: encodeId(idPrefixes.project, sample.project_id),
  })
  const bareCheckOf = (sample: AccessSample) => ({
    member: sample.member_id,
    permission: sample.permission,
    target: sample.project_id,
  })
  const filled: Filled = {
    size,
    loads: {
      'groups of a member': {
        ours: samples.map((sample) => get(`${ours}/members/${memberOf(sample)}/groups?limit=100`)),
        floor: samples.map((sample) => get(`${floor}/groups/${sample.member_id}`)),
      },
      'roles of a member': {
        ours: samples.map((sample) => get(`${ours}/members/${memberOf(sample)}/roles?limit=100`)),
        floor: samples.map((sample) => get(`${floor}/roles/${sample.member_id}`)),
      },
      'may a member do it': {
        ours: samples.map((sample) => post(`${ours}/access/check`, checkOf(sample))),
        floor: samples.map((sample) => post(`${floor}/check`, bareCheckOf(sample))),
      },
    },
    batches: Array.from({ length: SAMPLES / CHECKS_PER_BATCH }, (_, batch) => {
      const from = batch * CHECKS_PER_BATCH
      const checks = samples.slice(from, from + CHECKS_PER_BATCH).map(checkOf)
      return post(`${ours}/access/check_batch`, { checks })
    }),
  }
  await requireSameAnswers(filled, samples)
  return filled
}

/** Both sides have to answer the same, or they are no comparison. */
async function requireSameAnswers(filled: Filled, samples: readonly AccessSample[]): Promise<void> {
  const ask = async (request: LoadRequest) => JSON.parse(await exchange(request))
  const allowed: boolean[] = []
  for (const [index, sample] of samples.entries()) {
    for (const question of questions) {
      const { ours, floor } = filled.loads[question]
      const [answer, bare] = [await ask(ours[index]!), await ask(floor[index]!)]
      if (question === 'may a member do it') {
        assert.deepEqual([answer.allowed, bare.allowed], [sample.allowed, sample.allowed])
      } else {
        assert.ok(bare.data.length >= GROUPS_PER_MEMBER)
        assert.equal(answer.data.length, bare.data.length, question)
      }
    }
    allowed.push(sample.allowed)
  }
  const batched = []
  for (const batch of filled.batches) batched.push(...(await ask(batch)).data)
  assert.deepEqual(
    batched.map((answer) => answer.allowed),
    allowed,
  )
}

/** Takes turns between the sides and the sizes, so that all see the same machine. */
async function compare(question: Question, small: Filled, large: Filled): Promise<boolean[]> {
  const times = { small: { ours: [], floor: [] }, large: { ours: [], floor: [] } } as Record<
    'small' | 'large',
    Record<Side, number[]>
  >
  for (let round = -WARM_ROUNDS; round < ROUNDS; round++) {
    for (const [size, filled] of [
      ['small', small],
      ['large', large],
    ] as const) {
      for (const side of ['ours', 'floor'] as const) {
        const micros = await microsEach(filled.loads[question][side])
        if (round >= 0) times[size][side].push(micros)
      }
    }
  }
  const memberships = ({ size }: Filled) => (size.members * GROUPS_PER_MEMBER).toLocaleString('en')
  return [
    ...(
      [
        ['small', small],
        ['large', large],
      ] as const
    ).map(([size, filled]) =>
      report({
        name: `${question}, of ${memberships(filled)} memberships`,
        ours: usual(times[size].ours),
        floor: usual(times[size].floor),
        limit: FLOOR_RATIO_MAX,
        unit: 'µs',
      }),
    ),
    report({
      name: `${question}: ${memberships(large)} against ${memberships(small)}`,
      ours: usual(times.large.ours),
      floor: usual(times.small.ours),
      limit: FLAT_RATIO_MAX,
      unit: 'µs',
    }),
  ]
}

async function benchBatch({ loads, batches }: Filled): Promise<boolean> {
  const single: number[] = []
  const batched: number[] = []
  for (let round = -WARM_ROUNDS; round < ROUNDS; round++) {
    const micros = await microsEach(loads['may a member do it'].ours)
    const each = (await microsEach([...batches, ...batches, ...batches])) / CHECKS_PER_BATCH
    if (round < 0) continue
    single.push(micros)
    batched.push(each)
  }
  return report({
    name: `one check of ${CHECKS_PER_BATCH} in a call, against one call`,
    ours: usual(batched),
    floor: usual(single),
    limit: BATCH_RATIO_MAX,
    unit: 'µs',
  })
}
