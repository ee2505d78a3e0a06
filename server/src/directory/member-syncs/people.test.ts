import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Action } from '../../../test/campaigns/actions.ts'
import { foretell } from '../../../test/campaigns/actions.ts'
import { attempt } from '../../../test/campaigns/operations.ts'
import { assertSame, readSnapshot } from '../../../test/campaigns/snapshot.ts'
import type { Row, SyncResult } from '../../../test/campaigns/sync-model.ts'
import { openWorld } from '../../../test/campaigns/world.ts'
import { freshDatabase } from '../../../test/harness.ts'

/** An organization in which everything done is compared with the model as well. */
async function openTestWorld() {
  const { database } = await freshDatabase()
  const world = await openWorld(database, { groups: 2 })
  const [group, other] = world.state.groups.map((one) => one.id) as [string, string]
  async function perform(action: Action): Promise<unknown> {
    const { outcome, next } = foretell(world.state, action)
    assert.deepEqual(await attempt(world, action), outcome)
    world.state = next
    assertSame(world.state, await readSnapshot(world))
    return 'result' in outcome ? outcome.result : outcome.refused
  }
  const one = (ref: string) => world.state.people.find((person) => person.ref === ref)!
  return {
    ...{ world, group, other, perform, one },
    sync: async (...rows: Row[]) => (await perform({ kind: 'sync', group, rows })) as SyncResult,
    emails: () => Object.fromEntries(world.state.people.map(({ ref, email }) => [ref ?? 'none', email])),
    inGroup: () =>
      world.state.grants
        .filter((grant) => grant.ended === null && grant.target === group)
        .map((grant) => world.state.people.find((person) => person.id === grant.member)!.ref)
        .sort(),
  }
}

describe('a submission finds its people', () => {
  test('three who pass their addresses on in a ring all get the next one’s', async () => {
    const { sync, emails } = await openTestWorld()
    await sync({ ref: 'a', email: '1@y.co' }, { ref: 'b', email: '2@y.co' }, { ref: 'c', email: '3@y.co' })
    const ring = [
      { ref: 'a', email: '2@y.co' },
      { ref: 'b', email: '3@y.co' },
      { ref: 'c', email: '1@y.co' },
    ]
    const { failed, updatedMembers } = await sync(...ring)
    assert.deepEqual([failed, updatedMembers], [[], 3])
    assert.deepEqual(emails(), { none: 'owner@x.co', a: '2@y.co', b: '3@y.co', c: '1@y.co' })
  })

  test('one refused row in such a ring refuses all, and everybody stays in the group', async () => {
    const { sync, emails, inGroup } = await openTestWorld()
    await sync({ ref: 'a', email: '1@y.co' }, { ref: 'b', email: '2@y.co' }, { ref: 'c', email: '3@y.co' })
    const ring: Row[] = [
      { ref: 'a', email: '2@y.co' },
      { ref: 'b', email: '3@y.co', invalid: 'attributes' },
      { ref: 'c', email: '1@y.co' },
    ]
    assert.deepEqual((await sync(...ring)).failed, ['a', 'b', 'c'])
    assert.deepEqual(emails(), { none: 'owner@x.co', a: '1@y.co', b: '2@y.co', c: '3@y.co' })
    assert.deepEqual(inGroup(), ['a', 'b', 'c'])
  })

  test('who comes back without an email gets the old one, also from somebody who gives it up here', async () => {
    const { sync, perform, one, emails } = await openTestWorld()
    await sync({ ref: 'a', email: '1@y.co' })
    await perform({ kind: 'remove', member: one('a').id })
    await sync({ ref: 'b', email: '1@y.co' })
    assert.deepEqual((await sync({ ref: 'a' }, { ref: 'b' })).failed, ['a'])
    assert.deepEqual((await sync({ ref: 'a' }, { ref: 'b', email: '2@y.co' })).failed, [])
    assert.deepEqual(emails(), { none: 'owner@x.co', a: '1@y.co', b: '2@y.co' })
  })

  test('a new reference id attaches to who has its email and none of its own, and to nobody else', async () => {
    const { sync, perform, world, one } = await openTestWorld()
    await perform({ kind: 'create', fields: { email: 'ann@y.co' } })
    const id = world.state.people[1]!.id
    await sync({ ref: 'a', email: 'Ann@y.co' })
    assert.equal(one('a').id, id)
    assert.deepEqual((await sync({ ref: 'b', email: 'ann@y.co' })).failed, ['b'])
  })

  test('one address, or one person, in two rows refuses both', async () => {
    const { sync, perform, one } = await openTestWorld()
    assert.deepEqual((await sync({ ref: 'a', email: 'ann@y.co' }, { ref: 'b', email: 'Ann@y.co' })).failed, [
      'a',
      'b',
    ])
    await sync({ ref: 'a' }, { ref: 'b' })
    await perform({ kind: 'merge', into: one('a').id, from: one('b').id })
    assert.deepEqual((await sync({ ref: 'a' }, { ref: 'b' })).failed, ['a', 'b'])
    assert.deepEqual((await sync({ ref: 'b', displayName: 'Bob' })).failed, [])
    assert.equal(one('a').displayName, 'Bob')
  })

  test('a refused row keeps its person in, also one who is known by the email only', async () => {
    const { sync, perform, one, world } = await openTestWorld()
    await sync({ ref: 'a', email: '1@y.co' }, { ref: 'b' })
    const { id } = one('a')
    await perform({ kind: 'update', member: id, fields: { ref: null } })
    const { ended, left } = await sync({ ref: 'c', email: '1@y.co', invalid: 'attributes' })
    assert.deepEqual([ended, left], [1, 1])
    assert.ok(world.state.grants.some((grant) => grant.member === id && grant.ended === null))
  })

  test('what is absent or null stays, and attributes that are not named stay', async () => {
    const { sync, one } = await openTestWorld()
    await sync({ ref: 'a', email: '1@y.co', displayName: 'Ann', attributes: { plan_id: 'gold' } })
    await sync({ ref: 'a', email: null, displayName: null, attributes: { phone: '+14155550100' } })
    const { email, displayName, attributes } = one('a')
    const kept = { phone: '+14155550100', plan_id: 'gold' }
    assert.deepEqual(
      { email, displayName, attributes },
      { email: '1@y.co', displayName: 'Ann', attributes: kept },
    )
  })

  test('an empty submission ends what member sync gave here, and nothing of another source or group', async () => {
    const { sync, perform, one, group, other, inGroup } = await openTestWorld()
    await sync({ ref: 'a' }, { ref: 'b' })
    await perform({ kind: 'sync', group: other, rows: [{ ref: 'a' }] })
    await perform({ kind: 'add', group, member: one('a').id, byKey: true, expiry: 'never' })
    assert.equal((await sync()).ended, 2)
    assert.deepEqual(inGroup(), ['a'])
  })
})

describe('an undo', () => {
  test('gives nothing back that somebody touched since', async () => {
    const { sync, perform, world } = await openTestWorld()
    await sync({ ref: 'a' }, { ref: 'b' })
    await sync({ ref: 'b' })
    const seq = world.state.changes.length
    await sync({ ref: 'a' }, { ref: 'b' })
    await sync({ ref: 'b' })
    assert.equal(await perform({ kind: 'undo', seq }), 'change.not_undoable')
  })

  test('sets no status back that was set again since', async () => {
    const { sync, perform, one, world } = await openTestWorld()
    await sync({ ref: 'a' })
    const { id } = one('a')
    await perform({ kind: 'remove', member: id })
    const seq = world.state.changes.length
    await sync({ ref: 'a' })
    await perform({ kind: 'remove', member: id })
    assert.equal(await perform({ kind: 'undo', seq }), 'change.not_undoable')
    assert.equal(one('a').status, 'removed')
  })
})
