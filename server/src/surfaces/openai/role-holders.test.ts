import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'
import { assertRefused, type OpenaiClient, openaiClient } from '../../../test/openai-client.ts'

let app: TestApp
let openai: OpenaiClient
let directory: DirectoryClient
let organizationId: string
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  const { id, path, key } = await app.organization('acme')
  organizationId = id
  directory = directoryClient(app, path)
  openai = await openaiClient(app, key)
})

let made = 0
const group = () => openai.organization.groups.create({ name: `Group ${++made}` })
const user = async () => (await directory.member()).id.replace('mem_', 'user-')
const role = (permissions = ['api.groups.read']) =>
  openai.organization.roles.create({ role_name: `Role ${++made}`, permissions, description: 'What for.' })
const groupRoles = () => openai.organization.groups.roles
const userRoles = () => openai.organization.users.roles

const READER = 'role-api-organization-reader'
const fullReader = () => `${READER}__api-organization__${organizationId}`

const ASSIGNED_ROLE_KEYS = [
  'id',
  'name',
  'description',
  'permissions',
  'resource_type',
  'predefined_role',
  'created_at',
  'updated_at',
  'created_by',
  'created_by_user_obj',
  'metadata',
  'assignment_sources',
]

describe('a role of a group', () => {
  it('is assigned, retrieved, listed and unassigned with exactly the documented fields', async () => {
    const [on, given] = [await group(), await role()]
    const created = await groupRoles().create(on.id, { role_id: given.id })
    assert.deepEqual(
      { ...created },
      {
        object: 'group.role',
        group: {
          object: 'group',
          id: on.id,
          name: on.name,
          created_at: on.created_at,
          scim_managed: false,
        },
        role: { ...given },
      },
    )
    const assigned = await groupRoles().retrieve(given.id, { group_id: on.id })
    assert.deepEqual(Object.keys(assigned), ASSIGNED_ROLE_KEYS)
    const { created_at, updated_at, ...rest } = assigned
    assert.ok(Number.isInteger(created_at) && Number.isInteger(updated_at))
    const { object, ...fields } = given
    assert.equal(object, 'role')
    assert.deepEqual(rest, {
      ...fields,
      created_by: null,
      created_by_user_obj: null,
      metadata: {},
      assignment_sources: null,
    })
    assert.deepEqual((await groupRoles().list(on.id)).data, [{ ...assigned }])
    const deleted = await groupRoles().delete(given.id, { group_id: on.id })
    assert.deepEqual({ ...deleted }, { object: 'group.role.deleted', deleted: true })
    assert.deepEqual((await groupRoles().list(on.id)).data, [])
    await assertRefused(groupRoles().retrieve(given.id, { group_id: on.id }), 404, 'not_found')
    await assertRefused(groupRoles().delete(given.id, { group_id: on.id }), 404, 'not_found')
  })

  it('is assigned by alias and by full id, and answered by the one that was asked for', async () => {
    const on = await group()
    for (const id of [READER, fullReader()]) {
      assert.equal((await groupRoles().create(on.id, { role_id: id })).role.id, id)
      assert.equal((await groupRoles().retrieve(id, { group_id: on.id })).id, id)
      assert.deepEqual(
        (await groupRoles().list(on.id)).data.map((listed) => listed.id),
        [fullReader()],
      )
      await groupRoles().delete(id, { group_id: on.id })
    }
  })
})

describe('a role of a user', () => {
  it('is assigned, retrieved, listed and unassigned with exactly the documented fields', async () => {
    const [who, given] = [await user(), await role()]
    const created = await userRoles().create(who, { role_id: given.id })
    assert.deepEqual(Object.keys(created), ['object', 'user', 'role'])
    assert.equal(created.object, 'user.role')
    assert.deepEqual(created.user, { ...(await openai.organization.users.retrieve(who)) })
    assert.deepEqual(created.role, { ...given })
    const assigned = await userRoles().retrieve(given.id, { user_id: who })
    assert.deepEqual(Object.keys(assigned), ASSIGNED_ROLE_KEYS)
    assert.deepEqual((await userRoles().list(who)).data, [{ ...assigned }])
    const deleted = await userRoles().delete(given.id, { user_id: who })
    assert.deepEqual({ ...deleted }, { object: 'user.role.deleted', deleted: true })
    assert.deepEqual((await userRoles().list(who)).data, [])
    await assertRefused(userRoles().retrieve(given.id, { user_id: who }), 404, 'not_found')
  })

  it('may be assigned again, which changes nothing', async () => {
    const [who, given] = [await user(), await role()]
    await userRoles().create(who, { role_id: given.id })
    const change = await directory.lastChange()
    await userRoles().create(who, { role_id: given.id })
    assert.equal((await directory.lastChange()).id, change.id)
  })

  it('that groups give names those groups, cannot be unassigned, and names none once it is direct', async () => {
    const [who, given] = [await user(), await role()]
    const [first, second] = [await group(), await group()]
    for (const { id } of [first, second]) {
      await openai.organization.groups.users.create(id, { user_id: who })
      await groupRoles().create(id, { role_id: given.id })
    }
    const [held, ...more] = (await userRoles().list(who)).data
    assert.deepEqual(more, [])
    assert.deepEqual(
      held!.assignment_sources,
      [first, second].map(({ id }) => ({ principal_id: id, principal_type: 'group' })),
    )
    await assertRefused(userRoles().delete(given.id, { user_id: who }), 404, 'not_found')

    await userRoles().create(who, { role_id: given.id })
    assert.equal((await userRoles().retrieve(given.id, { user_id: who })).assignment_sources, null)
    await userRoles().delete(given.id, { user_id: who })
    await openai.organization.groups.delete(first.id)
    assert.deepEqual((await userRoles().retrieve(given.id, { user_id: who })).assignment_sources, [
      { principal_id: second.id, principal_type: 'group' },
    ])
    await openai.organization.groups.users.delete(who, { group_id: second.id })
    assert.deepEqual((await userRoles().list(who)).data, [])
  })

  it('shows at once in what the user is: an owner through a group is one', async () => {
    const [who, { id }] = [await user(), await group()]
    assert.equal((await openai.organization.users.retrieve(who)).role, 'reader')
    await openai.organization.groups.users.create(id, { user_id: who })
    await groupRoles().create(id, { role_id: 'role-api-organization-owner' })
    assert.equal((await openai.organization.users.retrieve(who)).role, 'owner')
  })

  it('is gone at the moment it ends, and with the membership of the group that gives it', async () => {
    const [mine, lent] = [await role(), await role()]
    const [who, { id }] = [await user(), await group()]
    await groupRoles().create(id, { role_id: lent.id })
    const expires_at = new Date(Date.now() + 1500).toISOString()
    const member = who.replace('user-', 'mem_')
    await directory.post('/role_assignments', { role: mine.id, member, expires_at })
    await directory.add(id.replace('group_', 'grp_'), member, { expires_at })
    const held = (await userRoles().list(who)).data.map((listed) => listed.id)
    if (Date.now() < Date.parse(expires_at)) assert.deepEqual(held, [mine.id, lent.id])
    await setTimeout(Math.max(0, Date.parse(expires_at) - Date.now()) + 50)
    assert.deepEqual((await userRoles().list(who)).data, [])
    await assertRefused(userRoles().retrieve(lent.id, { user_id: who }), 404, 'not_found')
    assert.deepEqual((await openai.organization.groups.users.list(id)).data, [])
    await assertRefused(openai.organization.groups.users.retrieve(who, { group_id: id }), 404, 'not_found')
  })

  it('on a project is none on the organization', async () => {
    const [who, { id: project_id }] = [
      await user(),
      await openai.organization.projects.create({ name: 'Elsewhere' }),
    ]
    await openai.organization.projects.users.create(project_id, { user_id: who, role: 'owner' })
    assert.deepEqual((await userRoles().list(who)).data, [])
  })

  it('of somebody who is removed is unknown', async () => {
    const who = await user()
    await openai.organization.users.delete(who)
    await assertRefused(userRoles().list(who), 404, 'not_found')
    await assertRefused(userRoles().create(who, { role_id: READER }), 404, 'not_found')
  })
})

describe('assigning a role', () => {
  it('refuses a role that is not there or not for organizations, naming role_id', async () => {
    const [who, { id }] = [await user(), await group()]
    const foreign = await openaiClient(app, (await app.organization('other')).key)
    const theirs = await foreign.organization.roles.create({ role_name: 'Theirs', permissions: [] })
    const [bound] = (await foreign.organization.roles.list()).data
    const project = await directory.post('/roles', { name: 'Builder', permissions: [], resource: 'project' })
    for (const [role_id, status, code] of [
      [theirs.id, 404, 'not_found'],
      [bound!.id, 404, 'not_found'],
      ['role_x', 404, 'not_found'],
      ['role-api-organization-king', 404, 'not_found'],
      [project.id, 400, 'invalid_value'],
      ['role-api-project-viewer', 400, 'invalid_value'],
      ['', 400, 'invalid_value'],
      [undefined, 400, 'invalid_value'],
    ] as const) {
      const body = { role_id: role_id as string }
      await assertRefused(userRoles().create(who, body), status, code, 'role_id')
      await assertRefused(groupRoles().create(id, body), status, code, 'role_id')
    }
    const nobody = 'user-AZkAAAAAcACAAAAAAACrzQ'
    await assertRefused(userRoles().create(nobody, { role_id: READER }), 404, 'not_found')
    await assertRefused(userRoles().list(nobody), 404, 'not_found')
  })

  it('takes holding what the role gives', async () => {
    const who = await user()
    const narrow = await openaiClient(app, await directory.key(['roles:read', 'roles:write']))
    const { id } = await role(['api.groups.write'])
    const error = await assertRefused(
      narrow.organization.users.roles.create(who, { role_id: id }),
      403,
      'insufficient_permissions',
    )
    assert.match(error.message, /groups/)
    await assertRefused(
      narrow.organization.roles.create({ role_name: 'Beyond', permissions: ['api.groups.write'] }),
      403,
      'insufficient_permissions',
    )
  })

  it('never leaves the organization without an owner', async () => {
    const [owner] = (await openai.organization.users.list({ emails: ['owner@acme.example'] })).data
    const roleId = 'role-api-organization-owner'
    await assertRefused(userRoles().delete(roleId, { user_id: owner!.id }), 400, 'last_owner')
    await assertRefused(openai.organization.users.delete(owner!.id), 400, 'last_owner')
    await assertRefused(openai.organization.users.update(owner!.id, { role: 'reader' }), 400, 'last_owner')
  })
})
