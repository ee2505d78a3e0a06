import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GROUP, PATCH, USER, uuidOf } from '../../../scim-client.ts'
import { type ServerProcess, startServerProcess, temporaryDirectory } from '../../../server-process.ts'

const ROOT_KEY = 'root-key-of-the-restart-test'

interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers of every shape and assert what they read
  readonly body: any
}

async function send(
  server: ServerProcess,
  key: string,
  method: string,
  path: string,
  body?: object,
): Promise<Answer> {
  const answer = await fetch(`${server.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) }
}

test('B-117: whatever a push was cut off in, repeating it ends where one without a restart would', async () => {
  const dataDir = await temporaryDirectory()
  const env = { ROLLCALL_ROOT_KEY: ROOT_KEY }
  const first = await startServerProcess({ dataDir, env })
  const organizations = '/directory/v1/organizations'
  const post = async (tail: string, body: object) => {
    const answer = await send(first, ROOT_KEY, 'POST', organizations + tail, body)
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
    return answer.body
  }
  await post('', { name: 'Acme', slug: 'acme', owner: { email: 'owner@acme.example' } })
  const provider = await post('/acme/identity_providers', { name: 'IdP', scim: { enabled: true } })
  const { token } = await post(`/acme/identity_providers/${provider.id}/scim_tokens`, {})
  const base = `/scim/v2/${uuidOf(provider.id)}`
  const scim = (server: ServerProcess, method: string, path: string, body?: object) =>
    send(server, token, method, base + path, body)
  const { body: group } = await scim(first, 'POST', '/Groups', { schemas: [GROUP], displayName: 'Pushed' })

  /** Creates a user and puts it into the group, as a worker that looks it up after a conflict. */
  async function push(server: ServerProcess, name: string): Promise<string> {
    const made = await scim(server, 'POST', '/Users', { schemas: [USER], userName: name })
    assert.ok(made.status === 201 || made.status === 409, JSON.stringify(made.body))
    const filter = encodeURIComponent(`userName eq "${name}"`)
    const found = await scim(server, 'GET', `/Users?filter=${filter}`)
    assert.equal(found.body.totalResults, 1)
    const { id } = found.body.Resources[0]
    const Operations = [{ op: 'add', path: 'members', value: [{ value: id }] }]
    const added = await scim(server, 'PATCH', `/Groups/${group.id}`, { schemas: [PATCH], Operations })
    assert.equal(added.status, 200, JSON.stringify(added.body))
    return id
  }
  const names = Array.from({ length: 60 }, (_, at) => `pushed-${at}`)
  let done = 0
  const cutOff = Promise.allSettled(
    names.map(async (name) => {
      await push(first, name)
      done++
      // In the middle of the others.
      if (done === 10) first.kill('SIGKILL')
    }),
  )
  const outcomes = await cutOff
  await first.stopped
  assert.ok(outcomes.some(({ status }) => status === 'rejected'))

  const second = await startServerProcess({ dataDir, env })
  const ids: string[] = []
  for (const name of names) ids.push(await push(second, name))
  const { body: users } = await scim(second, 'GET', '/Users?count=0')
  assert.equal(users.totalResults, names.length)
  const { body: whole } = await scim(second, 'GET', `/Groups/${group.id}`)
  assert.deepEqual(whole.members.map(({ value }: { value: string }) => value).sort(), ids.sort())
})
