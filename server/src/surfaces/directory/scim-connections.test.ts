import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'
import type { ScimClient } from '../../directory/scim/authentication.ts'
import type { ScimRequestEntry } from '../../directory/scim/request-log.ts'
import { decodeId, idPrefixes } from '../http/prefixed-id.ts'

let app: TestApp
let acme: DirectoryClient
let globex: DirectoryClient
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  const [one, two] = [await app.organization('acme'), await app.organization('globex')]
  acme = directoryClient(app, one.path, one.key)
  globex = directoryClient(app, two.path, two.key)
})

const USER = '0199f1a2-0000-7000-8000-00000000aaaa'
const GROUP = '0199f1a2-0000-7000-8000-00000000bbbb'
const PATH = '/scim_connections'

interface Connection {
  readonly id: string
  readonly uuid: string
  readonly token: string
  readonly client: ScimClient
}

async function connect(client: DirectoryClient = acme): Promise<Connection> {
  const { id } = await client.post('/identity_providers', { name: 'Okta', scim: { enabled: true } })
  const { token } = await client.post(`/identity_providers/${id}/scim_tokens`)
  const uuid = decodeId(idPrefixes.identityProvider, id)!
  return { id, uuid, token, client: await app.scim.authentication.authenticate(token, uuid) }
}

async function record({ client, uuid }: Connection, ...entries: Partial<ScimRequestEntry>[]): Promise<void> {
  for (const entry of entries) {
    app.scim.requestLog.record({
      ...{ client, connectionId: uuid, method: 'GET', route: '/Users', url: `/scim/v2/${uuid}/Users` },
      ...{ status: 200, durationMillis: 3, headers: {}, ...entry },
    })
  }
  await app.scim.requestLog.flush()
}

describe('a SCIM connection', () => {
  it('is an identity provider with SCIM on: with its address, its tokens and no request yet', async () => {
    const { id, uuid } = await connect()
    const off = await acme.post('/identity_providers', { name: 'SAML only' })
    const connection = await acme.get(`${PATH}/${id}`)
    const tokens = (await acme.get(`/identity_providers/${id}/scim_tokens`)).data
    assert.equal(tokens.length, 1)
    assert.deepEqual(connection, {
      object: 'scim_connection',
      ...{ id, name: 'Okta', enabled: true },
      base_url: `${app.directory.mailing.publicUrl()}/scim/v2/${uuid}`,
      tokens,
      health: {
        last_request_at: null,
        last_success_at: null,
        last_error: null,
        requests_last_24_hours: { succeeded: 0, refused: 0, failed: 0 },
      },
      provisioned: { users: { active: 0, inactive: 0 }, groups: 0, drift: { missing: 0, held: 0 } },
    })
    const listed = (await acme.get(PATH)).data
    const { provisioned, ...short } = connection
    assert.deepEqual(listed.at(-1), short)
    assert.ok(!listed.some((row: { id: string }) => row.id === off.id))
  })

  it('tells when it last worked, what went wrong last and what to do about it, and counts a day', async () => {
    const connection = await connect()
    await record(
      connection,
      { status: 200 },
      { status: 201 },
      { status: 304 },
      { status: 500 },
      { status: 409, scimType: 'uniqueness', detail: 'The userName "alice" is taken.' },
      { status: 204 },
      { status: 200 },
    )
    await app.database.run({
      name: '',
      text: `update scim_request set id = overlay(id::text placing '0190' from 1)::uuid
        where connection_id = $1 and status = 201`,
      values: [connection.uuid],
    })
    const { health } = await acme.get(`${PATH}/${connection.id}`)
    const [newest, , conflict] = (await acme.get(`/scim_requests?connection=${connection.id}`)).data
    assert.equal(health.last_request_at, newest.created_at)
    assert.equal(health.last_success_at, newest.created_at)
    assert.deepEqual(health.last_error, {
      ...{ at: conflict.created_at, status: 409, scim_type: 'uniqueness' },
      ...{ reason: 'The userName "•••" is taken.', advice: conflict.advice },
    })
    assert.match(health.last_error.advice, /has this name already/)
    assert.deepEqual(health.requests_last_24_hours, { succeeded: 4, refused: 1, failed: 1 })
  })

  it('counts refused credentials, and says that the token is to be replaced', async () => {
    const connection = await connect()
    const refused = { client: null, status: 401, detail: 'The SCIM token does not work here.' }
    await record(connection, ...Array.from({ length: 3 }, () => refused))
    const { health } = await acme.get(`${PATH}/${connection.id}`)
    assert.equal(health.requests_last_24_hours.refused, 3)
    assert.equal(health.last_success_at, null)
    assert.match(health.last_error.advice, /Create a new one/)
  })

  it('counts what it has provisioned, and where what it asserts and what it gives are not the same', async () => {
    const [mine, other] = [await connect(), await connect()]
    const provision = async ({ uuid, token }: Connection, path: string, body: object): Promise<string> => {
      const answer = await app.call('POST', `/scim/v2/${uuid}${path}`, { key: token, body })
      assert.equal(answer.status, 201, JSON.stringify(answer.body))
      return (typeof answer.body === 'string' ? JSON.parse(answer.body) : answer.body).id
    }
    const schemas = (kind: string) => [`urn:ietf:params:scim:schemas:core:2.0:${kind}`]
    const user = (name: string, active = true) => ({
      ...{ schemas: schemas('User'), userName: name, active },
      emails: [{ value: `${name}@people.example`, primary: true }],
    })
    const ids: string[] = []
    for (const name of ['one', 'two', 'three']) ids.push(await provision(mine, '/Users', user(name)))
    await provision(mine, '/Users', user('gone', false))
    await provision(other, '/Users', user('elsewhere'))
    const members = ids.map((value) => ({ value }))
    await provision(mine, '/Groups', { schemas: schemas('Group'), displayName: 'Staff', members })
    const provisioned = async ({ id }: Connection) => (await acme.get(`${PATH}/${id}`)).provisioned
    const counts = { users: { active: 3, inactive: 1 }, groups: 1 }
    assert.deepEqual(await provisioned(mine), { ...counts, drift: { missing: 0, held: 0 } })
    assert.deepEqual(await provisioned(other), {
      ...{ users: { active: 1, inactive: 0 }, groups: 0, drift: { missing: 0, held: 0 } },
    })
    const run = (text: string, ...values: unknown[]) => app.database.run({ name: '', text, values })
    const ofUser = 'member_id = (select member_id from scim_user where id = $1)'
    assert.equal(await run(`delete from group_membership where ${ofUser}`, ids[0]), 1)
    await run('delete from scim_group_member where user_id = any($1)', ids.slice(1))
    assert.deepEqual(await provisioned(mine), { ...counts, drift: { missing: 1, held: 2 } })
    await acme.ok('PATCH', `/identity_providers/${mine.id}`, { scim: { enabled: false } })
    const listed = (await acme.get(PATH)).data.find((row: { id: string }) => row.id === mine.id)
    assert.equal(listed.enabled, false, 'with users it is listed also when SCIM is off')
    await app.scim.requestLog.flush()
    const logged = (await acme.get(`/scim_requests?connection=${mine.id}&user=${ids[0]}`)).data
    assert.deepEqual([logged[0].status, logged[0].request_body.userName], [201, '•••'])
  })

  it('keeps what a refusal answered, without what it quotes, and of a success that it was one', async () => {
    const mine = await connect()
    const user = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'twice@acme.example' }
    const send = (key: string) => app.call('POST', `/scim/v2/${mine.uuid}/Users`, { key, body: user })
    assert.equal((await send(mine.token)).status, 201)
    const refused = await send(mine.token)
    assert.deepEqual([refused.status, refused.body.scimType], [409, 'uniqueness'])
    assert.equal((await send(`${mine.token.slice(0, -3)}xyz`)).status, 401)
    await app.scim.requestLog.flush()
    const { data } = await acme.get(`/scim_requests?connection=${mine.id}`)
    const kept = data.map((row: { response_body: unknown }) => row.response_body)
    const [unknown, conflict, created] = kept
    assert.equal(created, null)
    assert.deepEqual(conflict, { ...refused.body, detail: data[1].reason })
    assert.deepEqual([unknown.status, unknown.detail], ['401', data[0].reason])
  })

  it('of another organization is not found, and of another connection nothing is told', async () => {
    const [mine, other, theirs] = [await connect(), await connect(), await connect(globex)]
    await record(theirs, { status: 500 })
    await record(other, { status: 500 })
    await acme.refused('GET', `${PATH}/${theirs.id}`, 'identity_provider.not_found', 404)
    assert.equal((await acme.get(`${PATH}/${mine.id}`)).health.last_request_at, null)
    const listed = (await acme.get(PATH)).data.map((row: { id: string }) => row.id)
    assert.deepEqual([listed.includes(mine.id), listed.includes(theirs.id)], [true, false])
  })

  it('needs the permission to read identity providers', async () => {
    const key = await acme.key(['groups:read'])
    await acme.refused('GET', PATH, 'permission.denied', 403, { key })
    await acme.refused('GET', `${PATH}/${(await connect()).id}`, 'permission.denied', 403, { key })
  })

  it('stops at once in this process when its token is revoked through the API', async () => {
    const { id } = await acme.post('/identity_providers', { scim: { enabled: true } })
    const uuid = decodeId(idPrefixes.identityProvider, id)!
    const made = await acme.post(`/identity_providers/${id}/scim_tokens`)
    await app.scim.authentication.authenticate(made.token, uuid)
    await acme.ok('DELETE', `/identity_providers/${id}/scim_tokens/${made.id}`)
    await assert.rejects(app.scim.authentication.authenticate(made.token, uuid), /does not work here/)
  })
})

describe('the requests of SCIM clients', () => {
  it('are listed with every filter, the newest first, page by page', async () => {
    const connection = await connect()
    await record(
      connection,
      { status: 200, userId: USER, method: 'PATCH', requestBody: { active: false, userName: 'alice' } },
      { status: 404, userId: USER },
      { status: 201, groupId: GROUP },
      { status: 500 },
    )
    const statuses = async (query: string): Promise<number[]> => {
      const { data } = await acme.get(`/scim_requests?connection=${connection.id}${query}`)
      return data.map((row: { status: number }) => row.status)
    }
    assert.deepEqual(await statuses(''), [500, 201, 404, 200])
    assert.deepEqual(await statuses(`&user=${USER}`), [404, 200])
    assert.deepEqual(await statuses(`&user=${USER.toUpperCase()}`), [404, 200])
    assert.deepEqual(await statuses(`&group=${GROUP}`), [201])
    assert.deepEqual(await statuses('&status=2xx'), [201, 200])
    assert.deepEqual(await statuses('&status=404'), [404])
    assert.deepEqual(await statuses('&to=2020-01-01T00:00:00Z'), [])
    assert.deepEqual(await statuses('&from=2020-01-01T00:00:00Z'), [500, 201, 404, 200])
    const first = await acme.get(`/scim_requests?connection=${connection.id}&limit=3`)
    assert.deepEqual([first.data.length, first.has_more], [3, true])
    const rest = await acme.get(
      `/scim_requests?connection=${connection.id}&limit=3&after=${encodeURIComponent(first.next_cursor)}`,
    )
    const [oldest] = rest.data
    assert.deepEqual([rest.data.length, rest.has_more], [1, false])
    assert.deepEqual(oldest.request_body, { active: false, userName: '•••' })
    assert.deepEqual(
      [oldest.connection, oldest.user, oldest.group, oldest.method, oldest.advice, oldest.times],
      [connection.id, USER, null, 'PATCH', null, 1],
    )
    assert.match(oldest.token, /^sct_/)
  })

  it('refuses filters that mean nothing', async () => {
    for (const query of [
      'user=alice',
      'group=1',
      'status=9xx',
      'status=4x',
      'status=',
      'from=yesterday',
      'limit=201',
      'after=x',
    ]) {
      await acme.refused('GET', `/scim_requests?${query}`, 'request.invalid', 400)
    }
    await acme.refused('GET', '/scim_requests?connection=idp_x', 'identity_provider.not_found', 404)
  })

  it('of another organization are not there, whatever is asked for', async () => {
    const theirs = await connect(globex)
    await record(theirs, { userId: '0199f1a2-0000-7000-8000-00000000dddd' })
    for (const query of [`connection=${theirs.id}`, 'user=0199f1a2-0000-7000-8000-00000000dddd']) {
      assert.deepEqual((await acme.get(`/scim_requests?${query}`)).data, [])
    }
    assert.equal((await globex.get(`/scim_requests?connection=${theirs.id}`)).data.length, 1)
  })

  it('need the permission to change identity providers', async () => {
    const key = await acme.key(['identity_providers:read'])
    await acme.refused('GET', '/scim_requests', 'permission.denied', 403, { key })
  })
})
