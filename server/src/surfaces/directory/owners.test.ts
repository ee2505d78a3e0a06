import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { type Call, startTestApp, type TestApp } from '../../../test/app.ts'
import { databaseState } from '../../../test/database-state.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'

let app: TestApp
before(async () => {
  app = await startTestApp({ withoutTasks: true, poolSize: 16 })
})

async function organization(slug: string) {
  const { path, ownerId } = await app.organization(slug)
  return { client: directoryClient(app, path), ownerId }
}
async function activeOwners(client: DirectoryClient): Promise<string[]> {
  const { data } = await client.get('/members?status=active&limit=1000')
  return data.filter((row: { level: string }) => row.level === 'owner').map((row: { id: string }) => row.id)
}

/** Every way to take an owner away, with what it needs beside the owner's id. */
const WAYS: Record<string, (client: DirectoryClient, id: string) => Promise<[string, string, Call]>> = {
  remove: async (_client, id) => ['DELETE', `/members/${id}`, {}],
  suspend: async (_client, id) => ['POST', `/members/${id}/suspend`, {}],
  demote: async (_client, id) => ['PUT', `/members/${id}/level`, { body: { level: 'admin' } }],
  'demote to member': async (_client, id) => ['PUT', `/members/${id}/level`, { body: { level: 'member' } }],
  leave: async (client, id) => {
    return ['POST', '/leave', { key: await client.key(['members:read'], { member_id: id }) }]
  },
  'merge into a suspended member': async (client, id) => {
    const other = await client.member()
    await client.post(`/members/${other.id}/suspend`)
    return ['POST', `/members/${other.id}/merge`, { body: { from: id } }]
  },
  'undo of what made it an owner': async (client, id) => {
    const { data } = await client.get(`/changes?member=${id}&kind=member.level_changed`)
    return ['POST', `/changes/${data[0].id}/undo`, {}]
  },
  'undo of its reactivation': async (client, id) => {
    const { data } = await client.get(`/changes?member=${id}&kind=member.reactivated`)
    return ['POST', `/changes/${data[0].id}/undo`, {}]
  },
}

/** Makes somebody the only owner, in ways that can be undone. */
async function soleOwner(slug: string) {
  const { client, ownerId } = await organization(slug)
  const { id } = await client.member()
  await client.ok('PUT', `/members/${id}/level`, { level: 'owner' })
  await client.post(`/members/${id}/suspend`)
  await client.post(`/members/${id}/reactivate`)
  await client.ok('DELETE', `/members/${ownerId}`)
  return { client, id }
}

describe('the last owner', () => {
  for (const [name, way] of Object.entries(WAYS)) {
    it(`cannot be taken away: ${name}`, async () => {
      const { client, id } = await soleOwner(`last-${name.replaceAll(' ', '-')}`)
      const [method, tail, given] = await way(client, id)
      const before = await databaseState(app.database)
      await client.refused(method, tail, 'organization.last_owner', 409, given)
      assert.deepEqual(await databaseState(app.database), before)
      assert.deepEqual(await activeOwners(client), [id])
      // With another owner it can.
      await client.member({ level: 'owner' })
      assert.equal((await client.send(method, tail, given)).status, 200)
    })
  }

  it('is not a suspended one: who is suspended does not count', async () => {
    const { client, ownerId } = await organization('suspended')
    const { id } = await client.member({ level: 'owner' })
    await client.post(`/members/${id}/suspend`)
    await client.refused('DELETE', `/members/${ownerId}`, 'organization.last_owner', 409)
  })

  it('is told before anything is done: a preview answers the same refusal', async () => {
    const { client, ownerId } = await organization('preview')
    await client.refused('DELETE', `/members/${ownerId}?preview=true`, 'organization.last_owner', 409)
  })
})

describe('two owners at once', () => {
  const rounds = 30
  const attacks: [string, (id: string) => [string, string, Call]][] = [
    ['remove', (id) => ['DELETE', `/members/${id}`, {}]],
    ['demote', (id) => ['PUT', `/members/${id}/level`, { body: { level: 'member' } }]],
    ['suspend', (id) => ['POST', `/members/${id}/suspend`, {}]],
  ]
  for (const [name, attack] of attacks) {
    it(`who ${name} each other in ${rounds} rounds leave exactly one`, async () => {
      const { client, ownerId } = await organization(`both-${name}`)
      let left = ownerId
      for (let round = 0; round < rounds; round++) {
        const { id } = await client.member({ level: 'owner' })
        const pair = [left, id]
        const answers = await Promise.all(pair.map((target) => client.send(...attack(target))))
        assert.deepEqual(answers.map((answer) => answer.status).sort(), [200, 409], `round ${round}`)
        const owners = await activeOwners(client)
        assert.equal(owners.length, 1)
        assert.equal(owners[0], pair[answers.findIndex((answer) => answer.status === 409)])
        left = owners[0]!
      }
    })
  }

  it('taken away in different ways at once leave one', async () => {
    const { client, ownerId } = await organization('mixed')
    let owners = [ownerId]
    for (let round = 0; round < rounds; round++) {
      while (owners.length < 3) owners.push((await client.member({ level: 'owner' })).id)
      const requests = owners.map((id, index) => attacks[(index + round) % 3]![1](id))
      const answers = await Promise.all(requests.map((request) => client.send(...request)))
      const statuses = answers.map((answer) => answer.status)
      assert.ok(
        statuses.every((status) => status === 200 || status === 409),
        statuses.join(),
      )
      owners = await activeOwners(client)
      assert.equal(owners.length, 1, statuses.join())
    }
  })
})

describe('who does not rank as an owner', () => {
  it('neither makes, changes, removes nor restores one, nor undoes what made or unmade one', async () => {
    const { client, ownerId } = await organization('rank')
    const admin = await client.member({ level: 'admin' })
    const key = await client.key(['*'], { member_id: admin.id })
    const plain = await client.member()
    const former = await client.member({ level: 'owner' })
    await client.ok('PUT', `/members/${former.id}/level`, { level: 'member' })
    const demotion = (await client.lastChange()).id
    const removed = await client.member({ level: 'owner' })
    await client.ok('DELETE', `/members/${removed.id}`)
    const promoted = await client.member()
    await client.ok('PUT', `/members/${promoted.id}/level`, { level: 'owner' })
    const promotion = (await client.lastChange()).id
    const suspended = await client.member({ level: 'owner' })
    await client.post(`/members/${suspended.id}/suspend`)
    const suspension = (await client.lastChange()).id
    const before = await databaseState(app.database)
    const requests: [string, string, object?][] = [
      ['POST', '/members', { email: 'new@rank.example', level: 'owner' }],
      ['PUT', `/members/${plain.id}/level`, { level: 'owner' }],
      ['PUT', `/members/${ownerId}/level`, { level: 'member' }],
      ['PUT', `/members/${admin.id}/level`, { level: 'owner' }],
      ['PATCH', `/members/${ownerId}`, { email: 'mine@rank.example' }],
      ['DELETE', `/members/${ownerId}`],
      ['POST', `/members/${ownerId}/suspend`],
      ['POST', `/members/${suspended.id}/reactivate`],
      ['POST', `/members/${ownerId}/merge`, { from: plain.id }],
      ['POST', `/members/${plain.id}/merge`, { from: ownerId }],
      ['POST', `/members/${removed.id}/restore`],
      ['POST', `/changes/${demotion}/undo`],
      ['POST', `/changes/${promotion}/undo`],
      ['POST', `/changes/${suspension}/undo`],
      ['POST', '/api_keys', { name: 'k', scopes: ['*'], member_id: ownerId }],
      ['DELETE', ''],
    ]
    for (const [method, tail, body] of requests) {
      const given = { key, ...(body === undefined ? {} : { body }) }
      await client.refused(method, tail, 'permission.denied', 403, given)
    }
    assert.deepEqual(await databaseState(app.database), before)
    // What it may do: everything of that kind to members and admins.
    assert.equal(
      (await client.send('PUT', `/members/${plain.id}/level`, { key, body: { level: 'admin' } })).status,
      200,
    )
    assert.equal((await client.send('DELETE', `/members/${plain.id}`, { key })).status, 200)
    assert.equal((await client.send('POST', `/members/${plain.id}/restore`, { key })).status, 200)
  })
})
