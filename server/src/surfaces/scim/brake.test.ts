import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { directoryClient } from '../../../test/directory-client.ts'
import { openScim, type ScimTestClient } from '../../../test/scim-client.ts'
import { sweep } from '../../directory/sweep.tasks.ts'

let app: TestApp
before(async () => {
  app = await startTestApp({ withoutTasks: true })
})

/** An organization whose SCIM removals are braked, with one group of some users. */
async function braked(slug: string, size: number, maxRemovals: number) {
  const scim: ScimTestClient = await openScim(app, slug)
  const acme = directoryClient(app, scim.directory.path)
  await acme.ok('PATCH', '', { settings: { removal_brake: { scim: { max_removals: maxRemovals } } } })
  const users: { id: string; memberId: string }[] = []
  for (let n = 0; n < size; n++) {
    const userName = `u${n}@${slug}.example`
    const { id } = await scim.user({ userName })
    users.push({ id, memberId: (await acme.get(`/members?email=${userName}`)).data[0].id })
  }
  const ids = users.map(({ id }) => id)
  const group = await scim.group('Staff', ids)
  const managed = (await acme.get('/groups?limit=100')).data.find(
    (row: { name: string }) => row.name === 'Staff',
  )
  const without = (id: string) =>
    scim.patch(`/Groups/${group.id}`, { op: 'remove', path: `members[value eq "${id}"]` })
  const held = async () => (await acme.get('/plans?status=held')).data as { id: string; end_count: number }[]
  return {
    ...{ scim, acme, users, ids, path: `/Groups/${group.id}`, groupId: managed.id as string, without, held },
    granted: async () => (await acme.roster(managed.id)).length,
    names: async (planId: string) =>
      (await acme.get(`/plans/${planId}/entries?limit=100`)).data
        .map((one: { member: string }) => one.member)
        .toSorted(),
  }
}
type Braked = Awaited<ReturnType<typeof braked>>
const memberIds = ({ users }: Braked, from: number, to?: number) =>
  users
    .slice(from, to)
    .map(({ memberId }) => memberId)
    .toSorted()

describe('removals of a connection', () => {
  it('in many small changes are one wave: held from the limit on, with everybody in one plan', async () => {
    const world = await braked('waves', 6, 2)
    for (const id of world.ids.slice(0, 5)) await world.without(id)
    assert.equal(await world.granted(), 4, 'two were taken away')
    assert.deepEqual(await world.scim.memberIdsOf(world.path.slice(8)), [world.ids[5]], 'as asserted')
    const plans = await world.held()
    assert.equal(plans.length, 1, 'a newer plan takes the place of the older ones')
    assert.deepEqual(await world.names(plans[0]!.id), memberIds(world, 2, 5))
    assert.equal((await world.acme.get('/plans?status=superseded')).data.length, 2)
  })

  it('are made by an approval, which ends exactly what the plan shows', async () => {
    const world = await braked('approve', 4, 1)
    await world.scim.expect(200, 'PUT', world.path, {
      displayName: 'Staff',
      members: [{ value: world.ids[0] }],
    })
    assert.equal(await world.granted(), 4)
    const [plan] = await world.held()
    const approved = await world.acme.post(`/plans/${plan!.id}/approve`)
    assert.equal(approved.status, 'applied')
    assert.deepEqual(await world.acme.roster(world.groupId), memberIds(world, 0, 1))
    assert.deepEqual((await world.acme.lastChange()).ended, 3)
  })

  it('are held again if by the approval more would be lost than the plan showed', async () => {
    const world = await braked('again', 4, 1)
    const rest = world.ids.slice(2).map((value) => ({ value }))
    await world.scim.expect(200, 'PUT', world.path, { displayName: 'Staff', members: rest })
    const [plan] = await world.held()
    // As if the assertion had moved without a plan of its own.
    await app.database.run({
      name: '',
      text: `delete from scim_group_member where user_id = $1`,
      values: [world.ids[2]],
    })
    const { context } = await world.acme.refused('POST', `/plans/${plan!.id}/approve`, 'plan.changed', 409)
    assert.equal(await world.granted(), 4)
    assert.deepEqual(await world.names(context.held_plan), memberIds(world, 0, 3))
    await world.acme.post(`/plans/${context.held_plan}/approve`)
    assert.equal(await world.granted(), 1)
  })

  it('do not happen to whom the identity provider has added again before the approval', async () => {
    const world = await braked('readded', 3, 0)
    await world.without(world.ids[0]!)
    await world.without(world.ids[1]!)
    await world.scim.patch(world.path, { op: 'add', path: 'members', value: [{ value: world.ids[0] }] })
    const [plan] = await world.held()
    await world.acme.post(`/plans/${plan!.id}/approve`)
    assert.deepEqual(
      (await world.acme.roster(world.groupId)).toSorted(),
      memberIds(world, 0).filter((id) => id !== world.users[1]!.memberId),
    )
  })

  it('that are discarded or expire leave the grants, and the assertion as it is', async () => {
    const world = await braked('discard', 3, 0)
    await world.without(world.ids[0]!)
    const [plan] = await world.held()
    assert.equal((await world.acme.post(`/plans/${plan!.id}/discard`)).status, 'discarded')
    assert.equal(await world.granted(), 3)
    assert.equal((await world.scim.memberIdsOf(world.path.slice(8))).length, 2)
    await world.without(world.ids[1]!)
    const [next] = await world.held()
    assert.deepEqual(
      await world.names(next!.id),
      memberIds(world, 0, 2),
      'a later plan shows what was kept, too',
    )
    await app.database.run({
      name: '',
      text: `update plan set expires_at = now() where status = 'held'`,
      values: [],
    })
    await sweep(app.directory)
    assert.equal((await world.acme.get(`/plans/${next!.id}`)).status, 'expired')
    assert.equal(await world.granted(), 3)
    const [after] = world.users
    await world.acme.refused(
      'DELETE',
      `/groups/${world.groupId}/members/${after!.memberId}`,
      'group.managed',
      409,
    )
  })

  it('never hold additions, deactivations or DELETEs of users', async () => {
    const world = await braked('never', 3, 0)
    const { id } = await world.scim.user()
    const change = [
      { op: 'remove', path: `members[value eq "${world.ids[0]}"]` },
      { op: 'add', path: 'members', value: [{ value: id }] },
    ]
    await world.scim.patch(world.path, ...change)
    assert.equal(await world.granted(), 4)
    await world.scim.patch(`/Users/${world.ids[1]}`, { op: 'replace', path: 'active', value: false })
    assert.equal((await world.acme.get(`/members/${world.users[1]!.memberId}`)).status, 'suspended')
    await world.scim.expect(204, 'DELETE', `/Users/${world.ids[2]}`)
    assert.equal((await world.acme.get(`/members/${world.users[2]!.memberId}`)).status, 'removed')
    assert.equal(await world.granted(), 3)
    assert.equal((await world.held()).length, 1)
  })
})

describe('the deletion of a group that the brake holds', () => {
  it('is over for the identity provider, and is made by the approval', async () => {
    const world = await braked('gone', 3, 1)
    await world.scim.expect(204, 'DELETE', world.path)
    await world.scim.refused(404, undefined, 'GET', world.path)
    assert.equal(await world.granted(), 3)
    const [plan] = await world.held()
    await world.acme.post(`/plans/${plan!.id}/approve`)
    await world.acme.refused('GET', `/groups/${world.groupId}`, 'group.not_found', 404)
    const change = await world.acme.lastChange()
    assert.deepEqual([change.kind, change.ended], ['group.deleted', 3])
    const restored = await world.acme.post(`/changes/${change.id}/undo`)
    assert.equal(restored.opened, 3)
    await world.acme.ok('PATCH', `/groups/${world.groupId}`, { name: 'Ours now' })
  })

  it('leaves, where it is discarded, a group that nobody manages', async () => {
    const world = await braked('kept', 3, 1)
    await world.scim.expect(204, 'DELETE', world.path)
    const [plan] = await world.held()
    await world.acme.post(`/plans/${plan!.id}/discard`)
    assert.equal(await world.granted(), 3)
    await world.acme.ok('DELETE', `/groups/${world.groupId}/members/${world.users[0]!.memberId}`)
    await world.acme.ok('DELETE', `/groups/${world.groupId}`)
  })

  it('is no longer held once a later DELETE goes through, and its plan cannot be approved', async () => {
    const world = await braked('passed', 3, 0)
    await world.without(world.ids[0]!)
    const [plan] = await world.held()
    await world.acme.ok('PATCH', '', { settings: { removal_brake: { scim: { max_removals: 100 } } } })
    const groups = async () => (await world.acme.get('/groups?limit=100')).data.length
    const before = await groups()
    await world.scim.expect(204, 'DELETE', world.path)
    await world.acme.refused('POST', `/plans/${plan!.id}/approve`, 'plan.not_held', 409)
    assert.equal(await groups(), before - 1)
  })
})

describe('the end of a connection', () => {
  it('keeps members and groups with everybody in them, ends what is held, and lets hands change them', async () => {
    const world = await braked('ended', 3, 0)
    await world.without(world.ids[0]!)
    await world.scim.patch(`/Users/${world.ids[1]}`, { op: 'replace', path: 'active', value: false })
    const [plan] = await world.held()
    const { data } = await world.acme.get('/identity_providers')
    await world.acme.ok('DELETE', `/identity_providers/${data[0].id}`)
    await world.acme.refused('POST', `/plans/${plan!.id}/approve`, 'plan.not_held', 409)
    assert.equal(await world.granted(), 3)
    await world.acme.post(`/members/${world.users[1]!.memberId}/reactivate`)
    await world.acme.ok('DELETE', `/groups/${world.groupId}/members/${world.users[0]!.memberId}`)
    // A token that some process still knows opens nothing that is gone.
    const late = await world.scim.call('POST', '/Users', { body: { userName: 'late@ended.example' } })
    const group = await world.scim.call('POST', '/Groups', { body: { displayName: 'Late' } })
    assert.deepEqual([late.status, group.status], [401, 401])
  })
})
