import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'

let app: TestApp
let key: string
let foreignKey: string
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  key = (await app.organization('acme')).key
  foreignKey = (await app.organization('other')).key
})

const create = (name: string, reference: string) =>
  app.call('POST', '/v1/groups', { key, body: { name, external_reference_id: reference } })

/** The error model of the current SDKs: a missing or wrongly typed field becomes a parse error there. */
function assertFlatError(body: Record<string, unknown>) {
  assert.deepEqual(Object.keys(body).sort(), ['app_error_code', 'error', 'message', 'timestamp', 'trace_id'])
  assert.equal(typeof body.message, 'string')
  assert.notEqual(body.message, '')
  assert.equal(body.error, body.message)
  assert.equal(new Date(body.timestamp as string).toISOString(), body.timestamp)
  assert.match(body.trace_id as string, /^req_/)
  assert.ok(body.app_error_code === null || typeof body.app_error_code === 'string')
}

describe('creating a group', () => {
  it('answers 201 with exactly the documented fields, in an envelope', async () => {
    const { status, body } = await create('Engineering', 'eng')
    assert.equal(status, 201)
    assert.deepEqual(Object.keys(body), ['data'])
    const { id, organization_id, created_at, updated_at, ...rest } = body.data
    assert.deepEqual(rest, { name: 'Engineering', external_reference_id: 'eng' })
    assert.match(id, /^grp_/)
    assert.match(organization_id, /^org_/)
    assert.ok(!Number.isNaN(Date.parse(created_at)))
    assert.equal(updated_at, created_at)
    assert.deepEqual((await app.call('GET', `/v1/groups/${id}`, { key })).body, body)
  })

  it('refuses a second group with the reference id: 409, the flat body, and no retry', async () => {
    await create('First', 'taken')
    const { status, headers, body } = await create('Second', 'taken')
    assert.equal(status, 409)
    assert.equal(headers['x-should-retry'], 'false')
    assertFlatError(body)
    assert.match(body.message, /external_reference_id/)
  })

  it('leaves a reference id free for another organization', async () => {
    const body = { name: 'Same', external_reference_id: 'same' }
    assert.equal((await app.call('POST', '/v1/groups', { key, body })).status, 201)
    assert.equal((await app.call('POST', '/v1/groups', { key: foreignKey, body })).status, 201)
  })

  it('takes a name and a reference id of 255 characters, and neither of 256 nor an empty one', async () => {
    const long = 'x'.repeat(255)
    assert.equal((await create(long, long)).status, 201)
    for (const [name, reference, field] of [
      [`${long}x`, 'name too long', 'name'],
      ['', 'name empty', 'name'],
      ['Reference too long', `${long}x`, 'external_reference_id'],
      ['Reference empty', '', 'external_reference_id'],
    ] as const) {
      const { status, body } = await create(name, reference)
      assert.equal(status, 400)
      assertFlatError(body)
      assert.match(body.message, new RegExp(`^${field} must`))
    }
  })

  it('requires both fields', async () => {
    for (const [body, field] of [
      [{ name: 'No reference' }, 'external_reference_id'],
      [{ external_reference_id: 'no-name' }, 'name'],
    ] as const) {
      const answer = await app.call('POST', '/v1/groups', { key, body })
      assert.equal(answer.status, 400)
      assert.equal(answer.body.message, `${field} is required and must be a text.`)
    }
  })
})

describe('updating a group', () => {
  const patch = (id: string, given: object) => app.call('PATCH', `/v1/groups/${id}`, { key, ...given })

  it('changes what is named, keeps the rest, and moves updated_at on', async () => {
    const { data } = (await create('Old name', 'patch-1')).body
    const { status, body } = await patch(data.id, { body: { name: 'New name' } })
    assert.equal(status, 200)
    assert.deepEqual(body.data, { ...data, name: 'New name', updated_at: body.data.updated_at })
    assert.ok(body.data.updated_at > data.updated_at)
    const moved = await patch(data.id, { body: { external_reference_id: 'patch-1b' } })
    assert.deepEqual(moved.body.data.external_reference_id, 'patch-1b')
    assert.equal(moved.body.data.name, 'New name')
  })

  it('answers the group as it is to null, to {} and to no body, and records no change', async () => {
    const { data } = (await create('Kept', 'patch-2')).body
    const jsonType = { 'content-type': 'application/json' }
    for (const given of [
      { body: { name: null, external_reference_id: null } },
      { body: {} },
      { body: null },
      {},
      { headers: jsonType },
      { raw: '', headers: jsonType },
    ]) {
      const answer = await patch(data.id, given)
      assert.equal(answer.status, 200, JSON.stringify(given))
      assert.deepEqual(answer.body, { data })
    }
    const group = await app.call('GET', '/directory/v1/organizations/acme/changes?kind=group.updated')
    assert.ok(group.body.data.every((change: { group: string }) => change.group !== data.id))
  })

  it('refuses the reference id of another group with 409 and no retry, and leaves the group as it was', async () => {
    const { data } = (await create('Mine', 'patch-3')).body
    await create('Theirs', 'patch-3-taken')
    const { status, headers, body } = await patch(data.id, {
      body: { external_reference_id: 'patch-3-taken' },
    })
    assert.equal(status, 409)
    assert.equal(headers['x-should-retry'], 'false')
    assertFlatError(body)
    assert.deepEqual((await app.call('GET', `/v1/groups/${data.id}`, { key })).body.data, data)
  })
})

describe('paths', () => {
  it('answers with and without a trailing slash alike, without a redirect', async () => {
    const { data } = (await create('Slash', 'slash')).body
    for (const path of ['/v1/groups?external_reference_id=slash', `/v1/groups/${data.id}`]) {
      const plain = await app.call('GET', path, { key })
      const slashed = await app.call('GET', path.replace(/(?=\?|$)/, '/'), { key })
      assert.equal(plain.status, 200)
      assert.deepEqual([slashed.status, slashed.body], [plain.status, plain.body])
    }
    const body = { name: 'Created with a slash', external_reference_id: 'slash-2' }
    assert.equal((await app.call('POST', '/v1/groups/', { key, body })).status, 201)
    const members = { members: [] }
    for (const end of ['', '/']) {
      const sync = await app.call('POST', `/v1/groups/${data.id}/members/sync${end}`, { key, body: members })
      assert.equal(sync.status, 202)
      const read = `/v1/groups/${data.id}/members/sync/${sync.body.data.request_id}${end}`
      assert.equal((await app.call('GET', read, { key })).status, 200)
    }
    const grant = { grant_type: 'client_credentials' }
    assert.equal((await app.call('POST', '/v1/auth/access-tokens/', { key, body: grant })).status, 200)
  })

  it('answers unknown paths and methods below the prefixes in the flat error shape', async () => {
    const { data } = (await create('Unknown paths', 'unknown-paths')).body
    for (const [method, path] of [
      ['GET', `/v1/groups/${data.id}/members`],
      ['GET', `/v1/groups/${data.id}/no/such/thing`],
      ['DELETE', `/v1/groups/${data.id}`],
      ['PUT', '/v1/groups'],
      ['GET', '/v1/auth'],
      ['GET', '/v1/auth/access-tokens'],
    ] as const) {
      const answer = await app.call(method, path, { key })
      assert.equal(answer.status, 404, `${method} ${path}`)
      assertFlatError(answer.body)
    }
  })

  it('answers a missing, a broken and an unknown credential with 401 in the flat error shape', async () => {
    for (const given of [
      { key: null },
      { key: 'vit_apk_unknown' },
      { key: '' },
      { key: null, headers: { authorization: 'Basic YTpi' } },
      { key: null, headers: { authorization: key } },
    ]) {
      for (const path of ['/v1/groups', '/v1/groups/no/such/path', '/v1/auth/access-tokens']) {
        const answer = await app.call('GET', path, given)
        assert.equal(answer.status, 401)
        assertFlatError(answer.body)
      }
    }
  })

  it('ignores the headers that the SDKs send along', async () => {
    const headers = {
      'x-stainless-lang': 'js',
      'x-stainless-retry-count': '1',
      'x-fern-language': 'JavaScript',
      'x-vitable-organization': 'org_of_somebody_else',
    }
    assert.equal((await app.call('GET', '/v1/groups', { key, headers })).status, 200)
  })

  it('tells the root key, which belongs to no organization, to use another: 403', async () => {
    const answer = await app.call('GET', '/v1/groups')
    assert.equal(answer.status, 403)
    assertFlatError(answer.body)
  })
})
