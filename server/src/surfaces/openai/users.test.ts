import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'
import { assertRefused, type OpenaiClient, openaiClient } from '../../../test/openai-client.ts'

let app: TestApp
let openai: OpenaiClient
let other: OpenaiClient
let directory: DirectoryClient
let key: string
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  const organization = await app.organization('acme')
  key = organization.key
  directory = directoryClient(app, organization.path)
  openai = await openaiClient(app, key)
  other = await openaiClient(app, (await app.organization('other')).key)
})

const users = () => openai.organization.users
const idOf = (member: { id: string }) => member.id.replace('mem_', 'user-')
const user = async (more: Record<string, unknown> = {}) => idOf(await directory.member(more))

describe('a user', () => {
  it('is retrieved with exactly the documented fields', async () => {
    const before = Math.floor(Date.now() / 1000)
    const id = await user({ email: 'Ada@acme.example', display_name: 'Ada' })
    const { added_at, ...rest } = await users().retrieve(id)
    assert.ok(Number.isInteger(added_at) && added_at >= before)
    assert.deepEqual(rest, {
      object: 'organization.user',
      id,
      name: 'Ada',
      email: 'Ada@acme.example',
      role: 'reader',
      created: added_at,
      is_default: false,
      is_service_account: false,
      is_scim_managed: false,
      is_scale_tier_authorized_purchaser: null,
      api_key_last_used_at: null,
      technical_level: null,
      developer_persona: null,
      user: {
        object: 'user',
        id,
        email: 'Ada@acme.example',
        name: 'Ada',
        picture: null,
        enabled: true,
        banned: false,
        banned_at: null,
      },
      projects: null,
    })
  })

  it('is known by the id that the Directory API gives it, and answered by the id that was asked for', async () => {
    const { id } = await directory.member()
    for (const asked of [id, idOf({ id })]) {
      const found = await users().retrieve(asked)
      assert.deepEqual([found.id, found.user?.id], [asked, asked])
      assert.equal((await users().update(asked, { technical_level: asked })).id, asked)
    }
    assert.equal((await users().delete(id)).id, id)
  })

  it('who is suspended is still there, and not enabled', async () => {
    const member = await directory.member()
    await directory.post(`/members/${member.id}/suspend`)
    assert.equal((await users().retrieve(member.id)).user?.enabled, false)
  })

  it('is deleted by being removed from the organization, and is unknown from then on', async () => {
    const id = await user()
    const { id: groupId } = await openai.organization.groups.create({ name: 'Left' })
    await openai.organization.groups.users.create(groupId, { user_id: id })
    const deleted = await users().delete(id)
    assert.deepEqual({ ...deleted }, { object: 'organization.user.deleted', id, deleted: true })
    assert.equal((await directory.lastChange()).kind, 'member.removed')
    assert.deepEqual((await openai.organization.groups.users.list(groupId)).data, [])
    await assertRefused(users().retrieve(id), 404, 'not_found')
    await assertRefused(users().delete(id), 404, 'not_found')
    await assertRefused(users().update(id, { role: 'owner' }), 404, 'not_found')
    const ids = (await users().list({ limit: 100 })).data.map((found) => found.id)
    assert.ok(!ids.includes(id))
  })

  it('of another organization, or of a malformed id, is unknown', async () => {
    const id = await user()
    for (const asked of [id, 'user-x', 'x', id.replace('user-', 'user_'), id.replace('user-', 'group_')]) {
      await assertRefused(other.organization.users.retrieve(asked), 404, 'not_found')
      await assertRefused(other.organization.users.update(asked, {}), 404, 'not_found')
      await assertRefused(other.organization.users.delete(asked), 404, 'not_found')
    }
    await users().retrieve(id)
  })
})

describe('updating a user', () => {
  it('sets what the user is in the organization, by name or by the id of a predefined role', async () => {
    const id = await user()
    for (const [update, role, level] of [
      [{ role: 'owner' }, 'owner', 'owner'],
      [{ role: 'reader' }, 'reader', 'member'],
      [{ role_id: 'role-api-organization-admin' }, 'admin', 'admin'],
      [{ role_id: 'role-api-organization-owner' }, 'owner', 'owner'],
      [{ role_id: 'role-api-organization-reader' }, 'reader', 'member'],
      [{ role: 'admin', role_id: null }, 'admin', 'admin'],
    ] as const) {
      assert.equal((await users().update(id, update)).role, role)
      assert.equal((await directory.get(`/members/${id.replace('user-', 'mem_')}`)).level, level)
    }
  })

  it('with the id of a custom role assigns it besides', async () => {
    const id = await user()
    const role = await openai.organization.roles.create({ role_name: 'Custom', permissions: [] })
    assert.equal((await users().update(id, { role_id: role.id })).role, 'reader')
    assert.deepEqual(
      (await users().roles.list(id)).data.map((listed) => listed.id),
      [role.id],
    )
  })

  it('keeps notes among the metadata: others stay, null takes one away, an absent one stays', async () => {
    const member = await directory.member({ metadata: { cost_center: 'R&D', nothing: null } })
    const id = idOf(member)
    const notes = async (update: object) => {
      const { technical_level, developer_persona } = await users().update(id, update)
      return [technical_level, developer_persona]
    }
    assert.deepEqual(await notes({ technical_level: 'high', developer_persona: 'builder' }), [
      'high',
      'builder',
    ])
    assert.deepEqual(await notes({ technical_level: null }), [null, 'builder'])
    assert.deepEqual(await notes({}), [null, 'builder'])
    assert.deepEqual((await directory.get(`/members/${member.id}`)).metadata, {
      cost_center: 'R&D',
      nothing: null,
      developer_persona: 'builder',
    })
  })

  it('does all of it or nothing, each as a change of its own', async () => {
    const id = await user()
    await users().update(id, { role: 'admin', technical_level: 'high' })
    const { data } = await directory.get('/changes?order=desc&limit=2')
    assert.deepEqual(
      data.map((change: { kind: string }) => change.kind),
      ['member.updated', 'member.level_changed'],
    )
    const narrow = await openaiClient(app, await directory.key(['roles:write', 'roles:read']))
    const role = await openai.organization.roles.create({ role_name: 'Empty', permissions: [] })
    const both = { role_id: role.id, technical_level: 'low' }
    await assertRefused(narrow.organization.users.update(id, both), 403, 'insufficient_permissions')
    assert.deepEqual(
      (await users().roles.list(id)).data.map((listed) => listed.name),
      ['admin'],
    )
  })

  it('changes nothing where nothing is said', async () => {
    const id = await user()
    const change = await directory.lastChange()
    for (const update of [{}, { role: null, role_id: null }, { technical_level: null }]) {
      assert.equal((await users().update(id, update)).role, 'reader')
    }
    assert.equal((await directory.lastChange()).id, change.id)
  })

  it('is refused by the name of the field that breaks its rule', async () => {
    const id = await user()
    const project = await directory.post('/roles', { name: 'Builder', permissions: [], resource: 'project' })
    for (const [update, status, field] of [
      [{ role: 'king' }, 400, 'role'],
      [{ role: 7 }, 400, 'role'],
      [{ role: 'owner', role_id: 'role-api-organization-owner' }, 400, 'role_id'],
      [{ role_id: 'role_x' }, 404, 'role_id'],
      [{ role_id: project.id }, 404, 'role_id'],
      [{ role_id: '' }, 400, 'role_id'],
      [{ technical_level: 'x'.repeat(256) }, 400, 'technical_level'],
      [{ developer_persona: 7 }, 400, 'developer_persona'],
    ] as const) {
      const code = status === 404 ? 'not_found' : 'invalid_value'
      await assertRefused(users().update(id, update as never), status, code, field)
    }
  })

  it('makes an owner only for who ranks as one', async () => {
    const admin = await directory.member({ level: 'admin' })
    const asAdmin = await openaiClient(app, await directory.key(['*'], { member_id: admin.id }))
    const id = await user()
    await assertRefused(
      asAdmin.organization.users.update(id, { role: 'owner' }),
      403,
      'insufficient_permissions',
      'role',
    )
    await assertRefused(asAdmin.organization.users.delete(idOf(admin)), 400, 'unchangeable_self')
  })
})

describe('the list of users', () => {
  it('shows those with any of some emails, in any case of letters, as the SDK and as the page write it', async () => {
    const emails = ['one@list.example', 'Two@list.example', 'three@list.example']
    const ids: string[] = []
    for (const email of emails) ids.push(await user({ email }))
    const asked = ['ONE@list.example', 'three@LIST.example', 'nobody@list.example']
    const found: string[] = []
    for await (const listed of users().list({ emails: asked, limit: 1 })) found.push(listed.id)
    assert.deepEqual(found, [ids[0], ids[2]])

    const plain = '/v1/organization/users?emails=one@list.example&emails=two@list.example'
    const { body } = await app.call('GET', plain, { key })
    assert.deepEqual(
      body.data.map((row: { id: string }) => row.id),
      ids.slice(0, 2),
    )
    assert.deepEqual((await users().list({ emails: ['nobody@list.example'] })).data, [])
  })

  it('refuses an address that is none, by its place', async () => {
    const call = users().list({ emails: ['one@list.example', 'nobody'] })
    await assertRefused(call, 400, 'invalid_value', 'emails[1]')
  })
})
