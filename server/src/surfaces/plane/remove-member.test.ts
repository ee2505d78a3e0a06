import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { ROOT_KEY, startTestApp, type TestApp } from '../../../test/app.ts'
import { databaseState } from '../../../test/database-state.ts'
import { openPlaneWorld, type PlaneSpace, type PlaneWorld } from '../../../test/plane-client.ts'

let app: TestApp
let world: PlaneWorld
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  world = await openPlaneWorld(app, 'acme')
})

const remove = (space: PlaneSpace, body: unknown, key = space.owner.key) =>
  space.call('POST', '/members/remove/', { key, body })

/** Asserts that a removal is refused with this text as a view says it, and changes nothing. */
async function refused(
  space: PlaneSpace,
  status: number,
  error: RegExp | string,
  body: unknown,
  key?: string,
) {
  const before = await databaseState(app.database)
  const answer = await remove(space, body, key)
  assert.equal(answer.status, status, JSON.stringify(answer.body))
  if (typeof error === 'string') assert.equal(answer.body.error, error)
  else assert.match(answer.body.error, error)
  assert.equal(answer.body.message, answer.body.error)
  assert.deepEqual(await databaseState(app.database), before)
  return answer.body
}

describe('a removal is refused', () => {
  it('with 400 without an email, and by field with one that is no address', async () => {
    const space = await world.workspace()
    for (const body of [{}, { email: null }, { email: '' }, { remove_seat: true }, undefined]) {
      await refused(space, 400, 'email field is required.', body)
    }
    const answer = await remove(space, { email: 'jane' })
    assert.deepEqual([answer.status, Object.keys(answer.body)], [400, ['email', 'message']])
    assert.match(answer.body.email[0], /^email must have/)
    const wrong = await remove(space, { email: space.owner.email, remove_seat: 'yes' })
    assert.deepEqual([wrong.status, Object.keys(wrong.body)], [400, ['remove_seat', 'message']])
    assert.equal((await remove(space, ['jane@example.com'])).status, 400)
  })

  it('with 400 of oneself: the application is where one leaves', async () => {
    const space = await world.workspace()
    const text = "Cannot remove yourself. You'll need leave the workspace from the application."
    await refused(space, 400, text, { email: space.owner.email })
    await refused(space, 400, text, { email: space.owner.email.toUpperCase() })
  })

  it('with 400 of who has a higher role; an equal one is no reason', async () => {
    const space = await world.workspace()
    const [one, two] = [await space.person('admin'), await space.person('admin')]
    const text = 'Cannot remove a member with a higher role than yours.'
    await refused(space, 400, text, { email: space.owner.email }, one.key)
    assert.equal((await remove(space, { email: two.email }, one.key)).status, 204)
    const { email } = await space.person('owner')
    assert.equal((await remove(space, { email })).status, 204)
  })

  it('with 400 of the only admin of projects, naming them, until another is promoted', async () => {
    const space = await world.workspace()
    const admin = await space.person('admin')
    const [alone, shared] = [
      await space.project('ALONE', admin.key),
      await space.project('SHARED', admin.key),
    ]
    await space.ok('POST', `/projects/${shared.id}/project-members/`, { member: space.owner.id, role: 20 })
    const text = 'Member is the sole admin of one or more projects — promote another admin first.'
    const body = await refused(space, 400, text, { email: admin.email })
    assert.deepEqual(body.projects, [{ id: alone.id, name: 'Project ALONE' }])
    await space.ok('POST', `/projects/${alone.id}/project-members/`, { member: space.owner.id, role: 20 })
    assert.equal((await remove(space, { email: admin.email })).status, 204)
  })

  it('with 403 of who is not in the workspace, whatever it asks', async () => {
    const space = await world.workspace()
    const stranger = await space.person(null)
    for (const body of [{ email: space.owner.email }, {}, { email: 'x' }, { email: 'nobody@x.example' }]) {
      await refused(space, 403, 'You are not a member of this workspace.', body, stranger.key)
    }
  })

  it('with 403 of members and guests: owners and admins remove', async () => {
    const space = await world.workspace()
    const target = await space.person('guest')
    for (const role of ['member', 'guest']) {
      const { key } = await space.person(role)
      await refused(space, 403, /needs the permission members:write/, { email: target.email }, key)
    }
  })

  it('with 404 of nobody, of somebody outside the workspace, and in a workspace that is not there', async () => {
    const space = await world.workspace()
    const outside = await space.person(null)
    const suspended = await space.person('member')
    await world.directory.post(`/members/${suspended.memberId}/suspend`)
    for (const email of ['nobody@x.example', outside.email, suspended.email]) {
      await refused(space, 404, 'Nobody in the workspace has this email.', { email })
    }
    const answer = await world.send('POST', '/api/v1/workspaces/nowhere/members/remove/', { body: {} })
    assert.deepEqual([answer.status, answer.body.message], [404, 'There is no workspace with this slug.'])
  })

  it('with 404 in a workspace of another organization, as in one that is nowhere', async () => {
    const other = await openPlaneWorld(app, 'other')
    const space = await other.workspace()
    const email = space.owner.email
    const foreign = await world.send('POST', `${space.base}/members/remove/`, { body: { email } })
    const unknown = await world.send('POST', '/api/v1/workspaces/nowhere/members/remove/', {
      body: { email },
    })
    assert.deepEqual([foreign.status, foreign.body], [unknown.status, unknown.body])
    assert.deepEqual(await space.emails(), [email])
  })

  it('with 401 without a key, before anything else, as the framework says it', async () => {
    const space = await world.workspace()
    for (const key of [null, 'plane_api_unknown']) {
      const answer = await space.call('POST', '/members/remove/', { key, body: {} })
      assert.deepEqual([answer.status, answer.body.detail], [401, answer.body.message])
    }
    assert.equal((await space.call('POST', '/members/remove/', { key: ROOT_KEY, body: {} })).status, 403)
  })
})

describe('a removal', () => {
  it('ends every project and teamspace in the workspace as one change, and nothing elsewhere', async () => {
    const [space, elsewhere] = [await world.workspace(), await world.workspace()]
    const jane = await space.person('member')
    const target = { member: jane.memberId, target: elsewhere.id }
    await world.directory.post('/role_assignments', { role: world.roles['workspace member'], ...target })
    const projects = [await space.project('ONE'), await space.project('TWO')]
    for (const { id } of projects) {
      await space.ok('POST', `/projects/${id}/project-members/`, { member: jane.id, role: 15 })
    }
    const teamspace = await space.ok('POST', '/teamspaces/', { name: 'Team', lead: jane.id })
    await space.ok('POST', `/teamspaces/${teamspace.id}/members/`, { member_ids: [jane.id] })

    assert.equal((await remove(space, { email: jane.email })).status, 204)

    for (const { id } of projects) {
      const rows = await space.ok('GET', `/projects/${id}/project-members/`)
      assert.deepEqual(
        rows.map((row: { id: string }) => row.id),
        [space.owner.id],
      )
    }
    assert.equal((await space.ok('GET', `/teamspaces/${teamspace.id}/members/`)).total_count, 0)
    assert.equal((await space.ok('GET', `/teamspaces/${teamspace.id}/`)).lead, null)
    assert.ok((await elsewhere.emails()).includes(jane.email))
    assert.equal((await space.call('GET', '/members/', { key: jane.key })).status, 403)
    assert.equal((await elsewhere.call('GET', '/members/', { key: jane.key })).status, 200)

    const change = await world.directory.lastChange()
    assert.equal(change.kind, 'workspace.member_removed')
    await world.directory.post(`/changes/${change.id}/undo`)
    assert.ok((await space.emails()).includes(jane.email))
    assert.equal((await space.ok('GET', `/teamspaces/${teamspace.id}/members/`)).total_count, 1)
  })

  it('frees a seat, and takes one off the plan only where it is asked for and unused', async () => {
    const space = await world.workspace(undefined, { purchased_seats: 3 })
    const people = [await space.person('member'), await space.person('member'), await space.person('guest')]
    const seats = async () => Object.values(await space.seats()).slice(-3)
    assert.deepEqual(await seats(), [3, 3, 1])
    await remove(space, { email: people[0]!.email })
    assert.deepEqual(await seats(), [3, 2, 1])
    await remove(space, { email: people[1]!.email, remove_seat: false })
    assert.deepEqual(await seats(), [3, 1, 1])
    // A guest holds none: what is taken off was unused already.
    await remove(space, { email: people[2]!.email, remove_seat: true })
    assert.deepEqual(await seats(), [2, 1, 0])
  })

  it('with remove_seat where there is no unused seat, or no limit, removes all the same', async () => {
    const full = await world.workspace(undefined, { purchased_seats: 1 })
    const guest = await full.person('guest')
    assert.equal((await remove(full, { email: guest.email, remove_seat: true })).status, 204)
    assert.equal((await full.seats()).purchased, 1)
    const unlimited = await world.workspace()
    const member = await unlimited.person('member')
    assert.equal((await remove(unlimited, { email: member.email, remove_seat: true })).status, 204)
    assert.equal((await unlimited.seats()).purchased, null)
  })

  it('may be asked for by a key of the organization itself, which has no self and ranks above all', async () => {
    const space = await world.workspace()
    const owner = await space.person('owner')
    assert.equal((await remove(space, { email: owner.email }, world.key)).status, 204)
    // The last owner of the workspace stays.
    await refused(space, 400, /without an admin/, { email: space.owner.email }, world.key)
  })
})
