import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { sql } from '#src/platform/postgres/sql.ts'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { databaseState } from '../../../test/database-state.ts'
import { directoryClient } from '../../../test/directory-client.ts'

let app: TestApp
before(async () => {
  app = await startTestApp()
})

const ALL = '/directory/v1/organizations'
const create = (slug: string, more: object = {}) =>
  app.call('POST', ALL, {
    body: { name: 'An organization', slug, owner: { email: `o@${slug}.example` }, ...more },
  })

describe('creating an organization', () => {
  it('answers it with its owner, and is one change', async () => {
    const answer = await create('first', { metadata: { plan: 'pro' } })
    assert.equal(answer.status, 201)
    const { id, owner, created_at, updated_at, ...rest } = answer.body
    assert.deepEqual(rest, {
      object: 'organization',
      slug: 'first',
      name: 'An organization',
      metadata: { plan: 'pro' },
      settings: {},
      deleted_at: null,
      purge_at: null,
    })
    const client = directoryClient(app, `${ALL}/${id}`)
    const member = await client.get(`/members/${owner.id}`)
    assert.deepEqual([member.level, member.email], ['owner', 'o@first.example'])
    const { data } = await client.get('/changes')
    assert.deepEqual(
      data.map((change: { number: number; kind: string; opened: number }) => [
        change.number,
        change.kind,
        change.opened,
      ]),
      [[1, 'organization.created', 1]],
    )
  })

  it('refuses a slug that is taken or not of its form, and a missing owner; nothing stays behind', async () => {
    await create('taken')
    const before = await databaseState(app.database)
    const taken = await create('taken')
    assert.deepEqual(
      [taken.status, taken.body.code, taken.body.field],
      [409, 'organization.slug_taken', 'slug'],
    )
    for (const slug of ['', 'A', 'a_b', '-a', 'a-', 'a--b', 'ä', 'x'.repeat(64), 'org name', '.', 'a/b']) {
      const answer = await create(slug)
      assert.deepEqual([answer.status, answer.body.field], [400, 'slug'], slug)
    }
    const ownerless = await app.call('POST', ALL, { body: { name: 'x', slug: 'x' } })
    assert.deepEqual([ownerless.status, ownerless.body.field], [400, 'owner'])
    const emailless = await create('x', { owner: { display_name: 'X' } })
    assert.deepEqual([emailless.status, emailless.body.code], [400, 'request.invalid'])
    assert.deepEqual(await databaseState(app.database), before)
  })

  it('and listing them is for the root key alone', async () => {
    const { key } = await app.organization('not-root')
    assert.equal((await app.call('GET', ALL, { key })).status, 403)
    const body = { name: 'x', slug: 'by-a-key', owner: { email: 'x@x.example' } }
    assert.equal((await app.call('POST', ALL, { key, body })).status, 403)
    const { data } = (await app.call('GET', `${ALL}?limit=1000`)).body
    assert.ok(data.some((row: { slug: string }) => row.slug === 'not-root'))
  })
})

describe('changing an organization', () => {
  it('moves it to its new slug at once; the old one is unknown, its id stays', async () => {
    const { id, key } = await app.organization('before')
    const client = directoryClient(app, `${ALL}/${id}`)
    const answer = await client.send('PATCH', '', { body: { name: 'After', slug: 'after' }, key })
    assert.deepEqual([answer.status, answer.body.slug, answer.headers.etag], [200, 'after', '"2"'])
    assert.equal((await app.call('GET', `${ALL}/before`, { key })).status, 404)
    assert.equal((await app.call('GET', `${ALL}/after`, { key })).body.id, id)
    const { detail } = await client.lastChange()
    assert.deepEqual(detail, {
      before: { name: 'before', slug: 'before' },
      after: { name: 'After', slug: 'after' },
    })
    const taken = await client.send('PATCH', '', { body: { slug: 'taken' } })
    assert.deepEqual([taken.status, taken.body.code], [409, 'organization.slug_taken'])
  })

  it('to what it is already is no change', async () => {
    const { path } = await app.organization('same')
    const client = directoryClient(app, path)
    const brake = { removal_brake: { member_sync: { window_seconds: 60, max_share: null, max_removals: 5 } } }
    await client.ok('PATCH', '', { metadata: { bb: 1, a: 2 }, settings: brake })
    const { number } = await client.lastChange()
    for (const body of [{}, { name: 'same' }, { metadata: { a: 2, bb: 1 } }, { settings: brake }]) {
      assert.equal((await client.send('PATCH', '', { body })).headers.etag, '"2"', JSON.stringify(body))
    }
    assert.equal((await client.lastChange()).number, number)
  })
})

describe('deleting an organization', () => {
  it('ends every credential of it at once; the root key still reads it, and restores it whole', async () => {
    const { id, path, key } = await app.organization('deleted')
    const client = directoryClient(app, path)
    const group = await client.group()
    await client.sync(group.id, ['a', 'b'])
    const token = await app.call('POST', '/v1/auth/access-tokens', {
      key,
      body: { grant_type: 'client_credentials' },
    })
    assert.equal((await app.call('GET', path, { key })).status, 200)
    const answer = await app.call('DELETE', path, { key })
    assert.equal(answer.status, 200)
    const days = (Date.parse(answer.body.purge_at) - Date.parse(answer.body.deleted_at)) / 86_400_000
    assert.equal(days, 30)
    assert.equal((await app.call('GET', path, { key })).status, 401)
    assert.equal((await app.call('GET', '/v1/groups', { key: token.body.access_token })).status, 401)
    assert.equal((await app.call('GET', path)).body.deleted_at, answer.body.deleted_at)
    const ids = async (query: string) => {
      const { data } = (await app.call('GET', `${ALL}?limit=1000${query}`)).body
      return data.map((row: { id: string }) => row.id)
    }
    assert.equal((await ids('')).includes(id), false)
    assert.equal((await ids('&include_deleted=true')).includes(id), true)
    assert.equal((await create('deleted')).status, 409, 'its slug is kept for it')
    await client.refused('DELETE', '', 'organization.deleted', 409)
    await client.refused('PATCH', '', 'organization.deleted', 409, { body: { name: 'x' } })

    assert.equal((await app.call('POST', `${path}/restore`)).body.deleted_at, null)
    await client.refused('POST', '/restore', 'organization.not_deleted', 409)
    assert.equal((await app.call('GET', path, { key })).status, 200)
    assert.equal((await client.roster(group.id)).length, 2)
    const kinds = (await client.get('/changes?order=desc&limit=2')).data.map(
      (row: { kind: string }) => row.kind,
    )
    assert.deepEqual(kinds, ['organization.restored', 'organization.deleted'])
  })

  it('makes what was submitted wait, and be carried out after the restoration', async () => {
    const { path } = await app.organization('waiting')
    const client = directoryClient(app, path)
    const group = await client.group()
    const members = [{ external_reference_id: 'late' }]
    // Whoever holds the group's row keeps its submissions from starting.
    const submitted = await app.database.transaction(async (tx) => {
      await tx.run(sql`select 1 from org_group for no key update`)
      const sync = await client.post(`/groups/${group.id}/member_syncs`, { members })
      await client.ok('DELETE', '')
      return sync
    })
    const read = () => client.get(`/groups/${group.id}/member_syncs/${submitted.id}`)
    assert.equal((await read()).status, 'pending')
    await client.post('/restore')
    const sync = await client.sync(group.id, ['late', 'later'])
    assert.deepEqual([sync.position, sync.result.opened, sync.result.left], [2, 1, 1])
  })
})
