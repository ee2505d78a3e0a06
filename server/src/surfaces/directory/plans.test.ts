import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { databaseState } from '../../../test/database-state.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'
import { sweep } from '../../directory/sweep.tasks.ts'

let app: TestApp
before(async () => {
  app = await startTestApp()
})

interface Brake {
  max_removals?: number | null
  max_share?: number | null
  window_seconds?: number
}
async function braked(slug: string, brake: Brake): Promise<DirectoryClient> {
  const client = directoryClient(app, (await app.organization(slug)).path)
  await client.ok('PATCH', '', { settings: { removal_brake: { member_sync: brake } } })
  return client
}
const people = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `p-${from + index}`)

/** A group of 10 and a plan that would remove 6 of them, held. */
async function heldPlan(slug: string, removedBefore = 0) {
  const client = await braked(slug, { max_removals: 5 })
  const group = await client.group()
  if (removedBefore > 0) await client.sync(group.id, people(10 + removedBefore))
  await client.sync(group.id, people(10))
  const sync = await client.sync(group.id, people(4))
  assert.equal(sync.status, 'held')
  return { client, groupId: group.id as string, sync, planId: sync.held_plan as string }
}

describe('the removal brake', () => {
  it('by number lets the limit pass and holds one more', async () => {
    const client = await braked('number', { max_removals: 3 })
    const group = await client.group()
    await client.sync(group.id, people(10))
    const passed = await client.sync(group.id, people(7))
    assert.deepEqual([passed.status, passed.result.ended], ['completed', 3])
    const held = await client.sync(group.id, people(6))
    assert.deepEqual([held.status, held.result, held.change], ['held', null, null])
    const plan = await client.get(`/plans/${held.held_plan}`)
    assert.deepEqual([plan.status, plan.ends, plan.opens, plan.new_members], ['held', 1, 0, 0])
    assert.equal(plan.reason, 'It would make 4 removals within 3600 seconds; the limit is 3.')
    assert.equal((await client.roster(group.id)).length, 7)
  })

  it('by share lets the limit pass and holds one more', async () => {
    const client = await braked('share', { max_share: 0.3 })
    const group = await client.group()
    await client.sync(group.id, people(10))
    assert.equal((await client.sync(group.id, people(7))).status, 'completed')
    const held = await client.sync(group.id, people(6))
    assert.equal(held.status, 'held')
    const { reason } = await client.get(`/plans/${held.held_plan}`)
    assert.equal(
      reason,
      'It would remove 40 % of what the source gives within 3600 seconds; the limit is 30 %.',
    )
  })

  it('sees a wave of many small requests, over several groups, as the wave it is', async () => {
    const client = await braked('wave', { max_removals: 5 })
    const groups = [await client.group(), await client.group(), await client.group()]
    for (const group of groups) await client.sync(group.id, people(10))
    const statuses = []
    for (let round = 1; round <= 3; round++) {
      for (const group of groups) statuses.push((await client.sync(group.id, people(10 - round))).status)
    }
    assert.deepEqual(statuses, [...Array(5).fill('completed'), ...Array(4).fill('held')])
  })

  it('forgets what left the window', async () => {
    const client = await braked('window', { max_removals: 2, window_seconds: 60 })
    const group = await client.group()
    await client.sync(group.id, people(10))
    assert.equal((await client.sync(group.id, people(8))).status, 'completed')
    assert.equal((await client.sync(group.id, people(7))).status, 'held')
    await app.database.run({
      name: '',
      text: `update change set at = at - interval '61 seconds' where organization_id =
        (select id from organization where slug = 'window')`,
      values: [],
    })
    assert.equal((await client.sync(group.id, people(7))).status, 'completed')
  })

  it('counts what member sync takes, not what people do by hand', async () => {
    const client = await braked('hand', { max_removals: 1 })
    const group = await client.group()
    for (let index = 0; index < 3; index++) {
      const { id } = await client.member()
      await client.add(group.id, id)
      await client.ok('DELETE', `/groups/${group.id}/members/${id}`)
    }
    await client.sync(group.id, people(2))
    assert.equal((await client.sync(group.id, people(1))).status, 'completed')
  })

  it('does not hold what only adds, nor anything where it is not set', async () => {
    const client = await braked('adds', { max_removals: 0 })
    const group = await client.group()
    assert.equal((await client.sync(group.id, people(5))).status, 'completed')
    assert.equal((await client.sync(group.id, people(4))).status, 'held')
    await client.ok('PATCH', '', { settings: {} })
    assert.equal((await client.sync(group.id, [])).result.ended, 5)
  })

  it('is not touched by a preview, which shows what it would hold', async () => {
    const { client, groupId } = await heldPlan('previewed')
    const before = await databaseState(app.database)
    const preview = await client.post(`/groups/${groupId}/member_syncs?preview=true`, { members: [] })
    assert.deepEqual([preview.object, preview.ended, preview.left], ['preview', 10, 0])
    assert.deepEqual(await databaseState(app.database), before)
  })
})

describe('a held plan', () => {
  it('lists whom it would open and end, by name, page by page', async () => {
    const { client, planId, sync } = await heldPlan('entries')
    const { data } = await client.get('/plans?status=held')
    assert.deepEqual(
      data.map((plan: { id: string; member_sync: string }) => [plan.id, plan.member_sync]),
      [[planId, sync.id]],
    )
    const seen: string[] = []
    let after = ''
    for (;;) {
      const page = await client.get(`/plans/${planId}/entries?limit=4${after}`)
      for (const entry of page.data) {
        assert.equal(entry.effect, 'end')
        assert.equal(
          (await client.get(`/members/${entry.member}`)).external_reference_id,
          entry.external_reference_id,
        )
        seen.push(entry.external_reference_id)
      }
      if (!page.has_more) break
      after = `&after=${page.next_cursor}`
    }
    assert.deepEqual(seen, people(6, 4))
    const far = Buffer.from('999999999999999').toString('base64url')
    assert.deepEqual((await client.get(`/plans/${planId}/entries?after=${far}`)).data, [])
  })

  it('approved is applied as it was shown, as one change of the submitter with the plan as its cause', async () => {
    const { client, groupId, planId, sync } = await heldPlan('approve')
    const plan = await client.post(`/plans/${planId}/approve`)
    assert.deepEqual([plan.status, plan.decided_by.kind], ['applied', 'root'])
    assert.equal((await client.roster(groupId)).length, 4)
    const change = await client.get(`/changes/${plan.change}`)
    assert.deepEqual(
      [change.kind, change.cause, change.ended],
      ['group.members_synced', { kind: 'plan', id: planId }, 6],
    )
    const done = await client.get(`/groups/${groupId}/member_syncs/${sync.id}`)
    assert.deepEqual(
      [done.status, done.change, done.held_plan, done.result.ended],
      ['completed', plan.change, null, 6],
    )
    for (const decision of ['approve', 'discard']) {
      await client.refused('POST', `/plans/${planId}/${decision}`, 'plan.not_held', 409)
    }
    await client.post(`/changes/${plan.change}/undo`)
    assert.equal((await client.roster(groupId)).length, 10)
  })

  it('discarded changes nothing but says so', async () => {
    const { client, groupId, planId, sync } = await heldPlan('discard')
    const plan = await client.post(`/plans/${planId}/discard`)
    assert.deepEqual([plan.status, plan.change], ['discarded', null])
    assert.equal((await client.roster(groupId)).length, 10)
    assert.equal((await client.get(`/groups/${groupId}/member_syncs/${sync.id}`)).status, 'discarded')
    assert.equal((await client.lastChange()).kind, 'plan.discarded')
    await client.refused('POST', `/plans/${planId}/approve`, 'plan.not_held', 409)
  })

  it('gives way to a newer submission of its group, held or not', async () => {
    const { client, groupId, planId } = await heldPlan('supersede')
    const second = await client.sync(groupId, people(3))
    assert.equal(second.status, 'held')
    assert.equal((await client.get(`/plans/${planId}`)).status, 'superseded')
    const third = await client.sync(groupId, people(9))
    assert.equal(third.status, 'completed')
    assert.equal((await client.get(`/plans/${second.held_plan}`)).status, 'superseded')
    assert.deepEqual((await client.get('/plans?status=held')).data, [])
    await client.refused('POST', `/plans/${planId}/approve`, 'plan.not_held', 409)
  })

  it('expires when nobody decides in time', async () => {
    const { client, groupId, planId, sync } = await heldPlan('expire')
    await app.database.run({
      name: '',
      text: `update plan set expires_at = now() where organization_id = (select id from organization where slug = 'expire')`,
      values: [],
    })
    await sweep(app.directory)
    assert.equal((await client.get(`/plans/${planId}`)).status, 'expired')
    assert.equal((await client.get(`/groups/${groupId}/member_syncs/${sync.id}`)).status, 'expired')
    assert.equal((await client.roster(groupId)).length, 10)
  })

  it('approved when it would remove more by now is not applied: 409, and a new plan is held instead', async () => {
    for (const headers of [{}, { 'idempotency-key': 'approve-1' }]) {
      const { client, groupId, planId, sync } = await heldPlan(`more-${Object.keys(headers).length}`, 2)
      // Two whom an earlier submission removed come back, and are not in the held roster either.
      const { data } = await client.get('/changes?kind=group.members_synced')
      await client.post(`/changes/${data.at(-1).id}/undo`)
      const answer = await client.send('POST', `/plans/${planId}/approve`, { headers })
      assert.deepEqual([answer.status, answer.body.code], [409, 'plan.changed'])
      assert.equal((await client.roster(groupId)).length, 12)
      const next = await client.get(`/plans/${answer.body.context.held_plan}`)
      assert.deepEqual([next.status, next.ends, next.member_sync], ['held', 8, sync.id])
      assert.equal((await client.get(`/plans/${planId}`)).status, 'superseded')
      assert.equal((await client.get(`/groups/${groupId}/member_syncs/${sync.id}`)).held_plan, next.id)
      if ('idempotency-key' in headers) {
        const again = await client.send('POST', `/plans/${planId}/approve`, { headers })
        assert.deepEqual([again.status, again.body], [answer.status, answer.body])
        assert.equal(again.headers['idempotency-replayed'], 'true')
      }
      assert.equal((await client.post(`/plans/${next.id}/approve`)).status, 'applied')
      assert.equal((await client.roster(groupId)).length, 4)
    }
  })

  it('decided by two people at once is decided once', async () => {
    const { client, groupId, planId } = await heldPlan('race')
    const answers = await Promise.all(
      ['approve', 'discard', 'approve', 'discard'].map((decision) =>
        client.send('POST', `/plans/${planId}/${decision}`),
      ),
    )
    assert.deepEqual(answers.map((answer) => answer.status).sort(), [200, 409, 409, 409])
    const { status } = await client.get(`/plans/${planId}`)
    assert.equal((await client.roster(groupId)).length, status === 'applied' ? 4 : 10)
  })

  it('needs plans:read to be seen and plans:write to be decided', async () => {
    const { client, planId } = await heldPlan('scopes')
    const reader = await client.key(['plans:read'])
    assert.equal((await client.send('GET', `/plans/${planId}/entries`, { key: reader })).status, 200)
    await client.refused('POST', `/plans/${planId}/approve`, 'permission.denied', 403, { key: reader })
    const other = await client.key(['groups:write', 'members:write'])
    await client.refused('GET', `/plans/${planId}`, 'permission.denied', 403, { key: other })
  })
})
