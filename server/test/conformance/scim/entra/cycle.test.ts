import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { ENTERPRISE, GROUP, PATCH, USER } from '../../../scim-client.ts'
import { ENTRA, type IdentityProvider, startIdentityProvider } from '../identity-provider.ts'

let entra: IdentityProvider
before(async () => {
  entra = await startIdentityProvider(ENTRA)
})

const lookUp = (filter: string, more = '') =>
  entra.expect(200, 'GET', `/Users?filter=${encodeURIComponent(filter)}${more}`)

/** One person as the initial cycle provisions them: looked up, not found, created. */
async function provision(name: string): Promise<string> {
  const userName = `${name}@acme.example`
  assert.equal((await lookUp(`userName eq "${userName}"`)).totalResults, 0)
  const { id } = await entra.expect(201, 'POST', '/Users', {
    schemas: [USER, ENTERPRISE],
    ...{ externalId: name, userName, active: true, displayName: name, meta: { resourceType: 'User' } },
    name: { formatted: `${name} X`, familyName: 'X', givenName: name },
    emails: [{ primary: true, type: 'work', value: userName }],
    ...{ title: null, roles: [], [ENTERPRISE]: { department: 'Eng' } },
  })
  assert.equal((await lookUp(`externalId eq "${name}"`)).Resources[0].id, id)
  return id
}

describe('a provisioning cycle of Entra, from the first look-up to the hard delete', () => {
  it('leaves exactly the people, the managers and the members that the tenant has', async () => {
    // 1. The connection test.
    assert.equal((await lookUp('userName eq "3f2a9d1c-7b0e-4e11-9f43-1f6f2f1f2f3f"')).totalResults, 0)

    // 2. The initial cycle: users, several workers at once.
    const [boss, ...workers] = await Promise.all(['boss', 'ann', 'ben', 'cid', 'dia'].map(provision))
    const all = [boss!, ...workers]

    // 3. Groups: looked up without members, created empty, filled in batches by parallel requests.
    const groupQuery = `/Groups?excludedAttributes=members&filter=${encodeURIComponent('displayName eq "Sales"')}`
    assert.equal((await entra.expect(200, 'GET', groupQuery)).totalResults, 0)
    const group = await entra.expect(201, 'POST', '/Groups', {
      schemas: [GROUP, 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group'],
      ...{ externalId: '8aa1a0c0', displayName: 'Sales', meta: { resourceType: 'Group' } },
    })
    const path = `/Groups/${group.id}`
    await entra.expect(200, 'GET', `${path}?excludedAttributes=members`)
    const add = (ids: readonly string[]) => {
      const value = ids.map((id) => ({ $ref: null, value: id }))
      return entra.patch(path, { op: 'Add', path: 'members', value })
    }
    await Promise.all([add(all.slice(0, 2)), add(all.slice(2, 4)), add(all.slice(4)), add(all.slice(1, 3))])
    assert.deepEqual(await entra.memberIdsOf(group.id), [...all].sort())
    assert.equal((await entra.expect(200, 'GET', groupQuery)).Resources[0].id, group.id)

    // 4. Managers: looked up before they are set.
    for (const worker of workers) {
      const isManaged = `id eq "${worker}" and manager eq "${boss}"`
      assert.equal((await lookUp(isManaged, '&attributes=id')).totalResults, 0)
      await entra.patch(`/Users/${worker}`, { op: 'Add', path: `${ENTERPRISE}:manager`, value: boss })
      assert.equal((await lookUp(isManaged, '&attributes=id')).totalResults, 1)
    }

    // 5. An incremental cycle: a change of attributes, a rename, a move out of the group.
    const [ann, ben, cid] = workers as [string, string, string]
    const changed = await entra.patch(
      `/Users/${ann}`,
      { op: 'Replace', path: 'displayName', value: 'Ann B' },
      { op: 'Replace', path: 'name.familyName', value: 'B' },
      { op: 'Add', path: 'phoneNumbers[type eq "mobile"].value', value: '+49 1' },
      { op: 'Replace', path: 'userName', value: 'ann.b@acme.example' },
      { op: 'Replace', path: 'emails[type eq "work"].value', value: 'ann.b@acme.example' },
    )
    assert.deepEqual([changed.id, changed.name.givenName, changed.name.familyName], [ann, 'ann', 'B'])
    await entra.patch(path, { op: 'Remove', path: 'members', value: [{ $ref: null, value: ben }] })
    assert.deepEqual(await entra.memberIdsOf(group.id), all.filter((id) => id !== ben).sort())

    // 6. Unassigned, then assigned again.
    const active = async (id: string, value: string) =>
      (await entra.patch(`/Users/${id}`, { op: 'Replace', path: 'active', value })).active
    assert.equal(await active(cid, 'False'), false)
    assert.equal((await lookUp('externalId eq "cid"')).Resources[0].active, false)
    assert.equal(await active(cid, 'True'), true)

    // 7. Deleted in the tenant: soft, then for good thirty days later.
    assert.equal(await active(ann, 'False'), false)
    await entra.expect(204, 'DELETE', `/Users/${ann}`)
    await entra.refused(404, undefined, 'GET', `/Users/${ann}`)
    assert.equal((await lookUp('userName eq "ann.b@acme.example"')).totalResults, 0)
    assert.deepEqual(await entra.memberIdsOf(group.id), all.filter((id) => id !== ben && id !== ann).sort())

    // 8. The group goes; its people stay.
    await entra.expect(204, 'DELETE', path)
    await entra.refused(404, undefined, 'GET', `${path}?excludedAttributes=members`)
    assert.equal((await entra.expect(200, 'GET', '/Users')).totalResults, 4)
    const { data } = await entra.directory.get('/members?email=ann.b@acme.example&status=removed')
    assert.equal(data[0].status, 'removed')
  })

  it('B-111: a DELETE weeks after a soft delete is 204, and forgets what was provisioned', async () => {
    const secret = 'Only-This-Row-Knows-It'
    const user = await entra.user({ title: secret, nickName: secret, externalId: secret })
    await entra.patch(`/Users/${user.id}`, { op: 'Replace', path: 'active', value: 'False' })
    await entra.expect(204, 'DELETE', `/Users/${user.id}`)
    await entra.refused(404, undefined, 'DELETE', `/Users/${user.id}`)
    const text = `select count(*)::int as kept from scim_user u where u::text like '%' || $1 || '%'`
    const row = await entra.app.database.row<{ kept: number }>({ name: '', text, values: [secret] })
    assert.equal(row?.kept, 0)
    const body = { schemas: [PATCH], Operations: [{ op: 'Replace', path: 'active', value: 'True' }] }
    await entra.refused(404, undefined, 'PATCH', `/Users/${user.id}`, body)
  })
})
