import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { type IdentityProvider, startIdentityProvider } from '../identity-provider.ts'

let google: IdentityProvider
before(async () => {
  google = await startIdentityProvider()
})

describe('Google Workspace deletes people', () => {
  it('B-106: whoever is deleted leaves all groups, and each of these has changed', async () => {
    const [leaver, stayer] = [await google.user(), await google.user()]
    const groups = [
      await google.group('B-106 one', [leaver.id, stayer.id]),
      await google.group('B-106 two', [leaver.id]),
    ]
    const other = await google.group('B-106 other', [stayer.id])
    await google.patch(`/Users/${leaver.id}`, { op: 'replace', path: 'active', value: false })
    const before = await google.expect(200, 'GET', '/Groups')
    await google.expect(204, 'DELETE', `/Users/${leaver.id}`)
    const after = await google.expect(200, 'GET', '/Groups')
    const moved = after.Resources.filter(
      (group: { meta: { lastModified: string } }, at: number) =>
        Date.parse(group.meta.lastModified) > Date.parse(before.Resources[at].meta.lastModified),
    )
    assert.deepEqual(
      moved.map(({ id }: { id: string }) => id),
      groups.map(({ id }) => id),
    )
    assert.deepEqual(await google.memberIdsOf(groups[0]!.id), [stayer.id])
    assert.deepEqual(await google.memberIdsOf(groups[1]!.id), [])
    assert.deepEqual(await google.memberIdsOf(other.id), [stayer.id])
  })

  it('B-112: a DELETE of an active user ends what a deactivation ends: keys, groups and roles', async () => {
    const user = await google.user()
    await google.group('B-112', [user.id])
    const member = (await google.directory.get(`/members?email=${user.userName}`)).data[0]
    const key = await google.directory.key(['members:read'], { member_id: member.id })
    const reads = async () => (await google.directory.send('GET', '/members', { key })).status
    assert.notEqual(await reads(), 401)
    await google.expect(204, 'DELETE', `/Users/${user.id}`)
    assert.equal(await reads(), 401)
    await google.refused(404, undefined, 'GET', `/Users/${user.id}`)
    const removed = (await google.directory.get(`/members?email=${user.userName}&status=removed`)).data[0]
    assert.equal(removed.id, member.id)
    const { grants, roles } = await google.directory.get(`/members/${member.id}/access`)
    assert.deepEqual([grants, roles], [[], []])
  })
})
