import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { explaining } from '../../../test/campaigns/explain.ts'
import type { Row } from '../../../test/campaigns/sync-model.ts'
import { desired, openWorld, type World } from '../../../test/campaigns/world.ts'
import { freshDatabase } from '../../../test/harness.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import { findStandingSource } from '../grants/source.ts'
import { submitMemberSync } from './member-sync.ts'
import { classifyPeople, createPeople, updatePeople, vacateEmails } from './people.sql.ts'
import { applyDesiredMembership, planForSize } from './planner.sql.ts'

const MEMBERS = 30_000
const GROUP = 20_000
/** Rows a plan's node may touch for each row there is; a nested loop over all of them would touch thousands. */
const FACTOR = 20

interface Large {
  world: World
  client: pg.Client
  /** By name: without members, and with the first 20,000. */
  groups: { empty: string; full: string }
}

/** Never analyzed, or analyzed while empty: what PostgreSQL believes of tables that have just been filled. */
async function openLarge(analyzed: boolean): Promise<Large> {
  const { database, connectionString } = await freshDatabase()
  const client = new pg.Client({ connectionString })
  await client.connect()
  for (const table of ['member', 'group_membership', 'group_membership_past', 'member_sync_desired']) {
    await client.query(`alter table ${table} set (autovacuum_enabled = false)`)
  }
  if (analyzed) await client.query('analyze')
  const world = await openWorld(database, { groups: 2 })
  const [empty, full] = world.state.groups.map((group) => group.id)
  const sourceId = await findStandingSource(database, world.organizationId, 'member_sync')
  await database.run(sql`
    insert into member (organization_id, id, email, email_key, external_reference_id, created_at, updated_at)
    select ${world.organizationId}, uuid_v7(), n || '@x.co', n || '@x.co', 'r' || n, now(), now()
    from generate_series(1, ${MEMBERS}::integer) n`)
  await database.run(sql`
    insert into group_membership (organization_id, group_id, member_id, source_id, opened_change)
    select organization_id, ${full}, id, ${sourceId}, ${uuidV7()} from member
    where organization_id = ${world.organizationId}
      and substr(external_reference_id, 2)::integer <= ${GROUP}::integer`)
  return { world, client, groups: { empty: empty!, full: full! } }
}

function rows(from: number, to: number, more: (n: number) => Partial<Row> = () => ({})): Row[] {
  return Array.from({ length: to - from + 1 }, (_, index) => ({
    ref: `r${from + index}`,
    ...more(from + index),
  }))
}

/** What an IdP's export states each time. */
const withEmail = (n: number) => ({ email: `${n}@x.co` })

const submissions: { name: string; group: keyof Large['groups']; rows: Row[] }[] = [
  { name: 'a first fill', group: 'empty', rows: rows(1, GROUP - 1, withEmail) },
  { name: 'a large first fill', group: 'empty', rows: rows(1, GROUP, withEmail) },
  { name: 'no change', group: 'full', rows: rows(2, GROUP, withEmail) },
  { name: 'a churn of a tenth', group: 'full', rows: rows(GROUP / 10, GROUP + GROUP / 10 - 2, withEmail) },
  { name: 'the removal of all', group: 'full', rows: [] },
  { name: 'ten rows against a full group', group: 'full', rows: rows(GROUP + 1, GROUP + 10, withEmail) },
]

/** Each of these takes the next one's email. */
const rotated = (from: number, to: number) =>
  rows(from, to, (n) => ({ email: `${n === to ? from : n + 1}@x.co`, displayName: 'Moved' }))

const payloads: { name: string; rows: Row[] }[] = [
  {
    name: 'half of them new and half with each other’s emails',
    rows: [...rotated(1, 2500), ...rows(MEMBERS + 1, MEMBERS + 2500, withEmail)],
  },
  {
    name: 'all refused for somebody else’s email',
    rows: rows(1, 5000, (n) => ({ email: `${n + 5000}@x.co` })),
  },
  {
    name: 'each waiting for the next one’s email and the last one refused',
    rows: rotated(1, 5000).map((row, index) => (index === 4999 ? { ...row, invalid: 'attributes' } : row)),
  },
]

async function submit({ world, groups }: Large, group: keyof Large['groups'], list: Row[]): Promise<string> {
  const context = { db: world.database, actor: world.root, organizationId: world.organizationId }
  return (await submitMemberSync(context, groups[group], desired(list))).id
}

for (const analyzed of [false, true]) {
  describe(`on tables ${analyzed ? 'analyzed while empty' : 'never analyzed'}`, () => {
    let large: Large
    before(async () => {
      large = await openLarge(analyzed)
    })
    after(() => large.client.end())

    /** In a transaction that is rolled back, under plans made for the values or, as after six runs, for any. */
    async function check(work: (tx: ReturnType<typeof explaining>['tx']) => Promise<void>): Promise<void> {
      for (const mode of ['force_custom_plan', 'force_generic_plan']) {
        await large.client.query('begin')
        try {
          await large.client.query(`set local plan_cache_mode = ${mode}; set local statement_timeout = '60s'`)
          const { tx, plans } = explaining(large.client)
          await work(tx)
          for (const plan of plans) {
            assert.ok(plan.rows <= FACTOR * MEMBERS, `${mode}: ${JSON.stringify(plan)}`)
          }
        } finally {
          await large.client.query('rollback')
          await large.client.query('deallocate all')
        }
      }
    }

    for (const { name, group, rows: list } of submissions) {
      test(`${name} touches each row a bounded number of times`, async () => {
        const { organizationId } = large.world
        const syncId = await submit(large, group, list)
        const sourceId = await findStandingSource(large.world.database, organizationId, 'member_sync')
        await check(async (tx) => {
          const size = await planForSize(tx, list.length)
          const plan = { syncId, groupId: large.groups[group], sourceId, changeId: uuidV7(), size }
          await applyDesiredMembership(tx, organizationId, plan)
        })
      })
    }

    for (const { name, rows: list } of payloads) {
      test(`settling 5,000 people, ${name}, touches each row a bounded number of times`, async () => {
        const { organizationId } = large.world
        const people = {
          syncId: await submit(large, 'full', list),
          size: 'small',
          now: new Date(),
          protectedLevels: ['owner', 'admin'],
        } as const
        await check(async (tx) => {
          for (const settle of [classifyPeople, vacateEmails, updatePeople, createPeople]) {
            await settle(tx, organizationId, people)
          }
        })
      })
    }
  })
}
