import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { holdOpen, untilWaiting } from '../../../test/campaigns/pauses.ts'
import { databaseState } from '../../../test/database-state.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'
import { assertRefused, type OpenaiClient, openaiClient } from '../../../test/openai-client.ts'

let app: TestApp
let directory: DirectoryClient
let projects: OpenaiClient['organization']['projects']
let users: OpenaiClient['organization']['projects']['users']
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  const { key, path } = await app.organization('acme')
  directory = directoryClient(app, path)
  projects = (await openaiClient(app, key)).organization.projects
  users = projects.users
})

const UNKNOWN = 'user-AZkAAAAAcACAAAAAAACrzQ'
/** Somebody in the organization. */
async function person(more: Record<string, unknown> = {}): Promise<{ id: string; email: string }> {
  const { id, email } = await directory.member(more)
  return { id: `user-${id.slice(4)}`, email }
}
const project = async () => (await projects.create({ name: 'P' })).id
const list = async (id: string) => {
  const found = []
  for await (const user of users.list(id, { limit: 2 })) found.push({ ...user })
  return found
}

describe('users of a project', () => {
  it('are added, retrieved, changed and deleted, with exactly the documented fields', async () => {
    const [id, { id: user_id, email }] = [await project(), await person({ display_name: 'Ada Lovelace' })]
    const added = await users.create(id, { user_id, role: 'member' })
    assert.ok(Math.abs(added.added_at - Date.now() / 1000) < 60)
    const expected = {
      object: 'organization.project.user',
      id: user_id,
      name: 'Ada Lovelace',
      email,
      role: 'member',
      added_at: added.added_at,
    }
    assert.deepEqual({ ...added }, expected)
    assert.deepEqual({ ...(await users.retrieve(user_id, { project_id: id })) }, expected)
    const changed = await users.update(user_id, { project_id: id, role: 'owner' })
    assert.deepEqual({ ...changed }, { ...expected, role: 'owner', added_at: changed.added_at })
    assert.deepEqual(await list(id), [{ ...changed }])
    const deleted = await users.delete(user_id, { project_id: id })
    const gone = { object: 'organization.project.user.deleted', id: user_id, deleted: true }
    assert.deepEqual({ ...deleted }, gone)
    assert.deepEqual(await list(id), [])
  })

  it('are added by email in whatever case, and by the ids of the Directory API', async () => {
    const [id, byEmail, byId] = [await project(), await person(), await person()]
    const email = byEmail.email.toUpperCase()
    assert.equal((await users.create(id, { email, user_id: null, role: 'owner' })).id, byEmail.id)
    const own = `mem_${byId.id.slice(5)}`
    assert.equal((await users.create(id, { user_id: own, role: 'member' })).id, own)
    assert.deepEqual(
      (await list(id)).map((user) => [user.id, user.role]),
      [
        [byEmail.id, 'owner'],
        [byId.id, 'member'],
      ],
    )
  })

  it('have the role that was set last, and setting it again changes nothing', async () => {
    const [id, { id: user_id }] = [await project(), await person()]
    await users.create(id, { user_id, role: 'owner' })
    assert.equal((await users.create(id, { user_id, role: 'member' })).role, 'member')
    const before = await databaseState(app.database)
    assert.equal((await users.create(id, { user_id, role: 'member' })).role, 'member')
    for (const update of [{ role: 'member' }, { role: null }, {}]) {
      assert.equal((await users.update(user_id, { project_id: id, ...update })).role, 'member')
    }
    assert.deepEqual(await databaseState(app.database), before)
  })

  it('are on it since one moment, the same in every answer, however long the change waits', async () => {
    const [id, { id: user_id }, group] = [await project(), await person(), await directory.group()]
    const group_id = `group_${group.id.slice(4)}`
    const lock = await holdOpen(app.connectionString)
    await lock.query('select 1 from project for update')
    const given = Promise.all([
      users.create(id, { user_id, role: 'member' }),
      projects.groups.create(id, { group_id, role: 'role-api-project-member' }),
    ])
    await untilWaiting(app.database, 2)
    await setTimeout(1100)
    await lock.commit()
    const [onProject, access] = await given
    assert.deepEqual({ ...(await users.retrieve(user_id, { project_id: id })) }, { ...onProject })
    assert.deepEqual({ ...(await projects.groups.retrieve(group_id, { project_id: id })) }, { ...access })
  })

  it('who are viewers or have custom roles are shown as members, until they are given a role here', async () => {
    const [id, viewer, special] = [await project(), await person(), await person()]
    const custom = await projects.roles.create(id, { role_name: 'Billing', permissions: ['invoices.read'] })
    const give = (user: string, role_id: string) => users.roles.create(user, { project_id: id, role_id })
    await give(viewer.id, 'role-api-project-viewer')
    await give(special.id, custom.id)
    assert.deepEqual(
      (await list(id)).map(({ role }) => role),
      ['member', 'member'],
    )
    for (const user of [viewer, special]) await users.update(user.id, { project_id: id, role: 'owner' })
    const roles = await users.roles.list(special.id, { project_id: id })
    assert.deepEqual(roles.data.map(({ name }) => name).sort(), ['Billing', 'owner'])
    await users.delete(special.id, { project_id: id })
    assert.deepEqual((await users.roles.list(special.id, { project_id: id })).data, [])
  })

  it('are those with a role of their own: owners of the organization and people of groups are not listed', async () => {
    const [id, inGroup, group] = [await project(), await person(), await directory.group()]
    await directory.add(group.id, `mem_${inGroup.id.slice(5)}`)
    const group_id = `group_${group.id.slice(4)}`
    await projects.groups.create(id, { group_id, role: 'role-api-project-member' })
    assert.deepEqual(await list(id), [])
    await assertRefused(users.retrieve(inGroup.id, { project_id: id }), 404, 'not_found')
  })
})

describe('a user who is not on the project', () => {
  it('is neither retrieved, changed nor deleted: 404, and nothing changes', async () => {
    const [id, elsewhere, nobody] = [await project(), await project(), await person()]
    await users.create(elsewhere, { user_id: nobody.id, role: 'owner' })
    const before = await databaseState(app.database)
    for (const user of [nobody.id, UNKNOWN, 'user-x', nobody.email]) {
      await assertRefused(users.retrieve(user, { project_id: id }), 404, 'not_found')
      await assertRefused(users.update(user, { project_id: id, role: 'owner' }), 404, 'not_found')
      await assertRefused(users.update(user, { project_id: id }), 404, 'not_found')
      await assertRefused(users.delete(user, { project_id: id }), 404, 'not_found')
    }
    assert.deepEqual(await databaseState(app.database), before)
    const error = await assertRefused(users.delete(nobody.id, { project_id: id }), 404, 'not_found')
    assert.match(error.message, /has no role on this project/)
  })

  it('or not in the organization cannot be added: 404 that names the field', async () => {
    const [id, removed] = [await project(), await person()]
    await directory.ok('DELETE', `/members/mem_${removed.id.slice(5)}`)
    for (const user_id of [UNKNOWN, 'user-x', removed.id]) {
      await assertRefused(users.create(id, { user_id, role: 'member' }), 404, 'not_found', 'user_id')
    }
    for (const email of ['nobody@acme.example', removed.email]) {
      await assertRefused(users.create(id, { email, role: 'member' }), 404, 'not_found', 'email')
    }
    assert.deepEqual(await list(id), [])
  })
})

describe('an archived project', () => {
  it('refuses to list, add, change and delete users with 400, and keeps who was on it', async () => {
    const [id, { id: user_id }, other] = [await project(), await person(), await person()]
    await users.create(id, { user_id, role: 'member' })
    await projects.archive(id)
    const before = await databaseState(app.database)
    const archived = [400, 'project_archived'] as const
    await assertRefused(users.list(id), ...archived)
    await assertRefused(users.create(id, { user_id: other.id, role: 'member' }), ...archived)
    await assertRefused(users.update(user_id, { project_id: id, role: 'owner' }), ...archived)
    await assertRefused(users.delete(user_id, { project_id: id }), ...archived)
    const roles = { project_id: id, role_id: 'role-api-project-owner' }
    await assertRefused(users.roles.create(user_id, roles), ...archived)
    assert.deepEqual(await databaseState(app.database), before)
    assert.equal((await users.retrieve(user_id, { project_id: id })).role, 'member')
  })
})

describe('a request about project users that breaks a rule', () => {
  it('is refused with 400 that names the field, and changes nothing', async () => {
    const [id, { id: user_id, email }] = [await project(), await person()]
    const before = await databaseState(app.database)
    const cases: [object, string][] = [
      [{ role: 'member' }, 'user_id'],
      [{ role: 'member', user_id: null, email: null }, 'user_id'],
      [{ role: 'member', user_id, email }, 'email'],
      [{ role: 'member', user_id: '' }, 'user_id'],
      [{ role: 'member', user_id: 7 }, 'user_id'],
      [{ role: 'member', email: 'nobody' }, 'email'],
      [{ role: 'member', email: `${'x'.repeat(1100)}@x.co` }, 'email'],
      [{ user_id }, 'role'],
      [{ user_id, role: 'viewer' }, 'role'],
      [{ user_id, role: 'role-api-project-owner' }, 'role'],
    ]
    for (const [body, param] of cases) {
      await assertRefused(users.create(id, body as never), 400, 'invalid_value', param)
    }
    const role = 'admin'
    await assertRefused(users.update(user_id, { project_id: id, role }), 400, 'invalid_value', 'role')
    for (const limit of [0, 101]) {
      await assertRefused(users.list(id, { limit }), 400, 'invalid_value', 'limit')
    }
    for (const after of [UNKNOWN, 'x']) {
      await assertRefused(users.list(id, { after }), 400, 'invalid_value', 'after')
    }
    for (const unknown of ['proj_x', UNKNOWN]) {
      await assertRefused(users.list(unknown), 404, 'not_found')
      await assertRefused(users.create(unknown, { user_id, role: 'member' }), 404, 'not_found')
    }
    assert.deepEqual(await databaseState(app.database), before)
  })
})
