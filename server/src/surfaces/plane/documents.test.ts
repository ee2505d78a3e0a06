import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { addressOf, openPlaneWorld, type PlaneSpace, type PlaneWorld } from '../../../test/plane-client.ts'

let app: TestApp
let world: PlaneWorld
let space: PlaneSpace
let origin: string
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  world = await openPlaneWorld(app, 'acme')
  space = await world.workspace('my-workspace', { purchased_seats: 10 })
  origin = await addressOf(app)
})

/** Both ways to write a path, and both ways to send a key. */
const paths = (path: string) => [path, path.replace(/\/$/, '')]
const credentials = (key: string): Record<string, string>[] => [
  { 'X-API-Key': key },
  { Authorization: `Bearer ${key}` },
]
const MICROSECONDS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/

describe('“Update group sync config”, as its document writes it', () => {
  const path = '/api/v1/workspaces/my-workspace/group-sync/config/'
  // The very text that curl is given.
  const curl = `{
"is_enabled": true,
"sync_on_login": true,
"auto_remove": false,
"sync_offline": false,
"group_attribute_key": "groups",
"default_workspace_role": "member"
}`

  function assertConfig(config: Record<string, unknown>, expected: object) {
    const { id, created_at, updated_at, ...rest } = config
    assert.match(String(id), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    assert.match(String(created_at), MICROSECONDS)
    assert.match(String(updated_at), MICROSECONDS)
    assert.deepEqual(rest, expected)
  }
  const documented = {
    is_enabled: true,
    sync_on_login: true,
    auto_remove: false,
    sync_offline: false,
    group_attribute_key: 'groups',
    default_workspace_role: 'member',
  }

  it('the config has the documented defaults at its first read', async () => {
    const answer = await space.call('GET', '/group-sync/config/', { key: space.owner.key })
    assert.equal(answer.status, 200)
    assertConfig(answer.body, { ...documented, is_enabled: false, default_workspace_role: null })
  })

  it('answers 200 with every documented field, with and without the slash, with either header', async () => {
    for (const url of paths(path)) {
      for (const headers of credentials(space.owner.key)) {
        const answer = await fetch(`${origin}${url}`, {
          method: 'PATCH',
          headers: { ...headers, 'Content-Type': 'application/json' },
          body: curl,
          redirect: 'error',
        })
        assert.equal(answer.status, 200)
        assert.match(answer.headers.get('content-type') ?? '', /^application\/json/)
        assertConfig((await answer.json()) as Record<string, unknown>, documented)
      }
    }
  })

  it('takes one field at a time, and nothing at all', async () => {
    for (const [field, value] of Object.entries({
      ...documented,
      auto_remove: true,
      group_attribute_key: 'roles',
    })) {
      const answer = await space.call('PATCH', '/group-sync/config/', { body: { [field]: value } })
      assert.deepEqual([answer.status, answer.body[field]], [200, value])
    }
    const cleared = await space.ok('PATCH', '/group-sync/config/', { default_workspace_role: null })
    assert.equal(cleared.default_workspace_role, null)
    const { updated_at: at } = cleared
    assert.equal((await space.ok('PATCH', '/group-sync/config/', {})).updated_at, at)
    assert.equal((await space.ok('PATCH', '/group-sync/config/')).auto_remove, true)
  })

  it('needs an admin of the workspace: members are refused', async () => {
    const { key } = await space.person('member')
    for (const method of ['GET', 'PATCH']) {
      const answer = await space.call(method, '/group-sync/config/', {
        key,
        body: method === 'GET' ? undefined : {},
      })
      assert.equal(answer.status, 403)
      assert.equal(answer.body.detail, answer.body.message)
    }
  })

  it('refuses values of a wrong type and roles that are none, by field', async () => {
    const wrong: [Record<string, unknown>, RegExp][] = [
      [{ is_enabled: 'yes' }, /true or false/],
      [{ auto_remove: null }, /true or false/],
      [{ group_attribute_key: '' }, /must not be empty/],
      [{ group_attribute_key: 'x'.repeat(256) }, /at most 255/],
      [{ default_workspace_role: 'contributor' }, /no workspace role "contributor"/],
      [{ default_workspace_role: 15 }, /text/],
    ]
    for (const [body, sentence] of wrong) {
      const answer = await space.call('PATCH', '/group-sync/config/', { body })
      const [field] = Object.keys(body)
      assert.equal(answer.status, 400)
      assert.match(answer.body[field!][0], sentence)
      assert.equal(answer.body.message, answer.body[field!][0])
    }
  })
})

describe('“Remove workspace member”, as its document writes it', () => {
  const path = '/api/v1/workspaces/my-workspace/members/remove/'
  const curl = `{
  "email": "jane@example.com",
  "remove_seat": true
}`

  it('answers 204 without a body, with and without the slash, with either header', async () => {
    const jane = await world.directory.member({ email: 'jane@example.com' })
    for (const url of paths(path)) {
      for (const headers of credentials(space.owner.key)) {
        const target = { member: jane.id, target: space.id }
        await world.directory.post('/role_assignments', { role: world.roles['workspace member'], ...target })
        const { purchased } = await space.seats()
        const answer = await fetch(`${origin}${url}`, {
          method: 'POST',
          headers: { ...headers, 'Content-Type': 'application/json' },
          body: curl,
          redirect: 'error',
        })
        assert.deepEqual([answer.status, await answer.text()], [204, ''])
        assert.equal(answer.headers.get('content-type'), null)
        assert.equal((await space.emails()).includes('jane@example.com'), false)
        assert.equal((await space.seats()).purchased, purchased! - 1)
      }
    }
  })

  it('answers 404 once she is gone', async () => {
    const answer = await space.call('POST', '/members/remove/', { body: JSON.parse(curl) })
    assert.equal(answer.status, 404)
    assert.deepEqual(Object.keys(answer.body), ['error', 'message'])
  })
})
