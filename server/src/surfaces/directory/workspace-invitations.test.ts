import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { databaseState } from '../../../test/database-state.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'

let app: TestApp
let acme: DirectoryClient
const roles: Record<string, string> = {}
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  acme = directoryClient(app, (await app.organization('acme')).path)
  for (const role of (await acme.get('/roles')).data) roles[`${role.resource} ${role.key}`] = role.id
})

let made = 0
const email = () => `w${++made}@invited.example`

/** A workspace with a project, and keys of people with a role there and no other. */
async function workspace() {
  const slug = `space-${++made}`
  const { id } = await acme.post('/workspaces', { name: slug, slug })
  const project = await acme.post(`/workspaces/${slug}/projects`, { name: 'P', identifier: 'P' })
  const as = async (role: string, scopes = ['*']) => {
    const member = await acme.member()
    await acme.post('/role_assignments', {
      role: roles[`workspace ${role}`] ?? role,
      member: member.id,
      target: id,
    })
    return { key: await acme.key(scopes, { member_id: member.id }) }
  }
  const to = (role: string, more: object = {}) => {
    return { email: email(), target: id, role: roles[`workspace ${role}`], ...more }
  }
  return { id: id as string, project: project.id as string, as, to }
}

async function sent(method: string, tail: string, as: { key: string }, body?: object) {
  const answer = await acme.send(method, tail, body === undefined ? as : { ...as, body })
  assert.ok(answer.status < 300, `${method} ${tail} ${JSON.stringify(answer.body)}`)
  return answer.body
}

describe('inviting to a workspace takes invitations:write there', () => {
  it('so that its owners and admins invite to it and its projects, read, resend and revoke it', async () => {
    const { as, to, project } = await workspace()
    for (const role of ['owner', 'admin']) {
      const actor = await as(role)
      const grants = [{ role: roles['project admin'], target: project }]
      const made = await sent('POST', '/invitations', actor, to(role, { grants, send_email: false }))
      assert.equal((await sent('GET', `/invitations/${made.id}`, actor)).id, made.id)
      await sent('POST', `/invitations/${made.id}/resend`, actor)
      const [again, other] = [{ ...to('guest'), email: made.email }, to('member')]
      await sent('POST', '/invitations', actor, { ...again, combine_pending: true })
      await sent('POST', '/invitations/bulk', actor, {
        invitations: [{ ...again, replace_pending: true }, other],
      })
      const { data } = await acme.get(`/invitations?email=${encodeURIComponent(other.email)}`)
      await sent('DELETE', `/invitations/${data[0].id}`, actor)
    }
  })

  it('and nobody invites to a role above their own, or to more than they hold', async () => {
    const { as, to } = await workspace()
    const inviting = ['invitations:write', 'workspaces:read']
    const custom = await acme.post('/roles', {
      name: 'Inviting',
      resource: 'workspace',
      permissions: inviting,
    })
    const [admin, inviter] = [await as('admin'), await as(custom.id)]
    const before = await databaseState(app.database)
    const refuse = (who: { key: string }, body: object, code: string) =>
      acme.refused('POST', '/invitations', code, 403, { ...who, body })
    await refuse(admin, to('owner'), 'member.outranks')
    await refuse(inviter, to('owner'), 'role.permission_exceeded')
    await refuse(inviter, to('admin'), 'role.permission_exceeded')
    assert.deepEqual(await databaseState(app.database), before)
    await sent('POST', '/invitations', inviter, to('guest'))
    await refuse(await as('member'), to('guest'), 'permission.denied')
    await refuse(await as('owner', ['invitations:read']), to('guest'), 'permission.denied')
  })

  it('and what reaches beyond the workspace takes it in the organization', async () => {
    const [here, elsewhere] = [await workspace(), await workspace()]
    const owner = await here.as('owner')
    const free = await acme.post('/projects', { name: 'Free' })
    const beyond = (role: string, target: string) => ({ grants: [{ role: roles[role], target }] })
    const offers = [
      { email: email() },
      { ...here.to('guest'), level: 'admin' },
      here.to('guest', beyond('organization member', 'organization')),
      here.to('guest', beyond('workspace guest', elsewhere.id)),
      here.to('guest', beyond('project viewer', elsewhere.project)),
      here.to('guest', beyond('project viewer', free.id)),
      elsewhere.to('guest'),
    ]
    for (const offer of offers) {
      const given = { ...owner, body: offer }
      await acme.refused('POST', '/invitations', 'permission.denied', 403, given)
      const body = { invitations: [here.to('guest'), offer] }
      await acme.refused('POST', '/invitations/bulk', 'permission.denied', 403, { ...owner, body })
      const { id } = await acme.post('/invitations', { ...offer, send_email: false })
      for (const [method, tail] of [
        ['GET', ''],
        ['POST', '/resend'],
        ['DELETE', ''],
      ] as const) {
        await acme.refused(method, `/invitations/${id}${tail}`, 'permission.denied', 403, owner)
      }
    }
    const pending = offers[3]!
    for (const policy of ['combine_pending', 'replace_pending']) {
      const body = { ...here.to('guest'), email: pending.email, [policy]: true }
      await acme.refused('POST', '/invitations', 'permission.denied', 403, { ...owner, body })
    }
    const body = { ...here.to('guest'), email: pending.email }
    await acme.refused('POST', '/invitations', 'invitation.already_pending', 409, { ...owner, body })
    await acme.refused('GET', '/invitations', 'permission.denied', 403, owner)
  })

  it('and an invitation of another organization is unknown', async () => {
    const { to } = await workspace()
    const { id } = await acme.post('/invitations', to('guest'))
    const other = directoryClient(app, (await app.organization('other')).path)
    await other.refused('GET', `/invitations/${id}`, 'invitation.not_found', 404)
    await other.refused('DELETE', `/invitations/${id}`, 'invitation.not_found', 404)
    await other.refused('POST', '/invitations', 'workspace.not_found', 404, { body: to('guest') })
  })
})
