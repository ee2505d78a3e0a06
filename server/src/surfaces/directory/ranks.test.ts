import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'

describe('what a key may do through one operation it may not do through another', () => {
  let app: TestApp
  let owner: DirectoryClient
  let organization: Awaited<ReturnType<TestApp['organization']>>

  before(async () => {
    app = await startTestApp()
    organization = await app.organization('ranks')
    owner = directoryClient(app, organization.path)
  })
  after(() => app.close())

  async function keyOf(level: string): Promise<string> {
    const member = await owner.member({ level })
    return await owner.key(['*'], { member_id: member.id })
  }

  async function syncAs(key: string, groupId: string, members: object[]) {
    const path = `${organization.path}/groups/${groupId}/member_syncs`
    const { body } = await app.call('POST', path, { key, body: { members } })
    for (let tries = 0; tries < 1000; tries++) {
      const read = await app.call('GET', `${path}/${body.id}`, { key })
      if (read.body.completed_at !== null) return read.body.result
      await setTimeout(5)
    }
    throw new Error('the member sync does not end')
  }

  it("an admin's member sync cannot change an owner's email, nor take an owner over by the email", async () => {
    const target = await owner.member({
      level: 'owner',
      email: 'boss@ranks.example',
      external_reference_id: 'boss',
    })
    const unlinked = await owner.member({ level: 'owner', email: 'chief@ranks.example' })
    const group = await owner.group()
    const rows = [
      { external_reference_id: 'boss', email: 'admin@ranks.example' },
      { external_reference_id: 'mine', email: 'chief@ranks.example' },
      { external_reference_id: 'new', email: 'new@ranks.example' },
    ]
    const byAdmin = await syncAs(await keyOf('admin'), group.id, rows)
    assert.deepEqual(
      byAdmin.failures.map((one: { external_reference_id: string; reason: string }) => [
        one.external_reference_id,
        one.reason,
      ]),
      [
        ['boss', 'only who ranks as high may change an owner or admin'],
        ['mine', 'only who ranks as high may change an owner or admin'],
      ],
    )
    assert.equal(byAdmin.opened, 1)
    assert.equal((await owner.get(`/members/${target.id}`)).email, 'boss@ranks.example')
    assert.equal((await owner.get(`/members/${unlinked.id}`)).external_reference_id, null)
    const byOwner = await syncAs(await keyOf('owner'), group.id, rows)
    assert.deepEqual(byOwner.failures, [])
    assert.equal((await owner.get(`/members/${target.id}`)).email, 'admin@ranks.example')
  })

  it("an admin's member sync puts an owner into a group as long as it changes nothing of the owner", async () => {
    const target = await owner.member({ level: 'owner', external_reference_id: 'plain' })
    const group = await owner.group()
    const result = await syncAs(await keyOf('admin'), group.id, [{ external_reference_id: 'plain' }])
    assert.deepEqual([result.opened, result.failures], [1, []])
    assert.deepEqual(await owner.roster(group.id), [target.id])
  })

  it('who may not change groups may not undo a change of one', async () => {
    const group = await owner.group()
    const deleted = await owner.send('DELETE', `/groups/${group.id}`)
    const change = String(deleted.headers['rollcall-change'])
    const key = await owner.key(['changes:read', 'changes:write', 'members:write'])
    const refused = await owner.refused('POST', `/changes/${change}/undo`, 'permission.denied', 403, { key })
    assert.match(refused.detail, /groups:write/)
    await owner.post(`/changes/${change}/undo`)
  })

  it('who may not change members may not undo the removal of one', async () => {
    const member = await owner.member()
    const removed = await owner.send('DELETE', `/members/${member.id}`)
    const change = String(removed.headers['rollcall-change'])
    const key = await owner.key(['changes:read', 'changes:write', 'groups:write'])
    const refused = await owner.refused('POST', `/changes/${change}/undo`, 'permission.denied', 403, { key })
    assert.match(refused.detail, /members:write/)
  })

  it('the change of a sync names the member whose key submitted it', async () => {
    const member = await owner.member({ level: 'admin' })
    const key = await owner.key(['*'], { member_id: member.id })
    const group = await owner.group()
    await syncAs(key, group.id, [{ external_reference_id: 'by-member' }])
    const { data } = await owner.get(`/changes?group=${group.id}&kind=group.members_synced`)
    assert.deepEqual(data[0].actor, { kind: 'member', id: member.id })
  })
})

describe('a deleted organization', () => {
  it('can be read and restored with the root key, and changed by nobody', async () => {
    const app = await startTestApp()
    const { path } = await app.organization('gone')
    const root = directoryClient(app, path)
    await root.ok('DELETE', '')
    await root.refused('POST', '/members', 'organization.deleted', 409, { body: { email: 'a@gone.example' } })
    await root.refused('PATCH', '', 'organization.deleted', 409, { body: { name: 'Other' } })
    await root.get('/members')
    await root.post('/restore')
    await root.member()
    await app.close()
  })
})

describe('a member sync that is cancelled', () => {
  it('lists every person of it as a failure, so nobody takes it for carried out', async () => {
    const app = await startTestApp({ withoutTasks: true })
    const { path, key } = await app.organization('cancelled')
    const client = directoryClient(app, path, key)
    const group = await client.group()
    const submit = () =>
      client.post(`/groups/${group.id}/member_syncs`, {
        members: [{ external_reference_id: 'a' }, { external_reference_id: 'b' }],
      })
    const sync = await submit()
    const cancelled = await client.post(`/groups/${group.id}/member_syncs/${sync.id}/cancel`)
    assert.deepEqual(cancelled.result.failures, [
      { external_reference_id: 'a', operation: 'add', reason: 'the request was cancelled before it started' },
      { external_reference_id: 'b', operation: 'add', reason: 'the request was cancelled before it started' },
    ])
    assert.equal(cancelled.result.failure_count, 2)
    const waiting = await submit()
    await client.ok('DELETE', `/groups/${group.id}`)
    const read = await client.get(`/groups/${group.id}/member_syncs/${waiting.id}`)
    assert.deepEqual([read.status, read.result.failures[0].reason], ['cancelled', 'the group was deleted'])
    await app.close()
  })
})
