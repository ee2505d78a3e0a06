import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { databaseState, tableNames } from '../../../test/database-state.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'
import { openAuthentication } from '../../directory/api-keys/authentication.ts'

let app: TestApp
let acme: DirectoryClient
let ownerId: string
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  const organization = await app.organization('acme')
  acme = directoryClient(app, organization.path)
  ownerId = organization.ownerId
})

const statusOf = async (key: string, tail = '/groups') => (await acme.send('GET', tail, { key })).status

/** The text of every row of every table, and of every binary column. */
async function everythingStored(): Promise<string> {
  const texts: string[] = []
  for (const table of await tableNames(app.database)) {
    const rows = await app.database.rows<{ row: string }>({
      name: '',
      text: `select to_jsonb(t)::text as row from ${table} t`,
      values: [],
    })
    texts.push(...rows.map(({ row }) => row))
  }
  return texts.join('\n')
}

describe('an API key', () => {
  it('is shown once, with what tells it apart, and works as Bearer and as X-API-Key', async () => {
    const made = await acme.post('/api_keys', { name: 'ci', scopes: ['groups:read', 'groups:read'] })
    const { key, ...shown } = made
    assert.match(key, /^rck_[A-Za-z0-9_-]{30,}$/)
    assert.deepEqual([shown.hint, shown.scopes, shown.member_id], [key.slice(0, 8), ['groups:read'], null])
    const { data } = await acme.get('/api_keys?limit=1000')
    assert.deepEqual(
      data.find((row: { id: string }) => row.id === made.id),
      shown,
    )
    assert.equal(await statusOf(key), 200)
    const header = await acme.send('GET', '/groups', { key: null, headers: { 'x-api-key': key } })
    assert.equal(header.status, 200)
  })

  it('is stored as a digest only: no table holds it, in any encoding', async () => {
    const secret = await acme.key(['*'])
    const token = await app.call('POST', '/v1/auth/access-tokens', {
      key: secret,
      body: { grant_type: 'client_credentials' },
    })
    const stored = await everythingStored()
    for (const whole of [secret, token.body.access_token]) {
      const bare = whole.replace(/^(rck_|vit_at_)/, '')
      for (const text of [
        whole,
        bare,
        Buffer.from(whole).toString('hex'),
        Buffer.from(whole).toString('base64'),
      ]) {
        assert.equal(stored.includes(text), false)
      }
    }
    assert.equal(stored.includes(secret.slice(0, 8)), true, 'the search finds what is there: the hint')
  })

  it('does what its scopes say and nothing else', async () => {
    const key = await acme.key(['groups:read', 'members:write'])
    assert.equal(await statusOf(key), 200)
    for (const tail of ['', '/members', '/plans', '/changes', '/api_keys']) {
      const refusal = await acme.refused('GET', tail, 'permission.denied', 403, { key })
      assert.ok(refusal.context.permission.endsWith(':read'), tail)
    }
    const created = await acme.send('POST', '/members', { key, body: { email: 'scoped@acme.example' } })
    assert.equal(created.status, 201)
    await acme.refused('POST', '/groups', 'permission.denied', 403, { key, body: { name: 'x' } })
  })

  it('makes only keys of scopes it holds itself', async () => {
    const key = await acme.key(['api_keys:write', 'groups:read'])
    const make = (scopes: string[]) => ({ key, body: { name: 'child', scopes } })
    assert.equal((await acme.send('POST', '/api_keys', make(['groups:read']))).status, 201)
    for (const scopes of [['groups:write'], ['*'], ['groups:read', 'members:read']]) {
      const refusal = await acme.refused('POST', '/api_keys', 'api_key.scope_exceeded', 403, make(scopes))
      assert.equal(refusal.field, 'scopes')
    }
  })

  it('that acts as a member is cut to the level of that member, at every moment', async () => {
    const { id } = await acme.member({ level: 'admin' })
    const key = await acme.key(['*'], { member_id: id })
    const create = () => acme.send('POST', '/groups', { key, body: { name: 'x' } })
    assert.equal((await create()).status, 201)
    await acme.ok('PUT', `/members/${id}/level`, { level: 'member' })
    assert.equal((await create()).status, 403)
    assert.equal(await statusOf(key), 200)
    assert.equal(await statusOf(key, '/changes'), 403)
    await acme.ok('PUT', `/members/${id}/level`, { level: 'owner' })
    assert.equal((await create()).status, 201)
  })

  it('that acts as a member makes no key that acts as the organization or as an owner', async () => {
    const admin = await acme.member({ level: 'admin' })
    const key = await acme.key(['*'], { member_id: admin.id })
    const make = (more: object) => ({ key, body: { name: 'child', scopes: ['groups:read'], ...more } })
    await acme.refused('POST', '/api_keys', 'api_key.scope_exceeded', 403, make({}))
    await acme.refused('POST', '/api_keys', 'permission.denied', 403, make({ member_id: ownerId }))
    assert.equal((await acme.send('POST', '/api_keys', make({ member_id: admin.id }))).status, 201)
  })

  it('for a member who is not active is refused', async () => {
    const { id } = await acme.member()
    await acme.post(`/members/${id}/suspend`)
    const body = { name: 'k', scopes: ['groups:read'], member_id: id }
    const refusal = await acme.refused('POST', '/api_keys', 'member.wrong_status', 409, { body })
    assert.equal(refusal.field, 'member_id')
  })
})

describe('the end of an API key', () => {
  it('by revocation is at once in this process, and within the cache time in others', async () => {
    const made = await acme.post('/api_keys', { name: 'revoked', scopes: ['groups:read'] })
    const elsewhere = await openAuthentication(app.database, 'root key of the other process')
    assert.equal((await elsewhere.authenticate(made.key)).kind, 'api_key')
    assert.equal(await statusOf(made.key), 200)
    assert.equal((await acme.send('DELETE', `/api_keys/${made.id}`)).status, 204)
    assert.equal(await statusOf(made.key), 401)
    const ended = async () => {
      for (let tries = 0; tries < 200; tries++) {
        const works = await elsewhere.authenticate(made.key).then(
          () => true,
          () => false,
        )
        if (!works) return true
        await setTimeout(25)
      }
      return false
    }
    assert.ok(await ended())
    await elsewhere.close()
    await acme.refused('DELETE', `/api_keys/${made.id}`, 'api_key.not_found', 404)
    const { data } = await acme.get('/api_keys?limit=1000')
    assert.equal(
      data.some((row: { id: string }) => row.id === made.id),
      false,
    )
  })

  it('by its date is at that moment, also where it was used just before', async () => {
    const expiresAt = new Date(Date.now() + 2000).toISOString()
    const made = await acme.post('/api_keys', {
      name: 'short',
      scopes: ['groups:read'],
      expires_at: expiresAt,
    })
    assert.equal(Date.parse(made.expires_at), Date.parse(expiresAt))
    assert.equal(await statusOf(made.key), 200)
    // Used until its end, so that this process knows it from a moment before.
    while (Date.now() < Date.parse(expiresAt)) {
      await statusOf(made.key)
      await setTimeout(50)
    }
    assert.equal(await statusOf(made.key), 401)
  })

  it('is refused in the past', async () => {
    const body = { name: 'k', scopes: ['groups:read'], expires_at: '2020-01-01T00:00:00Z' }
    const refusal = await acme.refused('POST', '/api_keys', 'request.invalid', 400, { body })
    assert.equal(refusal.field, 'expires_at')
  })
})

describe('the last use of an API key', () => {
  it('is noted, and only that', async () => {
    const made = await acme.post('/api_keys', { name: 'used', scopes: ['groups:read'] })
    const lastUsed = async () => {
      const { data } = await acme.get('/api_keys?limit=1000')
      return data.find((row: { id: string }) => row.id === made.id).last_used_at
    }
    assert.equal(await lastUsed(), null)
    const state = await databaseState(app.database)
    const authentication = await openAuthentication(app.database, 'another root key')
    const before = Date.now()
    await authentication.authenticate(made.key)
    await authentication.close()
    assert.ok(Date.parse(await lastUsed()) >= before)
    assert.deepEqual(await databaseState(app.database), state)
  })
})
