import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { GROUP, PATCH } from '../../../scim-client.ts'
import { type IdentityProvider, startIdentityProvider } from '../identity-provider.ts'

let scim: IdentityProvider
let ids: readonly string[]
before(async () => {
  scim = await startIdentityProvider()
  ids = [await scim.user(), await scim.user(), await scim.user()].map(({ id }) => id)
})

const STRANGER = '01990000-0000-7000-8000-00000000abcd'
const patchOf = (...Operations: object[]) => ({ schemas: [PATCH], Operations })

describe('groups', () => {
  it('B-96: a removal of members without a value empties the group; with an empty list it does nothing', async () => {
    const group = await scim.group('B-96', ids)
    const path = `/Groups/${group.id}`
    await scim.unchanged(path, () => scim.patch(path, { op: 'remove', path: 'members', value: [] }))
    assert.deepEqual(await scim.memberIdsOf(group.id), [...ids].sort())
    await scim.patch(path, { op: 'remove', path: 'members' })
    assert.deepEqual(await scim.memberIdsOf(group.id), [])
    await scim.unchanged(path, () => scim.patch(path, { op: 'remove', path: 'members' }))
  })

  it('B-98: members are added by a value without a path', async () => {
    const group = await scim.group('B-98', ids.slice(0, 1))
    await scim.patch(`/Groups/${group.id}`, { op: 'add', value: { members: [{ value: ids[1] }] } })
    assert.deepEqual(await scim.memberIdsOf(group.id), ids.slice(0, 2).sort())
  })

  it('B-102: of a list with an id that is no user nobody is added, and the refusal names the id', async () => {
    const group = await scim.group('B-102')
    const path = `/Groups/${group.id}`
    for (const id of [STRANGER, 'not-an-id', group.id, scim.connectionId]) {
      const value = [ids[0], id, ids[1]].map((one) => ({ value: one }))
      for (const body of [
        patchOf({ op: 'add', path: 'members', value }),
        patchOf(
          { op: 'add', path: 'members', value: [{ value: ids[0] }] },
          { op: 'add', path: 'members', value },
        ),
        patchOf({ op: 'replace', path: 'members', value }),
      ]) {
        const detail = await scim.unchanged(path, () =>
          scim.refused(400, 'invalidValue', 'PATCH', path, body),
        )
        assert.ok(detail.includes(id), detail)
      }
      const whole = { schemas: [GROUP], displayName: 'B-102 new', members: value }
      await scim.refused(400, 'invalidValue', 'POST', '/Groups', whole)
      await scim.refused(400, 'invalidValue', 'PUT', path, { ...whole, displayName: 'B-102' })
    }
    assert.deepEqual(await scim.memberIdsOf(group.id), [])
    assert.deepEqual(await scim.find('displayName eq "B-102 new"', '/Groups'), [])
  })

  it('B-107: a group inside a group is 400 with a sentence that says so', async () => {
    const [outer, inner] = [await scim.group('B-107 outer'), await scim.group('B-107 inner')]
    const value = [{ value: inner.id, type: 'Group' }]
    const body = patchOf({ op: 'add', path: 'members', value })
    const detail = await scim.refused(400, 'invalidValue', 'PATCH', `/Groups/${outer.id}`, body)
    assert.match(detail, /group/i)
    const whole = { schemas: [GROUP], displayName: 'B-107 new', members: value }
    assert.match(await scim.refused(400, 'invalidValue', 'POST', '/Groups', whole), /Groups inside groups/)
  })

  it('B-109: a user shows the groups it is in, with their names and places', async () => {
    const user = await scim.user()
    const group = await scim.group('B-109', [user.id])
    const { groups } = await scim.expect(200, 'GET', `/Users/${user.id}`)
    const $ref = `https://rollcall.example${scim.base}/Groups/${group.id}`
    assert.deepEqual(groups, [{ value: group.id, $ref, display: 'B-109', type: 'direct' }])
    const { Resources } = await scim.expect(200, 'GET', `/Users?filter=id+eq+%22${user.id}%22`)
    assert.deepEqual(Resources[0].groups, groups)
  })

  it('a group needs a displayName, and a member shows its place', async () => {
    for (const displayName of [undefined, null, '', ' ']) {
      await scim.refused(400, 'invalidValue', 'POST', '/Groups', { schemas: [GROUP], displayName })
    }
    const user = await scim.user()
    const group = await scim.group('shown', [user.id])
    const { members } = await scim.expect(200, 'GET', `/Groups/${group.id}`)
    const $ref = `https://rollcall.example${scim.base}/Users/${user.id}`
    assert.deepEqual(members, [{ value: user.id, $ref, type: 'User' }])
  })
})
