import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { GROUP, PATCH } from '../../../scim-client.ts'
import { ENTRA, type IdentityProvider, startIdentityProvider } from '../identity-provider.ts'

let entra: IdentityProvider
let ids: readonly string[]
before(async () => {
  entra = await startIdentityProvider(ENTRA)
  ids = await Promise.all([1, 2, 3].map(async () => (await entra.user()).id))
})

const P = { schemas: [PATCH] }
const ADSCIM = 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group'

describe('Entra provisions groups', () => {
  it('B-90: a group is created empty; the marker among its schemas is not echoed', async () => {
    const group = await entra.expect(201, 'POST', '/Groups', {
      schemas: [GROUP, ADSCIM],
      ...{ externalId: '8aa1', displayName: 'B-90', meta: { resourceType: 'Group' } },
    })
    assert.deepEqual([group.schemas, group.externalId, group.displayName], [[GROUP], '8aa1', 'B-90'])
    assert.deepEqual(group.members ?? [], [])
  })

  it('B-93: a member is added; a $ref of null says nothing', async () => {
    const group = await entra.group('B-93')
    const add = { op: 'Add', path: 'members', value: [{ $ref: null, value: ids[0] }] }
    await entra.patch(`/Groups/${group.id}`, add)
    assert.deepEqual(await entra.memberIdsOf(group.id), [ids[0]])
    await entra.unchanged(`/Groups/${group.id}`, () => entra.patch(`/Groups/${group.id}`, add))
  })

  it('B-95: a removal with a value removes that one, and nobody else', async () => {
    const group = await entra.group('B-95', ids)
    const path = `/Groups/${group.id}`
    const remove = (id: string) => ({ op: 'Remove', path: 'members', value: [{ $ref: null, value: id }] })
    await entra.patch(path, remove(ids[0]!))
    assert.deepEqual(await entra.memberIdsOf(group.id), ids.slice(1).sort())
    await entra.unchanged(path, () => entra.patch(path, remove(ids[0]!)))
    const stranger = '01990000-0000-7000-8000-00000000abcd'
    await entra.unchanged(path, () => entra.patch(path, remove(stranger)))
    assert.deepEqual(await entra.memberIdsOf(group.id), ids.slice(1).sort())
  })

  it('B-100: a removal and an addition of one user count in their order', async () => {
    const value = [{ value: ids[0] }]
    const [add, remove] = [
      { op: 'Add', path: 'members', value },
      { op: 'Remove', path: 'members', value },
    ]
    for (const first of [[], [ids[0]!]]) {
      const group = await entra.group(`B-100 ${first.length}`, first)
      await entra.patch(`/Groups/${group.id}`, remove, add)
      assert.deepEqual(await entra.memberIdsOf(group.id), [ids[0]])
      await entra.patch(`/Groups/${group.id}`, add, remove)
      assert.deepEqual(await entra.memberIdsOf(group.id), [])
    }
  })

  it('B-101: members may be texts, one or a list', async () => {
    const group = await entra.group('B-101')
    await entra.patch(`/Groups/${group.id}`, { op: 'add', path: 'members', value: ids[0] })
    await entra.patch(`/Groups/${group.id}`, { op: 'add', path: 'members', value: [ids[1]] })
    assert.deepEqual(await entra.memberIdsOf(group.id), ids.slice(0, 2).sort())
    const body = { ...P, Operations: [{ op: 'add', path: 'members', value: [7] }] }
    await entra.refused(400, 'invalidValue', 'PATCH', `/Groups/${group.id}`, body)
  })
})
