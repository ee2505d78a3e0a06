import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { openAuthentication } from '#src/directory/api-keys/authentication.ts'
import { DirectoryError } from '#src/directory/errors.ts'
import { ROOT_KEY } from '../../../app.ts'
import { type IdentityProvider, startIdentityProvider } from '../identity-provider.ts'

let scim: IdentityProvider
before(async () => {
  scim = await startIdentityProvider()
})

const statusOf = async (headers: Record<string, string>, path = '/Users') => {
  const { status } = await scim.app.call('GET', scim.base + path, { key: null, headers })
  return status
}

describe('SCIM tokens', () => {
  it('SCIM-16: stand in the Authorization header as a Bearer token, whole, and nowhere else', async () => {
    const { token } = scim
    const basic = Buffer.from(`${token}:`).toString('base64')
    for (const authorization of [
      ...['', 'Bearer', 'Bearer ', token, `Basic ${basic}`, `Token ${token}`, `Bearer ${token} x`],
      ...[`Bearer ${token.slice(0, -1)}`, `Bearer ${token}x`, `Bearer "${token}"`, `Bearer  , ${token}`],
    ]) {
      assert.equal(await statusOf({ authorization }), 401, authorization)
    }
    for (const path of [`/Users?access_token=${token}`, `/Users?token=${token}`]) {
      assert.equal(await statusOf({}, path), 401)
    }
    assert.equal(await statusOf({ 'x-api-key': token }), 401)
    assert.equal(await statusOf({ cookie: `session=${token}` }), 401)
    assert.equal(await statusOf({ authorization: `bearer ${token}` }), 200)
  })

  it('SCIM-16: are two at a time for a rotation, and dead at the next request when revoked', async () => {
    const { data } = await scim.directory.get('/identity_providers')
    const tokens = `/identity_providers/${data[0].id}/scim_tokens`
    const next = await scim.directory.post(tokens, {})
    assert.equal(await statusOf({ authorization: `Bearer ${next.token}` }), 200)
    assert.equal(await statusOf({ authorization: `Bearer ${scim.token}` }), 200)
    await scim.directory.ok('DELETE', `${tokens}/${next.id}`)
    assert.equal(await statusOf({ authorization: `Bearer ${next.token}` }), 401)
    assert.equal(await statusOf({ authorization: `Bearer ${scim.token}` }), 200)
  })

  // Sessions of a console and ID-JAG tokens do not exist yet: API keys and the root key are what there is.
  it('SCIM-17: are good for SCIM alone, and nothing else is good for SCIM', async () => {
    const key = await scim.directory.key(['*'])
    for (const secret of [key, ROOT_KEY]) {
      assert.equal(await statusOf({ authorization: `Bearer ${secret}` }), 401)
      assert.equal(await statusOf({ 'x-api-key': secret }), 401)
    }
    for (const path of [
      scim.directory.path,
      `${scim.directory.path}/members`,
      '/v1/organization/users',
      '/v1/groups',
      '/api/v1/users/me/',
      '/api/organizations/',
    ]) {
      assert.equal((await scim.app.call('GET', path, { key: scim.token })).status, 401, path)
      const headers = { 'x-api-key': scim.token }
      assert.equal((await scim.app.call('GET', path, { key: null, headers })).status, 401, path)
    }
  })
})

/** A person with everything that can let them in: what there is are API keys and invitations. */
async function person() {
  const user = await scim.user()
  const [member] = (await scim.directory.get(`/members?email=${user.userName}`)).data
  const keys = [
    await scim.directory.key(['members:read'], { member_id: member.id }),
    await scim.directory.key(['*'], { member_id: member.id }),
  ]
  return { user, member, keys }
}

describe('whoever is deprovisioned', () => {
  for (const way of ['active false', 'DELETE']) {
    // Sessions, refresh tokens and ID-JAG access tokens do not exist yet.
    it(`SCIM-06: by ${way} has no key that works, in this process at once and in every other within a second`, async () => {
      const elsewhere = await openAuthentication(scim.app.database, ROOT_KEY)
      try {
        const { user, keys } = await person()
        for (const key of keys) await elsewhere.authenticate(key)
        if (way === 'DELETE') await scim.expect(204, 'DELETE', `/Users/${user.id}`)
        else await scim.patch(`/Users/${user.id}`, { op: 'replace', path: 'active', value: false })
        for (const key of keys) {
          assert.equal((await scim.directory.send('GET', '/members', { key })).status, 401)
        }
        await setTimeout(1000)
        for (const key of keys) await assert.rejects(elsewhere.authenticate(key), DirectoryError)
      } finally {
        await elsewhere.close()
      }
    })
  }

  it('SCIM-06: has no pending invitation, and the change is recorded', async () => {
    const email = 'guest@people.example'
    const invitation = await scim.directory.post('/invitations', { email })
    const user = await scim.user({ emails: [{ value: email }] })
    const [member] = (await scim.directory.get(`/members?email=${email}`)).data
    const status = async () => (await scim.directory.get(`/invitations/${invitation.id}`)).status
    assert.equal(await status(), 'pending')
    await scim.patch(`/Users/${user.id}`, { op: 'replace', path: 'active', value: false })
    assert.notEqual(await status(), 'pending')
    const change = await scim.directory.lastChange()
    assert.deepEqual(
      [change.kind, change.member, change.actor.kind],
      ['member.suspended', member.id, 'scim_connection'],
    )
  })

  it('SCIM-07: and comes back has none of the keys from before', async () => {
    const { user, keys } = await person()
    await scim.patch(`/Users/${user.id}`, { op: 'replace', path: 'active', value: false })
    await scim.patch(`/Users/${user.id}`, { op: 'replace', path: 'active', value: true })
    for (const key of keys) assert.equal((await scim.directory.send('GET', '/members', { key })).status, 401)
  })
})
