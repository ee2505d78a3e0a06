import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { type DatabaseState, databaseState } from '../../../test/database-state.ts'
import { vitableClient } from '../../../test/vitable-client.ts'

let app: TestApp
let key: string
let path: string
let groupId: string
let untouched: DatabaseState
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  ;({ key, path } = await app.organization('acme'))
  groupId = await vitableClient(app, key).group()
  untouched = await databaseState(app.database)
})

/** Texts that no path or query may fall over. */
const HOSTILE = [
  '%00',
  'a%00b',
  '%ED%A0%80',
  '%FF%FE',
  '%C0%80',
  '%F4%90%80%80',
  '%EF%BF%BD',
  '%E2%80%AE',
  "'%20or%201=1--",
  '%22%3B',
  '..%2F..%2Fetc%2Fpasswd',
  '__proto__',
  'constructor',
  '%25',
  '%2525',
  'x'.repeat(513),
  'x'.repeat(6000),
]
/** Cannot be decoded at all. */
const UNDECODABLE = ['%ZZ', '%', '%1', '%E4%A', '%u0041']

function assertShape(url: string, answer: Awaited<ReturnType<TestApp['call']>>) {
  const about = `${url} ${JSON.stringify(answer.body)}`
  if (url.startsWith('/v1/groups') || url.startsWith('/v1/auth')) {
    assert.equal(typeof answer.body.trace_id, 'string', about)
    assert.equal(answer.body.error, answer.body.message, about)
  } else if (/^\/v1\/(organization|projects)/.test(url)) {
    assert.deepEqual(Object.keys(answer.body.error), ['message', 'type', 'param', 'code'], about)
    assert.match(String(answer.headers['x-request-id']), /^req_/, about)
  } else {
    assert.match(String(answer.headers['content-type']), /^application\/problem\+json/, about)
    assert.equal(answer.body.status, answer.status, about)
  }
}

describe('a path', () => {
  it('with a hostile or undecodable part is unknown or invalid, in the shape of its surface', async () => {
    const templates: [string, string][] = [
      ['GET', '/v1/groups/X'],
      ['PATCH', '/v1/groups/X'],
      ['POST', '/v1/groups/X/members/sync'],
      ['GET', `/v1/groups/${groupId}/members/sync/X`],
      ['GET', '/v1/auth/X'],
      ['GET', '/v1/organization/X'],
      ['GET', '/v1/organization/groups/X'],
      ['POST', '/v1/organization/groups/X'],
      ['DELETE', '/v1/organization/groups/X'],
      ['GET', `/v1/organization/groups/${groupId}/users/X`],
      ['DELETE', `/v1/organization/groups/${groupId}/roles/X`],
      ['GET', '/v1/organization/users/X/roles'],
      ['GET', '/v1/organization/roles/X'],
      ['GET', '/v1/projects/X/roles'],
      ['GET', '/directory/v1/X'],
      ['GET', '/directory/v1/organizations/X'],
      ['DELETE', '/directory/v1/organizations/X'],
      ['GET', '/directory/v1/organizations/X/members'],
      ['GET', `${path}/members/X`],
      ['DELETE', `${path}/members/X`],
      ['GET', `${path}/members/X/access`],
      ['GET', `${path}/groups/X/members`],
      ['DELETE', `${path}/groups/${groupId}/members/X`],
      ['GET', `${path}/groups/${groupId}/member_syncs/X`],
      ['POST', `${path}/plans/X/approve`],
      ['POST', `${path}/changes/X/undo`],
      ['DELETE', `${path}/api_keys/X`],
    ]
    for (const [method, template] of templates) {
      for (const text of [...HOSTILE, ...UNDECODABLE]) {
        const url = template.replace('X', text)
        const answer = await app.call(method, url, {
          key,
          ...(method === 'GET' ? {} : { body: { members: [] } }),
        })
        assert.ok([400, 404, 414].includes(answer.status), `${method} ${url}: ${answer.status}`)
        assertShape(url, answer)
      }
    }
    assert.deepEqual(await databaseState(app.database), untouched)
  })

  it('that can be decoded and names nothing is 404, a NUL in it or not', async () => {
    for (const text of ['%00', 'a%00b', '%EF%BF%BD', '__proto__', '%2525']) {
      for (const template of [
        '/v1/groups/X',
        '/v1/organization/roles/X',
        '/directory/v1/organizations/X',
        `${path}/members/X`,
      ]) {
        const answer = await app.call('GET', template.replace('X', text), { key })
        assert.equal(answer.status, 404, `${template} ${text}`)
      }
    }
  })
})

describe('a query', () => {
  it('with a hostile or undecodable value is answered, or refused by the name of its field', async () => {
    const queries: [string, string[]][] = [
      ['/v1/groups', ['limit', 'page', 'external_reference_id']],
      ['/v1/organization/groups', ['limit', 'after', 'order']],
      [`/v1/organization/groups/${groupId}/users`, ['limit', 'after', 'order']],
      ['/v1/organization/users', ['limit', 'after', 'emails', 'emails[]']],
      ['/v1/organization/roles', ['limit', 'after', 'order']],
      [`${path}/members`, ['limit', 'after', 'status', 'email', 'external_reference_id']],
      [`${path}/groups`, ['limit', 'after', 'external_reference_id']],
      [`${path}/groups/${groupId}/members`, ['limit', 'after', 'as_of']],
      [`${path}/groups/${groupId}/member_syncs`, ['limit', 'after']],
      [`${path}/plans`, ['limit', 'after', 'status', 'group']],
      [`${path}/changes`, ['limit', 'after', 'order', 'member', 'group', 'kind']],
      [`${path}/api_keys`, ['limit', 'after']],
    ]
    for (const [route, fields] of queries) {
      for (const field of fields) {
        for (const text of [...HOSTILE, ...UNDECODABLE, '', '1e309', '-0', '[]', '1&limit=1']) {
          const url = `${route}?${field}=${text}`
          const answer = await app.call('GET', url, { key })
          assert.ok([200, 400, 404].includes(answer.status), `${url}: ${answer.status}`)
          if (answer.status !== 200) assertShape(url, answer)
          const message = answer.body.error?.message ?? answer.body.message ?? answer.body.detail
          const name = field.replace('[]', '')
          if (answer.status === 400) assert.match(message, new RegExp(`^(${name}(\\[.*\\])?|limit) `), url)
        }
      }
    }
    assert.deepEqual(await databaseState(app.database), untouched)
  })

  it('with a flag that is neither true nor false is refused, and nothing is done', async () => {
    for (const value of ['1', 'yes', 'TRUE', '', 'true&preview=true']) {
      for (const [method, url] of [
        ['DELETE', `${path}/groups/${groupId}`],
        ['POST', `${path}/groups/${groupId}/member_syncs`],
      ] as const) {
        const given = method === 'POST' ? { key, body: { members: [] } } : { key }
        const answer = await app.call(method, `${url}?preview=${value}`, given)
        assert.equal(answer.status, 400, value)
        assert.equal(answer.body.detail, 'preview must be true or false.')
      }
    }
    assert.deepEqual(await databaseState(app.database), untouched)
  })

  it('with a cursor of another list, or of none, is refused or answered, never failed', async () => {
    const cursor = (text: string) => Buffer.from(text).toString('base64url')
    const cursors = [
      'x',
      '1',
      cursor('x'),
      cursor('-1'),
      cursor('1.5'),
      cursor('999999999999999'),
      cursor('9'.repeat(20)),
    ]
    cursors.push(
      cursor('01990000-0000-7000-8000-000000000000'),
      cursor('01990000-0000-7000-8000-00000000000g'),
    )
    for (const list of ['members', 'groups', `groups/${groupId}/members`, `groups/${groupId}/member_syncs`]) {
      for (const after of cursors) {
        const answer = await app.call('GET', `${path}/${list}?after=${after}`, { key })
        if (answer.status === 200) continue
        assert.equal(answer.status, 400, `${list} ${after}`)
        assert.equal(answer.body.detail, 'after is not a cursor of this list.')
        assert.equal(answer.body.field, 'after')
      }
    }
  })
})

describe('what nobody owns', () => {
  it('answers problem+json with 404', async () => {
    for (const url of [
      '/v1/groupsX',
      '/v1/organizations',
      '/v2/groups',
      '/nothing',
      '/directory',
      '/v1',
      '/directory/v1x/organizations',
    ]) {
      const answer = await app.call('GET', url, { key: null })
      assert.equal(answer.status, 404, url)
      assert.equal(answer.body.code, 'route.not_found')
      assert.match(String(answer.headers['content-type']), /^application\/problem\+json/)
    }
  })
})
