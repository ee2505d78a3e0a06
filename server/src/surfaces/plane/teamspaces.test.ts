import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { databaseState } from '../../../test/database-state.ts'
import { openPlaneWorld, type PlaneSpace, type PlaneWorld } from '../../../test/plane-client.ts'

const UNKNOWN = '01990000-0000-7000-8000-00000000abcd'

let app: TestApp
let world: PlaneWorld
let space: PlaneSpace
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  world = await openPlaneWorld(app, 'acme')
  space = await world.workspace()
})

let made = 0
const teamspace = async (more: object = {}): Promise<string> =>
  (await space.ok('POST', '/teamspaces/', { name: `Team ${++made}`, ...more })).id

describe('a teamspace', () => {
  it('keeps its description in the forms that were sent, and its text where only HTML was', async () => {
    const id = await teamspace({
      description_html: '<p>One <b>two</b></p>',
      description_json: { type: 'doc' },
    })
    const read = async () => {
      const row = await space.ok('GET', `/teamspaces/${id}/`)
      return [row.description_html, row.description_stripped, row.description_json, row.description_binary]
    }
    assert.deepEqual(await read(), ['<p>One <b>two</b></p>', 'One two', { type: 'doc' }, null])
    await space.ok('PATCH', `/teamspaces/${id}/`, { name: 'Renamed' })
    assert.deepEqual(await read(), ['<p>One <b>two</b></p>', 'One two', { type: 'doc' }, null])
    await space.ok('PATCH', `/teamspaces/${id}/`, {
      description_html: '<p>New</p>',
      description_binary: 'AA==',
    })
    assert.deepEqual(await read(), ['<p>New</p>', 'New', {}, 'AA=='])
  })

  // Looking for the end of every tag anew takes seconds of the whole server, at each reading.
  it('is read in one go whatever its HTML, and refuses what cannot be stored by field', async () => {
    const cut = '<'.repeat(100_000)
    const id = await teamspace({ description_html: `<p>a</p>${cut.slice(8)}` })
    const rows = [
      await space.ok('GET', `/teamspaces/${id}/`),
      await space.ok('PATCH', `/teamspaces/${id}/`, {}),
    ]
    for (const row of rows) assert.equal(row.description_stripped, `a${cut.slice(8)}`)
    for (const value of [{ a: '\u0000' }, { '\ud800': 1 }, { a: 'x'.repeat(100_000) }, 'text']) {
      for (const name of ['description_json', 'logo_props']) {
        const answer = await space.call('PATCH', `/teamspaces/${id}/`, { body: { [name]: value } })
        assert.deepEqual([answer.status, Object.keys(answer.body)], [400, [name, 'message']])
      }
    }
  })

  it('is refused a lead, members and projects that are not of the workspace, by field', async () => {
    const [outside, other] = [await space.person(null), await world.workspace()]
    const foreign = await other.project('FOREIGN')
    const id = await teamspace()
    const before = await databaseState(app.database)
    const cases: [string, string, object, string][] = [
      ['POST', '/teamspaces/', { name: 'T', lead: outside.id }, 'lead'],
      ['PATCH', `/teamspaces/${id}/`, { lead: UNKNOWN }, 'lead'],
      ['PATCH', `/teamspaces/${id}/`, { lead: 'me' }, 'lead'],
      ['POST', '/teamspaces/', { name: '' }, 'name'],
      ['POST', `/teamspaces/${id}/members/`, { member_ids: [space.owner.id, outside.id] }, 'member_ids'],
      ['POST', `/teamspaces/${id}/members/`, { member_ids: ['x'] }, 'member_ids'],
      ['POST', `/teamspaces/${id}/members/`, { member_ids: space.owner.id }, 'member_ids'],
      ['POST', `/teamspaces/${id}/projects/`, { project_ids: [foreign.id] }, 'project_ids'],
      ['POST', `/teamspaces/${id}/projects/`, { project_ids: [UNKNOWN] }, 'project_ids'],
      ['DELETE', `/teamspaces/${id}/projects/`, {}, 'project_ids'],
    ]
    for (const [method, path, body, key] of cases) {
      const answer = await space.call(method, path, { body })
      const about = `${method} ${path} ${JSON.stringify(answer.body)}`
      assert.deepEqual([answer.status, Object.keys(answer.body)], [400, [key, 'message']], about)
    }
    assert.deepEqual(await databaseState(app.database), before)
  })

  it('passes over whom it is asked to take out and who is not in it', async () => {
    const id = await teamspace()
    await space.ok('DELETE', `/teamspaces/${id}/members/`, { member_ids: [UNKNOWN] })
    await space.ok('DELETE', `/teamspaces/${id}/projects/`, { project_ids: [UNKNOWN] })
  })

  it('is managed by who administers the workspace, and its members also by its lead', async () => {
    const [lead, member] = [await space.person('member'), await space.person('member')]
    const id = await teamspace({ lead: lead.id })
    const add = (key: string) =>
      space.call('POST', `/teamspaces/${id}/members/`, { key, body: { member_ids: [member.id] } })
    assert.equal((await add(member.key)).status, 403)
    assert.equal((await add(lead.key)).status, 200)
    assert.equal((await space.call('DELETE', `/teamspaces/${id}/`, { key: lead.key })).status, 403)
    const { key } = await space.person('admin')
    assert.equal((await space.call('DELETE', `/teamspaces/${id}/`, { key })).status, 204)
  })
})
