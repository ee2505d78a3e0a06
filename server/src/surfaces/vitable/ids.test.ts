import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { person, vitableClient } from '../../../test/vitable-client.ts'

let app: TestApp
let client: ReturnType<typeof vitableClient>
let key: string
before(async () => {
  app = await startTestApp()
  key = (await app.organization('acme')).key
  client = vitableClient(app, key)
})

/** Asserts the documented form: the prefix and the unpadded base64url of 16 bytes. */
function assertId(prefix: string, id: string) {
  assert.match(id, new RegExp(`^${prefix}[A-Za-z0-9_-]{22}$`))
  const bytes = Buffer.from(id.slice(prefix.length), 'base64url')
  assert.equal(bytes.length, 16)
  assert.equal(bytes.toString('base64url'), id.slice(prefix.length))
}

/** Ids that mean nothing, though a lenient reader would take some of them for this one. */
function otherSpellings(id: string): string[] {
  const [prefix, encoded] = [id.slice(0, id.indexOf('_') + 1), id.slice(id.indexOf('_') + 1)]
  const last = encoded.at(-1)!
  // The last of 22 characters carries 2 bits that count: 15 others decode to the same bytes.
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const sameBytes = alphabet[alphabet.indexOf(last) ^ 1]
  return [
    `${prefix}${encoded.slice(0, -1)}${sameBytes}`,
    `${prefix}${encoded}==`,
    `${prefix}${encoded}A`,
    `${prefix}${encoded.slice(1)}`,
    encoded,
    `mem_${encoded}`,
    `${prefix.toUpperCase()}${encoded}`,
    `${prefix}${'+'.repeat(22)}`,
    `${prefix}${'%2F'.repeat(22)}`,
    `${prefix}550e8400-e29b-41d4-a716-446655440000`,
    `${prefix}${'A'.repeat(22)}`,
    `${prefix}`,
    `${prefix}%00`,
    `${prefix}${'x'.repeat(400)}`,
    '%20',
    '..%2f',
  ]
}

describe('ids', () => {
  it('are a prefix and the base64url of 16 bytes, for each kind of thing', async () => {
    const groupId = await client.group()
    const { data } = (await app.call('GET', `/v1/groups/${groupId}`, { key })).body
    assertId('grp_', groupId)
    assertId('org_', data.organization_id)
    const requestId = await client.submit(groupId, [person('one')])
    assertId('grpmsr_', requestId)
    const { results } = await app.syncOver(key, groupId, requestId)
    assert.equal(results.added_group_member_ids.length, 1)
    assertId('grpmem_', results.added_group_member_ids[0])
    const removed = await client.sync(groupId, [])
    assert.deepEqual(removed.removed_group_member_ids, results.added_group_member_ids)
  })

  it('of a group that no group has, however close, are unknown on every path: 404', async () => {
    const groupId = await client.group()
    const requestId = await client.submit(groupId, [])
    for (const id of otherSpellings(groupId)) {
      for (const [method, path, body] of [
        ['GET', `/v1/groups/${id}`, undefined],
        ['PATCH', `/v1/groups/${id}`, { name: 'Taken over' }],
        ['POST', `/v1/groups/${id}/members/sync`, { members: [] }],
        ['GET', `/v1/groups/${id}/members/sync/${requestId}`, undefined],
      ] as const) {
        // An empty id is the list itself.
        if (id === '' || (id === '%20' && method === 'GET')) continue
        const answer = await app.call(method, path, { key, body })
        assert.equal(answer.status, 404, `${method} ${path}`)
        assert.equal(typeof answer.body.trace_id, 'string', path)
      }
    }
    assert.equal(
      (await app.call('GET', `/v1/groups/${groupId}`, { key })).body.data.name.startsWith('Group'),
      true,
    )
  })

  it('of a member sync that no sync has, or another group, are unknown: 404', async () => {
    const groupId = await client.group()
    const requestId = await client.submit(groupId, [])
    const otherGroupId = await client.group()
    for (const id of otherSpellings(requestId)) {
      const answer = await app.call('GET', `/v1/groups/${groupId}/members/sync/${id}`, { key })
      assert.equal(answer.status, 404, id)
    }
    const elsewhere = await app.call('GET', `/v1/groups/${otherGroupId}/members/sync/${requestId}`, { key })
    assert.equal(elsewhere.status, 404)
  })

  it('of another organization are unknown: reading, patching, submitting and polling answer the same 404', async () => {
    const groupId = await client.group()
    const requestId = await client.submit(groupId, [person('kept')])
    await app.syncOver(key, groupId, requestId)
    const { key: foreignKey } = await app.organization('other')
    const before = (await app.call('GET', `/v1/groups/${groupId}`, { key })).body
    for (const [method, tail, body] of [
      ['GET', '', undefined],
      ['PATCH', '', { name: 'Stolen' }],
      ['POST', '/members/sync', { members: [] }],
      ['GET', `/members/sync/${requestId}`, undefined],
    ] as const) {
      const unknown = `/v1/groups/grp_${Buffer.alloc(16, 1).toString('base64url')}${tail}`
      const foreign = await app.call(method, `/v1/groups/${groupId}${tail}`, { key: foreignKey, body })
      const expected = await app.call(method, unknown, { key: foreignKey, body })
      assert.equal(foreign.status, 404)
      assert.deepEqual([foreign.status, foreign.body.message], [expected.status, expected.body.message])
    }
    assert.deepEqual((await app.call('GET', `/v1/groups/${groupId}`, { key })).body, before)
    assert.deepEqual((await client.sync(groupId, [person('kept')])).added_group_member_ids, [])
  })
})
