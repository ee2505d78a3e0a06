import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { ROOT_KEY, startTestApp, type TestApp } from '../../../test/app.ts'
import { countStatements } from '../../../test/count-statements.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'
import { decodeId, idPrefixes } from '../../surfaces/http/prefixed-id.ts'
import { DirectoryError } from '../errors.ts'
import { openScimAuthentication, type ScimAuthentication } from './authentication.ts'

let app: TestApp
let acme: DirectoryClient
let globex: DirectoryClient
/** Two processes, as they see the same database. */
let here: ScimAuthentication
let elsewhere: ScimAuthentication
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  const [one, two] = [await app.organization('acme'), await app.organization('globex')]
  acme = directoryClient(app, one.path, one.key)
  globex = directoryClient(app, two.path, two.key)
  here = openScimAuthentication(app.database)
  elsewhere = openScimAuthentication(app.database)
})

interface Connection {
  readonly id: string
  readonly uuid: string
  readonly token: string
  readonly tokenId: string
}

async function connect(client: DirectoryClient = acme, more: object = {}): Promise<Connection> {
  const { id } = await client.post('/identity_providers', { name: 'Okta', scim: { enabled: true } })
  const made = await client.post(`/identity_providers/${id}/scim_tokens`, more)
  return { id, uuid: decodeId(idPrefixes.identityProvider, id)!, token: made.token, tokenId: made.id }
}

async function refusal(authentication: ScimAuthentication, secret: string | undefined, connectionId: string) {
  const error = await authentication.authenticate(secret, connectionId).then(
    () => assert.fail('it was let in'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof DirectoryError)
  return { code: error.code, message: error.message }
}

const invalid = (error: unknown) => error instanceof DirectoryError && error.code === 'authentication.invalid'

/** Longer than anything is remembered; the promise is one second. */
const remembered = () => setTimeout(600)

describe('the authentication of SCIM clients', () => {
  it('tells whose client presents a token', async () => {
    const { uuid, token, tokenId } = await connect()
    const client = await here.authenticate(token, uuid)
    assert.deepEqual(
      [client.connectionId, client.connectionName, client.tokenId, client.tokenHint],
      [uuid, 'Okta', decodeId(idPrefixes.scimToken, tokenId), token.slice(0, 11)],
    )
  })

  it('answers whatever does not open a connection with one and the same refusal', async () => {
    const [one, other, foreign] = [await connect(), await connect(), await connect(globex)]
    const key = await acme.key(['*'])
    const refusals = [
      await refusal(here, one.token, other.uuid),
      await refusal(here, one.token, foreign.uuid),
      await refusal(here, foreign.token, one.uuid),
      await refusal(here, one.token, '01990000-0000-7000-8000-00000000abcd'),
      await refusal(here, one.token, 'no uuid'),
      await refusal(here, one.token, one.uuid.toUpperCase()),
      await refusal(here, `${one.token}x`, one.uuid),
      await refusal(here, `rcscim_${'x'.repeat(43)}`, one.uuid),
      await refusal(here, `rcscim_${'x'.repeat(100_000)}`, one.uuid),
      await refusal(here, key, one.uuid),
      await refusal(here, ROOT_KEY, one.uuid),
    ]
    assert.equal(new Set(refusals.map((entry) => JSON.stringify(entry))).size, 1)
    assert.equal(refusals[0]!.code, 'authentication.invalid')
    for (const none of [undefined, '']) {
      assert.equal((await refusal(here, none, one.uuid)).code, 'authentication.missing')
    }
  })

  it('ends in every process within one second of a revocation, and at once where it is forgotten', async () => {
    const { id, uuid, token, tokenId } = await connect()
    for (const process of [here, elsewhere]) await process.authenticate(token, uuid)
    await acme.ok('DELETE', `/identity_providers/${id}/scim_tokens/${tokenId}`)
    here.forget()
    await assert.rejects(here.authenticate(token, uuid), invalid)
    await remembered()
    await assert.rejects(elsewhere.authenticate(token, uuid), invalid)
  })

  it('ends for the token that a rotation replaces, and not for the new one', async () => {
    const { id, uuid, token } = await connect()
    await elsewhere.authenticate(token, uuid)
    const { token: next } = await acme.post(`/identity_providers/${id}/scim_tokens`, { replace: true })
    await elsewhere.authenticate(next, uuid)
    await remembered()
    await assert.rejects(elsewhere.authenticate(token, uuid), invalid)
    await elsewhere.authenticate(next, uuid)
  })

  it('ends when SCIM is switched off, when the provider goes and when the organization goes', async () => {
    const off = await connect()
    const deleted = await connect()
    const { path, key } = await app.organization('initech')
    const initech = directoryClient(app, path, key)
    const closed = await connect(initech)
    for (const { token, uuid } of [off, deleted, closed]) await elsewhere.authenticate(token, uuid)
    await acme.ok('PATCH', `/identity_providers/${off.id}`, { scim: { enabled: false } })
    await acme.ok('DELETE', `/identity_providers/${deleted.id}`)
    await initech.ok('DELETE', '')
    await remembered()
    for (const { token, uuid } of [off, deleted, closed]) {
      await assert.rejects(elsewhere.authenticate(token, uuid), invalid)
    }
  })

  it('ends at the moment at which a token ends, remembered or not', async () => {
    const soon = new Date(Date.now() + 2000)
    const { uuid, token } = await connect(acme, { expires_at: soon.toISOString() })
    await here.authenticate(token, uuid)
    await setTimeout(soon.getTime() - Date.now() + 10)
    await assert.rejects(here.authenticate(token, uuid), invalid)
  })

  it('asks the database once for requests that come together, for tokens that do not work as well', async () => {
    const { uuid, token } = await connect()
    const unknown = `rcscim_${'y'.repeat(43)}`
    const asked = await countStatements(app.database, async () => {
      const authentication = openScimAuthentication({ ...app.database })
      await Promise.all([
        ...Array.from({ length: 20 }, () => authentication.authenticate(token, uuid)),
        ...Array.from({ length: 20 }, () => refusal(authentication, unknown, uuid)),
      ])
      authentication.forget()
    })
    assert.equal(asked, 2)
  })

  it('writes down when a token was last used, for its lists, and never an earlier moment', async () => {
    const { id, uuid, token } = await connect()
    const path = `/identity_providers/${id}/scim_tokens`
    const lastUse = async () => (await acme.get(path)).data[0].last_used_at
    assert.equal(await lastUse(), null)
    await elsewhere.authenticate(token, uuid)
    await setTimeout(5)
    await here.authenticate(token, uuid)
    await here.flushLastUses()
    const used = await lastUse()
    assert.ok(Date.parse(used) <= Date.now())
    await elsewhere.flushLastUses()
    assert.equal(await lastUse(), used)
  })
})
