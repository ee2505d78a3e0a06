import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import type { DirectoryClient } from '../../../test/directory-client.ts'
import { openScim, type ScimTestClient } from '../../../test/scim-client.ts'
import { tokenOf } from '../../../test/smtp-sink.ts'

let app: TestApp
/** Another server process on the same database. */
let second: TestApp
let scim: ScimTestClient
let acme: DirectoryClient
before(async () => {
  app = await startTestApp()
  second = await startTestApp({ beside: app })
  scim = await openScim(app, 'acme')
  acme = scim.directory
})

let made = 0
/** A provisioned person who is a member. */
async function person(more: Record<string, unknown> = {}) {
  const userName = String(more.userName ?? `d${++made}@people.example`)
  const user = await scim.user({ ...more, userName })
  const [member] = (await acme.get(`/members?email=${userName}`)).data
  return { ...{ userName, id: user.id as string, memberId: member.id as string } }
}
const activate = (id: string, active: boolean) =>
  scim.patch(`/Users/${id}`, { op: 'replace', path: 'active', value: active })
const statusOf = async (memberId: string) => (await acme.get(`/members/${memberId}`)).status
const groupsOf = async (memberId: string) => (await acme.get(`/members/${memberId}/groups`)).data

async function tokenFor(email: string): Promise<string> {
  const { data } = await acme.get('/mails?limit=1000&status=pending')
  const mail = data.find((one: { to: string }) => one.to === email)
  return tokenOf(mail.body)
}
const accept = (token: string) =>
  app.call('POST', '/directory/v1/invitation_acceptances', { key: null, body: { token } })

describe('whom an identity provider deactivates or deletes', () => {
  for (const [how, end] of [
    ['a PATCH', (id: string) => activate(id, false)],
    ['a DELETE', (id: string) => scim.expect(204, 'DELETE', `/Users/${id}`)],
  ] as const) {
    it(`has no key that works a second after ${how}, in any process`, async () => {
      const { id, memberId } = await person()
      const keys = [
        await acme.key(['groups:read'], { member_id: memberId }),
        await acme.key(['*'], { member_id: memberId }),
      ]
      const use = async () => {
        const path = `${acme.path}/members/${memberId}/groups`
        const calls = [app, second].flatMap((one) => keys.map((key) => one.call('GET', path, { key })))
        return (await Promise.all(calls)).map(({ status }) => status)
      }
      assert.ok(!(await use()).includes(401))
      await end(id)
      await setTimeout(1000)
      assert.deepEqual(await use(), [401, 401, 401, 401])
    })
  }

  it('has no pending invitation, at the old address or at a new one that comes with the deactivation', async () => {
    const [userName, other] = [`d${++made}@people.example`, `d${++made}@people.example`]
    // Invited before they are provisioned: whoever is a member is not invited.
    const invited = [
      await acme.post('/invitations', { email: userName }),
      await acme.post('/invitations', { email: other }),
    ]
    const { id } = await person({ userName })
    const emails = [{ value: other, primary: true }]
    await scim.expect(200, 'PUT', `/Users/${id}`, { userName, emails, active: false })
    for (const { id: invitation } of invited) {
      assert.equal((await acme.get(`/invitations/${invitation}`)).status, 'revoked')
    }
  })

  it('gets no old key back by activation', async () => {
    const { id, memberId } = await person()
    const key = await acme.key(['*'], { member_id: memberId })
    await activate(id, false)
    await activate(id, true)
    assert.equal(await statusOf(memberId), 'active')
    await setTimeout(1000)
    for (const one of [app, second]) {
      assert.equal((await one.call('GET', `${acme.path}/groups`, { key })).status, 401)
    }
  })
})

describe('nobody but the identity provider', () => {
  const refused = (method: string, path: string, body?: object) =>
    acme.refused(method, path, 'member.deprovisioned', 409, body === undefined ? {} : { body })

  it('makes active whom it deactivated: not by hand, and not by an undo', async () => {
    const { id, memberId } = await person()
    await activate(id, false)
    const { id: change } = await acme.lastChange()
    await refused('POST', `/members/${memberId}/reactivate`)
    await refused('POST', `/changes/${change}/undo`)
    assert.equal(await statusOf(memberId), 'suspended')
  })

  it('restores whom it deactivated and somebody removed: not by hand, and not by an undo', async () => {
    const { id, memberId } = await person()
    await activate(id, false)
    await acme.ok('DELETE', `/members/${memberId}`)
    const { id: change } = await acme.lastChange()
    await refused('POST', `/members/${memberId}/restore`)
    await refused('POST', `/changes/${change}/undo`)
    assert.equal(await statusOf(memberId), 'removed')
  })

  it('lets what a deactivated person has live on in another member', async () => {
    const { id, memberId } = await person()
    await activate(id, false)
    const into = await acme.member()
    await refused('POST', `/members/${into.id}/merge`, { from: memberId })
    assert.equal(await statusOf(memberId), 'suspended')
  })

  it('brings a deactivated person back by a member sync, which refuses the row by name', async () => {
    const { id, memberId } = await person()
    await acme.ok('PATCH', `/members/${memberId}`, { external_reference_id: 'gone' })
    const group = await acme.group()
    await activate(id, false)
    await acme.sync(group.id, ['gone'])
    assert.equal(await statusOf(memberId), 'suspended')
    await acme.ok('DELETE', `/members/${memberId}`)
    const sync = await acme.sync(group.id, ['gone', 'here'])
    assert.equal(await statusOf(memberId), 'removed')
    assert.equal((await acme.roster(group.id)).length, 1)
    assert.match(JSON.stringify(sync), /identity provider has deactivated/)
  })

  it('lets somebody in by an invitation whom it deactivated and somebody removed', async () => {
    const { id, memberId, userName } = await person()
    await activate(id, false)
    await acme.ok('DELETE', `/members/${memberId}`)
    await acme.post('/invitations', { email: userName })
    assert.equal((await accept(await tokenFor(userName))).body.code, 'member.deprovisioned')
    assert.equal((await acme.get(`/members?email=${userName}`)).data.length, 0)
  })

  it('changes a group that it manages: neither by hand nor by a member sync', async () => {
    const { id, memberId } = await person()
    const group = await scim.group('Managed', [id])
    const managed = (await groupsOf(memberId))[0]
    const path = `/groups/${managed.group?.id ?? managed.id}`
    const tries = [
      ['POST', '/member_syncs', { members: [] }],
      ['POST', '/members', { member: memberId }],
      ['DELETE', `/members/${memberId}`, undefined],
      ['PATCH', '', { name: 'Taken' }],
      ['DELETE', '', undefined],
    ] as const
    for (const [method, tail, body] of tries) {
      await acme.refused(method, path + tail, 'group.managed', 409, body === undefined ? {} : { body })
    }
    assert.deepEqual(await scim.memberIdsOf(group.id), [id])
  })
})

describe('whom somebody removed by hand', () => {
  it('comes back by a restoration into the groups that the identity provider says by then', async () => {
    const { id, memberId } = await person()
    const [left, joined] = [await scim.group('Left', [id]), await scim.group('Joined')]
    await acme.ok('DELETE', `/members/${memberId}`)
    await scim.patch(`/Groups/${left.id}`, { op: 'remove', path: `members[value eq "${id}"]` })
    await scim.patch(`/Groups/${joined.id}`, { op: 'add', path: 'members', value: [{ value: id }] })
    assert.deepEqual(await groupsOf(memberId), [])
    await acme.post(`/members/${memberId}/restore`)
    const names = (await groupsOf(memberId)).map(
      (row: { name?: string; group?: { name: string } }) => row.name ?? row.group?.name,
    )
    assert.deepEqual(names, ['Joined'])
    const undone = await acme.lastChange()
    assert.equal(undone.kind, 'change.undone')
  })

  it('comes back with its groups when the identity provider activates it anew', async () => {
    const { id, memberId } = await person()
    await scim.group('Back', [id])
    await acme.ok('DELETE', `/members/${memberId}`)
    await activate(id, false)
    await activate(id, true)
    assert.equal(await statusOf(memberId), 'active')
    assert.equal((await groupsOf(memberId)).length, 1)
  })
})

describe('a sole admin of a project', () => {
  it('is deactivated and deleted all the same', async () => {
    const { data } = await acme.get('/roles?resource=project')
    const role = data.find(({ key }: { key: string }) => key === 'admin').id
    const space = `sole-${++made}`
    await acme.post('/workspaces', { name: 'S', slug: space })
    for (const [n, end] of [
      (id: string) => activate(id, false),
      (id: string) => scim.expect(204, 'DELETE', `/Users/${id}`),
    ].entries()) {
      const { id, memberId } = await person()
      const project = await acme.post(`/workspaces/${space}/projects`, { name: 'P', identifier: `SOLE${n}` })
      await acme.post('/role_assignments', { role, member: memberId, target: project.id })
      await acme.refused('POST', `/members/${memberId}/suspend`, 'project.sole_admin', 409)
      await end(id)
      assert.notEqual(await statusOf(memberId), 'active')
    }
  })
})
