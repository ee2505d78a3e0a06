import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { expireInvitation } from '../../../test/inviting.ts'
import { openPlaneWorld, type PlaneSpace, type PlaneWorld } from '../../../test/plane-client.ts'
import { tokenOf } from '../../../test/smtp-sink.ts'

let app: TestApp
let world: PlaneWorld
let space: PlaneSpace
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  world = await openPlaneWorld(app, 'acme')
  space = await world.workspace()
})

let made = 0
const address = () => `i${++made}@invited.example`
const MICROSECONDS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/

/** The invitee follows the link of the mail. */
async function accept(email: string): Promise<void> {
  const mails = await app.call('GET', '/directory/v1/organizations/acme/mails?limit=1000')
  const mail = mails.body.data.find((one: { to: string }) => one.to === email)
  const body = { token: tokenOf(mail.body) }
  const answer = await app.call('POST', '/directory/v1/invitation_acceptances', { key: null, body })
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
}

describe('an invitation to a workspace', () => {
  it('is made, listed, read, changed and deleted', async () => {
    const email = address()
    const answer = await space.call('POST', '/invitations/', { body: { email, role: 15 } })
    assert.equal(answer.status, 201)
    const { id, created_at, updated_at, ...rest } = answer.body
    const fields = { accepted: false, responded_at: null }
    assert.deepEqual(rest, { email, role: 15, role_slug: 'member', ...fields })
    for (const time of [created_at, updated_at]) assert.match(time, MICROSECONDS)
    assert.deepEqual(await space.ok('GET', '/invitations/'), [answer.body])
    assert.deepEqual(await space.ok('GET', `/invitations/${id}/`), answer.body)
    const changed = await space.ok('PATCH', `/invitations/${id}/`, { role: 5, email: email.toUpperCase() })
    assert.deepEqual([changed.role, changed.role_slug, changed.id], [5, 'guest', id])
    assert.deepEqual(await space.ok('PATCH', `/invitations/${id}/`, {}), changed)
    await space.ok('DELETE', `/invitations/${id}/`)
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      assert.equal((await space.call(method, `/invitations/${id}/`)).status, 404)
    }
    assert.deepEqual(await space.ok('GET', '/invitations/'), [])
  })

  it('is a guest’s where no role is said, and takes slugs as well as numbers', async () => {
    const names: [unknown, string, number][] = [
      [undefined, 'guest', 5],
      [20, 'owner', 20],
      [15, 'member', 15],
      ['admin', 'admin', 20],
    ]
    for (const [role, slug, number] of names) {
      const row = await space.ok('POST', '/invitations/', { email: address(), role })
      assert.deepEqual([row.role_slug, row.role], [slug, number])
    }
    for (const role of [10, 'contributor', 'nobody']) {
      const answer = await space.call('POST', '/invitations/', { body: { email: address(), role } })
      assert.deepEqual([answer.status, Object.keys(answer.body)], [400, ['role', 'message']])
    }
  })

  it('is refused of an address that is none, is invited, or is a member’s', async () => {
    const email = address()
    await space.ok('POST', '/invitations/', { email })
    const cases: [unknown, string][] = [
      ['nobody', 'email'],
      ['', 'email'],
      [undefined, 'email'],
      [email, 'non_field_errors'],
      [email.toUpperCase(), 'non_field_errors'],
      [space.owner.email, 'email'],
    ]
    for (const [given, key] of cases) {
      const answer = await space.call('POST', '/invitations/', { body: { email: given } })
      assert.deepEqual([answer.status, Object.keys(answer.body)], [400, [key, 'message']], String(given))
    }
  })

  it('is one to the workspace: made beside others of the address, and for who is in the organization only', async () => {
    const other = await world.workspace()
    const email = address()
    const rows = [
      await space.ok('POST', '/invitations/', { email }),
      await other.ok('POST', '/invitations/', { email }),
    ]
    assert.notEqual(rows[0].id, rows[1].id)
    const outside = await space.person(null)
    const { id } = await space.ok('POST', '/invitations/', { email: outside.email, role: 15 })
    await accept(outside.email)
    assert.equal((await space.ok('GET', `/invitations/${id}/`)).accepted, true)
    const members = await space.ok('GET', '/members/')
    assert.equal(members.find((row: { id: string }) => row.id === outside.id).role, 15)
    const again = await space.call('POST', '/invitations/', { body: { email: outside.email } })
    assert.deepEqual([again.status, Object.keys(again.body)], [400, ['email', 'message']])
  })

  it('past its end is refused a change without being called accepted, and can be deleted', async () => {
    const { id } = await space.ok('POST', '/invitations/', { email: address() })
    await expireInvitation(app.database, id)
    const answer = await space.call('PATCH', `/invitations/${id}/`, { body: { role: 15 } })
    assert.deepEqual([answer.status, Object.keys(answer.body)], [400, ['error', 'message']])
    await space.ok('DELETE', `/invitations/${id}/`)
  })

  it('keeps its address, and once answered everything', async () => {
    const email = address()
    const { id } = await space.ok('POST', '/invitations/', { email })
    const moved = await space.call('PATCH', `/invitations/${id}/`, { body: { email: address() } })
    assert.deepEqual([moved.status, moved.body.code], [400, 'EMAIL_CANNOT_BE_UPDATED'])
    await accept(email)
    const row = await space.ok('GET', `/invitations/${id}/`)
    assert.equal(row.accepted, true)
    assert.match(row.responded_at, MICROSECONDS)
    for (const method of ['PATCH', 'DELETE']) {
      const answer = await space.call(method, `/invitations/${id}/`, { body: { role: 15 } })
      assert.deepEqual([answer.status, answer.body.code], [400, 'INVITE_ALREADY_ACCEPTED'])
    }
  })

  it('is of its workspace only, and takes no seat', async () => {
    const [full, other] = [await world.workspace(undefined, { purchased_seats: 1 }), await world.workspace()]
    const { id } = await full.ok('POST', '/invitations/', { email: address(), role: 15 })
    assert.equal((await full.seats()).used, 1)
    assert.deepEqual(await other.ok('GET', '/invitations/'), [])
    assert.equal((await other.call('GET', `/invitations/${id}/`)).status, 404)
    assert.equal((await other.call('DELETE', `/invitations/${id}/`)).status, 404)
  })

  it('is made, changed and deleted by owners and admins of the workspace, up to their own role', async () => {
    for (const role of ['owner', 'admin']) {
      const { key } = await space.person(role)
      const body = { email: address(), role }
      const made = await space.call('POST', '/invitations/', { key, body })
      assert.equal(made.status, 201, JSON.stringify(made.body))
      const path = `/invitations/${made.body.id}/`
      const changed = await space.call('PATCH', path, { key, body: { role: 'member' } })
      assert.deepEqual([changed.status, changed.body.role_slug], [200, 'member'])
      if (role === 'admin') {
        for (const [method, to] of [
          ['POST', '/invitations/'],
          ['PATCH', path],
        ] as const) {
          const answer = await space.call(method, to, { key, body: { email: body.email, role: 'owner' } })
          assert.deepEqual([answer.status, Object.keys(answer.body)], [400, ['error', 'message']])
        }
      }
      assert.equal((await space.call('DELETE', path, { key })).status, 204)
    }
  })

  it('goes to members of the organization as well who are not in the workspace yet', async () => {
    const [other, { key }] = [await world.workspace(), await space.person('admin')]
    const { email } = other.owner
    const { body, status } = await space.call('POST', '/invitations/', { key, body: { email, role: 15 } })
    assert.deepEqual([status, body.role], [201, 15])
    assert.deepEqual(await other.ok('GET', '/invitations/'), [])
    await accept(email)
    assert.equal((await space.ok('GET', `/invitations/${body.id}/`)).accepted, true)
  })

  it('is an offer of who changed its role last, and good as long as they might make it', async () => {
    const [first, last] = [await space.person('admin'), await space.person('admin')]
    const invited = async () => {
      const body = { email: address(), role: 5 }
      const { id } = (await space.call('POST', '/invitations/', { key: first.key, body })).body
      return { ...body, path: `/invitations/${id}/` }
    }
    const [kept, changed] = [await invited(), await invited()]
    const patch = { key: last.key, body: { role: 15 } }
    assert.equal((await space.call('PATCH', changed.path, patch)).status, 200)
    await world.directory.ok('DELETE', `/members/${first.memberId}`)
    await accept(changed.email)
    await assert.rejects(accept(kept.email), /invitation.inviter_unauthorized/)
  })

  it('is not read by members and guests', async () => {
    for (const role of ['member', 'guest']) {
      const { key } = await space.person(role)
      for (const method of ['GET', 'POST']) {
        const body = method === 'POST' ? { email: address() } : undefined
        assert.equal((await space.call(method, '/invitations/', { key, body })).status, 403)
      }
    }
  })
})
