import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { countStatements } from '../../../test/count-statements.ts'
import { openPlaneWorld, type PlaneSpace, type PlaneWorld } from '../../../test/plane-client.ts'

const UNKNOWN = '01990000-0000-7000-8000-00000000abcd'

let app: TestApp
let world: PlaneWorld
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  world = await openPlaneWorld(app, 'acme')
})

const identifiers = async (space: PlaneSpace, key: string, query = '') =>
  (await space.ok('GET', `/projects/${query}`, undefined, key)).results.map(
    (row: { identifier: string }) => row.identifier,
  )

describe('a project', () => {
  it('is shown to its members only, if it is secret, and to who administers the workspace', async () => {
    const space = await world.workspace()
    const [member, admin] = [await space.person('member'), await space.person('admin')]
    const body = { name: 'Secret', identifier: 'secret', network: 0 }
    const { id } = await space.ok('POST', '/projects/', body, space.owner.key)
    await space.project('OPEN')
    assert.deepEqual(await identifiers(space, member.key), ['OPEN'])
    assert.deepEqual(await identifiers(space, admin.key), ['SECRET', 'OPEN'])
    assert.deepEqual(await identifiers(space, world.key), ['SECRET', 'OPEN'])
    for (const tail of ['/', '/features/', '/project-members/', '/project-members-lite/']) {
      const hidden = await space.call('GET', `/projects/${id}${tail}`, { key: member.key })
      const unknown = await space.call('GET', `/projects/${UNKNOWN}${tail}`, { key: member.key })
      assert.deepEqual([hidden.status, hidden.body], [404, unknown.body], tail)
    }
    await space.ok('POST', `/projects/${id}/project-members/`, { member: member.id, role: 5 })
    assert.deepEqual(await identifiers(space, member.key), ['SECRET', 'OPEN'])
    const shown = await space.ok('GET', `/projects/${id}/`, undefined, member.key)
    assert.deepEqual([shown.is_member, shown.member_role, shown.total_members], [true, 5, 2])
  })

  it('through a teamspace is shown, too, without a membership', async () => {
    const space = await world.workspace()
    const member = await space.person('member')
    const body = { name: 'Secret', identifier: 'TS', network: 0 }
    const { id } = await space.ok('POST', '/projects/', body)
    const team = await space.ok('POST', '/teamspaces/', { name: 'Team' })
    await space.ok('POST', `/teamspaces/${team.id}/members/`, { member_ids: [member.id] })
    await space.ok('POST', `/teamspaces/${team.id}/projects/`, { project_ids: [id] })
    assert.deepEqual(await identifiers(space, member.key), ['TS'])
    const shown = await space.ok('GET', `/projects/${id}/`, undefined, member.key)
    assert.deepEqual([shown.is_member, shown.member_role], [false, null])
    assert.deepEqual(await space.ok('GET', `/projects/${id}/project-members/`), [])
  })

  it('has its creator and its lead as admins; a key of the organization is nobody', async () => {
    const space = await world.workspace()
    const lead = await space.person('member')
    const body = { name: 'Led', identifier: 'LED', project_lead: lead.id }
    const { id } = await space.ok('POST', '/projects/', body, space.owner.key)
    const rows = await space.ok('GET', `/projects/${id}/project-members/`)
    assert.deepEqual(
      rows.map((row: Record<string, unknown>) => [row.id, row.role]),
      [
        [space.owner.id, 20],
        [lead.id, 20],
      ],
    )
    assert.equal((await space.ok('POST', '/projects/', { name: 'N', identifier: 'NOB' })).total_members, 0)
    // Nor does an owner of the organization get into a workspace by creating something in it.
    const key = await world.directory.key(['*'], { member_id: world.ownerId })
    const outside = await space.ok('POST', '/projects/', { name: 'O', identifier: 'OUT' }, key)
    assert.deepEqual([outside.total_members, outside.is_member], [0, false])
  })

  it('that cannot have its lead is not made', async () => {
    const space = await world.workspace()
    const outside = await space.person(null)
    const body = { name: 'Led', identifier: 'LED', project_lead: outside.id }
    const answer = await space.call('POST', '/projects/', { body })
    assert.deepEqual([answer.status, Object.keys(answer.body)], [400, ['project_lead', 'message']])
    assert.deepEqual(await identifiers(space, world.key), [])
  })

  it('is made by who administers the workspace, and changed by its own admins', async () => {
    const space = await world.workspace()
    const [member, admin] = [await space.person('member'), await space.person('admin')]
    const create = (key: string) =>
      space.call('POST', '/projects/', { key, body: { name: 'A', identifier: 'ADM' } })
    assert.equal((await create(member.key)).status, 403)
    const { id } = (await create(admin.key)).body
    const rename = () => space.call('PATCH', `/projects/${id}/`, { key: member.key, body: { name: 'B' } })
    assert.equal((await rename()).status, 403)
    await space.ok('POST', `/projects/${id}/project-members/`, { member: member.id, role: 20 })
    assert.equal((await rename()).body.name, 'B')
    assert.equal((await space.call('POST', `/projects/${id}/archive/`, { key: member.key })).status, 204)
  })

  it('keeps its identifier, which is one of a kind in the workspace in any case', async () => {
    const [space, other] = [await world.workspace(), await world.workspace()]
    const { id } = await space.project('SAME')
    await other.project('SAME')
    const taken = await space.call('POST', '/projects/', { body: { name: 'X', identifier: 'same' } })
    assert.deepEqual([taken.status, Object.keys(taken.body)], [409, ['identifier', 'message']])
    const moved = await space.call('PATCH', `/projects/${id}/`, { body: { identifier: 'OTHER' } })
    assert.deepEqual([moved.status, Object.keys(moved.body)], [400, ['identifier', 'message']])
    const body = { identifier: 'same', name: 'Renamed' }
    assert.equal((await space.ok('PATCH', `/projects/${id}/`, body)).name, 'Renamed')
  })

  it('that is archived is listed on request, refuses changes, and comes back', async () => {
    const space = await world.workspace()
    const { id } = await space.project('ARC')
    await space.ok('POST', `/projects/${id}/archive/`)
    await space.ok('POST', `/projects/${id}/archive/`)
    assert.deepEqual(await identifiers(space, world.key), [])
    assert.deepEqual(await identifiers(space, world.key, '?include_archived=true'), ['ARC'])
    const refused = await space.call('PATCH', `/projects/${id}/`, { body: { name: 'B' } })
    assert.deepEqual([refused.status, Object.keys(refused.body)], [400, ['error', 'message']])
    await space.ok('DELETE', `/projects/${id}/archive/`)
    assert.deepEqual(await identifiers(space, world.key), ['ARC'])
  })

  it('that is deleted is gone here, archived or not, and archived elsewhere', async () => {
    const space = await world.workspace()
    const [one, two] = [await space.project('ONE'), await space.project('TWO')]
    await space.ok('POST', `/projects/${two.id}/archive/`)
    for (const { id } of [one, two]) {
      await space.ok('DELETE', `/projects/${id}/`)
      for (const [method, tail] of [
        ['GET', ''],
        ['PATCH', ''],
        ['DELETE', ''],
        ['DELETE', 'archive/'],
        ['GET', 'project-members/'],
      ] as const) {
        assert.equal((await space.call(method, `/projects/${id}/${tail}`)).status, 404)
      }
    }
    assert.deepEqual(await identifiers(space, world.key, '?include_archived=true'), [])
    const elsewhere = await world.directory.get('/projects?include_archived=true')
    assert.ok(elsewhere.data.filter((row: { identifier: string }) => row.identifier === 'ONE').length > 0)
    const role = { idp_group_name: 'g', role: 'guest', project: 'ONE' }
    assert.equal((await space.call('POST', '/group-sync/project-mappings/', { body: role })).status, 400)
  })
})

describe('the list of projects', () => {
  it('is ordered by name or creation, either way round', async () => {
    const space = await world.workspace()
    for (const [name, identifier] of [
      ['b', 'B1'],
      ['C', 'C2'],
      ['a', 'A3'],
    ]) {
      await space.ok('POST', '/projects/', { name, identifier })
    }
    const orders = {
      '': 'B1 C2 A3',
      name: 'A3 B1 C2',
      '-name': 'C2 B1 A3',
      '-created_at': 'A3 C2 B1',
      sort: 'B1 C2 A3',
      toString: 'B1 C2 A3',
      constructor: 'B1 C2 A3',
    }
    for (const [order, expected] of Object.entries(orders)) {
      assert.equal((await identifiers(space, world.key, `?order_by=${order}`)).join(' '), expected, order)
    }
  })

  it('costs the same number of statements whatever its length', async () => {
    const space = await world.workspace()
    await space.project('P0')
    const count = () =>
      countStatements(app.database, () => space.ok('GET', '/projects/', undefined, space.owner.key))
    const few = await count()
    for (let n = 1; n < 5; n++) await space.project(`P${n}`)
    assert.equal(await count(), few)
  })
})
