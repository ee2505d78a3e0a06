import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'
import { manageGroup } from '../../../test/managed-group.ts'
import { assertRefused, type OpenaiClient, openaiClient } from '../../../test/openai-client.ts'

let app: TestApp
let openai: OpenaiClient
let other: OpenaiClient
let directory: DirectoryClient
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  const { path, key } = await app.organization('acme')
  directory = directoryClient(app, path)
  openai = await openaiClient(app, key)
  other = await openaiClient(app, (await app.organization('other')).key)
})

const groups = () => openai.organization.groups
const GROUP_KEYS = ['object', 'id', 'name', 'created_at', 'is_scim_managed', 'group_type']

describe('a group', () => {
  it('is created, retrieved, renamed, listed and deleted with exactly the documented fields', async () => {
    const before = Math.floor(Date.now() / 1000)
    const created = await groups().create({ name: 'Engineering' })
    assert.deepEqual(Object.keys(created), GROUP_KEYS)
    assert.match(created.id, /^group_[A-Za-z0-9_-]{22}$/)
    assert.ok(Number.isInteger(created.created_at) && created.created_at >= before)
    const { id, created_at } = created
    const rest = { object: 'group', is_scim_managed: false, group_type: 'group' }
    assert.deepEqual({ ...created }, { ...rest, id, created_at, name: 'Engineering' })
    assert.deepEqual({ ...(await groups().retrieve(id)) }, { ...created })

    const updated = await groups().update(id, { name: 'Platform' })
    assert.deepEqual({ ...updated }, { id, name: 'Platform', created_at, is_scim_managed: false })

    const page = await groups().list()
    assert.deepEqual(
      page.data.find((group) => group.id === id),
      { ...rest, id, created_at, name: 'Platform' },
    )
    assert.deepEqual({ ...(await groups().delete(id)) }, { object: 'group.deleted', id, deleted: true })
    await assertRefused(groups().retrieve(id), 404, 'not_found')
    await assertRefused(groups().delete(id), 404, 'not_found')
    await assertRefused(groups().update(id, { name: 'x' }), 404, 'not_found')
  })

  it('is answered with its request id, which the SDK shows', async () => {
    const created = await groups().create({ name: 'Traced' })
    assert.match((created as { _request_id?: string })._request_id ?? '', /^req_/)
  })

  it('has the same name as another where both are asked for', async () => {
    const [first, second] = [await groups().create({ name: 'Same' }), await groups().create({ name: 'Same' })]
    assert.notEqual(first.id, second.id)
  })

  it('is known by the id that other dialects give it, and answered by the id that was asked for', async () => {
    const { id } = await directory.group({ name: 'Shared' })
    const own = id.replace('grp_', 'group_')
    for (const asked of [id, own]) {
      assert.equal((await groups().retrieve(asked)).id, asked)
      assert.equal((await groups().update(asked, { name: `As ${asked}` })).id, asked)
    }
    assert.equal((await directory.get(`/groups/${id}`)).name, `As ${own}`)
    const listed = (await groups().list()).data.map((group) => group.id)
    assert.ok(listed.includes(own) && !listed.includes(id))
    assert.equal((await groups().delete(id)).id, id)
  })

  it('has a name of 1 to 255 characters', async () => {
    const { id } = await groups().create({ name: 'x'.repeat(255) })
    for (const name of ['', 'x'.repeat(256), 7 as never, null as never, undefined as never]) {
      await assertRefused(groups().create({ name }), 400, 'invalid_value', 'name')
      await assertRefused(groups().update(id, { name }), 400, 'invalid_value', 'name')
    }
  })

  it('of another organization, or of a malformed id, is unknown', async () => {
    const { id } = await groups().create({ name: 'Ours' })
    for (const asked of [id, 'group_x', 'x', `${id}x`, id.toUpperCase(), id.replace('group_', 'user-')]) {
      const error = await assertRefused(other.organization.groups.retrieve(asked), 404, 'not_found')
      assert.equal(error.message, '404 There is no group with this id.')
      await assertRefused(other.organization.groups.update(asked, { name: 'Theirs' }), 404, 'not_found')
      await assertRefused(other.organization.groups.delete(asked), 404, 'not_found')
    }
    assert.equal((await groups().retrieve(id)).name, 'Ours')
    assert.deepEqual((await other.organization.groups.list()).data, [])
  })
})

describe('a group that an identity provider manages', () => {
  it('says so, keeps its name and its members, and still takes roles', async () => {
    const { id } = await groups().create({ name: 'From the provider' })
    const [member, outsider] = [await directory.member(), await directory.member()]
    await groups().users.create(id, { user_id: member.id })
    await manageGroup(app.database, 'From the provider')
    assert.equal((await groups().retrieve(id)).is_scim_managed, true)

    openai.sent.length = 0
    const refused = [
      () => groups().update(id, { name: 'Mine now' }),
      () => groups().delete(id),
      () => groups().users.create(id, { user_id: outsider.id }),
      () => groups().users.delete(member.id, { group_id: id }),
    ]
    for (const call of refused) {
      const error = await assertRefused(call(), 403, 'group_managed_by_scim')
      assert.equal(error.type, 'invalid_request_error')
      assert.equal(error.headers?.get('x-should-retry'), 'false')
    }
    assert.equal(openai.sent.length, refused.length)
    assert.equal((await groups().retrieve(id)).name, 'From the provider')

    const given = await groups().roles.create(id, { role_id: 'role-api-organization-reader' })
    assert.equal(given.group.scim_managed, true)
    await groups().roles.delete('role-api-organization-reader', { group_id: id })
  })
})
