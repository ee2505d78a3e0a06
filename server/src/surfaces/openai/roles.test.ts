import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'
import { assertRefused, type OpenaiClient, openaiClient } from '../../../test/openai-client.ts'
import { permissions } from '../../directory/access/permission.ts'

let app: TestApp
let openai: OpenaiClient
let other: OpenaiClient
let directory: DirectoryClient
let organizationId: string
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  const { id, path, key } = await app.organization('acme')
  organizationId = id
  directory = directoryClient(app, path)
  openai = await openaiClient(app, key)
  other = await openaiClient(app, (await app.organization('other')).key)
})

const roles = () => openai.organization.roles
const fullId = (name: string) => `role-api-organization-${name}__api-organization__${organizationId}`

let made = 0
const role = (more: object = {}) =>
  roles().create({ role_name: `Role ${++made}`, permissions: ['api.groups.read'], ...more })

describe('a custom role', () => {
  it('is created, retrieved, changed and deleted with exactly the documented fields', async () => {
    const permissions = ['api.groups.read', 'api.users.write', 'api.model.request']
    const created = await roles().create({ role_name: 'API Group Manager', permissions })
    const { id } = created
    assert.match(id, /^role_[A-Za-z0-9_-]{22}$/)
    const rest = { object: 'role', id, resource_type: 'api.organization', predefined_role: false }
    assert.deepEqual({ ...created }, { ...rest, name: 'API Group Manager', description: null, permissions })
    assert.deepEqual({ ...(await roles().retrieve(id)) }, { ...created })
    const update = { role_name: 'Renamed', permissions: ['api.model.read'], description: 'May read models.' }
    const updated = await roles().update(id, update)
    const after = {
      ...rest,
      name: 'Renamed',
      description: 'May read models.',
      permissions: ['api.model.read'],
    }
    assert.deepEqual({ ...updated }, after)
    assert.deepEqual(
      (await roles().list()).data.find((listed) => listed.id === id),
      after,
    )
    assert.deepEqual({ ...(await roles().delete(id)) }, { object: 'role.deleted', id, deleted: true })
    await assertRefused(roles().retrieve(id), 404, 'not_found')
    await assertRefused(roles().update(id, {}), 404, 'not_found')
    await assertRefused(roles().delete(id), 404, 'not_found')
  })

  it('keeps what an update leaves out; null clears the description and nothing else', async () => {
    const { id, name } = await role({ description: 'Said.' })
    for (const update of [{}, { role_name: null, permissions: null }]) {
      const kept = await roles().update(id, update)
      assert.deepEqual([kept.name, kept.description, kept.permissions], [name, 'Said.', ['api.groups.read']])
    }
    assert.equal((await roles().update(id, { description: null })).description, null)
    assert.deepEqual((await roles().update(id, { permissions: [] })).permissions, [])
  })

  it('may give nothing at all', async () => {
    assert.deepEqual((await role({ permissions: [] })).permissions, [])
  })

  it('has a name that no other role of the organization has, in any case of letters', async () => {
    const { id, name } = await role()
    const taken = name.toUpperCase()
    await assertRefused(role({ role_name: taken }), 409, 'already_exists', 'role_name')
    const { id: second } = await role()
    await assertRefused(roles().update(second, { role_name: taken }), 409, 'already_exists', 'role_name')
    await assertRefused(role({ role_name: 'OWNER' }), 409, 'already_exists', 'role_name')
    await other.organization.roles.create({ role_name: name, permissions: [] })
    assert.equal((await roles().update(id, { role_name: taken })).name, taken)
  })

  it('that somebody has can be deleted, and is theirs no more', async () => {
    const { id } = await role()
    const user = (await directory.member()).id.replace('mem_', 'user-')
    await openai.organization.users.roles.create(user, { role_id: id })
    await roles().delete(id)
    assert.deepEqual((await openai.organization.users.roles.list(user)).data, [])
  })

  it('of a project or of another organization is unknown among the organization roles', async () => {
    const project = await directory.post('/roles', { name: 'Builder', permissions: [], resource: 'project' })
    const { id: foreign } = await other.organization.roles.create({ role_name: 'Theirs', permissions: [] })
    const malformed = ['role_x', 'x', 'role-api-organization-king', 'role-api-organization-owner__x']
    for (const id of [project.id, foreign, ...malformed]) {
      await assertRefused(roles().retrieve(id), 404, 'not_found')
      await assertRefused(roles().update(id, { role_name: 'Mine' }), 404, 'not_found')
      await assertRefused(roles().delete(id), 404, 'not_found')
    }
    const listed = (await roles().list()).data.map((found) => found.id)
    assert.ok(!listed.includes(project.id) && !listed.includes(foreign))
  })

  it('is refused by the name of the field that breaks its rule', async () => {
    const good = { role_name: 'Good', permissions: [] as string[] }
    const cases: [object, string][] = [
      [{ ...good, role_name: '' }, 'role_name'],
      [{ ...good, role_name: 'x'.repeat(256) }, 'role_name'],
      [{ ...good, role_name: 7 }, 'role_name'],
      [{ permissions: [] }, 'role_name'],
      [{ role_name: 'Good' }, 'permissions'],
      [{ ...good, permissions: 'api.groups.read' }, 'permissions'],
      [{ ...good, permissions: new Array(201).fill('api.model.read') }, 'permissions'],
      [{ ...good, permissions: ['api.model.read', 7] }, 'permissions[1]'],
      [{ ...good, permissions: ['x'.repeat(101)] }, 'permissions[0]'],
      [{ ...good, permissions: ['no permission'] }, 'permissions[0]'],
      [{ ...good, description: 'x'.repeat(1001) }, 'description'],
    ]
    for (const [body, field] of cases) {
      await assertRefused(roles().create(body as never), 400, 'invalid_value', field)
    }
  })
})

describe('the names of permissions', () => {
  it("are OpenAI's, to and fro, and mean what the Directory API's mean", async () => {
    const owner = await roles().retrieve('role-api-organization-owner')
    assert.equal(owner.permissions.length, permissions.length)
    const { id } = await role({ permissions: owner.permissions })
    const own = await directory.get(`/roles/${id}`)
    assert.deepEqual(own.permissions.toSorted(), permissions.toSorted())
    assert.deepEqual((await roles().retrieve(id)).permissions, owner.permissions)
    const { id: users } = await role({ permissions: ['api.users.read', 'api.audit_logs.read'] })
    assert.deepEqual((await directory.get(`/roles/${users}`)).permissions, ['members:read', 'changes:read'])
  })

  it("of applications pass unchanged, also those that look like OpenAI's", async () => {
    const names = [
      'api.model.request',
      'model.request',
      'api.organization.projects.api_keys.read',
      'a:b',
      'a/b',
    ]
    const { id } = await role({ permissions: names })
    assert.deepEqual((await roles().retrieve(id)).permissions, names)
    assert.deepEqual((await directory.get(`/roles/${id}`)).permissions, names)
  })

  it("in the Directory API's spelling are refused, with the right ones", async () => {
    for (const [name, meant] of [
      ['groups:read', /permissions\[0\] must be api\.groups\.read here/],
      ['members:write', /must be api\.users\.write here/],
      ['groups.read', /must be one of api\.groups\.read, api\.groups\.write here/],
      ['members:frobnicate', /must be one of api\.users\.read, api\.users\.write here/],
    ] as const) {
      const error = await assertRefused(role({ permissions: [name] }), 400, 'invalid_value', 'permissions[0]')
      assert.match(error.message, meant)
    }
  })
})

describe('a predefined role', () => {
  it('is listed by the id that is bound to the organization, with what it gives', async () => {
    const { data } = await roles().list()
    const predefined = data.filter((listed) => listed.predefined_role)
    assert.deepEqual(
      predefined.map(({ id, name }) => [id, name]),
      ['owner', 'admin', 'reader'].map((name) => [fullId(name), name]),
    )
    const reader = predefined.at(-1)!
    assert.ok(reader.permissions.includes('api.groups.read'))
    assert.ok(!reader.permissions.includes('api.groups.write'))
  })

  it('is retrieved by its alias, its full id or its own id, and answered by the one that was asked for', async () => {
    const own = (await directory.get('/roles?resource=organization')).data.find(
      (listed: { key: string }) => listed.key === 'member',
    ).id
    for (const id of ['role-api-organization-reader', fullId('reader'), own]) {
      const found = await roles().retrieve(id)
      assert.deepEqual([found.id, found.name, found.predefined_role], [id, 'reader', true])
    }
  })

  it('stays as it is: 400', async () => {
    for (const id of ['role-api-organization-owner', fullId('admin')]) {
      await assertRefused(roles().update(id, { role_name: 'x' }), 400, 'predefined_role')
      await assertRefused(roles().delete(id), 400, 'predefined_role')
    }
  })

  it('bound to another organization, or to something else, is unknown', async () => {
    const [theirs] = (await other.organization.roles.list()).data
    for (const id of [
      theirs!.id,
      'role-api-organization-owner__api-organization__x',
      `role-api-organization-owner__api-project__${organizationId}`,
      'role-api-organization-owner__',
      'role-api-organization-viewer',
      'role-api-organization-toString',
    ]) {
      await assertRefused(roles().retrieve(id), 404, 'not_found')
    }
  })
})
