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

describe('creating a member', () => {
  it('answers 201 with every field, an ETag and the change that it was', async () => {
    const body = {
      email: 'Ada@Members.Example',
      first_name: 'Ada',
      last_name: 'Lovelace',
      external_reference_id: 'ada',
      attributes: { phone: '4155550100' },
      metadata: { team: 'core', seats: 2, vip: true, note: null },
    }
    const answer = await acme.send('POST', '/members', { body })
    assert.equal(answer.status, 201)
    const { id, created_at, updated_at, ...rest } = answer.body
    assert.deepEqual(rest, {
      ...body,
      object: 'member',
      email: 'Ada@members.example',
      display_name: 'Ada Lovelace',
      status: 'active',
      level: 'member',
      merged_into: null,
    })
    assert.match(id, /^mem_[A-Za-z0-9_-]{22}$/)
    assert.equal(created_at, updated_at)
    assert.equal(answer.headers.etag, '"1"')
    const change = await acme.get(`/changes/${answer.headers['rollcall-change']}`)
    assert.deepEqual([change.kind, change.member, change.opened], ['member.created', id, 0])
    const read = await acme.send('GET', `/members/${id}`)
    assert.deepEqual([read.body, read.headers.etag], [answer.body, '"1"'])
  })

  it('refuses an email, in any case, or a reference id that another member has: 409', async () => {
    await acme.member({ email: 'taken@members.example', external_reference_id: 'taken' })
    const email = { body: { email: 'TAKEN@members.example' } }
    await acme.refused('POST', '/members', 'member.email_taken', 409, email)
    const reference = { body: { external_reference_id: 'taken' } }
    await acme.refused('POST', '/members', 'member.external_reference_id_taken', 409, reference)
  })

  it('frees the email of a removed member, but never its reference id', async () => {
    const gone = await acme.member({ email: 'freed@members.example', external_reference_id: 'never-freed' })
    await acme.ok('DELETE', `/members/${gone.id}`)
    await acme.member({ email: 'freed@members.example' })
    const reference = { body: { external_reference_id: 'never-freed' } }
    await acme.refused('POST', '/members', 'member.external_reference_id_taken', 409, reference)
    await acme.refused('POST', `/members/${gone.id}/restore`, 'member.email_taken', 409)
  })
})

describe('updating a member', () => {
  it('changes what is named, clears what is null, keeps the rest, and names the fields in the change', async () => {
    const { id } = await acme.member({ first_name: 'Old', last_name: 'Kept', external_reference_id: 'upd' })
    const answer = await acme.send('PATCH', `/members/${id}`, { body: { first_name: 'Zoë', email: null } })
    assert.equal(answer.status, 200)
    assert.deepEqual(
      [answer.body.first_name, answer.body.last_name, answer.body.email, answer.body.external_reference_id],
      ['Zoë', 'Kept', null, 'upd'],
    )
    const change = await acme.get(`/changes/${answer.headers['rollcall-change']}`)
    assert.equal(change.kind, 'member.updated')
    assert.deepEqual(change.detail, { fields: ['email', 'first_name'] })
    assert.equal(JSON.stringify(change).includes('Zoë'), false, 'personal values do not enter the history')
  })

  it('that changes nothing is no change: same ETag, same feed; whatever the order of metadata', async () => {
    const fields = { metadata: { zebra: 1, a: 2 }, attributes: { plan_id: 'p', phone: '4155550100' } }
    const { id } = await acme.member({ ...fields, first_name: 'Same' })
    const { number } = await acme.lastChange()
    for (const body of [{}, { first_name: 'Same' }, fields, { metadata: { a: 2, zebra: 1 } }]) {
      const answer = await acme.send('PATCH', `/members/${id}`, { body })
      assert.deepEqual([answer.status, answer.headers.etag], [200, '"1"'], JSON.stringify(body))
      assert.equal(answer.headers['rollcall-change'], undefined)
    }
    assert.equal((await acme.lastChange()).number, number)
  })

  it('may not leave a member without email and reference id, nor touch a removed one', async () => {
    const { id } = await acme.member()
    await acme.refused('PATCH', `/members/${id}`, 'request.invalid', 400, { body: { email: null } })
    await acme.ok('DELETE', `/members/${id}`)
    const given = { body: { first_name: 'X' } }
    await acme.refused('PATCH', `/members/${id}`, 'member.wrong_status', 409, given)
  })
})

describe('suspending and reactivating', () => {
  it('keeps the grants, takes their effect, and gives it back', async () => {
    const [member, group] = [await acme.member(), await acme.group()]
    await acme.add(group.id, member.id)
    assert.equal((await acme.post(`/members/${member.id}/suspend`)).status, 'suspended')
    const access = await acme.get(`/members/${member.id}/access`)
    assert.deepEqual([access.effective, access.grants.length], [false, 1])
    assert.deepEqual(await acme.roster(group.id), [member.id])
    assert.equal((await acme.post(`/members/${member.id}/reactivate`)).status, 'active')
    assert.equal((await acme.get(`/members/${member.id}/access`)).effective, true)
  })

  it('refuses who has another status: 409', async () => {
    const { id } = await acme.member()
    await acme.refused('POST', `/members/${id}/reactivate`, 'member.wrong_status', 409)
    await acme.refused('POST', `/members/${id}/restore`, 'member.wrong_status', 409)
    await acme.post(`/members/${id}/suspend`)
    await acme.refused('POST', `/members/${id}/suspend`, 'member.wrong_status', 409)
    await acme.ok('DELETE', `/members/${id}`)
    await acme.refused('DELETE', `/members/${id}`, 'member.wrong_status', 409)
    await acme.refused('POST', `/members/${id}/suspend`, 'member.wrong_status', 409)
  })

  it('makes the keys of a suspended member stop at once, and work again', async () => {
    const { id } = await acme.member({ level: 'admin' })
    const secret = await acme.key(['members:read'], { member_id: id })
    const status = async () => (await acme.send('GET', '/members', { key: secret })).status
    assert.equal(await status(), 200)
    await acme.post(`/members/${id}/suspend`)
    assert.equal(await status(), 401)
    await acme.post(`/members/${id}/reactivate`)
    assert.equal(await status(), 200)
  })
})

describe('removing, leaving and restoring', () => {
  it('ends every grant and key in one change, and keeps the row readable', async () => {
    const member = await acme.member({ level: 'admin' })
    const groups = [await acme.group(), await acme.group()]
    for (const group of groups) await acme.add(group.id, member.id)
    const secret = await acme.key(['*'], { member_id: member.id })
    const answer = await acme.send('DELETE', `/members/${member.id}`)
    assert.deepEqual([answer.status, answer.body.status, answer.body.level], [200, 'removed', 'member'])
    const change = await acme.get(`/changes/${answer.headers['rollcall-change']}`)
    assert.deepEqual([change.kind, change.opened, change.ended], ['member.removed', 0, 3])
    for (const group of groups) assert.deepEqual(await acme.roster(group.id), [])
    assert.equal((await acme.send('GET', '', { key: secret })).status, 401)
    assert.deepEqual((await acme.get(`/members/${member.id}/access`)).grants, [])
    assert.equal((await acme.get('/members?status=removed&limit=1000')).data.some(isThat(member.id)), true)
    assert.equal((await acme.get('/members?limit=1000')).data.some(isThat(member.id)), false)
  })

  it('is undone by restore: the same person, status, level and groups; its keys stay dead', async () => {
    const member = await acme.member({ level: 'admin' })
    const group = await acme.group()
    await acme.add(group.id, member.id)
    const secret = await acme.key(['*'], { member_id: member.id })
    await acme.post(`/members/${member.id}/suspend`)
    await acme.ok('DELETE', `/members/${member.id}`)
    const restored = await acme.post(`/members/${member.id}/restore`)
    assert.deepEqual([restored.id, restored.status, restored.level], [member.id, 'suspended', 'admin'])
    assert.deepEqual(await acme.roster(group.id), [member.id])
    await acme.post(`/members/${member.id}/reactivate`)
    assert.equal((await acme.send('GET', '', { key: secret })).status, 401)
  })

  it('is how a member leaves with a key of its own; a key of the organization cannot leave', async () => {
    const member = await acme.member()
    const group = await acme.group()
    await acme.add(group.id, member.id)
    const secret = await acme.key(['members:read'], { member_id: member.id })
    const preview = await acme.send('POST', '/leave?preview=true', { key: secret })
    assert.deepEqual([preview.body.object, preview.body.ended], ['preview', 1])
    const left = await acme.send('POST', '/leave', { key: secret })
    assert.deepEqual([left.status, left.body.id, left.body.status], [200, member.id, 'removed'])
    const { kind, actor } = await acme.get(`/changes/${left.headers['rollcall-change']}`)
    assert.deepEqual([kind, actor], ['member.left', { kind: 'member', id: member.id }])
    assert.equal((await acme.send('POST', '/leave', { key: secret })).status, 401)
    await acme.refused('POST', '/leave', 'permission.denied', 403, { key: await acme.key(['*']) })
    await acme.post(`/members/${member.id}/restore`)
    assert.deepEqual(await acme.roster(group.id), [member.id])
  })

  it('is refused to a key of that very member, which would cut its own branch', async () => {
    const { id } = await acme.member({ level: 'admin' })
    const key = await acme.key(['*'], { member_id: id })
    const before = await databaseState(app.database)
    await acme.refused('DELETE', `/members/${id}`, 'member.unchangeable_self', 409, { key })
    await acme.refused('POST', `/members/${id}/suspend`, 'member.unchangeable_self', 409, { key })
    assert.deepEqual(await databaseState(app.database), before)
  })
})

describe('merging', () => {
  it('moves what one holds to the other, keeps what both have, and shows where the merged one went', async () => {
    const into = await acme.member({ first_name: 'Into', metadata: { a: 1 } })
    const from = await acme.member({
      first_name: 'From',
      last_name: 'Gained',
      external_reference_id: 'merge-ref',
      level: 'admin',
      metadata: { a: 2, b: 3 },
    })
    const [both, only] = [await acme.group(), await acme.group()]
    await acme.add(both.id, into.id)
    for (const group of [both, only]) await acme.add(group.id, from.id)
    const preview = await acme.post(`/members/${into.id}/merge?preview=true`, { from: from.id })
    assert.deepEqual([preview.opened, preview.ended], [2, 3])
    const answer = await acme.send('POST', `/members/${into.id}/merge`, { body: { from: from.id } })
    const { first_name, last_name, email, level, metadata } = answer.body
    assert.deepEqual(
      { first_name, last_name, email, level, metadata },
      {
        first_name: 'Into',
        last_name: 'Gained',
        email: into.email,
        level: 'admin',
        metadata: { a: 1, b: 3 },
      },
    )
    assert.equal(answer.body.external_reference_id, 'merge-ref')
    const change = await acme.get(`/changes/${answer.headers['rollcall-change']}`)
    assert.deepEqual(
      [change.kind, change.member, change.detail, change.opened, change.ended],
      ['member.merged', into.id, { from: from.id }, preview.opened, preview.ended],
    )
    const gone = await acme.get(`/members/${from.id}`)
    assert.deepEqual([gone.status, gone.merged_into], ['removed', into.id])
    for (const group of [both, only]) assert.deepEqual(await acme.roster(group.id), [into.id])
    await acme.refused('POST', `/members/${from.id}/restore`, 'change.not_undoable', 409)
    await acme.refused('POST', `/changes/${change.id}/undo`, 'change.not_undoable', 409)
  })

  it('refuses the same member twice, a removed one and an unknown one', async () => {
    const [one, gone] = [await acme.member(), await acme.member()]
    await acme.ok('DELETE', `/members/${gone.id}`)
    const merge = (into: string, from: string, code: string, status: number) =>
      acme.refused('POST', `/members/${into}/merge`, code, status, { body: { from } })
    await merge(one.id, one.id, 'member.merge_conflict', 409)
    await merge(one.id, gone.id, 'member.wrong_status', 409)
    await merge(gone.id, one.id, 'member.wrong_status', 409)
    const unknown = await merge(one.id, 'mem_AAAAAAAAAAAAAAAAAAAAAA', 'member.not_found', 404)
    assert.equal(unknown.field, undefined)
    const malformed = await merge(one.id, 'nobody', 'member.not_found', 404)
    assert.equal(malformed.field, 'from')
  })
})

function isThat(id: string) {
  return (row: { id: string }) => row.id === id
}
