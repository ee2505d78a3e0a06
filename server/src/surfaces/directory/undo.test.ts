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

/** Does something and answers the change that it was. */
async function changeOf(method: string, tail: string, body?: object): Promise<string> {
  const answer = await acme.send(method, tail, body === undefined ? {} : { body })
  assert.ok(answer.status < 300, `${method} ${tail} ${JSON.stringify(answer.body)}`)
  return String(answer.headers['rollcall-change'])
}
const undo = (change: string) => acme.post(`/changes/${change}/undo`)

async function groupWith(count: number) {
  const group = await acme.group()
  const members = []
  for (let index = 0; index < count; index++) {
    const member = await acme.member()
    await acme.add(group.id, member.id)
    members.push(member.id)
  }
  return { groupId: group.id as string, members: members as string[] }
}

describe('deleting a group', () => {
  it('ends every grant in it, hides it, and frees its reference id', async () => {
    const { groupId, members } = await groupWith(3)
    await acme.ok('PATCH', `/groups/${groupId}`, { external_reference_id: 'freed' })
    const preview = await acme.ok('DELETE', `/groups/${groupId}?preview=true`)
    const change = await acme.get(`/changes/${await changeOf('DELETE', `/groups/${groupId}`)}`)
    assert.deepEqual([change.kind, change.ended, preview.ended], ['group.deleted', 3, 3])
    await acme.refused('GET', `/groups/${groupId}`, 'group.not_found', 404)
    await acme.refused('GET', `/groups/${groupId}/members`, 'group.not_found', 404)
    await acme.refused('DELETE', `/groups/${groupId}`, 'group.not_found', 404)
    assert.equal((await acme.get('/groups?external_reference_id=freed')).data.length, 0)
    assert.deepEqual((await acme.get(`/members/${members[0]}/access`)).grants, [])
    await acme.group({ external_reference_id: 'freed' })
    // Somebody else has the reference id by now.
    const refusal = await acme.send('POST', `/changes/${change.id}/undo`)
    assert.deepEqual([refusal.status, refusal.body.code], [409, 'group.external_reference_id_taken'])
  })

  it('is undone whole: the group, its members and their reasons', async () => {
    const { groupId, members } = await groupWith(3)
    const deletion = await changeOf('DELETE', `/groups/${groupId}`)
    const answer = await undo(deletion)
    assert.deepEqual(answer, { object: 'undo', undoes: deletion, opened: 3, ended: 0, refused: [] })
    assert.deepEqual(await acme.roster(groupId), members)
    const change = await acme.lastChange()
    assert.deepEqual(
      [change.kind, change.undoes, change.cause],
      ['change.undone', deletion, { kind: 'change', id: deletion }],
    )
    assert.equal((await acme.get(`/changes/${deletion}`)).undone_by, change.id)
  })
})

describe('an undo', () => {
  it('names what it does not give back, with the reason, and gives back the rest', async () => {
    const { groupId, members } = await groupWith(4)
    const [back, gone, again, expired] = members as [string, string, string, string]
    await acme.add(groupId, expired, { expires_at: new Date(Date.now() + 3_600_000).toISOString() })
    const other = await groupWith(1)
    await acme.add(groupId, other.members[0]!)
    const references = ['undo-1', 'undo-2']
    await acme.sync(groupId, references)
    const synced = (await acme.sync(groupId, [])).change
    assert.equal((await undo(synced)).opened, 2)

    const removal = await changeOf('DELETE', `/groups/${groupId}`)
    await undo(removal)
    const second = await changeOf('DELETE', `/groups/${groupId}`)
    await acme.ok('DELETE', `/members/${gone}`)
    await app.database.run({
      name: '',
      text: 'update group_membership_past set expires_at = now() where expires_at is not null',
      values: [],
    })
    const answer = await undo(second)
    const reasons = new Map(
      answer.refused.map((row: { member: string; reason: string }) => [row.member, row.reason]),
    )
    assert.deepEqual(
      [...reasons].sort(),
      [
        [expired, 'expired'],
        [gone, 'member_removed'],
      ].sort(),
    )
    const roster = await acme.roster(groupId)
    assert.ok(roster.includes(back) && roster.includes(again) && !roster.includes(gone))
  })

  it('leaves alone what somebody changed since', async () => {
    const { groupId, members } = await groupWith(2)
    const [first, second] = members as [string, string]
    const removals = []
    for (const id of [first, second])
      removals.push(await changeOf('DELETE', `/groups/${groupId}/members/${id}`))
    // Given and taken again: the removal is not the last word any more.
    await acme.add(groupId, first)
    await acme.ok('DELETE', `/groups/${groupId}/members/${first}`)
    const refusal = await acme.send('POST', `/changes/${removals[0]}/undo`)
    assert.deepEqual([refusal.status, refusal.body.code], [409, 'change.not_undoable'])
    assert.deepEqual(refusal.body.context.refused, [
      { grant: 'group_membership', member: first, group: groupId, role: null, reason: 'changed_since' },
    ])
    assert.equal((await undo(removals[1]!)).opened, 1)
    assert.deepEqual(await acme.roster(groupId), [second])
  })

  it('is refused a second time, and names the undo; an undo itself can be undone', async () => {
    const { groupId, members } = await groupWith(1)
    const removal = await changeOf('DELETE', `/groups/${groupId}/members/${members[0]}`)
    await undo(removal)
    const undoId = (await acme.lastChange()).id
    const before = await databaseState(app.database)
    const refusal = await acme.refused('POST', `/changes/${removal}/undo`, 'change.already_undone', 409)
    assert.deepEqual(refusal.context, { undone_by: undoId })
    assert.deepEqual(await databaseState(app.database), before)
    await undo(undoId)
    assert.deepEqual(await acme.roster(groupId), [])
  })

  it('sent ten times at once is done once', async () => {
    const { groupId, members } = await groupWith(2)
    const deletion = await changeOf('DELETE', `/groups/${groupId}`)
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => acme.send('POST', `/changes/${deletion}/undo`)),
    )
    const statuses = answers.map((answer) => answer.status)
    assert.deepEqual(statuses.sort(), [200, ...Array(9).fill(409)])
    assert.deepEqual(await acme.roster(groupId), members)
  })

  it('as a preview shows what then happens, and writes nothing', async () => {
    const { groupId } = await groupWith(3)
    const deletion = await changeOf('DELETE', `/groups/${groupId}`)
    const before = await databaseState(app.database)
    const preview = await acme.post(`/changes/${deletion}/undo?preview=true`)
    assert.deepEqual(await databaseState(app.database), before)
    const { opened } = await undo(deletion)
    const { effects, kind, detail } = await acme.get(`/changes/${(await acme.lastChange()).id}`)
    assert.deepEqual([preview.opened, opened], [3, 3])
    assert.deepEqual(preview, { object: 'preview', change: { kind, detail }, ...effects })
  })

  it('of a change of another kind is refused: fields of people are not given back', async () => {
    const { id } = await acme.member()
    const update = await changeOf('PATCH', `/members/${id}`, { first_name: 'X' })
    await acme.refused('POST', `/changes/${update}/undo`, 'change.not_undoable', 409)
  })

  it('sets back levels and statuses, unless somebody set another since', async () => {
    const { id } = await acme.member({ level: 'admin' })
    const demotion = await changeOf('PUT', `/members/${id}/level`, { level: 'member' })
    await undo(demotion)
    assert.equal((await acme.get(`/members/${id}`)).level, 'admin')
    const suspension = await changeOf('POST', `/members/${id}/suspend`)
    await undo(suspension)
    assert.equal((await acme.get(`/members/${id}`)).status, 'active')
    const again = await changeOf('POST', `/members/${id}/suspend`)
    await acme.post(`/members/${id}/reactivate`)
    await acme.refused('POST', `/changes/${again}/undo`, 'change.not_undoable', 409)
  })

  it('of a sync takes back what it gave: who was added is out, who was removed is in', async () => {
    const group = await acme.group()
    await acme.sync(group.id, ['s-1', 's-2'])
    const names = async () => {
      const { data } = await acme.get(`/groups/${group.id}/members`)
      return data.map((row: { external_reference_id: string }) => row.external_reference_id).sort()
    }
    const { change } = await acme.sync(group.id, ['s-2', 's-3'])
    assert.deepEqual(await names(), ['s-2', 's-3'])
    const answer = await undo(change)
    assert.deepEqual([answer.opened, answer.ended], [1, 1])
    assert.deepEqual(await names(), ['s-1', 's-2'])
    const { result } = await acme.sync(group.id, ['s-2', 's-3'])
    assert.deepEqual([result.opened, result.ended], [1, 1], 'a source that states it again gives it again')
  })
})
