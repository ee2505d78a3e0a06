import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { databaseState } from '../../../test/database-state.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'
import { sweep } from '../../directory/sweep.tasks.ts'

let app: TestApp
let acme: DirectoryClient
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  acme = directoryClient(app, (await app.organization('acme')).path)
})

const UNKNOWN_MEMBER = 'mem_AAAAAAAAAAAAAAAAAAAAAA'
const UNKNOWN_GROUP = 'grp_AAAAAAAAAAAAAAAAAAAAAA'

/** Lets every end that is set pass, as if the clock had moved on, and answers the moment they ended. */
async function letExpire(): Promise<string> {
  const row = await app.database.row<{ at: string }>({
    name: '',
    text: `with moved as (
        update group_membership set expires_at = clock_timestamp() where expires_at is not null returning expires_at)
      select expires_at as at from moved limit 1`,
    values: [],
  })
  return row!.at
}

describe('adding a member to a group', () => {
  it('shows since when and by which change, and is no change when repeated', async () => {
    const [member, group] = [await acme.member({ display_name: 'Ada' }), await acme.group()]
    const given = { body: { member: member.id } }
    const answer = await acme.send('POST', `/groups/${group.id}/members`, given)
    assert.equal(answer.status, 201)
    assert.deepEqual(answer.body, { object: 'group_membership', group: group.id, member: member.id })
    const change = await acme.get(`/changes/${answer.headers['rollcall-change']}`)
    assert.deepEqual(
      [change.kind, change.group, change.member, change.opened],
      ['group.member_added', group.id, member.id, 1],
    )
    assert.deepEqual((await acme.get(`/groups/${group.id}/members`)).data, [
      {
        object: 'group_member',
        id: member.id,
        email: member.email,
        display_name: 'Ada',
        external_reference_id: null,
        status: 'active',
        grants: [{ source: 'manual', since: change.at, until: null, change: change.id }],
      },
    ])
    const again = await acme.send('POST', `/groups/${group.id}/members`, given)
    assert.deepEqual([again.status, again.headers['rollcall-change']], [201, undefined])
  })

  it('refuses an unknown group, an unknown member and a removed one', async () => {
    const [member, group] = [await acme.member(), await acme.group()]
    await acme.ok('DELETE', `/members/${member.id}`)
    const add = (groupId: string, memberId: string, code: string, status: number) =>
      acme.refused('POST', `/groups/${groupId}/members`, code, status, { body: { member: memberId } })
    await add(UNKNOWN_GROUP, member.id, 'group.not_found', 404)
    await add(group.id, UNKNOWN_MEMBER, 'member.not_found', 404)
    await add(group.id, member.id, 'member.wrong_status', 409)
  })

  it('by hand and by a key are two grants: ending is of both', async () => {
    const [member, group] = [await acme.member(), await acme.group()]
    await acme.add(group.id, member.id)
    const key = await acme.key(['groups:write'])
    await acme.send('POST', `/groups/${group.id}/members`, { key, body: { member: member.id } })
    const [row] = (await acme.get(`/groups/${group.id}/members`)).data
    assert.deepEqual(row.grants.map((grant: { source: string }) => grant.source).sort(), ['api', 'manual'])
    const preview = await acme.ok('DELETE', `/groups/${group.id}/members/${member.id}?preview=true`)
    const answer = await acme.send('DELETE', `/groups/${group.id}/members/${member.id}`)
    assert.equal(answer.status, 204)
    const change = await acme.get(`/changes/${answer.headers['rollcall-change']}`)
    assert.deepEqual([change.ended, preview.ended], [2, 2])
    assert.deepEqual(await acme.roster(group.id), [])
    const tail = `/groups/${group.id}/members/${member.id}`
    await acme.refused('DELETE', tail, 'membership.not_found', 404)
  })
})

describe('a membership with an end', () => {
  it('is gone from every read at that moment, before anything records it', async () => {
    const [member, group] = [await acme.member(), await acme.group()]
    const until = new Date(Date.now() + 3_600_000).toISOString()
    await acme.add(group.id, member.id, { expires_at: until })
    const [row] = (await acme.get(`/groups/${group.id}/members`)).data
    assert.equal(Date.parse(row.grants[0].until), Date.parse(until))
    const endedAt = await letExpire()
    assert.deepEqual(await acme.roster(group.id), [])
    assert.deepEqual((await acme.get(`/members/${member.id}/access`)).grants, [])
    const asOf = `as_of=${endedAt}`
    assert.deepEqual((await acme.get(`/groups/${group.id}/members?${asOf}`)).data, [])
    assert.deepEqual((await acme.get(`/members/${member.id}/access?${asOf}`)).grants, [])
    const tail = `/groups/${group.id}/members/${member.id}`
    await acme.refused('DELETE', tail, 'membership.not_found', 404)
  })

  it('is recorded by the sweep as one change of the server, dated to the moment it ended', async () => {
    const other = directoryClient(app, (await app.organization('sweep')).path)
    const group = await other.group()
    const until = new Date(Date.now() + 3_600_000).toISOString()
    const members = [await other.member(), await other.member()]
    for (const { id } of members) await other.add(group.id, id, { expires_at: until })
    const kept = await other.member()
    await other.add(group.id, kept.id)
    const endedAt = await letExpire()
    await sweep(app.directory)
    const change = await other.lastChange()
    assert.deepEqual(
      [change.kind, change.actor, change.ended],
      ['grants.expired', { kind: 'system', id: null }, 2],
    )
    assert.equal(change.effective_at >= endedAt && change.effective_at <= change.at, true)
    const { effects } = await other.get(`/changes/${change.id}`)
    assert.deepEqual(
      effects.grants.map((grant: { member: { id: string } }) => grant.member.id).sort(),
      members.map(({ id }) => id).sort(),
    )
    assert.deepEqual(await other.roster(group.id), [kept.id])
    const state = await databaseState(app.database)
    await sweep(app.directory)
    assert.deepEqual(await databaseState(app.database), state, 'a second sweep has nothing to do')
  })

  it('given again with another end is a new grant: the old one ends; with the same end it is no change', async () => {
    const [member, group] = [await acme.member(), await acme.group()]
    const [first, second] = [1, 2].map((hours) => new Date(Date.now() + hours * 3_600_000).toISOString())
    await acme.add(group.id, member.id, { expires_at: first })
    const { number } = await acme.lastChange()
    await acme.add(group.id, member.id, { expires_at: first?.replace('Z', '+00:00') })
    assert.equal((await acme.lastChange()).number, number)
    await acme.add(group.id, member.id, { expires_at: second })
    const change = await acme.lastChange()
    assert.deepEqual([change.opened, change.ended], [1, 1])
    await acme.add(group.id, member.id)
    const [row] = (await acme.get(`/groups/${group.id}/members`)).data
    assert.deepEqual(
      row.grants.map((grant: { until: string }) => grant.until),
      [null],
    )
    await acme.post(`/changes/${(await acme.lastChange()).id}/undo`)
    const [undone] = (await acme.get(`/groups/${group.id}/members`)).data
    assert.equal(Date.parse(undone.grants[0].until), Date.parse(second!))
  })

  it('needs an end in the future', async () => {
    const [member, group] = [await acme.member(), await acme.group()]
    const body = { member: member.id, expires_at: new Date().toISOString() }
    const refusal = await acme.refused('POST', `/groups/${group.id}/members`, 'request.invalid', 400, {
      body,
    })
    assert.equal(refusal.field, 'expires_at')
  })
})

describe('a group at a past moment', () => {
  it('has who was in it then, whatever happened since', async () => {
    const group = await acme.group()
    const [stayed, left] = [await acme.member(), await acme.member()]
    for (const { id } of [stayed, left]) await acme.add(group.id, id)
    const { at } = await acme.lastChange()
    await acme.ok('DELETE', `/members/${left.id}`)
    const late = await acme.member()
    await acme.add(group.id, late.id)
    await acme.ok('DELETE', `/groups/${group.id}`)
    const { data } = await acme.get(`/groups/${group.id}/members?as_of=${at}`)
    assert.deepEqual(
      data.map((row: { id: string }) => row.id),
      [stayed.id, left.id],
    )
    const { grants } = await acme.get(`/members/${left.id}/access?as_of=${at}`)
    assert.deepEqual(
      grants.map((grant: { group: { id: string } }) => grant.group.id),
      [group.id],
    )
  })

  it('before it was there is empty, in the future is refused, and of no group is unknown', async () => {
    const group = await acme.group()
    assert.deepEqual((await acme.get(`/groups/${group.id}/members?as_of=2020-01-01T00:00:00Z`)).data, [])
    const future = `/groups/${group.id}/members?as_of=2999-01-01T00:00:00Z`
    assert.equal((await acme.refused('GET', future, 'request.invalid', 400)).field, 'as_of')
    const unknown = `/groups/${UNKNOWN_GROUP}/members`
    await acme.refused('GET', unknown, 'group.not_found', 404)
    await acme.refused('GET', `${unknown}?as_of=2020-01-01T00:00:00Z`, 'group.not_found', 404)
  })

  it('needs the permission to read changes', async () => {
    const group = await acme.group()
    const key = await acme.key(['groups:read', 'members:read'])
    const tail = `/groups/${group.id}/members`
    assert.equal((await acme.send('GET', tail, { key })).status, 200)
    await acme.refused('GET', `${tail}?as_of=2020-01-01T00:00:00Z`, 'permission.denied', 403, { key })
  })
})
