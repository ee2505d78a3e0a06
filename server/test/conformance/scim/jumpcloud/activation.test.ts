import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { GROUP, USER } from '../../../scim-client.ts'
import { type IdentityProvider, startIdentityProvider } from '../identity-provider.ts'

let jumpcloud: IdentityProvider
before(async () => {
  jumpcloud = await startIdentityProvider()
})

describe('JumpCloud activates an integration', () => {
  it('B-07: a test user and a test group are made, changed and deleted, and nothing is left over', async () => {
    const userName = 'jumpcloud-test@acme.example'
    assert.deepEqual(await jumpcloud.find(`userName eq "${userName}"`), [])
    const body = {
      ...{ schemas: [USER], userName, active: true, name: { givenName: 'Test', familyName: 'User' } },
      emails: [{ value: userName, type: 'work', primary: true }],
    }
    const user = await jumpcloud.expect(201, 'POST', '/Users', body)
    const path = `/Users/${user.id}`
    const renamed = await jumpcloud.expect(200, 'PUT', path, { ...body, displayName: 'Test User' })
    assert.equal(renamed.displayName, 'Test User')
    const groupBody = { schemas: [GROUP], displayName: 'JumpCloud test group' }
    const group = await jumpcloud.expect(201, 'POST', '/Groups', groupBody)
    const groupPath = `/Groups/${group.id}`
    await jumpcloud.patch(groupPath, { op: 'add', path: 'members', value: [{ value: user.id }] })
    await jumpcloud.patch(groupPath, { op: 'replace', value: { displayName: 'JumpCloud renamed' } })
    assert.deepEqual(await jumpcloud.memberIdsOf(group.id), [user.id])
    await jumpcloud.patch(groupPath, { op: 'remove', path: 'members', value: [{ value: user.id }] })
    const off = await jumpcloud.expect(200, 'PUT', path, { ...body, active: false })
    assert.equal(off.active, false)
    await jumpcloud.expect(204, 'DELETE', groupPath)
    await jumpcloud.expect(204, 'DELETE', path)
    for (const list of ['/Users', '/Groups']) {
      const { totalResults, Resources } = await jumpcloud.expect(200, 'GET', list)
      assert.deepEqual([totalResults, Resources], [0, []])
    }
    await jumpcloud.expect(
      204,
      'DELETE',
      `/Users/${(await jumpcloud.expect(201, 'POST', '/Users', body)).id}`,
    )
  })
})
