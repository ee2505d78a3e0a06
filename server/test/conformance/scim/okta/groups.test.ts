import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { GROUP, PATCH } from '../../../scim-client.ts'
import { type IdentityProvider, OKTA, startIdentityProvider } from '../identity-provider.ts'

let okta: IdentityProvider
let ids: readonly string[]
before(async () => {
  okta = await startIdentityProvider(OKTA)
  const made: string[] = []
  for (let index = 0; index < 4; index++) made.push((await okta.user()).id)
  ids = made
})

const P = { schemas: [PATCH] }
const valuesOf = (some: readonly string[]) => some.map((value) => ({ value, display: 'someone' }))

describe('Okta pushes groups', () => {
  it('B-86: a PUT makes the members exactly those of its list; without the key, or with none, nobody', async () => {
    const group = await okta.group('B-86', ids.slice(0, 2))
    const path = `/Groups/${group.id}`
    const put = (body: object) =>
      okta.expect(200, 'PUT', path, { schemas: [GROUP], id: group.id, displayName: 'B-86', ...body })
    await put({ members: valuesOf(ids.slice(1)) })
    assert.deepEqual(await okta.memberIdsOf(group.id), ids.slice(1).sort())
    await okta.unchanged(path, () => put({ members: valuesOf([...ids.slice(1)].reverse()) }))
    await put({})
    assert.deepEqual(await okta.memberIdsOf(group.id), [])
    await put({ members: valuesOf(ids) })
    await put({ members: [] })
    assert.deepEqual(await okta.memberIdsOf(group.id), [])
  })

  it('B-91: a second group of the same name, in any letter case, is 409 uniqueness', async () => {
    const body = { schemas: [GROUP], displayName: 'B-91 Sales', members: [] }
    const group = await okta.expect(201, 'POST', '/Groups', body)
    await okta.refused(409, 'uniqueness', 'POST', '/Groups', body)
    await okta.refused(409, 'uniqueness', 'POST', '/Groups', { ...body, displayName: 'b-91 SALES' })
    assert.deepEqual(await okta.find('displayName eq "b-91 sales"', '/Groups'), [group.id])
    const other = await okta.group('B-91 other')
    const Operations = [{ op: 'replace', path: 'displayName', value: 'B-91 sales' }]
    await okta.refused(409, 'uniqueness', 'PATCH', `/Groups/${other.id}`, { ...P, Operations })
  })

  it('B-92: members are added, with the names that Okta knows them by', async () => {
    const group = await okta.group('B-92')
    const value = [{ value: ids[0], display: 'ann' }]
    const Operations = [{ op: 'add', path: 'members', value }]
    const { status } = await okta.call('PATCH', `/Groups/${group.id}`, { body: { ...P, Operations } })
    assert.equal(status, 200)
    assert.deepEqual(await okta.memberIdsOf(group.id), [ids[0]])
  })

  it('B-94: a member is removed by a filter of its value; whoever is none is removed with success', async () => {
    const group = await okta.group('B-94', ids.slice(0, 2))
    const path = `/Groups/${group.id}`
    const remove = () => okta.patch(path, { op: 'remove', path: `members[value eq "${ids[0]}"]` })
    await remove()
    assert.deepEqual(await okta.memberIdsOf(group.id), [ids[1]])
    await okta.unchanged(path, remove)
  })

  it('B-97: a full push sets exactly its members, and only the difference is a change', async () => {
    const group = await okta.group('B-97', ids.slice(0, 3))
    const path = `/Groups/${group.id}`
    await okta.patch(path, { op: 'replace', path: 'members', value: valuesOf(ids.slice(1)) })
    assert.deepEqual(await okta.memberIdsOf(group.id), ids.slice(1).sort())
    const change = await okta.directory.lastChange()
    assert.deepEqual([change.opened, change.ended, change.detail.moved], [1, 1, 2])
    await okta.unchanged(path, () =>
      okta.patch(path, { op: 'replace', value: { members: valuesOf(ids.slice(1)) } }),
    )
    await okta.patch(path, { op: 'replace', value: { members: valuesOf(ids.slice(0, 1)) } })
    assert.deepEqual(await okta.memberIdsOf(group.id), [ids[0]])
  })

  it('B-99: a rename, with the own id beside it or by its path, keeps the members and the id', async () => {
    const group = await okta.group('B-99', ids)
    const path = `/Groups/${group.id}`
    const value = { id: group.id, displayName: 'B-99 new' }
    const renamed = await okta.patch(path, { op: 'replace', value })
    assert.deepEqual([renamed.id, renamed.displayName], [group.id, 'B-99 new'])
    await okta.unchanged(path, () => okta.patch(path, { op: 'replace', value }))
    const again = await okta.patch(path, { op: 'Replace', path: 'displayName', value: 'B-99 newer' })
    assert.equal(again.displayName, 'B-99 newer')
    assert.deepEqual(await okta.memberIdsOf(group.id), [...ids].sort())
  })

  it('B-105: a group is deleted once; then it is 404, and its users stay', async () => {
    const group = await okta.group('B-105', ids)
    await okta.expect(204, 'DELETE', `/Groups/${group.id}`)
    await okta.refused(404, undefined, 'DELETE', `/Groups/${group.id}`)
    for (const id of ids) {
      const { groups = [] } = await okta.expect(200, 'GET', `/Users/${id}`)
      assert.ok(!groups.some(({ value }: { value: string }) => value === group.id))
    }
  })
})
