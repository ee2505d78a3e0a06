import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { foretell } from '../../../test/campaigns/actions.ts'
import { payload } from '../../../test/campaigns/operation-arbitrary.ts'
import { readSyncResult, submit } from '../../../test/campaigns/operations.ts'
import { drainSyncs } from '../../../test/campaigns/race.ts'
import { raceProperty } from '../../../test/campaigns/race-property.ts'
import { assertSame, assertSound, readSnapshot } from '../../../test/campaigns/snapshot.ts'
import type { Row } from '../../../test/campaigns/sync-model.ts'
import { openWorld, runNextSync, type World } from '../../../test/campaigns/world.ts'
import { freshDatabase } from '../../../test/harness.ts'
import { sql } from '../../platform/postgres/sql.ts'

const RACES = Number(process.env.ROLLCALL_TEST_RUNS ?? 20)

test('operations done at the same time are as if one had come after the other', async () => {
  const { database } = await freshDatabase({ poolSize: 8 })
  await fc.assert(raceProperty(database), { numRuns: RACES, endOnFailure: true })
})

async function positions(world: World, group: string): Promise<{ id: string; position: number }[]> {
  return await world.database.rows(sql<{ id: string; position: number }>`
    select id, position from member_sync
    where organization_id = ${world.organizationId} and group_id = ${group} order by position`)
}

test('50 parallel submissions of one group get the positions 1 to 50 and are carried out in that order', async () => {
  const { database } = await freshDatabase({ poolSize: 10 })
  const world = await openWorld(database)
  const group = world.state.groups[0]!.id
  const rowsOf = new Map<string, Row[]>()
  await Promise.all(
    fc.sample(payload, 50).map(async (rows) => {
      rowsOf.set(await submit(world, { kind: 'sync', group, rows }), rows)
      await runNextSync(world)
    }),
  )
  await Promise.all([drainSyncs(world), drainSyncs(world)])
  const accepted = await positions(world, group)
  assert.deepEqual(
    accepted.map((sync) => sync.position),
    Array.from({ length: 50 }, (_, index) => index + 1),
  )
  for (const { id, position } of accepted) {
    const { outcome, next } = foretell(world.state, { kind: 'sync', group, rows: rowsOf.get(id)! })
    assert.deepEqual({ result: await readSyncResult(world, group, id) }, outcome, `position ${position}`)
    world.state = next
  }
  assertSame(world.state, await readSnapshot(world))
})

test('parallel syncs of different groups that bring and swap the same people lose and double nobody', async () => {
  const { database } = await freshDatabase({ poolSize: 10 })
  const world = await openWorld(database, { groups: 6 })
  const people = Array.from({ length: 40 }, (_, n) => n)
  const email = (n: number) => `${n % people.length}@y.co`
  for (let round = 0; round < 4; round++) {
    const syncs = world.state.groups.map(({ id: group }, place) => {
      // Every group has everybody, with everybody's address moved on by another step, in another order.
      const rows = people.map((n): Row => ({ ref: `p${n}`, email: email(n + place + round) }))
      return { kind: 'sync' as const, group, rows: place % 2 === 0 ? rows : rows.reverse() }
    })
    const ids = await Promise.all(
      syncs.map(async (sync) => {
        const id = await submit(world, sync)
        await drainSyncs(world)
        return id
      }),
    )
    for (const [place, { group }] of syncs.entries()) {
      assert.deepEqual((await readSyncResult(world, group, ids[place]!)).failed, [])
    }
  }
  const found = await readSnapshot(world)
  const members = found.people.filter((one) => one.ref !== null)
  assert.equal(members.length, people.length)
  assert.equal(new Set(members.map((one) => one.ref)).size, people.length)
  assert.equal(new Set(members.map((one) => one.email)).size, people.length)
  const live = found.grants.filter((grant) => grant.ended === null && grant.source === 'member_sync')
  assert.equal(live.length, people.length * world.state.groups.length)
  await assertSound(world)
})

test('a group with many waiting submissions gives others their turn after each', async () => {
  const { database } = await freshDatabase()
  const world = await openWorld(database, { groups: 2 })
  const [busy, other] = world.state.groups.map((group) => group.id)
  for (let n = 0; n < 3; n++) await submit(world, { kind: 'sync', group: busy!, rows: [{ ref: `b${n}` }] })
  await submit(world, { kind: 'sync', group: other!, rows: [{ ref: 'o' }] })
  await drainSyncs(world)
  const order = await database.rows(sql<{ group_id: string }>`
    select group_id from member_sync where organization_id = ${world.organizationId} order by completed_at`)
  assert.deepEqual(
    order.map((sync) => sync.group_id),
    [busy, other, busy, busy],
  )
})

test('two syncs at the same time cannot both slip under the brake', async () => {
  const { database } = await freshDatabase({ poolSize: 8 })
  for (let round = 0; round < 8; round++) {
    const brake = { max_removals: 4, max_share: null, window_seconds: 3600 }
    const world = await openWorld(database, {
      groups: 2,
      settings: { removal_brake: { member_sync: brake } },
    })
    const rows = ['a', 'b', 'c'].map((ref) => ({ ref }))
    for (const { id: group } of world.state.groups) await submit(world, { kind: 'sync', group, rows })
    await drainSyncs(world)
    for (const { id: group } of world.state.groups) await submit(world, { kind: 'sync', group, rows: [] })
    await Promise.all([runNextSync(world), runNextSync(world)])
    const removed = await database.row(sql<{ count: number }>`
      select coalesce(sum(ended_count), 0)::integer as count from change
      where organization_id = ${world.organizationId}`)
    const statuses = await database.rows(sql<{ status: string }>`
      select status from member_sync where organization_id = ${world.organizationId} and position = 2
      order by status`)
    assert.deepEqual([removed!.count, statuses.map((one) => one.status)], [3, ['completed', 'held']])
  }
})
