import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { countStatements } from '../../../test/count-statements.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'
import { type OpenaiClient, openaiClient } from '../../../test/openai-client.ts'

let app: TestApp
let openai: OpenaiClient
let directory: DirectoryClient
let key: string
let foreignGroup: string
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  const organization = await app.organization('acme')
  key = organization.key
  directory = directoryClient(app, organization.path)
  openai = await openaiClient(app, key)
  const other = await app.organization('other')
  foreignGroup = (await directoryClient(app, other.path).group()).id.replace('grp_', 'group_')
})

const get = (path: string) => app.call('GET', `/v1/organization${path}`, { key })
const user = async () => (await directory.member()).id.replace('mem_', 'user-')

async function idsOf(list: AsyncIterable<{ id: string }>): Promise<string[]> {
  const found: string[] = []
  for await (const item of list) found.push(item.id)
  return found
}

describe('a list that answers next', () => {
  it('is read whole by the SDK in pages of one, either way round, and never ends with an empty page', async () => {
    const ids: string[] = []
    for (const name of ['One', 'Two', 'Three']) {
      ids.push((await openai.organization.groups.create({ name })).id)
    }
    openai.sent.length = 0
    assert.deepEqual(await idsOf(openai.organization.groups.list({ limit: 1 })), ids)
    assert.deepEqual(
      openai.sent.map(({ url }) => url),
      [
        '/v1/organization/groups?limit=1',
        `/v1/organization/groups?limit=1&after=${ids[0]}`,
        `/v1/organization/groups?limit=1&after=${ids[1]}`,
      ],
    )
    const backwards = await idsOf(openai.organization.groups.list({ limit: 2, order: 'desc' }))
    assert.deepEqual(backwards, ids.toReversed())

    const page = await get('/groups?limit=2')
    assert.deepEqual(Object.keys(page.body), ['object', 'data', 'has_more', 'next'])
    assert.deepEqual([page.body.object, page.body.has_more, page.body.next], ['list', true, ids[1]])
    const rest = await get(`/groups?limit=2&after=${ids[1]}`)
    assert.deepEqual([rest.body.data.length, rest.body.has_more, rest.body.next], [1, false, null])
    const beyond = await get(`/groups?after=${ids[2]}`)
    assert.deepEqual([beyond.body.data, beyond.body.has_more, beyond.body.next], [[], false, null])
  })

  it('goes on after a group that is deleted between two pages', async () => {
    const organization = await app.organization('deleting')
    const client = await openaiClient(app, organization.key)
    const ids: string[] = []
    for (const name of ['One', 'Two', 'Three']) {
      ids.push((await client.organization.groups.create({ name })).id)
    }
    await client.organization.groups.delete(ids[1]!)
    assert.deepEqual(await idsOf(client.organization.groups.list({ after: ids[1]! })), [ids[2]])
    assert.deepEqual(await idsOf(client.organization.groups.list({ after: ids[1]!, order: 'desc' })), [
      ids[0],
    ])
  })

  it('of group users begins with the latest, and goes on after one who has left the group', async () => {
    const { id } = await openai.organization.groups.create({ name: 'Team' })
    const ids = [await user(), await user(), await user()]
    const inGroup = openai.organization.groups.users
    for (const user_id of ids) await inGroup.create(id, { user_id })
    assert.deepEqual(await idsOf(inGroup.list(id)), ids.toReversed())
    assert.deepEqual(await idsOf(inGroup.list(id, { limit: 1 })), ids.toReversed())
    assert.deepEqual(await idsOf(inGroup.list(id, { limit: 2, order: 'asc' })), ids)
    await inGroup.delete(ids[1]!, { group_id: id })
    assert.deepEqual(await idsOf(inGroup.list(id, { after: ids[1]! })), [ids[0]])
    assert.deepEqual(await idsOf(inGroup.list(id, { after: ids[1]!, order: 'asc' })), [ids[2]])
  })

  it('of roles, and of somebody’s roles, goes on after an id of any form', async () => {
    const who = await user()
    const custom = await openai.organization.roles.create({ role_name: 'Custom', permissions: [] })
    const all = (await openai.organization.roles.list()).data.map((role) => role.id)
    assert.deepEqual(await idsOf(openai.organization.roles.list({ limit: 1 })), all)
    assert.deepEqual(
      await idsOf(openai.organization.roles.list({ limit: 3, order: 'desc' })),
      all.toReversed(),
    )
    for (const role_id of [custom.id, 'role-api-organization-reader']) {
      await openai.organization.users.roles.create(who, { role_id })
    }
    const held = [all[2], custom.id]
    for (const after of ['role-api-organization-admin', all[1]!]) {
      assert.deepEqual(await idsOf(openai.organization.roles.list({ after })), held)
      assert.deepEqual(await idsOf(openai.organization.users.roles.list(who, { after })), held)
    }
    assert.deepEqual(await idsOf(openai.organization.users.roles.list(who, { limit: 1 })), held)
    assert.deepEqual(
      await idsOf(openai.organization.users.roles.list(who, { limit: 1, order: 'desc' })),
      held.toReversed(),
    )
  })
})

describe('a list that answers first_id and last_id', () => {
  it('is read whole by the SDK in pages of one', async () => {
    const ids: string[] = (await openai.organization.users.list({ limit: 100 })).data.map((row) => row.id)
    assert.ok(ids.length >= 3)
    assert.deepEqual(await idsOf(openai.organization.users.list({ limit: 1 })), ids)
    const page = await get('/users?limit=2')
    assert.deepEqual(Object.keys(page.body), ['object', 'data', 'has_more', 'first_id', 'last_id'])
    const { has_more, first_id, last_id } = page.body
    assert.deepEqual([has_more, first_id, last_id], [true, ids[0], ids[1]])
    const beyond = await get(`/users?after=${ids.at(-1)}`)
    assert.deepEqual(beyond.body, {
      object: 'list',
      data: [],
      has_more: false,
      first_id: null,
      last_id: null,
    })
  })

  it('shows 20 unless more are asked for', async () => {
    const organization = await app.organization('many')
    const client = directoryClient(app, organization.path)
    for (let count = 0; count < 21; count++) await client.member()
    const answer = await app.call('GET', '/v1/organization/users', { key: organization.key })
    assert.deepEqual([answer.body.data.length, answer.body.has_more], [20, true])
  })
})

describe('a list of any kind', () => {
  it('costs the same number of statements, however long it is', async () => {
    const { id } = await openai.organization.groups.create({ name: 'Large' })
    const who = await user()
    const paths = [
      '/groups',
      `/groups/${id}/users`,
      `/groups/${id}/roles`,
      '/users',
      `/users/${who}/roles`,
      '/roles',
    ]
    // The least of some tries: a key is looked up anew now and then.
    const least = async (path: string) => {
      const counts: number[] = []
      for (let tries = 0; tries < 5; tries++)
        counts.push(await countStatements(app.database, () => get(path)))
      return Math.min(...counts)
    }
    const statements = async () => {
      const counts: number[] = []
      for (const path of paths) counts.push(await least(path))
      return counts
    }
    const before = await statements()
    for (let count = 0; count < 5; count++) {
      const role = await openai.organization.roles.create({ role_name: `Of many ${count}`, permissions: [] })
      const group = await openai.organization.groups.create({ name: `Of many ${count}` })
      await openai.organization.groups.users.create(group.id, { user_id: who })
      await openai.organization.groups.users.create(id, { user_id: await user() })
      await openai.organization.groups.roles.create(group.id, { role_id: role.id })
      await openai.organization.groups.roles.create(id, { role_id: role.id })
    }
    assert.deepEqual(await statements(), before)
    assert.ok(Math.max(...before) <= 3, String(before))
  })
})

describe('the query of a list', () => {
  it('takes limits within the documented range, 0 as an empty page, and none below or above it', async () => {
    const { id } = await openai.organization.groups.create({ name: 'Ranges' })
    const who = await user()
    const next = ['/groups', `/groups/${id}/users`, `/groups/${id}/roles`, `/users/${who}/roles`, '/roles']
    for (const path of next) {
      const none = await get(`${path}?limit=0`)
      assert.deepEqual(
        [none.status, none.body],
        [200, { object: 'list', data: [], has_more: false, next: null }],
      )
      assert.equal((await get(`${path}?limit=1000`)).status, 200)
      await assertParam(`${path}?limit=1001`, 'limit')
      await assertParam(`${path}?limit=-1`, 'limit')
      await assertParam(`${path}?order=up`, 'order')
    }
    assert.equal((await get('/users?limit=100')).status, 200)
    await assertParam('/users?limit=0', 'limit')
    await assertParam('/users?limit=101', 'limit')
    for (const path of [...next, '/users']) {
      for (const limit of ['x', '1.5', '1&limit=2']) await assertParam(`${path}?limit=${limit}`, 'limit')
      assert.equal((await get(`${path}?limit=`)).status, 200)
    }
  })

  it('refuses an after that is no id, or of something that never was in the organization', async () => {
    const { id } = await openai.organization.groups.create({ name: 'After' })
    const who = await user()
    for (const [path, prefix] of [
      ['/groups', 'group_'],
      [`/groups/${id}/users`, 'user-'],
      ['/users', 'user-'],
      ['/roles', 'role_'],
      [`/groups/${id}/roles`, 'role_'],
      [`/users/${who}/roles`, 'role_'],
    ] as const) {
      const unknown = `${prefix}AZkAAAAAcACAAAAAAACrzQ`
      const malformed = ['', 'x', prefix, `${unknown}x`, 'role-api-organization-king', 'x'.repeat(201)]
      for (const after of [...malformed, unknown, 'after[]=x']) {
        await assertParam(`${path}?after=${after}`, 'after')
        if (after === unknown) await assertParam(`${path}?after=${after}&limit=1`, 'after')
      }
    }
    await assertParam(`/groups?after=${foreignGroup}`, 'after')
  })

  it('may have more than is known: it is ignored', async () => {
    assert.equal((await get('/groups?before=x&group_type=tenant_group')).status, 200)
  })
})

async function assertParam(path: string, param: string): Promise<void> {
  const { status, body } = await get(path)
  assert.deepEqual([status, body.error?.code, body.error?.param], [400, 'invalid_value', param], path)
}
