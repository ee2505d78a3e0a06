import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { openScim, type ScimTestClient } from '../../../test/scim-client.ts'

let app: TestApp
let scim: ScimTestClient
before(async () => {
  app = await startTestApp()
  scim = await openScim(app, 'acme')
})

describe('undoing what an identity provider did', () => {
  it('gives a deleted person back without the groups that are not asserted any more', async () => {
    const user = await scim.user()
    const group = await scim.group('Sales', [user.id])
    const { data } = await scim.directory.ok('GET', `/members?email=${user.userName}`)
    await scim.expect(204, 'DELETE', `/Users/${user.id}`)
    const removal = await scim.directory.lastChange()
    const undone = await scim.directory.post(`/changes/${removal.id}/undo`)
    assert.deepEqual(
      undone.refused.map((one: { reason: string }) => one.reason),
      ['not_asserted'],
    )
    const member = await scim.directory.ok('GET', `/members/${data[0].id}`)
    assert.equal(member.status, 'active')
    assert.deepEqual(await scim.memberIdsOf(group.id), [])
    const groups = await scim.directory.ok('GET', `/members/${data[0].id}/groups`)
    assert.deepEqual(groups.data, [])
  })

  it('refuses to bring back a group that its identity provider has deleted', async () => {
    const group = await scim.group('Support')
    await scim.expect(204, 'DELETE', `/Groups/${group.id}`)
    const deletion = await scim.directory.lastChange()
    await scim.directory.refused('POST', `/changes/${deletion.id}/undo`, 'change.not_undoable', 409)
  })
})
