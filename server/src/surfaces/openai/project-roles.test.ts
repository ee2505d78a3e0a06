import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { databaseState } from '../../../test/database-state.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'
import { assertRefused, type OpenaiClient, openaiClient } from '../../../test/openai-client.ts'

let app: TestApp
let directory: DirectoryClient
let openai: OpenaiClient
let projects: OpenaiClient['organization']['projects']
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  const { key, path } = await app.organization('acme')
  directory = directoryClient(app, path)
  openai = await openaiClient(app, key)
  projects = openai.organization.projects
})

const ROLE_KEYS = ['object', 'id', 'name', 'description', 'permissions', 'resource_type', 'predefined_role']
const ASSIGNED_KEYS = [
  ...['id', 'name', 'description', 'permissions', 'resource_type', 'predefined_role', 'created_at'],
  ...['updated_at', 'created_by', 'created_by_user_obj', 'metadata', 'assignment_sources'],
]
const UNKNOWN = 'role_AZkAAAAAcACAAAAAAACrzQ'
const project = async () => (await projects.create({ name: 'P' })).id
const group = async () => (await openai.organization.groups.create({ name: 'G' })).id
const person = async () => `user-${(await directory.member()).id.slice(4)}`
const fullId = (name: string, id: string) => `role-api-project-${name}__api-project__${id}`

describe('roles of a project', () => {
  it('are answered below /v1/projects, not below the organization', async () => {
    const id = await project()
    openai.sent.length = 0
    await projects.roles.list(id)
    assert.deepEqual(openai.sent, [{ method: 'GET', url: `/v1/projects/${id}/roles` }])
    const organizations = `/v1/organization/projects/${id}/roles`
    assert.equal((await app.call('GET', organizations)).status, 404)
  })

  it('are created, retrieved, changed and deleted, with exactly the documented fields', async () => {
    const id = await project()
    const body = {
      role_name: 'Releaser',
      permissions: ['api.groups.read', 'releases.cut'],
      description: 'Cuts',
    }
    const made = await projects.roles.create(id, body)
    assert.deepEqual(Object.keys(made), ROLE_KEYS)
    const expected = {
      object: 'role',
      id: made.id,
      name: 'Releaser',
      description: 'Cuts',
      permissions: ['api.groups.read', 'releases.cut'],
      resource_type: 'api.project',
      predefined_role: false,
    }
    assert.match(made.id, /^role_[A-Za-z0-9_-]{22}$/)
    assert.deepEqual({ ...made }, expected)
    assert.deepEqual({ ...(await projects.roles.retrieve(made.id, { project_id: id })) }, expected)
    const update = { project_id: id, role_name: 'Shipper', permissions: [], description: null }
    const changed = { ...expected, name: 'Shipper', permissions: [], description: null }
    assert.deepEqual({ ...(await projects.roles.update(made.id, update)) }, changed)
    assert.deepEqual({ ...(await projects.roles.update(made.id, { project_id: id })) }, changed)
    const deleted = await projects.roles.delete(made.id, { project_id: id })
    assert.deepEqual({ ...deleted }, { object: 'role.deleted', id: made.id, deleted: true })
    await assertRefused(projects.roles.retrieve(made.id, { project_id: id }), 404, 'not_found')
  })

  it('are its own, the predefined ones and those that the organization shares, and not another project’s', async () => {
    const [id, other] = [await project(), await project()]
    const own = await projects.roles.create(id, { role_name: 'Own', permissions: [] })
    const theirs = await projects.roles.create(other, { role_name: 'Own', permissions: [] })
    const shared = await directory.post('/roles', { name: 'Shared', resource: 'project', permissions: [] })
    const names: string[] = []
    for await (const role of projects.roles.list(id, { limit: 2 })) names.push(role.id)
    assert.deepEqual(names, [
      ...['owner', 'member', 'commenter', 'viewer', 'guest'].map((name) => fullId(name, id)),
      ...[own.id, shared.id],
    ])
    const reversed = await projects.roles.list(id, { order: 'desc', limit: 2 })
    assert.deepEqual(
      reversed.data.map((role) => role.id),
      [shared.id, own.id],
    )
    const update = { project_id: id, role_name: 'Mine' }
    await assertRefused(projects.roles.retrieve(theirs.id, { project_id: id }), 404, 'not_found')
    await assertRefused(projects.roles.update(theirs.id, update), 404, 'not_found')
    await assertRefused(projects.roles.delete(theirs.id, { project_id: id }), 404, 'not_found')
    assert.equal((await projects.roles.retrieve(theirs.id, { project_id: other })).name, 'Own')
  })

  it('that are predefined have an alias and a full id, and are answered by the one that was asked for', async () => {
    const [id, other] = [await project(), await project()]
    for (const name of ['owner', 'member', 'viewer']) {
      for (const asked of [`role-api-project-${name}`, fullId(name, id)]) {
        const role = await projects.roles.retrieve(asked, { project_id: id })
        assert.deepEqual([role.id, role.name, role.predefined_role], [asked, name, true])
        const update = { project_id: id, role_name: 'Mine' }
        await assertRefused(projects.roles.update(asked, update), 400, 'predefined_role')
        await assertRefused(projects.roles.delete(asked, { project_id: id }), 400, 'predefined_role')
      }
    }
    for (const unknown of [fullId('owner', other), 'role-api-project-admin', UNKNOWN, 'role_x', 'owner']) {
      await assertRefused(projects.roles.retrieve(unknown, { project_id: id }), 404, 'not_found')
    }
  })

  it('have a name that is unique in the project: 409, asked for once', async () => {
    const id = await project()
    await projects.roles.create(id, { role_name: 'Twice', permissions: [] })
    openai.sent.length = 0
    const again = projects.roles.create(id, { role_name: 'tWICE', permissions: [] })
    await assertRefused(again, 409, 'already_exists', 'role_name')
    assert.equal(openai.sent.length, 1)
  })
})

describe('the roles of a group and of a user on a project', () => {
  it('are assigned by alias, full id and custom id, retrieved, listed and unassigned', async () => {
    const id = await project()
    const custom = (await projects.roles.create(id, { role_name: 'Custom', permissions: ['x.y'] })).id
    const [group_id, user_id] = [await group(), await person()]
    for (const asked of ['role-api-project-owner', fullId('viewer', id), custom]) {
      const body = { project_id: id, role_id: asked }
      const forGroup = await projects.groups.roles.create(group_id, body)
      assert.deepEqual(Object.keys(forGroup), ['object', 'group', 'role'])
      assert.deepEqual(
        [forGroup.object, forGroup.group.id, forGroup.role.id],
        ['group.role', group_id, asked],
      )
      assert.deepEqual(Object.keys(forGroup.group), ['object', 'id', 'name', 'created_at', 'scim_managed'])
      const forUser = await projects.users.roles.create(user_id, body)
      assert.deepEqual(Object.keys(forUser), ['object', 'user', 'role'])
      assert.deepEqual([forUser.object, forUser.user.id, forUser.role.id], ['user.role', user_id, asked])
      assert.deepEqual(Object.keys(forUser.role), ROLE_KEYS)
      const held = await projects.groups.roles.retrieve(asked, { project_id: id, group_id })
      assert.deepEqual(Object.keys(held), ASSIGNED_KEYS)
      assert.deepEqual([held.id, held.resource_type, held.assignment_sources], [asked, 'api.project', null])
      assert.equal((await projects.users.roles.retrieve(asked, { project_id: id, user_id })).id, asked)
    }
    const ids = [fullId('owner', id), fullId('viewer', id), custom]
    for (const order of ['asc', 'desc'] as const) {
      const found: string[][] = [[], []]
      const query = { project_id: id, limit: 1, order }
      for await (const { id: role } of projects.groups.roles.list(group_id, query)) found[0]!.push(role)
      for await (const { id: role } of projects.users.roles.list(user_id, query)) found[1]!.push(role)
      const expected = order === 'asc' ? ids : ids.toReversed()
      assert.deepEqual(found, [expected, expected])
    }
    for (const role of [fullId('owner', id), 'role-api-project-viewer', custom]) {
      const offGroup = await projects.groups.roles.delete(role, { project_id: id, group_id })
      assert.deepEqual({ ...offGroup }, { object: 'group.role.deleted', deleted: true })
      const offUser = await projects.users.roles.delete(role, { project_id: id, user_id })
      assert.deepEqual({ ...offUser }, { object: 'user.role.deleted', deleted: true })
      const again = projects.users.roles.delete(role, { project_id: id, user_id })
      await assertRefused(again, 404, 'not_found')
      const absent = projects.groups.roles.retrieve(role, { project_id: id, group_id })
      await assertRefused(absent, 404, 'not_found')
    }
    assert.deepEqual((await projects.groups.list(id)).data, [])
    assert.deepEqual((await projects.users.list(id)).data, [])
  })

  it('tell through which groups they come, unless they are assigned directly', async () => {
    const [id, group_id, user_id] = [await project(), await group(), await person()]
    await openai.organization.groups.users.create(group_id, { user_id })
    const body = { project_id: id, role_id: 'role-api-project-member' }
    await projects.groups.roles.create(group_id, body)
    const sources = async () => {
      const { data } = await projects.users.roles.list(user_id, { project_id: id })
      return data.map((role) => role.assignment_sources)
    }
    assert.deepEqual(await sources(), [[{ principal_id: group_id, principal_type: 'group' }]])
    await projects.users.roles.create(user_id, body)
    assert.deepEqual(await sources(), [null])
  })

  it('need no access before: a custom role is access', async () => {
    const [id, user_id] = [await project(), await person()]
    const custom = await projects.roles.create(id, { role_name: 'Only', permissions: ['x.y'] })
    await projects.users.roles.create(user_id, { project_id: id, role_id: custom.id })
    assert.equal((await projects.users.retrieve(user_id, { project_id: id })).role, 'member')
    await projects.roles.delete(custom.id, { project_id: id })
    await assertRefused(projects.users.retrieve(user_id, { project_id: id }), 404, 'not_found')
  })

  it('are of this project only: roles elsewhere are refused by name', async () => {
    const [id, other, group_id, user_id] = [await project(), await project(), await group(), await person()]
    const theirs = (await projects.roles.create(other, { role_name: 'Theirs', permissions: [] })).id
    const before = await databaseState(app.database)
    const cases: [unknown, number, string][] = [
      [theirs, 400, 'invalid_value'],
      ['role-api-organization-owner', 400, 'invalid_value'],
      [fullId('owner', other), 404, 'not_found'],
      [UNKNOWN, 404, 'not_found'],
      ['', 400, 'invalid_value'],
      [null, 400, 'invalid_value'],
      [undefined, 400, 'invalid_value'],
    ]
    for (const [role_id, status, code] of cases) {
      const body = { project_id: id, role_id: role_id as string }
      await assertRefused(projects.groups.roles.create(group_id, body), status, code, 'role_id')
      await assertRefused(projects.users.roles.create(user_id, body), status, code, 'role_id')
    }
    const body = { project_id: id, role_id: 'role-api-project-owner' }
    await assertRefused(projects.users.roles.create('user-x', body), 404, 'not_found')
    await assertRefused(projects.groups.roles.create('group_x', body), 404, 'not_found')
    for (const query of [{ limit: 1001 }, { after: UNKNOWN }, { after: 'x' }]) {
      const list = projects.users.roles.list(user_id, { project_id: id, ...query })
      await assertRefused(list, 400, 'invalid_value', Object.keys(query)[0])
    }
    assert.deepEqual(await databaseState(app.database), before)
  })
})
