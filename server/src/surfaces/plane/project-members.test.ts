import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { type Answer, startTestApp, type TestApp } from '../../../test/app.ts'
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
const newProject = async (): Promise<string> => (await space.project(`M${++made}`)).id
const path = (id: string, member = '') => `/projects/${id}/project-members/${member}${member && '/'}`

async function assertRefused(answer: Promise<Answer>, status: number, key: string, text: RegExp) {
  const { body, status: given } = await answer
  assert.deepEqual([given, Object.keys(body)], [status, [key, 'message']], JSON.stringify(body))
  assert.match(body.message, text)
}

describe('a membership of a project', () => {
  it('is made, read by the id that was answered and by the user’s, changed and ended', async () => {
    const id = await newProject()
    const person = await space.person('member')
    for (const older of ['project-members', 'members']) {
      const list = `/projects/${id}/${older}/`
      const created = await space.call('POST', list, { body: { member: person.id, role: 15 } })
      assert.equal(created.status, 201)
      const { id: membership, member, role, role_slug } = created.body
      assert.deepEqual([member, role, role_slug], [person.id, 15, 'contributor'])
      assert.deepEqual(await space.ok('GET', `${list}${membership}/`), created.body)
      assert.deepEqual(await space.ok('GET', `${list}${person.id}/`), created.body)
      assert.equal((await space.ok('PATCH', `${list}${membership}/`, { role: 20 })).role, 20)
      assert.equal((await space.ok('PATCH', `${list}${membership}/`, {})).role, 20)
      assert.equal((await space.ok('GET', list)).length, 2)
      await space.ok('DELETE', `${list}${membership}/`)
      assert.equal((await space.call('GET', `${list}${membership}/`)).status, 404)
      assert.equal((await space.call('DELETE', `${list}${membership}/`)).status, 404)
    }
  })

  it('is a guest’s where no role is said, and takes slugs as well as numbers', async () => {
    const id = await newProject()
    const person = await space.person('member')
    assert.equal((await space.ok('POST', path(id), { member: person.id })).role_slug, 'guest')
    const names: [unknown, string, number][] = [
      [5, 'guest', 5],
      [15, 'contributor', 15],
      [20, 'admin', 20],
      ['member', 'contributor', 15],
      ['contributor', 'contributor', 15],
      ['commenter', 'commenter', 5],
      ['viewer', 'viewer', 5],
      ['admin', 'admin', 20],
    ]
    for (const [role, slug, number] of names) {
      const row = await space.ok('PATCH', path(id, person.id), { role })
      assert.deepEqual([row.role_slug, row.role], [slug, number])
    }
    for (const role of [10, 0, '20', 'owner', true, [], 'x'.repeat(300)]) {
      const answer = space.call('PATCH', path(id, person.id), { body: { role } })
      await assertRefused(answer, 400, 'role', /role/)
    }
  })

  it('is for members of the workspace only, and made once', async () => {
    const id = await newProject()
    const other = await openPlaneWorld(app, `other-${made}`)
    const foreign = await (await other.workspace()).person('member')
    const outside = await space.person(null)
    const before = await databaseState(app.database)
    for (const member of [outside.id, foreign.id, UNKNOWN]) {
      const answer = space.call('POST', path(id), { body: { member, role: 15 } })
      await assertRefused(answer, 400, 'member', /not a member of the workspace/)
    }
    await assertRefused(space.call('POST', path(id), { body: { member: 'x' } }), 400, 'member', /UUID/)
    const again = space.call('POST', path(id), { body: { member: space.owner.id, role: 5 } })
    await assertRefused(again, 400, 'error', /already/)
    assert.deepEqual(await databaseState(app.database), before)
  })

  it('of a guest of the workspace is at most a commenter’s', async () => {
    const id = await newProject()
    const guest = await space.person('guest')
    for (const role of [15, 20, 'admin']) {
      const answer = space.call('POST', path(id), { body: { member: guest.id, role } })
      await assertRefused(answer, 400, 'role', /guest of the workspace/)
    }
    assert.equal(
      (await space.ok('POST', path(id), { member: guest.id, role: 'commenter' })).role_slug,
      'commenter',
    )
  })

  it('is written by admins of the project and of the workspace, and by nobody else', async () => {
    const id = await newProject()
    const [member, admin, target] = [
      await space.person('member'),
      await space.person('admin'),
      await space.person('member'),
    ]
    await space.ok('POST', path(id), { member: member.id, role: 15 })
    const add = (key: string) => space.call('POST', path(id), { key, body: { member: target.id, role: 15 } })
    assert.equal((await add(member.key)).status, 403)
    // Not on the project: who administers the workspace reaches all of them.
    assert.equal((await add(admin.key)).status, 201)
    assert.equal((await space.call('DELETE', path(id, target.id), { key: member.key })).status, 403)
    await space.ok('PATCH', path(id, member.id), { role: 20 })
    assert.equal((await space.call('DELETE', path(id, target.id), { key: member.key })).status, 204)
  })

  it('of oneself, and of the last admin, is kept', async () => {
    const id = await newProject()
    const { key, id: self } = space.owner
    const own = [
      space.call('DELETE', path(id, self), { key }),
      space.call('PATCH', path(id, self), { key, body: { role: 5 } }),
    ]
    for (const answer of own) await assertRefused(answer, 400, 'error', /yourself|your own role/)
    for (const [method, body] of [
      ['DELETE', undefined],
      ['PATCH', { role: 15 }],
    ] as const) {
      const answer = await space.call(method, path(id, self), { body })
      assert.deepEqual([answer.status, Object.keys(answer.body)], [400, ['error', 'projects', 'message']])
      assert.equal(answer.body.projects[0].id, id)
    }
  })

  it('ends as one change that can be undone', async () => {
    const id = await newProject()
    const person = await space.person('member')
    await space.ok('POST', path(id), { member: person.id, role: 15 })
    await space.ok('DELETE', path(id, person.id))
    const { id: change } = await world.directory.lastChange()
    await world.directory.post(`/changes/${change}/undo`)
    assert.equal((await space.ok('GET', path(id, person.id))).role, 15)
  })
})
