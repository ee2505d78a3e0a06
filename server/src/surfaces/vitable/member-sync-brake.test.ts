import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { person, rosterOf, vitableClient } from '../../../test/vitable-client.ts'
import { sweep } from '../../directory/sweep.tasks.ts'

let app: TestApp
before(async () => {
  app = await startTestApp()
})

const people = (count: number) => Array.from({ length: count }, (_, index) => person(`p-${index}`))

/** A group of 5 in an organization that holds more than 2 removals, and a roster of 1 that was just submitted. */
async function heldRoster(slug: string) {
  const organization = await app.organization(slug)
  const { path, key } = organization
  const client = vitableClient(app, key)
  const brake = { removal_brake: { member_sync: { max_removals: 2 } } }
  assert.equal((await app.call('PATCH', path, { body: { settings: brake } })).status, 200)
  const groupId = await client.group()
  await client.sync(groupId, people(5))
  const requestId = await client.submit(groupId, people(1))
  const plan = await heldPlan(path)
  return { path, key, client, groupId, requestId, plan }
}

/** Waits for the one plan that the organization holds. */
async function heldPlan(path: string) {
  for (let tries = 0; tries < 3000; tries++) {
    const [plan] = (await app.call('GET', `${path}/plans?status=held`)).body.data
    if (plan !== undefined) return plan
    await setTimeout(10)
  }
  throw new Error('nothing is held')
}

const members = async (path: string, groupId: string) => (await rosterOf(app, path, groupId)).size

describe('a roster that the removal brake holds', () => {
  it('stays incomplete here, and is held with its plan in the Directory API; nobody is removed', async () => {
    const { path, client, groupId, requestId, plan } = await heldRoster('held')
    const seen = await client.read(groupId, requestId)
    assert.deepEqual([seen.completed_at, seen.results], [null, null])
    const [sync] = (await app.call('GET', `${path}/groups/${groupId}/member_syncs`)).body.data
    assert.deepEqual(
      [sync.status, sync.held_plan, sync.completed_at, sync.result],
      ['held', plan.id, null, null],
    )
    assert.deepEqual([plan.opens, plan.ends, plan.member_sync], [0, 4, sync.id])
    assert.equal(await members(path, groupId), 5)
  })

  it('is completed with its removals once the plan is approved', async () => {
    const { path, client, groupId, requestId, plan } = await heldRoster('approved')
    assert.equal((await app.call('POST', `${path}/plans/${plan.id}/approve`)).status, 200)
    const { completed_at: at, results } = await client.read(groupId, requestId)
    assert.notEqual(at, null)
    assert.deepEqual(
      [results.added_group_member_ids.length, results.removed_group_member_ids.length, results.failures],
      [0, 4, []],
    )
    assert.equal(await members(path, groupId), 1)
  })

  it('is completed with a failure for each person who was not removed once the plan is discarded', async () => {
    const { path, client, groupId, requestId, plan } = await heldRoster('discarded')
    assert.equal((await app.call('POST', `${path}/plans/${plan.id}/discard`)).status, 200)
    const { completed_at: at, results } = await client.read(groupId, requestId)
    assert.notEqual(at, null)
    assert.deepEqual([results.added_group_member_ids, results.removed_group_member_ids], [[], []])
    assert.deepEqual(
      results.failures.map((failure: { reference_id: string }) => failure.reference_id),
      ['p-1', 'p-2', 'p-3', 'p-4'],
    )
    for (const { operation, reason } of results.failures) {
      assert.equal(operation, 'remove')
      assert.match(reason, /held by the removal brake.*discarded/)
    }
    assert.equal(await members(path, groupId), 5)
  })

  it('is completed with the failures when a later roster of the group takes its place', async () => {
    const { path, client, groupId, requestId } = await heldRoster('superseded')
    const later = await client.sync(groupId, people(4))
    assert.equal(later.removed_group_member_ids.length, 1)
    const { completed_at: at, results } = await client.read(groupId, requestId)
    assert.notEqual(at, null)
    assert.equal(results.failures.length, 4)
    assert.match(results.failures[0].reason, /newer submission/)
    assert.equal(await members(path, groupId), 4)
  })

  it('is completed with the failures when nobody decides in time', async () => {
    const { path, client, groupId, requestId } = await heldRoster('expired')
    await app.database.run({
      name: '',
      text: `update plan set expires_at = now() where status = 'held' and organization_id =
        (select id from organization where slug = 'expired')`,
      values: [],
    })
    await sweep(app.directory)
    const { completed_at: at, results } = await client.read(groupId, requestId)
    assert.notEqual(at, null)
    assert.equal(results.failures.length, 4)
    assert.match(results.failures[0].reason, /nobody decided/)
    assert.equal(await members(path, groupId), 5)
  })

  it('names the people it would have added as well', async () => {
    const { path, key } = await app.organization('adds')
    const client = vitableClient(app, key)
    const brake = { removal_brake: { member_sync: { max_removals: 0 } } }
    await app.call('PATCH', path, { body: { settings: brake } })
    const groupId = await client.group()
    await client.sync(groupId, people(1))
    const requestId = await client.submit(groupId, [person('new-1')])
    const plan = await heldPlan(path)
    assert.deepEqual([plan.opens, plan.ends, plan.new_members], [1, 1, 1])
    assert.equal((await app.call('GET', `${path}/members?external_reference_id=new-1`)).body.data.length, 0)
    await app.call('POST', `${path}/plans/${plan.id}/discard`)
    const { results } = await client.read(groupId, requestId)
    assert.deepEqual(
      results.failures.map((failure: { reference_id: string; operation: string }) => [
        failure.reference_id,
        failure.operation,
      ]),
      [
        ['p-0', 'remove'],
        ['new-1', 'add'],
      ],
    )
  })
})
