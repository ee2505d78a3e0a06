import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'
import { assertRefused, type OpenaiClient, openaiClient } from '../../../test/openai-client.ts'

let app: TestApp
let openai: OpenaiClient
let directory: DirectoryClient
/** A user of another organization. */
let foreign: string
before(async () => {
  app = await startTestApp()
  const { path, key } = await app.organization('acme')
  directory = directoryClient(app, path)
  openai = await openaiClient(app, key)
  foreign = (await app.organization('other')).ownerId
})

const users = () => openai.organization.groups.users
const group = async () => (await openai.organization.groups.create({ name: 'Group' })).id
const user = async (more: Record<string, unknown> = {}) =>
  (await directory.member(more)).id.replace('mem_', 'user-')

describe('a user of a group', () => {
  it('is added, retrieved, listed and removed, user first and group second, with the documented fields', async () => {
    const id = await group()
    const user_id = await user({ email: 'ada@acme.example', first_name: 'Ada', last_name: 'Lovelace' })
    const named = { id: user_id, name: 'Ada Lovelace', email: 'ada@acme.example' }

    const added = await users().create(id, { user_id })
    assert.deepEqual({ ...added }, { object: 'group.user', user_id, group_id: id })
    assert.deepEqual((await users().list(id)).data, [named])
    assert.deepEqual(
      { ...(await users().retrieve(user_id, { group_id: id })) },
      { ...named, picture: null, is_service_account: false, user_type: 'user' },
    )
    const removed = await users().delete(user_id, { group_id: id })
    assert.deepEqual({ ...removed }, { object: 'group.user.deleted', deleted: true })
    assert.deepEqual((await users().list(id)).data, [])
    await assertRefused(users().retrieve(user_id, { group_id: id }), 404, 'not_found')
  })

  it('may be added again, which changes nothing, and removed once', async () => {
    const id = await group()
    const user_id = await user()
    const first = await users().create(id, { user_id })
    const change = await directory.lastChange()
    assert.deepEqual({ ...(await users().create(id, { user_id })) }, { ...first })
    assert.equal((await directory.lastChange()).id, change.id)
    assert.equal((await users().list(id)).data.length, 1)
    await users().delete(user_id, { group_id: id })
    await assertRefused(users().delete(user_id, { group_id: id }), 404, 'not_found')
  })

  it('is known by the ids that other dialects give it, and answered by those that were asked for', async () => {
    const [id, user_id] = [await group(), await user()]
    const asked = { group: id.replace('group_', 'grp_'), user: user_id.replace('user-', 'mem_') }
    const added = await users().create(asked.group, { user_id: asked.user })
    assert.deepEqual({ ...added }, { object: 'group.user', user_id: asked.user, group_id: asked.group })
    assert.equal((await users().retrieve(asked.user, { group_id: asked.group })).id, asked.user)
    assert.deepEqual(
      (await users().list(asked.group)).data.map((row) => row.id),
      [user_id],
    )
    await users().delete(asked.user, { group_id: asked.group })
  })

  it('stands once in the list, whatever keeps it in the group, and is removed from all of it at once', async () => {
    const id = await group()
    const member = await directory.member({ external_reference_id: 'synced' })
    const user_id = member.id.replace('mem_', 'user-')
    await directory.sync(id.replace('group_', 'grp_'), ['synced'])
    await directory.add(id.replace('group_', 'grp_'), member.id)
    await users().create(id, { user_id })
    assert.equal((await users().list(id)).data.length, 1)
    await users().delete(user_id, { group_id: id })
    assert.deepEqual((await users().list(id)).data, [])
  })

  it('has the best name there is: its own, its email, or what the integrator calls it', async () => {
    const id = await group()
    for (const more of [
      { email: 'a@acme.example', display_name: 'Shown', first_name: 'F' },
      { email: 'b@acme.example', first_name: 'First' },
      { email: 'c@acme.example' },
      { email: null, external_reference_id: 'reference' },
    ]) {
      await users().create(id, { user_id: await user(more) })
    }
    assert.deepEqual(
      (await users().list(id, { order: 'asc' })).data.map((row) => [row.name, row.email]),
      [
        ['Shown', 'a@acme.example'],
        ['First', 'b@acme.example'],
        ['c@acme.example', 'c@acme.example'],
        ['reference', null],
      ],
    )
  })
})

describe('adding a user to a group', () => {
  it('refuses whom the organization does not have, naming user_id, and a group it does not have', async () => {
    const [id, user_id] = [await group(), await user()]
    const gone = await user()
    await openai.organization.users.delete(gone)
    const unknown = 'user-AZkAAAAAcACAAAAAAACrzQ'
    for (const nobody of [unknown, foreign.replace('mem_', 'user-'), foreign, 'x', 'group_x', gone]) {
      await assertRefused(users().create(id, { user_id: nobody }), 404, 'not_found', 'user_id')
      await assertRefused(users().retrieve(nobody, { group_id: id }), 404, 'not_found')
      await assertRefused(users().delete(nobody, { group_id: id }), 404, 'not_found')
    }
    const nowhere = 'group_AZkAAAAAcACAAAAAAACrzQ'
    await assertRefused(users().create(nowhere, { user_id }), 404, 'not_found')
    await assertRefused(users().list(nowhere), 404, 'not_found')
    assert.deepEqual((await users().list(id)).data, [])
  })

  it('needs user_id as a text', async () => {
    const id = await group()
    for (const user_id of [undefined, null, 7, '', {}, []]) {
      await assertRefused(users().create(id, { user_id: user_id as never }), 400, 'invalid_value', 'user_id')
    }
  })
})
