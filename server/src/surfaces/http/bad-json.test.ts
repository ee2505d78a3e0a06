import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { type Call, startTestApp, type TestApp } from '../../../test/app.ts'
import { type DatabaseState, databaseState } from '../../../test/database-state.ts'
import { vitableClient } from '../../../test/vitable-client.ts'

let app: TestApp
let key: string
let path: string
let untouched: DatabaseState
/** Routes that take a JSON body, with one that would be carried out. */
let routes: [method: string, path: string, good: Record<string, unknown>][]
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  const organization = await app.organization('acme')
  ;({ key, path } = organization)
  const groupId = await vitableClient(app, key).group()
  const memberId = organization.ownerId
  routes = [
    ['POST', '/v1/groups', { name: 'New', external_reference_id: 'new' }],
    ['PATCH', `/v1/groups/${groupId}`, { name: 'Renamed' }],
    ['POST', '/v1/auth/access-tokens', { grant_type: 'client_credentials' }],
    ['PATCH', path, { name: 'Renamed' }],
    ['POST', `${path}/members`, { email: 'new@acme.example' }],
    ['PATCH', `${path}/members/${memberId}`, { display_name: 'Renamed' }],
    ['PUT', `${path}/members/${memberId}/level`, { level: 'admin' }],
    ['POST', `${path}/members/${memberId}/merge`, { from: memberId }],
    ['POST', `${path}/groups`, { name: 'New' }],
    ['PATCH', `${path}/groups/${groupId}`, { name: 'Renamed' }],
    ['POST', `${path}/groups/${groupId}/members`, { member: memberId }],
    ['POST', `${path}/api_keys`, { name: 'new', scopes: ['groups:read'] }],
    ['POST', '/v1/organization/groups', { name: 'New' }],
    ['POST', `/v1/organization/groups/${groupId}`, { name: 'Renamed' }],
    ['POST', `/v1/organization/groups/${groupId}/users`, { user_id: memberId }],
    ['POST', '/v1/organization/roles', { role_name: 'New', permissions: [] }],
  ]
  untouched = await databaseState(app.database)
})

async function refused(method: string, url: string, given: Call, status: number, sentence: RegExp) {
  const answer = await app.call(method, url, { key, ...given })
  const about = `${method} ${url} ${given.raw ?? JSON.stringify(given.body)}: ${JSON.stringify(answer.body)}`
  assert.equal(answer.status, status, about)
  const { error, message, detail } = answer.body
  assert.match(error?.message ?? message ?? detail, sentence, about)
  if (/^\/v1\/organization/.test(url)) assert.equal(typeof error.type, 'string')
  else assert.equal(error ?? answer.body.status, message ?? status)
  assert.deepEqual(await databaseState(app.database), untouched, about)
}
const json = (type = 'application/json') => ({ 'content-type': type })

describe('a body that is no JSON of the right kind', () => {
  it('is refused on every route, broken or cut off', async () => {
    for (const [method, url, good] of routes) {
      const whole = JSON.stringify(good)
      for (const raw of [whole.slice(0, -1), `${whole}}`, "{'name':'x'}", '{name:1}', '\u0000', 'NaN']) {
        await refused(method, url, { raw, headers: json() }, 400, /^The body is not valid JSON/)
      }
    }
  })

  it('is refused on every route when it is an array, a text, a number or a truth value', async () => {
    for (const [method, url] of routes) {
      for (const raw of ['[]', '[{"name":"x"}]', '"name"', '7', 'true']) {
        await refused(method, url, { raw, headers: json() }, 400, /^The body must be an object\.$/)
      }
    }
  })

  it('is refused on every route when it is missing, but where a vendor sends none', async () => {
    for (const [method, url] of routes) {
      if (method === 'PATCH' && url.startsWith('/v1/')) continue
      for (const given of [{}, { raw: '', headers: json() }, { raw: 'null', headers: json() }]) {
        await refused(method, url, given, 400, /^The body (is required and )?must be an object\.$/)
      }
    }
  })

  it('is refused on every route when it is not UTF-8, or another media type', async () => {
    for (const [method, url, good] of routes) {
      const raw = Buffer.concat([Buffer.from('{"name":"'), Buffer.from('eda080ff', 'hex'), Buffer.from('"}')])
      await refused(method, url, { raw, headers: json() }, 400, /UTF-8/)
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
        const given = { raw: JSON.stringify(good), headers: json(type) }
        await refused(method, url, given, 415, /Content-Type: application\/json/)
      }
    }
  })

  it('is refused on every route when it is larger than a megabyte, or nested without end', async () => {
    for (const [method, url, good] of routes) {
      const large = JSON.stringify({ ...good, filler: 'x'.repeat(1024 * 1024) })
      await refused(method, url, { raw: large, headers: json() }, 413, /^The body is larger than/)
      const deep = `{"name":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
      await refused(method, url, { raw: deep, headers: json() }, 400, /./)
    }
  })

  it('is refused on every route when it sets a prototype', async () => {
    for (const [method, url, good] of routes) {
      const whole = JSON.stringify(good).slice(0, -1)
      for (const raw of [
        `${whole},"__proto__":{"level":"owner"}}`,
        `${whole},"\\u005f_proto__":{"level":"owner"}}`,
        `${whole},"constructor":{"prototype":{"level":"owner"}}}`,
      ]) {
        await refused(method, url, { raw, headers: json() }, 400, /./)
      }
    }
    assert.equal(({} as Record<string, unknown>).level, undefined)
  })
})

describe('a field that breaks its rule', () => {
  it('is named with the rule', async () => {
    const [members, groups, keys] = [`${path}/members`, `${path}/groups`, `${path}/api_keys`]
    const email = 'new@acme.example'
    const cases: [string, Record<string, unknown>, RegExp][] = [
      [members, { email: 7 }, /^email must be a text\.$/],
      [members, { email: 'nobody' }, /^email must have exactly one @\.$/],
      [members, { email: `a@b.example\u0000` }, /^email must be well-formed text/],
      [members, {}, /^A member needs an email or an external_reference_id\.$/],
      [members, { email, display_name: '' }, /^display_name must not be empty\.$/],
      [members, { email, display_name: 'x'.repeat(256) }, /^display_name must have at most 255/],
      [members, { email, display_name: '\ud800' }, /^display_name must be well-formed text/],
      [members, { email, external_reference_id: 'a\u0000' }, /^external_reference_id must be well-formed/],
      [members, { email, level: 'root' }, /^level must be one of owner, admin, member\.$/],
      [members, { email, level: null }, /^level must be/],
      [members, { email, status: 'removed' }, /^The body has unknown fields: "status"\.$/],
      [members, { email, id: 'mem_x', organization_id: 'org_x' }, /unknown fields: "id", "organization_id"/],
      [members, { email, attributes: { phone: '1' } }, /^attributes\.phone must be 10 digits/],
      [members, { email, attributes: { ssn: '1' } }, /^attributes has unknown fields: "ssn"\.$/],
      [members, { email, attributes: { address: {} } }, /^attributes\.address\.address_line_1 is required/],
      [members, { email, metadata: { a: { b: 1 } } }, /^metadata\.a must be a text/],
      [members, { email, metadata: { 'a\u0000': 1 } }, /^metadata/],
      [members, { email, metadata: { a: '\udfff' } }, /^metadata\.a must be/],
      [members, { email, metadata: [] }, /^metadata must be an object\.$/],
      [members, { email, metadata: Object.fromEntries(many(51)) }, /^metadata must have at most 50 keys/],
      [groups, { name: null }, /^name must be a text\.$/],
      [groups, { name: ['a'] }, /^name must be a text\.$/],
      [groups, { name: 'x', metadata: null }, /^metadata must be an object\.$/],
      [keys, { name: 'k', scopes: [] }, /^scopes must name at least one scope\.$/],
      [keys, { name: 'k', scopes: 'groups:read' }, /^scopes must be a list\.$/],
      [
        keys,
        { name: 'k', scopes: ['groups:read', 'all'] },
        /^scopes\[1\] must be a permission of the catalogue/,
      ],
      [keys, { name: 'k', scopes: ['*'], expires_at: 'tomorrow' }, /^expires_at must be a time such as/],
      [keys, { name: 'k', scopes: ['*'], expires_at: 1893456000 }, /^expires_at must be/],
      [
        keys,
        { name: 'k', scopes: ['*'], expires_at: '2020-01-01T00:00:00Z' },
        /^expires_at must be in the future/,
      ],
    ]
    for (const [url, body, sentence] of cases) await refused('POST', url, { body }, 400, sentence)
  })

  it('is named when a number is too large to be one, or a limit no limit can be', async () => {
    const brake = (raw: string) => `{"settings":{"removal_brake":{"member_sync":{${raw}}}}}`
    const place = /^settings\.removal_brake\.member_sync\.\w+ (must|is not valid)/
    for (const raw of [
      brake('"max_removals":1e999'),
      brake('"max_removals":-1'),
      brake('"max_removals":0.5'),
      brake('"max_removals":99999999999999999999'),
      brake('"max_share":1.01'),
      brake('"window_seconds":0'),
      brake('"window_seconds":604801'),
      brake('"window_seconds":null'),
    ]) {
      await refused('PATCH', path, { raw, headers: json() }, 400, place)
    }
    const raw = '{"email":"a@b.example","metadata":{"n":1e999}}'
    await refused('POST', `${path}/members`, { raw, headers: json() }, 400, /^metadata\.n must be/)
  })

  it('of time is refused when no clock or calendar can show it, never passed on to fail', async () => {
    const times = [
      '0000-01-01T00:00:00Z',
      '2026-02-30T00:00:00Z',
      '2026-01-01T25:00:00Z',
      '2026-01-01T00:00:00+23:59',
      '9999-12-31T23:59:59-15:00',
      `2026-01-01T00:00:00.${'0'.repeat(300)}Z`,
      '2026-01-01',
      '',
      'now',
      'infinity',
    ]
    for (const time of times) {
      const body = { name: 'k', scopes: ['*'], expires_at: time }
      await refused('POST', `${path}/api_keys`, { body }, 400, /^expires_at must be/)
      const query = `as_of=${encodeURIComponent(time)}`
      const [groupId, memberId] = [routes[1]!, routes[5]!].map(([, url]) => url.split('/').at(-1))
      for (const url of [`${path}/members/${memberId}/access`, `${path}/groups/${groupId}/members`]) {
        await refused('GET', `${url}?${query}`, {}, 400, /^as_of must be/)
      }
    }
  })
})

function many(count: number): [string, number][] {
  return Array.from({ length: count }, (_, index) => [`key-${index}`, index])
}
