import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { person, rosterOf, vitableClient } from '../../../test/vitable-client.ts'

let app: TestApp
let path: string
let key: string
let client: ReturnType<typeof vitableClient>
before(async () => {
  app = await startTestApp()
  ;({ path, key } = await app.organization('acme'))
  client = vitableClient(app, key)
})

async function member(body: object) {
  const made = await app.call('POST', `${path}/members`, { body })
  assert.equal(made.status, 201, JSON.stringify(made.body))
  return made.body
}
const readMember = async (id: string) => (await app.call('GET', `${path}/members/${id}`)).body
async function byReference(reference: string, status = '') {
  const query = `external_reference_id=${reference}${status === '' ? '' : `&status=${status}`}`
  return (await app.call('GET', `${path}/members?${query}`)).body.data[0]
}
const bytesOf = (id: string) => id.slice(id.indexOf('_') + 1)

describe('whose row it is', () => {
  it('a new reference id attaches to the member without one who has the email, whatever its case', async () => {
    const known = await member({ email: 'attach@acme.example', display_name: 'Known' })
    const groupId = await client.group()
    const { added_group_member_ids: added } = await client.sync(groupId, [
      person('attach-1', { email: 'ATTACH@acme.example' }),
    ])
    assert.deepEqual(added.map(bytesOf), [bytesOf(known.id)])
    const after = await readMember(known.id)
    assert.equal(after.external_reference_id, 'attach-1')
    assert.equal(after.display_name, 'Known')
    assert.equal(after.first_name, 'Ada')
  })

  it('a suspended member that is attached stays suspended', async () => {
    const known = await member({ email: 'suspended@acme.example' })
    await app.call('POST', `${path}/members/${known.id}/suspend`)
    const groupId = await client.group()
    await client.sync(groupId, [person('suspended-1', { email: 'suspended@acme.example' })])
    assert.equal((await readMember(known.id)).status, 'suspended')
  })

  it('an email of a member with another reference id fails the row by name; the others are applied', async () => {
    await member({ email: 'owned@acme.example', external_reference_id: 'owned-by-me' })
    const groupId = await client.group()
    const results = await client.sync(groupId, [
      person('other-1', { email: 'owned@acme.example' }),
      person('other-2'),
    ])
    assert.deepEqual(results.failures, [
      {
        reference_id: 'other-1',
        operation: 'add',
        reason: 'email belongs to a member with another reference_id',
      },
    ])
    assert.equal(results.added_group_member_ids.length, 1)
    assert.deepEqual([...(await rosterOf(app, path, groupId)).keys()], ['other-2'])
    assert.equal(await byReference('other-1'), undefined)
  })

  it('the same email in two rows fails both, and nobody else', async () => {
    const groupId = await client.group()
    const results = await client.sync(groupId, [
      person('twice-1', { email: 'twice@acme.example' }),
      person('twice-2', { email: 'Twice@Acme.example' }),
      person('twice-3', { email: 'once@acme.example' }),
    ])
    assert.deepEqual(
      results.failures.map((failure) => failure.reference_id),
      ['twice-1', 'twice-2'],
    )
    for (const { operation, reason } of results.failures) {
      assert.equal(operation, 'add')
      assert.equal(reason, 'email stands in more than one row of this request')
    }
    assert.equal(results.added_group_member_ids.length, 1)
  })

  it('a removed member comes back as the same person, active, with what it was', async () => {
    const groupId = await client.group()
    const { added_group_member_ids: added } = await client.sync(groupId, [
      person('back-1', { email: 'back@acme.example', phone: '4155550100' }),
    ])
    const before = await byReference('back-1')
    assert.equal((await app.call('DELETE', `${path}/members/${before.id}`)).status, 200)
    const again = await client.sync(groupId, [person('back-1')])
    assert.deepEqual(again.added_group_member_ids, added)
    const after = await byReference('back-1')
    assert.deepEqual(
      [after.id, after.status, after.email, after.attributes],
      [before.id, 'active', 'back@acme.example', { phone: '4155550100' }],
    )
  })

  it('a removed member whose email somebody else has by now fails by name and stays removed', async () => {
    const groupId = await client.group()
    await client.sync(groupId, [person('gone-1', { email: 'inherited@acme.example' })])
    const gone = await byReference('gone-1')
    await app.call('DELETE', `${path}/members/${gone.id}`)
    await member({ email: 'inherited@acme.example', external_reference_id: 'heir' })
    const results = await client.sync(groupId, [person('gone-1')])
    assert.deepEqual(
      results.failures.map((failure) => failure.reference_id),
      ['gone-1'],
    )
    assert.equal((await byReference('gone-1', 'removed')).status, 'removed')
    // With an address of its own it comes back.
    const own = await client.sync(groupId, [person('gone-1', { email: 'gone-own@acme.example' })])
    assert.equal(own.added_group_member_ids.length, 1)
  })

  it('a reference id that was merged into another member reaches that member', async () => {
    const groupId = await client.group()
    await client.sync(groupId, [person('merged-from'), person('merged-into')])
    const [from, into] = [await byReference('merged-from'), await byReference('merged-into')]
    await client.sync(groupId, [])
    const merged = await app.call('POST', `${path}/members/${into.id}/merge`, { body: { from: from.id } })
    assert.equal(merged.status, 200)
    const roster = [person('merged-from', { last_name: 'Merged', email: 'merged@acme.example' })]
    const { added_group_member_ids: added } = await client.sync(groupId, roster)
    assert.deepEqual(added.map(bytesOf), [bytesOf(into.id)])
    const after = await readMember(into.id)
    assert.deepEqual(
      [after.last_name, after.email, after.external_reference_id],
      ['Merged', 'merged@acme.example', 'merged-into'],
    )
    assert.deepEqual((await client.sync(groupId, roster)).added_group_member_ids, [])
    // Both of its names at once are one person twice.
    const both = await client.sync(groupId, [...roster, person('merged-into')])
    assert.equal(both.failures.length, 2)
    assert.match(both.failures[0]!.reason, /the same person/)
    assert.deepEqual(both.removed_group_member_ids, [], 'who is refused stays in')
  })
})

describe('personal attributes', () => {
  it('are optional: missing and null alike leave what is there', async () => {
    const groupId = await client.group()
    const address = { address_line_1: '1 Main St', city: 'Austin', state: 'TX', zipcode: '78701-1234' }
    const full = { date_of_birth: '1990-02-28', phone: '+14155550100', plan_id: 'pln_x', address }
    await client.sync(groupId, [person('attr-1', full)])
    assert.deepEqual((await byReference('attr-1')).attributes, full)
    const none = { date_of_birth: null, phone: null, plan_id: null, address: null, email: null }
    const results = await client.sync(groupId, [person('attr-1', none)])
    assert.deepEqual(results.failures, [])
    assert.deepEqual((await byReference('attr-1')).attributes, full)
  })

  it('that break a rule fail their row by name with the rule, and who is in stays in', async () => {
    const groupId = await client.group()
    const address = { address_line_1: '1 Main St', city: 'Austin', state: 'TX', zipcode: '78701' }
    await client.sync(groupId, [person('bad-0')])
    const bad: [string, Record<string, unknown>, RegExp][] = [
      ['bad-0', { date_of_birth: '1990-02-30' }, /^date_of_birth must/],
      ['bad-1', { date_of_birth: '31.01.1990' }, /^date_of_birth must/],
      ['bad-2', { date_of_birth: '2999-01-01' }, /^date_of_birth must/],
      ['bad-3', { phone: '415-555-0100' }, /^phone must/],
      ['bad-4', { address: { ...address, state: 'XX' } }, /^address\.state must/],
      ['bad-5', { address: { ...address, zipcode: '7870' } }, /^address\.zipcode must/],
      ['bad-6', { email: 'not an address' }, /^email must/],
      ['bad-7', { email: 'a@b' }, /^email must/],
    ]
    const rows = bad.map(([reference, more]) => person(reference, more))
    const results = await client.sync(groupId, [...rows, person('good-1')])
    assert.deepEqual(
      results.failures.map((failure) => failure.reference_id),
      bad.map(([reference]) => reference),
    )
    for (const [index, [, , reason]] of bad.entries()) assert.match(results.failures[index]!.reason, reason)
    assert.deepEqual([results.added_group_member_ids.length, results.removed_group_member_ids.length], [1, 0])
    assert.deepEqual([...(await rosterOf(app, path, groupId)).keys()].sort(), ['bad-0', 'good-1'])
  })
})
