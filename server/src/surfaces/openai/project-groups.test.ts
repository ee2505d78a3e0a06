import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { databaseState } from '../../../test/database-state.ts'
import { manageGroup } from '../../../test/managed-group.ts'
import { assertRefused, type OpenaiClient, openaiClient } from '../../../test/openai-client.ts'

let app: TestApp
let key: string
let openai: OpenaiClient
let projects: OpenaiClient['organization']['projects']
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  ;({ key } = await app.organization('acme'))
  openai = await openaiClient(app, key)
  projects = openai.organization.projects
})

const OWNER = 'role-api-project-owner'
const MEMBER = 'role-api-project-member'
const UNKNOWN = 'group_AZkAAAAAcACAAAAAAACrzQ'
const project = async () => (await projects.create({ name: 'P' })).id
const group = async (name = 'G') => (await openai.organization.groups.create({ name })).id

describe('groups of a project', () => {
  it('are given access, retrieved, listed and taken off, with exactly the documented fields', async () => {
    const [id, group_id] = [await project(), await group('Engineering')]
    const given = await projects.groups.create(id, { group_id, role: MEMBER })
    assert.ok(Math.abs(given.created_at - Date.now() / 1000) < 60)
    const expected = {
      object: 'project.group',
      project_id: id,
      group_id,
      group_name: 'Engineering',
      group_type: 'group',
      created_at: given.created_at,
    }
    assert.deepEqual({ ...given }, expected)
    assert.deepEqual({ ...(await projects.groups.retrieve(group_id, { project_id: id })) }, expected)
    const typed = { project_id: id, group_type: 'group' } as const
    assert.deepEqual({ ...(await projects.groups.retrieve(group_id, typed)) }, expected)
    const { body } = await app.call('GET', `/v1/organization/projects/${id}/groups`, { key })
    assert.deepEqual(body, { object: 'list', data: [expected], has_more: false, next: null })
    const deleted = await projects.groups.delete(group_id, { project_id: id })
    assert.deepEqual({ ...deleted }, { object: 'project.group.deleted', deleted: true })
    assert.deepEqual((await projects.groups.list(id)).data, [])
  })

  it('are read through by the client in both orders, each once however many roles it has', async () => {
    const id = await project()
    const ids: string[] = []
    for (let n = 0; n < 5; n++) {
      const group_id = await group(`G ${n}`)
      for (const role of [OWNER, MEMBER]) await projects.groups.create(id, { group_id, role })
      ids.push(group_id)
    }
    for (const order of ['asc', 'desc', undefined] as const) {
      const found: string[] = []
      const query = { limit: 2, ...(order === undefined ? {} : { order }) }
      for await (const { group_id } of projects.groups.list(id, query)) found.push(group_id)
      assert.deepEqual(found, order === 'desc' ? ids.toReversed() : ids)
    }
    const none = await projects.groups.list(id, { limit: 0 })
    assert.deepEqual([none.data, none.has_more, none.next], [[], false, null])
    // A group that is taken off between two pages keeps its place.
    await projects.groups.delete(ids[1]!, { project_id: id })
    const rest = await projects.groups.list(id, { after: ids[1]! })
    assert.deepEqual(
      rest.data.map(({ group_id }) => group_id),
      ids.slice(2),
    )
  })

  it('stay as they are when they are given what they have, and the answer is the same', async () => {
    const [id, group_id] = [await project(), await group()]
    const given = await projects.groups.create(id, { group_id, role: MEMBER })
    const before = await databaseState(app.database)
    assert.deepEqual(await projects.groups.create(id, { group_id, role: MEMBER }), given)
    assert.deepEqual(await databaseState(app.database), before)
  })

  it('go with the group', async () => {
    const [id, group_id] = [await project(), await group()]
    await projects.groups.create(id, { group_id, role: OWNER })
    await openai.organization.groups.delete(group_id)
    assert.deepEqual((await projects.groups.list(id)).data, [])
    await assertRefused(projects.groups.retrieve(group_id, { project_id: id }), 404, 'not_found')
  })

  it('that an identity provider manages are given access like any other', async () => {
    const [id, group_id] = [await project(), await group('Managed')]
    await manageGroup(app.database, 'Managed')
    await projects.groups.create(id, { group_id, role: MEMBER })
    const role = await projects.groups.roles.create(group_id, { project_id: id, role_id: OWNER })
    assert.equal(role.group.scim_managed, true)
    await projects.groups.delete(group_id, { project_id: id })
  })
})

describe('a request about project groups that breaks a rule', () => {
  it('is refused by name, and changes nothing', async () => {
    const [id, group_id] = [await project(), await group()]
    const foreign = await projects.roles.create(await project(), { role_name: 'Theirs', permissions: [] })
    const before = await databaseState(app.database)
    const cases: [object, number, string, string][] = [
      [{ role: MEMBER }, 400, 'invalid_value', 'group_id'],
      [{ group_id }, 400, 'invalid_value', 'role'],
      [{ group_id, role: null }, 400, 'invalid_value', 'role'],
      [{ group_id, role: '' }, 400, 'invalid_value', 'role'],
      [{ group_id: UNKNOWN, role: MEMBER }, 404, 'not_found', 'group_id'],
      [{ group_id: 'x', role: MEMBER }, 404, 'not_found', 'group_id'],
      [{ group_id, role: 'member' }, 404, 'not_found', 'role'],
      [{ group_id, role: 'role-api-project-admin' }, 404, 'not_found', 'role'],
      [{ group_id, role: `${MEMBER}__api-project__proj_x` }, 404, 'not_found', 'role'],
      [{ group_id, role: 'role-api-organization-owner' }, 400, 'invalid_value', 'role'],
      [{ group_id, role: foreign.id }, 400, 'invalid_value', 'role'],
    ]
    for (const [body, status, code, param] of cases) {
      await assertRefused(projects.groups.create(id, body as never), status, code, param)
    }
    for (const limit of [-1, 101]) {
      await assertRefused(projects.groups.list(id, { limit }), 400, 'invalid_value', 'limit')
    }
    for (const after of [UNKNOWN, 'x']) {
      await assertRefused(projects.groups.list(id, { after }), 400, 'invalid_value', 'after')
    }
    assert.deepEqual(await databaseState(app.database), before)
  })

  it('about a group that has no access, or one of a tenant, is 404', async () => {
    const [id, group_id] = [await project(), await group()]
    for (const asked of [group_id, UNKNOWN, 'x']) {
      await assertRefused(projects.groups.retrieve(asked, { project_id: id }), 404, 'not_found')
      await assertRefused(projects.groups.delete(asked, { project_id: id }), 404, 'not_found')
    }
    await projects.groups.create(id, { group_id, role: MEMBER })
    const tenant = { project_id: id, group_type: 'tenant_group' } as const
    await assertRefused(projects.groups.retrieve(group_id, tenant), 404, 'not_found')
  })

  it('gives no access to an archived project, and can still take it away', async () => {
    const [id, group_id] = [await project(), await group()]
    await projects.groups.create(id, { group_id, role: MEMBER })
    await projects.archive(id)
    const again = projects.groups.create(id, { group_id, role: OWNER })
    await assertRefused(again, 400, 'project_archived')
    assert.equal((await projects.groups.list(id)).data.length, 1)
    await projects.groups.delete(group_id, { project_id: id })
    assert.deepEqual((await projects.groups.list(id)).data, [])
  })
})
