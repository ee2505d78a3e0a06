import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { databaseState } from '../../../test/database-state.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'

let app: TestApp
let acme: DirectoryClient
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  acme = directoryClient(app, (await app.organization('acme')).path)
})

const once = (key: string) => ({ 'idempotency-key': key })
const count = async (reference: string) =>
  (await acme.get(`/groups?external_reference_id=${reference}`)).data.length

describe('a request repeated with its Idempotency-Key', () => {
  it('gets the same answer again, marked as a replay, and has its effect once', async () => {
    const given = { body: { name: 'Once', external_reference_id: 'once' }, headers: once('k-1') }
    const first = await acme.send('POST', '/groups', given)
    assert.deepEqual([first.status, first.headers['idempotency-replayed']], [201, undefined])
    const state = await databaseState(app.database)
    for (let repeat = 0; repeat < 3; repeat++) {
      const again = await acme.send('POST', '/groups', given)
      assert.deepEqual([again.status, again.body], [first.status, first.body])
      assert.equal(again.headers['idempotency-replayed'], 'true')
    }
    assert.deepEqual(await databaseState(app.database), state)
  })

  it('gets it even when the same request would be refused by now', async () => {
    const member = await acme.member()
    const given = { headers: once('k-suspend') }
    const first = await acme.send('POST', `/members/${member.id}/suspend`, given)
    assert.equal(first.status, 200)
    await acme.ok('DELETE', `/members/${member.id}`)
    const again = await acme.send('POST', `/members/${member.id}/suspend`, given)
    assert.deepEqual([again.status, again.body], [200, first.body])
  })

  it('on another path or with another body is refused with 422, and has no effect', async () => {
    const headers = once('k-2')
    await acme.send('POST', '/groups', { body: { name: 'Mine' }, headers })
    const state = await databaseState(app.database)
    for (const [tail, body] of [
      ['/groups', { name: 'Other' }],
      ['/groups', { name: 'Mine', metadata: { a: 1 } }],
      ['/members', { email: 'k2@acme.example' }],
    ] as const) {
      const refusal = await acme.refused('POST', tail, 'idempotency.key_reused', 422, { body, headers })
      assert.equal(refusal.field, 'Idempotency-Key')
    }
    assert.deepEqual(await databaseState(app.database), state)
  })

  it('of another organization is another key', async () => {
    const other = directoryClient(app, (await app.organization('other')).path)
    const given = { body: { name: 'Same key' }, headers: once('k-shared') }
    const [mine, theirs] = [
      await acme.send('POST', '/groups', given),
      await other.send('POST', '/groups', given),
    ]
    assert.deepEqual([mine.status, theirs.status], [201, 201])
    assert.notEqual(mine.body.id, theirs.body.id)
  })

  it('that was refused can be sent again when the reason is gone: a refusal claims nothing', async () => {
    const holder = await acme.group({ external_reference_id: 'contested' })
    const given = { body: { name: 'Next', external_reference_id: 'contested' }, headers: once('k-3') }
    await acme.refused('POST', '/groups', 'group.external_reference_id_taken', 409, given)
    await acme.ok('DELETE', `/groups/${holder.id}`)
    assert.equal((await acme.send('POST', '/groups', given)).status, 201)
  })

  it('works for creating an organization and for submitting a member sync', async () => {
    const owner = { email: 'o@once.example' }
    const given = { body: { name: 'Once', slug: 'once', owner }, headers: once('k-org') }
    const first = await app.call('POST', '/directory/v1/organizations', given)
    const again = await app.call('POST', '/directory/v1/organizations', given)
    assert.deepEqual([first.status, again.status, again.body], [201, 201, first.body])

    const group = await acme.group()
    const tail = `/groups/${group.id}/member_syncs`
    const sync = { body: { members: [{ external_reference_id: 'a' }] }, headers: once('k-sync') }
    const accepted = await acme.send('POST', tail, sync)
    const replayed = await acme.send('POST', tail, sync)
    assert.deepEqual([accepted.status, replayed.status, replayed.body], [202, 202, accepted.body])
    assert.equal((await acme.get(tail)).data.length, 1)
    const other = { ...sync, body: { members: [{ external_reference_id: 'b' }] } }
    await acme.refused('POST', tail, 'idempotency.key_reused', 422, other)
  })
})

describe('requests with one key at the same time', () => {
  it('have one effect and one answer', async () => {
    const given = { body: { name: 'Race', external_reference_id: 'race' }, headers: once('k-race') }
    const answers = await Promise.all(Array.from({ length: 8 }, () => acme.send('POST', '/groups', given)))
    assert.deepEqual(
      answers.map((answer) => answer.status),
      Array(8).fill(201),
    )
    assert.equal(new Set(answers.map((answer) => answer.body.id)).size, 1)
    assert.equal(answers.filter((answer) => answer.headers['idempotency-replayed'] === 'true').length, 7)
    assert.equal(await count('race'), 1)
  })
})

describe('an answer that carries a secret', () => {
  it('is never kept: the repetition is told that it was carried out, and makes no second key', async () => {
    const given = { body: { name: 'secret', scopes: ['groups:read'] }, headers: once('k-secret') }
    const first = await acme.send('POST', '/api_keys', given)
    assert.equal(first.status, 201)
    await acme.refused('POST', '/api_keys', 'idempotency.answer_withheld', 409, given)
    const { data } = await acme.get('/api_keys?limit=1000')
    assert.equal(data.filter((key: { name: string }) => key.name === 'secret').length, 1)
    const kept = await app.database.rows<{ body: string | null }>({
      name: '',
      text: 'select body from idempotency_key where key = $1',
      values: ['k-secret'],
    })
    assert.deepEqual(kept, [{ body: null }])
  })
})

describe('a failure after the operation and before the answer is stored', () => {
  it('leaves neither the effect nor the key, so the repetition does the work once', async () => {
    const fail = (text: string) => app.database.run({ name: '', text, values: [] })
    await fail(
      `create function fail() returns trigger language plpgsql as $$ begin raise 'out of luck'; end $$`,
    )
    await fail('create trigger fail before update on idempotency_key execute function fail()')
    const given = { body: { name: 'Crash', external_reference_id: 'crash' }, headers: once('k-crash') }
    const before = await databaseState(app.database)
    const broken = await acme.send('POST', '/groups', given)
    assert.deepEqual([broken.status, broken.body.code], [500, 'server.error'])
    assert.equal(JSON.stringify(broken.body).includes('luck'), false, 'a fault tells no insides')
    assert.match(broken.body.request_id, /^req_/)
    assert.deepEqual(await databaseState(app.database), before)
    await fail('drop trigger fail on idempotency_key')
    assert.equal((await acme.send('POST', '/groups', given)).status, 201)
    assert.equal(await count('crash'), 1)
  })
})

describe('the key itself', () => {
  it('is 1 to 255 visible ASCII characters', async () => {
    for (const key of ['', ' ', 'a b', 'ä', 'x'.repeat(256)]) {
      const given = { body: { name: 'Key' }, headers: once(key) }
      const refusal = await acme.refused('POST', '/groups', 'request.invalid', 400, given)
      assert.equal(refusal.field, 'Idempotency-Key')
    }
    const longest = { body: { name: 'Key' }, headers: once('x'.repeat(255)) }
    assert.equal((await acme.send('POST', '/groups', longest)).status, 201)
  })

  it('says nothing with other methods, and a preview neither claims nor replays it', async () => {
    const group = await acme.group()
    const headers = once('k-preview')
    const member = await acme.member()
    await acme.add(group.id, member.id)
    const tail = `/members/${member.id}/suspend`
    const preview = await acme.send('POST', `${tail}?preview=true`, { headers })
    assert.deepEqual([preview.status, preview.body.object], [200, 'preview'])
    assert.equal((await acme.send('POST', tail, { headers })).body.status, 'suspended')
    const patch = { body: { name: 'A' }, headers: once('k-patch') }
    await acme.send('PATCH', `/groups/${group.id}`, patch)
    const second = await acme.send('PATCH', `/groups/${group.id}`, { ...patch, body: { name: 'B' } })
    assert.deepEqual([second.status, second.body.name], [200, 'B'])
  })
})
