import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { type Answer, startTestApp, type TestApp } from '../../../test/app.ts'
import { databaseState } from '../../../test/database-state.ts'
import { directoryClient } from '../../../test/directory-client.ts'
import { addressOf, openPlaneWorld, type PlaneSpace, type PlaneWorld } from '../../../test/plane-client.ts'

let app: TestApp
let world: PlaneWorld
let space: PlaneSpace
let project: Answer['body']
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  world = await openPlaneWorld(app, 'acme')
  space = await world.workspace()
  project = await space.project('REQ')
})

describe('a path', () => {
  it('means the same with and without its last slash, and with doubled ones', async () => {
    const expected = await space.ok('GET', `/projects/${project.id}/`)
    const path = `${space.base}/projects/${project.id}`
    for (const url of [path, `${path}/`, `/${path}/`, `${path}//`, path.replace('/projects', '//projects')]) {
      const answer = await world.send('GET', url)
      assert.deepEqual([answer.status, answer.body], [200, expected], url)
    }
  })

  it('is never answered by a redirect, whatever the method', async () => {
    const origin = await addressOf(app)
    for (const method of ['GET', 'POST', 'PATCH', 'DELETE', 'PUT', 'HEAD']) {
      for (const tail of ['/members', '/members/', '/members/remove', '//nothing', '/projects/x']) {
        const answer = await fetch(`${origin}${space.base}${tail}`, {
          method,
          redirect: 'manual',
          headers: { 'x-api-key': world.key },
        })
        assert.ok(answer.status < 300 || answer.status >= 400, `${method} ${tail} ${answer.status}`)
        assert.equal(answer.headers.get('location'), null)
        await answer.arrayBuffer()
      }
    }
  })

  it('that is not there is answered 404 in JSON, anywhere below the prefix', async () => {
    const paths = ['/api/v1', '/api/v1/', '/api/v1/nothing/', '//api/v1/nothing/', '/api//v1/nothing']
    const tails = ['/cycles/', `/projects/${project.id}/work-items/`, '/members/remove/x/']
    for (const path of [...paths, ...tails.map((tail) => space.base + tail)]) {
      for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
        const answer = await world.send(method, path)
        const body = { error: 'Page not found.', message: 'Page not found.' }
        assert.deepEqual([answer.status, answer.body], [404, body], `${method} ${path}`)
        assert.match(String(answer.headers['content-type']), /^application\/json/)
        const stranger = await world.send(method, path, { key: null })
        assert.deepEqual([stranger.status, stranger.body.detail], [401, stranger.body.message])
      }
    }
  })

  it('with a hostile or undecodable part is unknown or invalid, and no fault', async () => {
    const parts = [
      '%00',
      'a%00b',
      '%ED%A0%80',
      '%FF',
      "'%20or%201=1--",
      '..%2F..',
      '__proto__',
      '%ZZ',
      '%',
      'x'.repeat(600),
    ]
    for (const part of parts) {
      for (const path of [
        `/api/v1/workspaces/${part}/members/`,
        `${space.base}/projects/${part}/`,
        `${space.base}/projects/${project.id}/members/${part}/`,
        `${space.base}/teamspaces/${part}/members/`,
        `${space.base}/group-sync/project-mappings/${part}/${part}/`,
      ]) {
        const answer = await world.send(path.includes('mappings') ? 'PATCH' : 'GET', path)
        assert.ok([400, 404].includes(answer.status), `${path} ${answer.status}`)
        assert.equal(typeof answer.body.message, 'string', path)
      }
    }
  })
})

describe('a body', () => {
  it('may be missing though its type is said, on every method', async () => {
    const path = `/projects/${project.id}`
    assert.equal(
      (await space.call('POST', `${path}/archive/`, { headers: { 'content-length': '0' } })).status,
      204,
    )
    assert.equal((await space.call('DELETE', `${path}/archive/`)).status, 204)
    assert.equal((await space.call('GET', `${path}/`)).status, 200)
    assert.deepEqual((await space.call('PATCH', `${path}/`)).body.id, project.id)
    assert.equal((await space.call('PATCH', '/features/')).status, 200)
    const answer = await space.call('POST', '/projects/')
    assert.deepEqual([answer.status, Object.keys(answer.body)], [400, ['non_field_errors', 'message']])
  })

  it('that is no JSON, no object, too large or of another type is refused, and changes nothing', async () => {
    const before = await databaseState(app.database)
    const send = (raw: string, type = 'application/json') =>
      app.call('POST', `${space.base}/projects/`, { key: world.key, raw, headers: { 'content-type': type } })
    const cases: [Promise<Answer>, number, string][] = [
      [send('{'), 400, 'non_field_errors'],
      [send('[]'), 400, 'non_field_errors'],
      [send('"x"'), 400, 'non_field_errors'],
      [send('{"name":"a\\u0000b","identifier":"X"}'), 400, 'name'],
      [send('{"name":"A","identifier":"with space"}'), 400, 'identifier'],
      [send('{"name":"A","identifier":"A","network":1}'), 400, 'network'],
      [send('{"name":"A","identifier":"A","project_lead":"me"}'), 400, 'project_lead'],
      [send(`{"name":"${'x'.repeat(1_100_000)}"}`), 413, 'detail'],
      [send('name=A', 'application/x-www-form-urlencoded'), 415, 'detail'],
    ]
    for (const [sent, status, key] of cases) {
      const answer = await sent
      assert.deepEqual([answer.status, Object.keys(answer.body)], [status, [key, 'message']])
    }
    assert.deepEqual(await databaseState(app.database), before)
  })

  it('of a deletion is read', async () => {
    const { id } = await space.ok('POST', '/teamspaces/', { name: 'Team' })
    await space.ok('POST', `/teamspaces/${id}/members/`, { member_ids: [space.owner.id] })
    const answer = await space.call('DELETE', `/teamspaces/${id}/members/`, { body: {} })
    assert.deepEqual([answer.status, Object.keys(answer.body)], [400, ['member_ids', 'message']])
    await space.ok('DELETE', `/teamspaces/${id}/members/`, { member_ids: [space.owner.id] })
    assert.equal((await space.ok('GET', `/teamspaces/${id}/members/`)).total_count, 0)
  })
})

describe('a key', () => {
  it('of the organization itself is no user', async () => {
    const answer = await world.send('GET', '/api/v1/users/me/')
    assert.deepEqual([answer.status, answer.body.detail], [403, answer.body.message])
  })

  it('beyond its rate limit is answered 429 in the vendor’s own codes, with the moment in epoch seconds', async () => {
    const limited = directoryClient(app, (await app.organization('limited')).path)
    await limited.ok('PATCH', '', { settings: { rate_limit: { requests_per_minute: 1, burst: 1 } } })
    const headers = { 'x-api-key': await limited.key(['*']) }
    const ask = () => app.call('GET', '/api/v1/workspaces/nowhere/members/', { key: null, headers })
    const now = Math.floor(Date.now() / 1000)
    const first = await ask()
    assert.equal(first.status, 404)
    assert.equal(String(first.headers['x-ratelimit-remaining']), '0')
    const reset = Number(first.headers['x-ratelimit-reset'])
    assert.ok(reset >= now + 55 && reset <= now + 70, `${reset} from ${now}`)
    const second = await ask()
    assert.equal(second.status, 429)
    const { message, ...codes } = second.body
    assert.deepEqual(codes, { error_code: 5900, error_message: 'RATE_LIMIT_EXCEEDED' })
    assert.match(message, /rate limit/)
    assert.ok(Number(second.headers['retry-after']) >= 1)
    assert.ok(Number(second.headers['x-ratelimit-reset']) >= now)
  })

  it('with few scopes may do what they say, and is refused the rest by the name of the scope', async () => {
    const read = await world.directory.key(['members:read'], { member_id: space.owner.memberId })
    assert.equal((await space.call('GET', '/members/', { key: read })).status, 200)
    const answer = await space.call('POST', '/members/remove/', { key: read, body: { email: 'x@x.example' } })
    assert.deepEqual([answer.status, Object.keys(answer.body)], [403, ['error', 'message']])
    assert.match(answer.body.error, /members:write/)
  })
})
