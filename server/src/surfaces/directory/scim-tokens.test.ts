import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { type Answer, startTestApp, type TestApp } from '../../../test/app.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'
import { findScimClient } from '../../directory/identity-providers/scim-token.ts'
import { decodeId, idPrefixes } from '../http/prefixed-id.ts'

let app: TestApp
let acme: DirectoryClient
let organizationId: string
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  const { id, path, key } = await app.organization('acme')
  organizationId = decodeId(idPrefixes.organization, id)!
  acme = directoryClient(app, path, key)
})

const create = (body: object = {}): Promise<Answer['body']> => acme.post('/identity_providers', body)
const patch = (id: string, body: object): Promise<Answer['body']> =>
  acme.ok('PATCH', `/identity_providers/${id}`, body)

describe('a SCIM token', () => {
  const enabled = async (): Promise<string> => (await create({ scim: { enabled: true } })).id
  const tokens = (id: string) => `/identity_providers/${id}/scim_tokens`
  const opens = async (secret: string) => findScimClient(app.database, secret)

  it('is shown once, and opens the connection of its identity provider', async () => {
    const id = await enabled()
    const made = await acme.post(tokens(id))
    assert.match(made.token, /^rcscim_[\w-]{43}$/)
    const { token, ...rest } = made
    assert.deepEqual((await acme.get(tokens(id))).data, [rest])
    assert.ok(token.startsWith(rest.hint) && rest.hint.length < 12)
    const connection = await opens(token)
    assert.deepEqual(
      [connection?.organizationId, connection?.connectionId],
      [organizationId, decodeId(idPrefixes.identityProvider, id)],
    )
    for (const wrong of [
      '',
      'rcscim_',
      `${token}x`,
      token.toUpperCase(),
      token.slice(7),
      ` ${token}`,
      `x${token}`,
    ]) {
      assert.equal(await opens(wrong), undefined, wrong)
    }
    const digest = await app.database.rows({
      name: '',
      text: 'select digest from scim_credential',
      values: [],
    })
    assert.ok(!JSON.stringify(digest).includes(Buffer.from(token).toString('hex')))
  })

  it('is no API key, and an API key is none', async () => {
    const { token } = await acme.post(tokens(await enabled()))
    assert.equal((await acme.send('GET', '', { key: token })).status, 401)
    assert.equal(await opens(await acme.key(['*'])), undefined)
  })

  it('works beside the one before while an identity provider is told the new one: two, and no third', async () => {
    const id = await enabled()
    const [one, two] = [await acme.post(tokens(id)), await acme.post(tokens(id))]
    await acme.refused('POST', tokens(id), 'scim_token.too_many', 409)
    assert.ok((await opens(one.token)) && (await opens(two.token)))
    await acme.ok('DELETE', `${tokens(id)}/${one.id}`)
    assert.equal(await opens(one.token), undefined)
    assert.ok(await opens(two.token))
    await acme.refused('DELETE', `${tokens(id)}/${one.id}`, 'scim_token.not_found', 404)
    await acme.post(tokens(id))
    const replacing = await acme.post(tokens(id), { replace: true })
    assert.equal((await acme.lastChange()).detail.scim_tokens_revoked, 2)
    assert.equal(await opens(two.token), undefined)
    assert.deepEqual(
      (await acme.get(tokens(id))).data.map((row: { id: string }) => row.id),
      [replacing.id],
    )
  })

  it('is one of two at most, however many are asked for at the same moment', async () => {
    const id = await enabled()
    const answers = await Promise.all(Array.from({ length: 8 }, () => acme.send('POST', tokens(id))))
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 201, ...Array(6).fill(409)])
  })

  it('ends at its moment, and then counts for nothing', async () => {
    const id = await enabled()
    const soon = new Date(Date.now() + 2000).toISOString()
    const made = await Promise.all([
      acme.post(tokens(id), { expires_at: soon }),
      acme.post(tokens(id), { expires_at: soon }),
    ])
    assert.ok(await opens(made[0].token))
    await setTimeout(Date.parse(soon) - Date.now() + 10)
    assert.equal(await opens(made[0].token), undefined)
    await acme.post(tokens(id))
    const past = { body: { expires_at: '2020-01-01T00:00:00Z' } }
    await acme.refused('POST', tokens(id), 'request.invalid', 400, past)
  })

  it('needs SCIM to be on, and is revoked when it goes off', async () => {
    const { id } = await create()
    await acme.refused('POST', tokens(id), 'identity_provider.scim_disabled', 409)
    await patch(id, { scim: { enabled: true } })
    const { token } = await acme.post(tokens(id))
    const preview = await acme.ok('PATCH', `/identity_providers/${id}?preview=true`, {
      scim: { enabled: false },
    })
    assert.equal(preview.change.detail.scim_tokens_revoked, 1)
    assert.ok(await opens(token))
    await patch(id, { scim: { enabled: false } })
    assert.equal(await opens(token), undefined)
    await patch(id, { scim: { enabled: true } })
    assert.equal(await opens(token), undefined, 'it does not come back')
  })

  it('is dead with its identity provider, and with its organization', async () => {
    const id = await enabled()
    const { token } = await acme.post(tokens(id))
    await acme.ok('DELETE', `/identity_providers/${id}`)
    assert.equal(await opens(token), undefined)
    const { path } = await app.organization('leaving')
    const leaving = directoryClient(app, path)
    const provider = await leaving.post('/identity_providers', { scim: { enabled: true } })
    const theirs = await leaving.post(tokens(provider.id))
    assert.ok(await opens(theirs.token))
    await leaving.ok('DELETE', '')
    assert.equal(await opens(theirs.token), undefined)
  })

  it('of one identity provider is unknown to another', async () => {
    const [one, two] = [await enabled(), await enabled()]
    const token = await acme.post(tokens(one))
    await acme.refused('DELETE', `${tokens(two)}/${token.id}`, 'scim_token.not_found', 404)
    assert.ok(await opens(token.token))
  })

  it('is never answered again: a repetition of the request says so', async () => {
    const given = { headers: { 'idempotency-key': 'scim-token' } }
    const id = await enabled()
    assert.equal((await acme.send('POST', tokens(id), given)).status, 201)
    await acme.refused('POST', tokens(id), 'idempotency.answer_withheld', 409, given)
  })
})
