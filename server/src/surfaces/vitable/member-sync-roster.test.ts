import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { person, rosterOf, vitableClient } from '../../../test/vitable-client.ts'

let app: TestApp
let organization: Awaited<ReturnType<TestApp['organization']>>
let client: ReturnType<typeof vitableClient>
before(async () => {
  app = await startTestApp()
  organization = await app.organization('acme')
  client = vitableClient(app, organization.key)
})

const NOTHING = { added_group_member_ids: [], removed_group_member_ids: [], failures: [] }

async function lastChangeNumber(): Promise<number> {
  const newest = await app.call('GET', `${organization.path}/changes?order=desc&limit=1`)
  return newest.body.data[0].number
}
const rosterNames = async (groupId: string) =>
  [...(await rosterOf(app, organization.path, groupId)).keys()].sort()

describe('a submitted roster', () => {
  it('is accepted with 202, its request id, its group and the time', async () => {
    const groupId = await client.group()
    const body = { members: [person('accepted')] }
    const answer = await client.call('POST', `/v1/groups/${groupId}/members/sync`, body)
    assert.equal(answer.status, 202)
    assert.deepEqual(Object.keys(answer.body), ['data'])
    assert.deepEqual(Object.keys(answer.body.data).sort(), ['accepted_at', 'group_id', 'request_id'])
    assert.equal(answer.body.data.group_id, groupId)
    assert.ok(!Number.isNaN(Date.parse(answer.body.data.accepted_at)))
  })

  it('adds who is new, leaves who is there, removes who is missing; an empty one removes everyone', async () => {
    const groupId = await client.group()
    const two = [person('add-1'), person('add-2')]
    const added = await client.sync(groupId, two)
    assert.equal(new Set(added.added_group_member_ids).size, 2)
    assert.deepEqual([added.removed_group_member_ids, added.failures], [[], []])

    assert.deepEqual(await client.sync(groupId, two), NOTHING)

    const dropped = await client.sync(groupId, [two[1]!])
    assert.equal(dropped.removed_group_member_ids.length, 1)
    assert.ok(added.added_group_member_ids.includes(dropped.removed_group_member_ids[0]!))
    assert.deepEqual([dropped.added_group_member_ids, dropped.failures], [[], []])
    assert.deepEqual(await rosterNames(groupId), ['add-2'])

    const emptied = await client.sync(groupId, [])
    assert.deepEqual(
      [...emptied.removed_group_member_ids, ...dropped.removed_group_member_ids].sort(),
      added.added_group_member_ids.toSorted(),
    )
    assert.deepEqual(await rosterNames(groupId), [])
    assert.deepEqual(await client.sync(groupId, []), NOTHING)
  })

  it('submitted again unchanged records no change', async () => {
    const groupId = await client.group()
    const roster = [
      person('same-1', { email: 'Same.One@acme.example', phone: '4155550100', date_of_birth: '1990-01-31' }),
      person('same-2', { first_name: '', plan_id: 'pln_1' }),
    ]
    await client.sync(groupId, roster)
    const before = await lastChangeNumber()
    assert.deepEqual(await client.sync(groupId, roster), NOTHING)
    assert.deepEqual(await client.sync(groupId, roster.toReversed()), NOTHING)
    assert.equal(await lastChangeNumber(), before)
  })

  it('brings the fields of people who stay up to date, and reports them nowhere', async () => {
    const groupId = await client.group()
    await client.sync(groupId, [person('upd-1', { phone: '4155550100' }), person('upd-2')])
    const changed = person('upd-1', { last_name: 'Byron', email: 'upd-1@acme.example', plan_id: 'pln_2' })
    assert.deepEqual(await client.sync(groupId, [changed, person('upd-2')]), NOTHING)
    const found = await app.call('GET', `${organization.path}/members?external_reference_id=upd-1`)
    const [member] = found.body.data
    assert.equal(member.last_name, 'Byron')
    assert.equal(member.email, 'upd-1@acme.example')
    assert.deepEqual(member.attributes, { phone: '4155550100', plan_id: 'pln_2' })
  })

  it('never takes away what was given by hand', async () => {
    const groupId = await client.group()
    await client.sync(groupId, [person('hand-1')])
    const member = (await rosterOf(app, organization.path, groupId)).get('hand-1').id
    await app.call('POST', `${organization.path}/groups/${groupId}/members`, { body: { member } })
    const removed = await client.sync(groupId, [])
    assert.equal(removed.removed_group_member_ids.length, 1)
    const kept = (await rosterOf(app, organization.path, groupId)).get('hand-1')
    assert.deepEqual(
      kept.grants.map((grant: { source: string }) => grant.source),
      ['manual'],
    )
  })

  it('of one group says nothing about another group of the organization', async () => {
    const [first, second] = [await client.group(), await client.group()]
    await client.sync(first, [person('both'), person('first-only')])
    await client.sync(second, [person('both')])
    await client.sync(second, [])
    assert.deepEqual(await rosterNames(first), ['both', 'first-only'])
  })

  it('is carried out after those accepted before it: the last one accepted stands', async () => {
    const groupId = await client.group()
    const rosters = Array.from({ length: 12 }, (_, index) => [
      person('order-always'),
      person(`order-${index}`),
    ])
    const requests: string[] = []
    for (const roster of rosters) requests.push(await client.submit(groupId, roster))
    let completed = ''
    for (const [index, request] of requests.entries()) {
      const { completed_at: at, results } = await app.syncOver(organization.key, groupId, request)
      assert.ok(at >= completed, 'completed in the order of acceptance')
      completed = at
      assert.equal(results.added_group_member_ids.length, index === 0 ? 2 : 1)
      assert.equal(results.removed_group_member_ids.length, index === 0 ? 0 : 1)
    }
    assert.deepEqual(await rosterNames(groupId), ['order-11', 'order-always'])
  })
})

describe('polling', () => {
  it('answers null and null while a request waits, then both set; never only one', async () => {
    const waiting = await startTestApp({ withoutTasks: true })
    const { key } = await waiting.organization('waiting')
    const waitingClient = vitableClient(waiting, key)
    const groupId = await waitingClient.group()
    const requestId = await waitingClient.submit(groupId, [person('w-1')])
    const seen = await waitingClient.read(groupId, requestId)
    assert.deepEqual(Object.keys(seen).sort(), [
      'accepted_at',
      'completed_at',
      'group_id',
      'request_id',
      'results',
    ])
    assert.deepEqual([seen.completed_at, seen.results], [null, null])
    await waiting.close()

    const live = await client.group()
    const roster = Array.from({ length: 2000 }, (_, index) => person(`poll-${index}`))
    const request = await client.submit(live, roster)
    for (;;) {
      const state = await client.read(live, request)
      assert.equal(state.completed_at === null, state.results === null)
      if (state.completed_at === null) continue
      assert.equal(state.results.added_group_member_ids.length, 2000)
      break
    }
  })

  it('answers the same for ever, whatever happens to the group afterwards', async () => {
    const groupId = await client.group()
    const request = await client.submit(groupId, [person('kept-1'), person('kept-2')])
    const first = await app.syncOver(organization.key, groupId, request)
    await client.sync(groupId, [person('kept-2')])
    await client.sync(groupId, [person('kept-1')])
    assert.deepEqual(await client.read(groupId, request), first)
  })
})
