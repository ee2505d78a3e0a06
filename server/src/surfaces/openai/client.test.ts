import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import OpenAI, { AuthenticationError, ConflictError, NotFoundError, PermissionDeniedError } from 'openai'
import { ROOT_KEY, startTestApp, type TestApp } from '../../../test/app.ts'
import { databaseState } from '../../../test/database-state.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'
import { assertRefused, type OpenaiClient, openaiClient } from '../../../test/openai-client.ts'

let app: TestApp
let openai: OpenaiClient
let directory: DirectoryClient
let key: string
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  const organization = await app.organization('acme')
  key = organization.key
  directory = directoryClient(app, organization.path)
  openai = await openaiClient(app, key)
})

describe('the vendor’s client', () => {
  it('with an application key alone sends nothing at all', async () => {
    const client = await openaiClient(app, key, { adminAPIKey: null, apiKey: key })
    await assert.rejects(
      async () => await client.organization.groups.list(),
      /Could not resolve authentication/,
    )
    assert.deepEqual(client.sent, [])
  })

  it('with both keys works by its admin key', async () => {
    const client = await openaiClient(app, key, { apiKey: 'sk-of-the-application' })
    assert.deepEqual((await client.organization.groups.list()).data, [])
  })

  it('throws errors of its own classes, each with status, code, param, type and request id', async () => {
    const { groups, roles } = openai.organization
    const stranger = await openaiClient(app, 'sk-admin-unknown')
    const taken = { role_name: 'Taken', permissions: [] }
    await roles.create(taken)
    const narrow = await openaiClient(app, await directory.key(['members:read']))
    const cases: [() => Promise<unknown>, unknown, number, string, string | null][] = [
      [() => groups.create({ name: '' }), OpenAI.BadRequestError, 400, 'invalid_value', 'name'],
      [() => stranger.organization.groups.list(), AuthenticationError, 401, 'invalid_api_key', null],
      [() => narrow.organization.groups.list(), PermissionDeniedError, 403, 'insufficient_permissions', null],
      [() => groups.retrieve('group_x'), NotFoundError, 404, 'not_found', null],
      [() => roles.create(taken), ConflictError, 409, 'already_exists', 'role_name'],
    ]
    for (const [call, kind, status, code, param] of cases) {
      const error = await assertRefused(call(), status, code, param)
      assert.equal(error.constructor, kind)
      assert.equal(error.type, 'invalid_request_error')
    }
  })

  it('asks once where the answer is a conflict', async () => {
    const role = { role_name: 'Once', permissions: [] }
    await openai.organization.roles.create(role)
    openai.sent.length = 0
    const error = await assertRefused(
      openai.organization.roles.create(role),
      409,
      'already_exists',
      'role_name',
    )
    assert.equal(error.headers?.get('x-should-retry'), 'false')
    assert.equal(openai.sent.length, 1)
  })

  it('beyond the rate limit waits as long as it is told to, and succeeds at the second request', async () => {
    const { path } = await app.organization('limited')
    const limited = directoryClient(app, path)
    await limited.ok('PATCH', '', { settings: { rate_limit: { requests_per_minute: 60, burst: 1 } } })
    const client = await openaiClient(app, await limited.key(['*']))
    // On a slow machine the second may have passed between two calls.
    for (let tries = 0; client.sent.length < 2 && tries < 20; tries++) {
      client.sent.length = 0
      assert.deepEqual((await client.organization.groups.list()).data, [])
    }
    assert.equal(client.sent.length, 2)

    const slow = directoryClient(app, (await app.organization('slow')).path)
    await slow.ok('PATCH', '', { settings: { rate_limit: { requests_per_minute: 1, burst: 1 } } })
    const impatient = await openaiClient(app, await slow.key(['*']), { maxRetries: 0 })
    await impatient.organization.groups.list()
    const error = await assertRefused(impatient.organization.groups.list(), 429, 'rate_limit_exceeded')
    assert.equal(error.type, 'requests')
    assert.ok(Number(error.headers?.get('retry-after')) >= 1)
    assert.ok(Number(error.headers?.get('retry-after-ms')) >= 1)
    assert.equal(error.headers?.get('x-ratelimit-remaining'), '0')
  })

  it('is told when to ask again while the database cannot be reached', async () => {
    const client = await openaiClient(app, key, { maxRetries: 0 })
    const { row, rows } = app.database
    const unreachable = () => {
      throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    }
    Object.assign(app.database, { row: unreachable, rows: unreachable })
    const refusal = assertRefused(client.organization.groups.list(), 503, 'server_busy')
    const error = await refusal.finally(() => Object.assign(app.database, { row, rows }))
    assert.equal(error.type, 'server_error')
    assert.equal(error.headers?.get('retry-after'), '1')
    assert.equal(error.headers?.get('retry-after-ms'), '1000')
  })
})

describe('a request below the prefixes', () => {
  const PATHS = ['/v1/organization', '/v1/organization/nothing', '/v1/projects', '/v1/projects/x/nothing']

  it('to a path that is not there is refused in the dialect’s shape, with a key and without', async () => {
    for (const path of PATHS) {
      for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
        const known = await app.call(method, path, { key, ...(method === 'GET' ? {} : { body: {} }) })
        assert.deepEqual([known.status, known.body.error?.code], [404, 'not_found'], `${method} ${path}`)
        const stranger = await app.call(method, path, { key: null })
        assert.deepEqual([stranger.status, stranger.body.error?.code], [401, 'invalid_api_key'])
        assert.equal(stranger.headers['www-authenticate'], 'Bearer')
      }
    }
    for (const method of ['PATCH', 'PUT']) {
      const answer = await app.call(method, '/v1/organization/groups', { key, body: { name: 'x' } })
      assert.deepEqual([answer.status, answer.body.error.code], [404, 'not_found'])
    }
  })

  it('may end in a slash', async () => {
    const { id } = await openai.organization.groups.create({ name: 'Slash' })
    for (const path of ['groups/', `groups/${id}/`, `groups/${id}/users/`, 'users/', 'roles/']) {
      assert.equal((await app.call('GET', `/v1/organization/${path}`, { key })).status, 200, path)
    }
  })

  it('with the root key is refused: that belongs to no organization', async () => {
    for (const path of ['groups', 'users', 'roles']) {
      const answer = await app.call('GET', `/v1/organization/${path}`, { key: ROOT_KEY })
      assert.deepEqual([answer.status, answer.body.error.code], [403, 'insufficient_permissions'])
    }
  })

  it('takes the key as Bearer only', async () => {
    const headers = [{ 'x-api-key': key }, { authorization: key }, { authorization: `Basic ${key}` }]
    for (const given of headers) {
      const answer = await app.call('GET', '/v1/organization/groups', { key: null, headers: given })
      assert.equal(answer.status, 401)
    }
  })
})

describe('a key with few scopes', () => {
  it('may do what they say, and is refused the rest by the name of the scope, without an effect', async () => {
    const { id } = await openai.organization.groups.create({ name: 'Guarded' })
    const user = (await directory.member()).id.replace('mem_', 'user-')
    const role = await openai.organization.roles.create({ role_name: 'Guarded', permissions: [] })
    const needed: [string, (client: OpenaiClient['organization']) => Promise<unknown>][] = [
      ['groups:read', async (client) => await client.groups.list()],
      ['groups:read', async (client) => await client.groups.users.list(id)],
      ['groups:write', (client) => client.groups.create({ name: 'x' })],
      ['groups:write', (client) => client.groups.update(id, { name: 'x' })],
      ['groups:write', (client) => client.groups.delete(id)],
      ['groups:write', (client) => client.groups.users.create(id, { user_id: user })],
      ['groups:write', (client) => client.groups.users.delete(user, { group_id: id })],
      ['members:read', async (client) => await client.users.list()],
      ['members:read', (client) => client.users.retrieve(user)],
      ['members:write', (client) => client.users.update(user, { role: 'owner' })],
      ['members:write', (client) => client.users.update(user, {})],
      ['members:write', (client) => client.users.delete(user)],
      ['roles:read', async (client) => await client.roles.list()],
      ['roles:read', async (client) => await client.groups.roles.list(id)],
      ['roles:read', (client) => client.users.roles.retrieve(role.id, { user_id: user })],
      ['roles:write', (client) => client.roles.update(role.id, { role_name: 'x' })],
      ['roles:write', (client) => client.roles.delete(role.id)],
      ['roles:write', (client) => client.users.roles.create(user, { role_id: role.id })],
      ['roles:write', (client) => client.groups.roles.delete(role.id, { group_id: id })],
    ]
    const all = ['groups', 'members', 'roles'].flatMap((noun) => [`${noun}:read`, `${noun}:write`])
    for (const [scope, call] of needed) {
      const others = all.filter((name) => name !== scope)
      const client = await openaiClient(app, await directory.key(others))
      const unchanged = await databaseState(app.database)
      const error = await assertRefused(call(client.organization), 403, 'insufficient_permissions')
      assert.match(error.message, new RegExp(`needs the permission ${scope}\\b`))
      assert.deepEqual(await databaseState(app.database), unchanged, scope)
    }
  })
})
