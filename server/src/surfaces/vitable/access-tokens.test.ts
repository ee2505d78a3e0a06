import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { databaseState } from '../../../test/database-state.ts'
import { openAuthentication } from '../../directory/api-keys/authentication.ts'

let app: TestApp
before(async () => {
  app = await startTestApp({ withoutTasks: true })
})

const PATH = '/v1/auth/access-tokens'
const GRANT = { grant_type: 'client_credentials' }

async function issue(key: string): Promise<string> {
  const answer = await app.call('POST', PATH, { key, body: GRANT })
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return answer.body.access_token
}
const statusWith = async (key: string) => (await app.call('GET', '/v1/groups', { key })).status

describe('an access token', () => {
  it('is answered as documented, for 900 seconds, and never cached on its way', async () => {
    const { key } = await app.organization('shape')
    for (const body of [GRANT, { ...GRANT, bound_entity: null }]) {
      const answer = await app.call('POST', PATH, { key, body })
      assert.equal(answer.status, 200)
      const { access_token: token, ...rest } = answer.body
      assert.deepEqual(rest, { token_type: 'Bearer', expires_in: 900, bound_entity: null })
      assert.match(token, /^vit_at_[A-Za-z0-9_-]{20,}$/)
      assert.equal(answer.headers['cache-control'], 'no-store')
    }
  })

  it('works as a Bearer credential with the rights of its key, and no more', async () => {
    const { path, key } = await app.organization('rights')
    const scoped = await app.call('POST', `${path}/api_keys`, {
      body: { name: 'reader', scopes: ['groups:read'] },
    })
    const token = await issue(scoped.body.key)
    assert.equal(await statusWith(token), 200)
    const body = { name: 'Not mine to make', external_reference_id: 'x' }
    assert.equal((await app.call('POST', '/v1/groups', { key: token, body })).status, 403)
    assert.equal((await app.call('POST', '/v1/groups', { key: await issue(key), body })).status, 201)
  })

  it('is not exchanged for another: whoever finds one has it for 900 seconds at most', async () => {
    const { key } = await app.organization('chain')
    const token = await issue(key)
    const answer = await app.call('POST', PATH, { key: token, body: GRANT })
    assert.equal(answer.status, 403)
    assert.match(answer.body.message, /^An access token is not exchanged/)
  })

  it('ends with its key', async () => {
    const { path } = await app.organization('ends')
    const made = (await app.call('POST', `${path}/api_keys`, { body: { name: 'k', scopes: ['*'] } })).body
    const token = await issue(made.key)
    assert.equal(await statusWith(token), 200)
    assert.equal((await app.call('DELETE', `${path}/api_keys/${made.id}`)).status, 204)
    assert.equal(await statusWith(token), 401)
  })

  it('ends 900 seconds after it was issued, to the second', async () => {
    const { key } = await app.organization('expiry')
    const token = await issue(key)
    const [row] = await app.database.rows<{ seconds: number }>({
      name: '',
      text: `select extract(epoch from c.expires_at - now())::float8 as seconds from credential c
        join organization o on o.id = c.organization_id where o.slug = 'expiry' and c.expires_at is not null`,
      values: [],
    })
    assert.ok(row!.seconds > 890 && row!.seconds <= 900, String(row!.seconds))
    await app.database.run({
      name: '',
      text: `update credential set expires_at = now() where expires_at is not null`,
      values: [],
    })
    // A process that has not seen the token yet, as after a restart.
    const elsewhere = await openAuthentication(app.database, 'another root key')
    await assert.rejects(elsewhere.authenticate(token), { code: 'authentication.invalid' })
    assert.equal((await elsewhere.authenticate(key)).kind, 'api_key')
    await elsewhere.close()
  })
})

describe('a request for an access token', () => {
  it('for an employer or employee is refused by name, and issues nothing', async () => {
    const { key } = await app.organization('bound')
    const before = await databaseState(app.database)
    for (const type of ['employer', 'employee']) {
      const body = { ...GRANT, bound_entity: { id: 'empr_123', type } }
      const answer = await app.call('POST', PATH, { key, body })
      assert.equal(answer.status, 400)
      assert.match(answer.body.message, /^bound_entity must be null/)
    }
    assert.deepEqual(await databaseState(app.database), before)
  })

  it('with another grant_type, with none or without a body is refused with 400 that names it', async () => {
    const { key } = await app.organization('grant')
    const before = await databaseState(app.database)
    for (const body of [{ grant_type: 'password' }, { grant_type: null }, {}, { grant_type: 1 }]) {
      const answer = await app.call('POST', PATH, { key, body })
      assert.equal(answer.status, 400)
      assert.equal(answer.body.message, 'grant_type must be client_credentials.')
    }
    assert.equal((await app.call('POST', PATH, { key })).status, 400)
    assert.deepEqual(await databaseState(app.database), before)
  })

  it('without a credential is 401, with the root key 403', async () => {
    assert.equal((await app.call('POST', PATH, { key: null, body: GRANT })).status, 401)
    assert.equal((await app.call('POST', PATH, { body: GRANT })).status, 403)
  })
})
