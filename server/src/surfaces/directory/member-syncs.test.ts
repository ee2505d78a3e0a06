import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { databaseState } from '../../../test/database-state.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'

let app: TestApp
let acme: DirectoryClient
before(async () => {
  app = await startTestApp()
  acme = directoryClient(app, (await app.organization('acme')).path)
})

const UNKNOWN = 'sync_AAAAAAAAAAAAAAAAAAAAAA'

describe('a submitted member sync', () => {
  it('is accepted with its place in the line, and tells what it did once it is over', async () => {
    const group = await acme.group()
    const members = [
      { external_reference_id: 'r-1', email: 'r1@acme.example', display_name: 'One' },
      { external_reference_id: 'r-2', email: 'no address' },
    ]
    const answer = await acme.send('POST', `/groups/${group.id}/member_syncs`, { body: { members } })
    assert.equal(answer.status, 202)
    const { id, accepted_at: at, ...rest } = answer.body
    assert.deepEqual(rest, {
      object: 'member_sync',
      group: group.id,
      position: 1,
      status: 'pending',
      member_count: 2,
      completed_at: null,
      held_plan: null,
      change: null,
      result: null,
    })
    assert.ok(!Number.isNaN(Date.parse(at)))
    const next = await acme.sync(group.id, ['r-1'])
    assert.equal(next.position, 2)
    const done = await acme.get(`/groups/${group.id}/member_syncs/${id}`)
    assert.equal(done.status, 'completed')
    const { failures, failure_count: failed, ...counts } = done.result
    assert.deepEqual(counts, { opened: 1, ended: 0, left: 0, created_members: 1, updated_members: 0 })
    assert.deepEqual([failed, failures.length, failures[0].external_reference_id], [1, 1, 'r-2'])
    const { data } = await acme.get(`/groups/${group.id}/member_syncs/${id}/failures`)
    assert.deepEqual(data, failures)
    const change = await acme.get(`/changes/${done.change}`)
    assert.deepEqual([change.cause, change.opened], [{ kind: 'member_sync', id }, 1])
  })

  it('that changes nothing is no change', async () => {
    const group = await acme.group()
    await acme.sync(group.id, ['same-1', 'same-2'])
    const { number } = await acme.lastChange()
    const again = await acme.sync(group.id, ['same-2', 'same-1'])
    assert.deepEqual([again.status, again.change, again.result.left], ['completed', null, 2])
    assert.equal((await acme.lastChange()).number, number)
  })

  it('names every refused row, page by page, however many', async () => {
    const group = await acme.group()
    const members = Array.from({ length: 2500 }, (_, index) => ({
      external_reference_id: `bad-${index}`,
      email: 'none',
    }))
    const { id } = await acme.post(`/groups/${group.id}/member_syncs`, { members })
    await acme.sync(group.id, [])
    const tail = `/groups/${group.id}/member_syncs/${id}/failures`
    const found: string[] = []
    let after = ''
    for (;;) {
      const page = await acme.get(`${tail}?limit=1000${after}`)
      found.push(...page.data.map((row: { external_reference_id: string }) => row.external_reference_id))
      if (!page.has_more) break
      after = `&after=${page.next_cursor}`
    }
    assert.deepEqual(
      found,
      members.map((member) => member.external_reference_id),
    )
    const far = Buffer.from('999999999999999').toString('base64url')
    assert.deepEqual((await acme.get(`${tail}?after=${far}`)).data, [])
  })

  it('needs groups:write and members:write', async () => {
    const group = await acme.group()
    const tail = `/groups/${group.id}/member_syncs`
    const body = { members: [] }
    for (const scopes of [['groups:write'], ['members:write'], ['groups:read', 'members:read']]) {
      const key = await acme.key(scopes)
      await acme.refused('POST', tail, 'permission.denied', 403, { key, body })
      await acme.refused('POST', `${tail}?preview=true`, 'permission.denied', 403, { key, body })
    }
  })

  it('of an unknown or deleted group, or under another group, is unknown', async () => {
    const [group, other] = [await acme.group(), await acme.group()]
    const sync = await acme.sync(group.id, [])
    await acme.refused('GET', `/groups/${other.id}/member_syncs/${sync.id}`, 'member_sync.not_found', 404)
    await acme.refused('GET', `/groups/${group.id}/member_syncs/${UNKNOWN}`, 'member_sync.not_found', 404)
    await acme.ok('DELETE', `/groups/${other.id}`)
    const given = { body: { members: [] } }
    await acme.refused('POST', `/groups/${other.id}/member_syncs`, 'group.not_found', 404, given)
    await acme.refused('GET', `/groups/${other.id}/member_syncs`, 'group.not_found', 404)
  })
})

describe('cancelling a member sync', () => {
  it('is possible until it starts: nothing of it happens, and what was accepted after it does', async () => {
    const waiting = await startTestApp({ withoutTasks: true })
    const client = directoryClient(waiting, (await waiting.organization('waiting')).path)
    const group = await client.group()
    const tail = `/groups/${group.id}/member_syncs`
    const first = await client.post(tail, { members: [{ external_reference_id: 'a' }] })
    const second = await client.post(tail, { members: [{ external_reference_id: 'b' }] })
    const cancelled = await client.post(`${tail}/${first.id}/cancel`)
    assert.deepEqual([cancelled.status, cancelled.result.opened], ['cancelled', 0])
    assert.equal((await client.lastChange()).kind, 'member_sync.cancelled')
    await client.refused('POST', `${tail}/${first.id}/cancel`, 'member_sync.already_started', 409)
    await client.refused('POST', `${tail}/${UNKNOWN}/cancel`, 'member_sync.not_found', 404)
    assert.equal((await client.get(`${tail}/${second.id}`)).status, 'pending')
    await waiting.close()
  })

  it('that is over is refused and changes nothing', async () => {
    const group = await acme.group()
    const sync = await acme.sync(group.id, ['over'])
    const before = await databaseState(app.database)
    const tail = `/groups/${group.id}/member_syncs/${sync.id}/cancel`
    await acme.refused('POST', tail, 'member_sync.already_started', 409)
    assert.deepEqual(await databaseState(app.database), before)
  })
})

describe('a change with many effects', () => {
  it('counts them all, shows the first thousand, and lists every one page by page', async () => {
    const group = await acme.group()
    const references = Array.from({ length: 1500 }, (_, index) => `many-${index}`)
    const { change } = await acme.sync(group.id, references)
    const { effects } = await acme.get(`/changes/${change}`)
    assert.deepEqual([effects.opened, effects.grants.length, effects.grants_complete], [1500, 1000, false])
    const found: string[] = []
    let after = ''
    for (;;) {
      const page = await acme.get(`/changes/${change}/effects?limit=700${after}`)
      found.push(
        ...page.data.map(
          (row: { member: { external_reference_id: string } }) => row.member.external_reference_id,
        ),
      )
      if (!page.has_more) break
      after = `&after=${page.next_cursor}`
    }
    assert.deepEqual(found.toSorted(), references.toSorted())
  })
})
