import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { databaseState } from '../../../test/database-state.ts'
import { openPlaneWorld, type PlaneSpace, type PlaneWorld } from '../../../test/plane-client.ts'

const UNKNOWN = '01990000-0000-7000-8000-00000000abcd'
const OF_PROJECTS = '/group-sync/project-mappings/'
const OF_WORKSPACE = '/group-sync/workspace-mappings/'

let app: TestApp
let world: PlaneWorld
let space: PlaneSpace
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  world = await openPlaneWorld(app, 'acme')
  space = await world.workspace()
  for (const identifier of ['ENG', 'OPS']) await space.project(identifier)
})

let made = 0
const group = () => `group ${++made}`

describe('a mapping of a workspace', () => {
  it('is made, listed, read, changed and deleted', async () => {
    const idp_group_name = group()
    const created = await space.call('POST', OF_WORKSPACE, { body: { idp_group_name, role: 'member' } })
    assert.equal(created.status, 201)
    const { id, created_at, updated_at, ...rest } = created.body
    assert.deepEqual(rest, { idp_group_name, role: 'member' })
    for (const time of [created_at, updated_at]) assert.match(time, /\.\d{6}Z$/)
    assert.deepEqual(await space.ok('GET', OF_WORKSPACE), [created.body])
    assert.deepEqual(await space.ok('GET', `${OF_WORKSPACE}${id}/`), created.body)
    const changed = await space.ok('PATCH', `${OF_WORKSPACE}${id}/`, { role: 'guest' })
    assert.deepEqual([changed.role, changed.idp_group_name, changed.id], ['guest', idp_group_name, id])
    assert.equal((await space.call('GET', `${OF_PROJECTS}${id}/`)).status, 404)
    await space.ok('DELETE', `${OF_WORKSPACE}${id}/`)
    assert.equal((await space.call('GET', `${OF_WORKSPACE}${id}/`)).status, 404)
    assert.deepEqual(await space.ok('GET', OF_WORKSPACE), [])
  })

  it('is one of a group, by its exact name', async () => {
    const idp_group_name = group()
    await space.ok('POST', OF_WORKSPACE, { idp_group_name, role: 'member' })
    const again = await space.call('POST', OF_WORKSPACE, { body: { idp_group_name, role: 'guest' } })
    assert.deepEqual([again.status, Object.keys(again.body)], [409, ['error', 'message']])
    await space.ok('POST', OF_WORKSPACE, { idp_group_name: idp_group_name.toUpperCase(), role: 'guest' })
  })
})

describe('a mapping of projects', () => {
  it('names its project by the identifier, in any case, or is of all of them', async () => {
    const idp_group_name = group()
    const one = await space.ok('POST', OF_PROJECTS, { idp_group_name, role: 'admin', project: 'eng' })
    assert.deepEqual([one.project, one.all_projects, one.role], ['ENG', false, 'admin'])
    const all = await space.ok('POST', OF_PROJECTS, { idp_group_name, role: 'guest', all_projects: true })
    assert.deepEqual([all.project, all.all_projects], [null, true])
    assert.deepEqual(await space.ok('GET', OF_PROJECTS), [one, all])
    assert.deepEqual(await space.ok('GET', `${OF_PROJECTS}?project_identifier=eNg`), [one])
    assert.deepEqual(await space.ok('GET', `${OF_PROJECTS}?project_identifier=NONE`), [])
    assert.deepEqual(await space.ok('GET', `${OF_PROJECTS}${one.id}/`), one)
    await space.ok('DELETE', `${OF_PROJECTS}${all.id}/`)
    assert.deepEqual(await space.ok('GET', OF_PROJECTS), [one])
  })

  it('says the slug again that was sent: member is the older name of contributor', async () => {
    for (const role of ['member', 'contributor']) {
      const row = await space.ok('POST', OF_PROJECTS, { idp_group_name: group(), role, project: 'ENG' })
      assert.equal(row.role, role)
      assert.equal(
        (await space.ok('PATCH', `${OF_PROJECTS}${row.id}/`, { role: 'contributor' })).role,
        'contributor',
      )
      assert.equal((await space.ok('GET', `${OF_PROJECTS}${row.id}/`)).role, 'member')
    }
  })

  it('is changed by its project and group, too, but not if it is of all projects', async () => {
    const idp_group_name = `${group()} of us/them`
    const { id } = await space.ok('POST', OF_PROJECTS, { idp_group_name, role: 'guest', project: 'OPS' })
    const named = (key: string, name: string) => `${OF_PROJECTS}${key}/${encodeURIComponent(name)}/`
    const changed = await space.ok('PATCH', named('ops', idp_group_name), { role: 'admin' })
    assert.deepEqual([changed.id, changed.role], [id, 'admin'])
    const missing: [string, string][] = [
      ['NONE', idp_group_name],
      ['OPS', idp_group_name.toUpperCase()],
      ['ENG', idp_group_name],
    ]
    for (const [key, name] of missing) {
      assert.equal((await space.call('PATCH', named(key, name), { body: { role: 'guest' } })).status, 404)
    }
    await space.ok('PATCH', `${OF_PROJECTS}${id}/`, { all_projects: true })
    assert.equal(
      (await space.call('PATCH', named('OPS', idp_group_name), { body: { role: 'guest' } })).status,
      404,
    )
  })

  it('moves from one project to another or to all, and never to none or both', async () => {
    const row = await space.ok('POST', OF_PROJECTS, {
      idp_group_name: group(),
      role: 'guest',
      project: 'ENG',
    })
    const path = `${OF_PROJECTS}${row.id}/`
    const moved = async (body: object) => {
      const { project, all_projects } = await space.ok('PATCH', path, body)
      return [project, all_projects]
    }
    assert.deepEqual(await moved({ project: 'OPS' }), ['OPS', false])
    assert.deepEqual(await moved({ all_projects: false }), ['OPS', false])
    assert.deepEqual(await moved({ project: null, all_projects: true }), [null, true])
    assert.deepEqual(await moved({ project: null }), [null, true])
    assert.deepEqual(await moved({ project: 'ENG', all_projects: false }), ['ENG', false])
    for (const body of [{ project: 'ENG', all_projects: true }, { project: null }]) {
      const answer = await space.call('PATCH', path, { body })
      assert.deepEqual([answer.status, Object.keys(answer.body)], [400, ['error', 'message']])
    }
  })

  it('is refused with what is wrong, by field, and changes nothing', async () => {
    const before = await databaseState(app.database)
    const valid = { idp_group_name: 'g', role: 'guest' }
    const cases: [object, string][] = [
      [{ ...valid }, 'error'],
      [{ ...valid, project: 'ENG', all_projects: true }, 'error'],
      [{ ...valid, project: 'NONE' }, 'project'],
      [{ ...valid, project: UNKNOWN }, 'project'],
      [{ ...valid, project: 'ENG', role: 'owner' }, 'role'],
      [{ ...valid, project: 'ENG', role: 20 }, 'role'],
      [{ project: 'ENG', role: 'guest' }, 'idp_group_name'],
      [{ ...valid, project: 'ENG', idp_group_name: 'x'.repeat(256) }, 'idp_group_name'],
      [{ ...valid, all_projects: 'yes' }, 'all_projects'],
    ]
    for (const [body, key] of cases) {
      const answer = await space.call('POST', OF_PROJECTS, { body })
      assert.deepEqual(
        [answer.status, Object.keys(answer.body)],
        [400, [key, 'message']],
        JSON.stringify(body),
      )
    }
    assert.deepEqual(await databaseState(app.database), before)
  })
})

describe('mappings', () => {
  it('are not changed by a body that says nothing', async () => {
    const named = group()
    const one = await space.ok('POST', OF_PROJECTS, { idp_group_name: named, role: 'guest', project: 'ENG' })
    const two = await space.ok('POST', OF_WORKSPACE, { idp_group_name: named, role: 'guest' })
    const paths = [
      `${OF_PROJECTS}${one.id}/`,
      `${OF_WORKSPACE}${two.id}/`,
      `${OF_PROJECTS}ENG/${encodeURIComponent(named)}/`,
    ]
    const text = 'Request body cannot be empty.'
    for (const path of paths) {
      for (const body of [{}, undefined]) {
        const answer = await space.call('PATCH', path, { body })
        assert.deepEqual([answer.status, answer.body], [400, { error: text, message: text }], path)
      }
    }
  })

  it('that are not there answer 404, also for a malformed id', async () => {
    for (const list of [OF_PROJECTS, OF_WORKSPACE]) {
      for (const id of [UNKNOWN, 'x', `${UNKNOWN}0`]) {
        for (const method of ['GET', 'PATCH', 'DELETE']) {
          const body = method === 'PATCH' ? { role: 'guest' } : undefined
          assert.equal((await space.call(method, `${list}${id}/`, { body })).status, 404)
        }
      }
    }
  })

  it('are for who administers the workspace', async () => {
    const [admin, member] = [await space.person('admin'), await space.person('member')]
    for (const list of [OF_PROJECTS, OF_WORKSPACE]) {
      assert.equal((await space.call('GET', list, { key: admin.key })).status, 200)
      const answer = await space.call('GET', list, { key: member.key })
      assert.deepEqual([answer.status, answer.body.detail], [403, answer.body.message])
    }
    const body = { idp_group_name: group(), role: 'guest' }
    const refused = await space.call('POST', OF_WORKSPACE, { key: member.key, body })
    assert.deepEqual([refused.status, refused.body.detail], [403, refused.body.message])
    assert.equal((await space.call('POST', OF_WORKSPACE, { key: admin.key, body })).status, 201)
  })

  it('to owners of the workspace are for its owners', async () => {
    const admin = await space.person('admin')
    const body = { idp_group_name: group(), role: 'owner' }
    const refused = async (method: string, path: string, sent?: object) => {
      const answer = await space.call(method, path, { key: admin.key, body: sent })
      assert.match(answer.body.error, /a role above your own/, `${method} ${path}`)
      assert.equal(answer.status, 400)
    }
    await refused('POST', OF_WORKSPACE, body)
    await refused('PATCH', '/group-sync/config/', { default_workspace_role: 'owner' })
    const made = await space.call('POST', OF_WORKSPACE, { key: space.owner.key, body })
    const path = `${OF_WORKSPACE}${made.body.id}/`
    for (const sent of [{ role: 'member' }, { idp_group_name: group() }]) await refused('PATCH', path, sent)
    await refused('DELETE', path)
    assert.equal((await space.call('DELETE', path, { key: space.owner.key })).status, 204)
  })
})
