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

describe('the life of a provisioned user', () => {
  it('keeps one SCIM id and one member through deactivation and activation', async () => {
    const user = await scim.user()
    const memberOf = async () => {
      const { data } = await scim.directory.ok('GET', `/members?email=${user.userName}`)
      return data[0]
    }
    const member = await memberOf()
    assert.equal(member.status, 'active')
    const off = await scim.patch(`/Users/${user.id}`, { op: 'replace', path: 'active', value: 'False' })
    assert.equal(off.active, false)
    assert.equal((await memberOf()).status, 'suspended')
    const on = await scim.patch(`/Users/${user.id}`, { op: 'replace', path: 'active', value: true })
    assert.deepEqual([on.id, on.active], [user.id, true])
    assert.deepEqual([(await memberOf()).id, (await memberOf()).status], [member.id, 'active'])
  })

  it('is over after a DELETE, and a new POST brings the same member back under a new SCIM id', async () => {
    const user = await scim.user()
    const { data } = await scim.directory.ok('GET', `/members?email=${user.userName}`)
    await scim.expect(204, 'DELETE', `/Users/${user.id}`)
    await scim.refused(404, undefined, 'GET', `/Users/${user.id}`)
    const again = await scim.user({ userName: user.userName })
    assert.notEqual(again.id, user.id)
    const now = await scim.directory.ok('GET', `/members?email=${user.userName}`)
    assert.deepEqual([now.data[0].id, now.data[0].status], [data[0].id, 'active'])
  })
})
