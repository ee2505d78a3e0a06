import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'
import { expireInvitation, mailedLongAgo } from '../../../test/inviting.ts'
import { tokenOf } from '../../../test/smtp-sink.ts'
import { decodeId, idPrefixes } from '../http/prefixed-id.ts'

let app: TestApp
let acme: DirectoryClient
before(async () => {
  app = await startTestApp()
  acme = directoryClient(app, (await app.organization('acme')).path)
})

let made = 0
const address = () => `p${++made}@people.example`
const uuid = (id: string) => decodeId(idPrefixes.invitation, id)!

/** The token in the mail about an invitation, read from the outbox. */
async function token(invitation: { id: string }): Promise<string> {
  const { data } = await acme.get('/mails?limit=1000&status=pending')
  return tokenOf(data.find((mail: { invitation: string }) => mail.invitation === invitation.id).body)
}

let clients = 0
/** Asks as the person who is invited: with a token, from an address of its own. */
async function ask(what: 'lookups' | 'acceptances', body: object, remoteAddress = `10.0.0.${++clients}`) {
  const response = await app.http.inject({
    ...{ method: 'POST', url: `/directory/v1/invitation_${what}`, remoteAddress },
    ...{ headers: { 'content-type': 'application/json' }, payload: JSON.stringify(body) },
  })
  return { status: response.statusCode, body: response.json(), headers: response.headers }
}

describe('an invitation', () => {
  it('is created, read, listed, resent and revoked, and its token is in no answer', async () => {
    const project = await acme.post('/projects', { name: 'P', identifier: 'INV' })
    const { data: roles } = await acme.get('/roles?limit=1000')
    const viewer = roles.find(
      (one: { resource: string; key: string }) => one.resource === 'project' && one.key === 'viewer',
    )
    const answer = await acme.send('POST', '/invitations', {
      body: {
        ...{ email: 'Ann@People.Example', level: 'admin', first_name: 'Ann', message: 'Welcome' },
        grants: [{ role: viewer.id, target: project.id }],
      },
    })
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
    const { body } = answer
    assert.deepEqual(body, {
      ...{
        object: 'invitation',
        id: body.id,
        email: 'Ann@people.example',
        level: 'admin',
        status: 'pending',
      },
      target: { type: 'organization', id: null },
      grants: [
        {
          role: { id: viewer.id, key: 'viewer', name: 'Viewer' },
          target: { type: 'project', id: project.id },
        },
      ],
      ...{ first_name: 'Ann', message: 'Welcome', invited_by: { kind: 'root', id: null } },
      ...{ created_at: body.created_at, expires_at: body.expires_at, mailed_at: body.created_at },
      ...{ accepted_at: null, revoked_at: null, member: null },
    })
    assert.equal(Date.parse(body.expires_at) - Date.parse(body.created_at), 3 * 24 * 3600 * 1000)
    assert.deepEqual(await acme.get(`/invitations/${body.id}`), body)
    const { data } = await acme.get('/invitations?email=ANN@people.example&status=pending')
    assert.deepEqual(data, [body])
    assert.deepEqual((await acme.get('/invitations?email=nobody@people.example')).data, [])
    await acme.refused('GET', '/invitations?email=nobody', 'request.invalid', 400)

    const tooSoon = await acme.send('POST', `/invitations/${body.id}/resend`)
    assert.deepEqual([tooSoon.status, tooSoon.body.code], [429, 'invitation.resent_too_soon'])
    assert.equal(Number(tooSoon.headers['retry-after']), tooSoon.body.context.retry_after_seconds)
    await mailedLongAgo(app.database, uuid(body.id))
    const resent = await acme.post(`/invitations/${body.id}/resend`)
    assert.deepEqual([resent.status, resent.id], ['pending', body.id])
    assert.ok(resent.mailed_at > body.mailed_at)

    const secret = await token(body)
    await acme.ok('DELETE', `/invitations/${body.id}`)
    assert.equal((await acme.get(`/invitations/${body.id}`)).status, 'revoked')
    assert.equal((await ask('acceptances', { token: secret })).body.code, 'invitation.wrong_status')
    assert.ok(!JSON.stringify([answer, resent, tooSoon]).includes('rcinv_'))
  })

  it('to a workspace takes a role there, and that only', async () => {
    const space = await acme.post('/workspaces', { name: 'Space', slug: 'inv-space' })
    const { data: roles } = await acme.get('/roles?limit=1000')
    const guest = roles.find(
      (one: { resource: string; key: string }) => one.resource === 'workspace' && one.key === 'guest',
    )
    const { workspace_id: id = space.id } = space
    const body = { email: address(), target: id, role: guest.id }
    const invitation = await acme.post('/invitations', body)
    assert.deepEqual(invitation.target, { type: 'workspace', id })
    assert.deepEqual(invitation.grants[0].role.key, 'guest')
    for (const [wrong, field] of [
      [{ role: undefined }, 'role'],
      [{ target: 'organization' }, 'role'],
      [{ target: 'prj_AZkAAAAAcACAAAAAAACrzQ' }, 'target'],
      [{ combine_pending: true, replace_pending: true }, 'replace_pending'],
      [{ email: 'nobody' }, 'email'],
      [{ message: 'x'.repeat(1001) }, 'message'],
      [{ expires_in_seconds: 59 }, 'expires_in_seconds'],
    ] as const) {
      const given = { body: { ...body, email: address(), ...wrong } }
      const problem = await acme.refused('POST', '/invitations', 'request.invalid', 400, given)
      assert.equal(problem.field, field, problem.detail)
    }
    await acme.refused('POST', '/invitations', 'invitation.already_pending', 409, { body })
    const combined = await acme.post('/invitations', { ...body, level: 'admin', combine_pending: true })
    assert.equal((await acme.get(`/invitations/${invitation.id}`)).status, 'revoked')
    const replaced = await acme.post('/invitations', { ...body, replace_pending: true })
    assert.deepEqual([combined.level, replaced.level], ['admin', 'member'])
    const { detail } = await acme.lastChange()
    assert.deepEqual(detail, {
      ...{ invitation: replaced.id, level: 'member', workspace: id, retired: [combined.id] },
    })
  })

  it('is one of many in one call, once per Idempotency-Key, and all or none', async () => {
    const body = { invitations: [{ email: address() }, { email: address(), level: 'admin' }] }
    const given = { body, headers: { 'idempotency-key': 'bulk' } }
    const first = await acme.send('POST', '/invitations/bulk', given)
    assert.equal(first.status, 201)
    assert.deepEqual((await acme.send('POST', '/invitations/bulk', given)).body, first.body)
    const ids = first.body.data.map(({ id }: { id: string }) => id)
    const change = await acme.lastChange()
    assert.deepEqual([change.kind, change.detail], ['invitations.created', { invitations: ids }])
    const again = { body: { invitations: [{ email: address() }, ...body.invitations] } }
    const problem = await acme.refused('POST', '/invitations/bulk', 'invitation.already_pending', 409, again)
    assert.equal(problem.field, 'invitations[1].email')
    const malformed = { body: { invitations: [{ email: address(), target: 'elsewhere' }] } }
    const refused = await acme.refused('POST', '/invitations/bulk', 'request.invalid', 400, malformed)
    assert.equal(refused.field, 'invitations[0].target')
    await acme.refused('POST', '/invitations/bulk', 'request.invalid', 400, { body: { invitations: [] } })
  })

  it('lasts as long as the organization’s settings say', async () => {
    const { path } = await app.organization('brief')
    const brief = directoryClient(app, path)
    const wrong = { body: { settings: { invitation_expiry_seconds: 59 } } }
    const problem = await brief.refused('PATCH', '', 'request.invalid', 400, wrong)
    assert.equal(problem.field, 'settings.invitation_expiry_seconds')
    await brief.ok('PATCH', '', { settings: { invitation_expiry_seconds: 60 } })
    const { created_at, expires_at } = await brief.post('/invitations', { email: address() })
    assert.equal(Date.parse(expires_at) - Date.parse(created_at), 60_000)
  })
})

describe('who is invited', () => {
  it('asks what it is to, and accepts, with nothing but the token of the mail', async () => {
    const invitation = await acme.post('/invitations', { email: 'bob@people.example', first_name: 'Bob' })
    const secret = await token(invitation)
    const looked = await ask('lookups', { token: secret })
    assert.deepEqual([looked.status, looked.headers['cache-control']], [200, 'no-store'])
    assert.deepEqual(looked.body, {
      ...{ object: 'invitation_lookup', organization: { name: 'acme', slug: 'acme' }, workspace: null },
      ...{
        email: 'b***@people.example',
        level: 'member',
        first_name: 'Bob',
        expires_at: invitation.expires_at,
      },
    })
    const wrong = await ask('acceptances', { token: secret, email: 'eve@people.example' })
    assert.deepEqual([wrong.status, wrong.body.code], [403, 'invitation.wrong_recipient'])
    assert.ok(!JSON.stringify(wrong.body).includes('bob@'), 'a stranger is not told the address')
    const accepted = await ask('acceptances', {
      token: secret,
      email: 'BOB@people.example',
      last_name: 'Lee',
    })
    assert.equal(accepted.status, 201, JSON.stringify(accepted.body))
    const { member, organization } = accepted.body
    assert.deepEqual(accepted.body, {
      object: 'invitation_acceptance',
      organization: { id: organization.id, name: 'acme', slug: 'acme' },
      member: { id: member.id, display_name: 'Bob Lee', email: 'bob@people.example' },
      ...{ is_new_member: true, level: 'member', skipped: [] },
    })
    assert.equal((await acme.get(`/members/${member.id}`)).status, 'active')
    assert.equal((await acme.get(`/invitations/${invitation.id}`)).member, member.id)
    const change = await acme.lastChange()
    assert.deepEqual(
      [change.kind, change.cause, change.actor],
      ['invitation.accepted', { kind: 'invitation', id: invitation.id }, { kind: 'member', id: member.id }],
    )
    for (const what of ['lookups', 'acceptances'] as const) {
      const again = await ask(what, { token: secret })
      assert.deepEqual([again.status, again.body.code], [409, 'invitation.wrong_status'])
    }
  })

  it('is told when it is past its end, and nothing about tokens that are none', async () => {
    const invitation = await acme.post('/invitations', { email: address() })
    const secret = await token(invitation)
    await expireInvitation(app.database, uuid(invitation.id))
    for (const what of ['lookups', 'acceptances'] as const) {
      assert.deepEqual((await ask(what, { token: secret })).status, 410)
      const unknown = await ask(what, { token: `rcinv_${'A'.repeat(43)}` })
      assert.deepEqual([unknown.status, unknown.body.code], [404, 'invitation.not_found'])
      assert.ok(!JSON.stringify(unknown.body).includes('rcinv_'))
      assert.equal((await ask(what, {})).status, 400)
    }
  })

  it('learns of no account: the answers are the same for an address that is a member elsewhere', async () => {
    const { path } = await app.organization('elsewhere')
    const email = address()
    await directoryClient(app, path).post('/members', { email })
    const [known, unknown] = [
      await acme.post('/invitations', { email }),
      await acme.post('/invitations', { email: address() }),
    ]
    const shape = async (invitation: { id: string; email: string; expires_at: string }) => {
      const { status, body } = await ask('lookups', { token: await token(invitation) })
      return [status, { ...body, expires_at: '', email: '' }]
    }
    assert.deepEqual(await shape(known), await shape(unknown))
  })

  it('gets a higher level at once, with the key they have already', async () => {
    const email = address()
    const invitation = await acme.post('/invitations', { email, level: 'admin' })
    const member = await acme.member({ email })
    const key = await acme.key(['*'], { member_id: member.id })
    const mine = directoryClient(app, acme.path, key)
    await mine.refused('POST', '/groups', 'permission.denied', 403, { body: { name: 'G' } })
    const { status, body } = await ask('acceptances', { token: await token(invitation) })
    assert.deepEqual([status, body.is_new_member, body.level], [201, false, 'admin'])
    await mine.post('/groups', { name: 'G' })
  })
})

describe('guessing tokens', () => {
  it('is stopped for an address, or an IPv6 network, and for nobody else', async () => {
    const guess = (from: string) => ask('acceptances', { token: `rcinv_${'B'.repeat(43)}` }, from)
    for (const from of [(_: number) => '192.0.2.1', (n: number) => `2001:db8::${(n % 9) + 1}`]) {
      const answers = await Promise.all(Array.from({ length: 60 }, (_, n) => guess(from(n))))
      const refused = answers.filter(({ status }) => status === 429)
      assert.ok(refused.length >= 29 && refused.length <= 30, `${refused.length} of 60 were refused`)
      assert.equal(refused[0]!.body.code, 'request.rate_limited')
      assert.ok(Number(refused[0]!.headers['retry-after']) >= 1)
    }
    assert.equal((await guess('192.0.2.2')).status, 404)
    assert.equal((await guess('2001:db8:0:1::1')).status, 404)
    assert.equal((await guess('2001:db8:0:0:ffff::1')).status, 429)
  })
})
