import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { openScim, PATCH, type ScimTestClient } from '../../../test/scim-client.ts'

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

  it('is answered as it is then, and stays as it is where nothing changes', async () => {
    const { id } = await scim.user({ title: 'Lead' })
    await scim.group('Answered', [id])
    const read = () => scim.expect(200, 'GET', `/Users/${id}`)
    const set = (value: boolean) => scim.patch(`/Users/${id}`, { op: 'replace', path: 'active', value })
    for (const [value, version] of [
      [true, 1],
      [false, 2],
      [false, 2],
      [true, 3],
    ] as const) {
      const before = await read()
      const answer = await set(value)
      assert.deepEqual(answer, await read())
      assert.equal(answer.meta.version, `W/"${version}"`)
      assert.equal(answer.groups.length, 1)
      assert.equal(answer.meta.lastModified === before.meta.lastModified, value === before.active)
      assert.deepEqual({ ...answer, active: 0, meta: 0 }, { ...before, active: 0, meta: 0 })
    }
    const { data } = await scim.directory.ok('GET', '/changes?order=desc&limit=2')
    assert.deepEqual(
      data.map((change: { kind: string; detail: unknown }) => [change.kind, change.detail]),
      [
        ['member.reactivated', { scim_user: id }],
        ['member.suspended', { scim_user: id }],
      ],
    )
  })

  it('goes on for those who are deactivated together, whatever is asked of others in the same moment', async () => {
    const users = []
    for (let n = 0; n < 6; n++) users.push(await scim.user())
    const [off, other, twice, gone] = users
    await scim.expect(204, 'DELETE', `/Users/${gone.id}`)
    const set = (user: { id: string }, value: boolean) =>
      scim.call('PATCH', `/Users/${user.id}`, {
        body: { schemas: [PATCH], Operations: [{ op: 'replace', path: 'active', value }] },
      })
    const answers = await Promise.all([
      ...[set(off, false), set(other, true), set(twice, false), set(twice, false), set(gone, false)],
      ...[set(users[4], false), set(users[5], false)],
    ])
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 200, 404, 200, 200],
    )
    const active = []
    for (const user of [off, other, twice, users[4], users[5]]) {
      const { body } = await scim.call('GET', `/Users/${user.id}`)
      active.push([body.active, body.meta.version])
    }
    assert.deepEqual(active, [
      [false, 'W/"2"'],
      [true, 'W/"1"'],
      [false, 'W/"2"'],
      [false, 'W/"2"'],
      [false, 'W/"2"'],
    ])
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
