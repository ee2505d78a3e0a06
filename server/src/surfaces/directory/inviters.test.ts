import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { databaseState } from '../../../test/database-state.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'
import { tokenOf } from '../../../test/smtp-sink.ts'
import { sql } from '../../platform/postgres/sql.ts'

let app: TestApp
let acme: DirectoryClient
const roles: Record<string, string> = {}
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  acme = directoryClient(app, (await app.organization('acme')).path)
  for (const role of (await acme.get('/roles')).data) roles[`${role.resource} ${role.key}`] = role.id
})

let made = 0

async function inviter(level: string) {
  const { id } = await acme.member({ level })
  return { id: id as string, key: await acme.key(['*'], { member_id: id }) }
}

async function assign(member: string, role: string, target = 'organization'): Promise<string> {
  return (await acme.post('/role_assignments', { role: roles[role] ?? role, member, target })).id
}

/** Invites somebody with a key. */
async function invite(key: string, more: object = {}): Promise<{ id: string; email: string }> {
  const body = { email: `i${++made}@invited.example`, ...more }
  const answer = await acme.send('POST', '/invitations', { key, body })
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return answer.body
}

/** The invitee follows the link of the latest mail. */
async function accept({ email }: { email: string }) {
  const { data } = await acme.get('/mails?limit=1000&status=pending')
  const token = tokenOf(data.find((one: { to: string }) => one.to === email).body)
  return await app.call('POST', '/directory/v1/invitation_acceptances', { key: null, body: { token } })
}

async function assertRefused(invitation: { id: string; email: string }): Promise<void> {
  const state = await databaseState(app.database)
  const answer = await accept(invitation)
  assert.deepEqual([answer.status, answer.body.code], [409, 'invitation.inviter_unauthorized'])
  assert.deepEqual(await databaseState(app.database), state)
  assert.equal((await acme.get(`/invitations/${invitation.id}`)).status, 'pending')
}

async function assertAccepted(invitation: { email: string }): Promise<void> {
  const answer = await accept(invitation)
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
}

describe('an offer is as good as who made it: it is refused', () => {
  it('when the inviter is suspended, and good again when they are back', async () => {
    const { id, key } = await inviter('admin')
    const invitation = await invite(key)
    await acme.post(`/members/${id}/suspend`)
    await assertRefused(invitation)
    await acme.post(`/members/${id}/reactivate`)
    await assertAccepted(invitation)
  })

  it('when the inviter is removed, until somebody who may offers it by a resend', async () => {
    const { id, key } = await inviter('admin')
    const invitation = await invite(key, { level: 'admin' })
    await acme.ok('DELETE', `/members/${id}`)
    await assertRefused(invitation)
    await app.database.run(sql`
      update invitation set mailed_at = now() - interval '1 hour' where email = ${invitation.email}`)
    const other = await inviter('admin')
    const resent = await acme.send('POST', `/invitations/${invitation.id}/resend`, { key: other.key })
    assert.deepEqual([resent.status, resent.body.invited_by], [200, { kind: 'member', id: other.id }])
    await assertAccepted(invitation)
  })

  it('when the inviter is demoted below what was offered, or may not invite any more', async () => {
    const admin = await inviter('admin')
    const [high, low] = [await invite(admin.key, { level: 'admin' }), await invite(admin.key)]
    const role = await acme.post('/roles', { name: 'Inviting', permissions: ['invitations:write'] })
    const assignment = await assign(admin.id, role.id)
    await acme.ok('PUT', `/members/${admin.id}/level`, { level: 'member' })
    await assertRefused(high)
    await assertAccepted(low)
    const lower = await invite(admin.key)
    await acme.ok('DELETE', `/role_assignments/${assignment}`)
    await assertRefused(lower)
    const owner = await inviter('owner')
    const owners = await invite(owner.key, { level: 'owner' })
    await acme.ok('PUT', `/members/${owner.id}/level`, { level: 'admin' })
    await assertRefused(owners)
  })

  it('when the inviter of a workspace administers it no more, or is not its owner any more', async () => {
    const slug = `space-${++made}`
    const { id: target } = await acme.post('/workspaces', { name: slug, slug })
    await assign((await acme.member()).id, 'workspace owner', target)
    const owner = await inviter('member')
    const owning = await assign(owner.id, 'workspace owner', target)
    const to = (role: string) => ({ target, role: roles[`workspace ${role}`] })
    const [owners, admins] = [await invite(owner.key, to('owner')), await invite(owner.key, to('admin'))]
    const guests = await invite(owner.key, to('guest'))
    const administering = await assign(owner.id, 'workspace admin', target)
    await acme.ok('DELETE', `/role_assignments/${owning}`)
    await assertRefused(owners)
    await assertAccepted(admins)
    await acme.ok('DELETE', `/role_assignments/${administering}`)
    await assertRefused(guests)
  })

  it('when the key of the organization that made it is revoked or past its end', async () => {
    const revoked = await acme.post('/api_keys', { name: 'Leaked', scopes: ['*'] })
    const ended = await acme.post('/api_keys', { name: 'Short', scopes: ['*'] })
    const kept = await acme.post('/api_keys', { name: 'Kept', scopes: ['invitations:write'] })
    const [one, two] = [await invite(revoked.key, { level: 'owner' }), await invite(ended.key)]
    const three = await invite(kept.key)
    await acme.ok('DELETE', `/api_keys/${revoked.id}`)
    await assertRefused(one)
    await app.database.run(sql`update api_key set expires_at = now() where name = 'Short'`)
    await assertRefused(two)
    await assertAccepted(three)
  })
})

describe('an offer stands', () => {
  it('of the root key, and of a member whose key is replaced', async () => {
    const rooted = await acme.post('/invitations', { email: `i${++made}@invited.example`, level: 'owner' })
    await assertAccepted(rooted)
    const { id } = await acme.member({ level: 'admin' })
    const key = await acme.post('/api_keys', { name: 'Old', scopes: ['*'], member_id: id })
    const invitation = await invite(key.key, { level: 'admin' })
    await acme.ok('DELETE', `/api_keys/${key.id}`)
    await assertAccepted(invitation)
  })

  it('although what it gives cannot all be given any more', async () => {
    const { key } = await inviter('admin')
    const { id: target } = await acme.post('/projects', { name: 'Archived' })
    const invitation = await invite(key, { grants: [{ role: roles['project admin'], target }] })
    await acme.post(`/projects/${target}/archive`)
    await assertAccepted(invitation)
  })
})
