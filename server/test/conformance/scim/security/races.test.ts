import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { openDomainWorld } from '../../../domain-world.ts'
import { openScim, PATCH, USER } from '../../../scim-client.ts'
import { asIdentityProvider, conforming, type IdentityProvider } from '../identity-provider.ts'

let scim: IdentityProvider
before(async () => {
  const world = await openDomainWorld()
  scim = asIdentityProvider(world.app, await openScim(conforming(world.app), 'acme'))
  await world.verified(scim.directory, 'acme.example')
})

const statusesOf = (answers: readonly { status: number }[]) => answers.map(({ status }) => status).sort()

describe('requests at the same moment', () => {
  it('SCIM-21: of ten that create one user one does', async () => {
    const body = { schemas: [USER], userName: 'ten@acme.example' }
    const answers = await Promise.all(Array.from({ length: 10 }, () => scim.call('POST', '/Users', { body })))
    assert.deepEqual(statusesOf(answers), [201, ...Array(9).fill(409)])
    const { data } = await scim.directory.get('/members?email=ten@acme.example')
    assert.equal(data.length, 1)
  })

  it('SCIM-21: of PATCHes of one group no member is lost', async () => {
    const users = await Promise.all(Array.from({ length: 12 }, async () => (await scim.user()).id))
    const group = await scim.group('Raced')
    const path = `/Groups/${group.id}`
    await Promise.all(
      users.map((value) => scim.patch(path, { op: 'add', path: 'members', value: [{ value }] })),
    )
    assert.deepEqual(await scim.memberIdsOf(group.id), [...users].sort())
    await Promise.all([
      ...users.slice(0, 6).map((id) => scim.patch(path, { op: 'remove', path: `members[value eq "${id}"]` })),
      scim.patch(path, { op: 'replace', value: { displayName: 'Raced on' } }),
    ])
    const shown = await scim.expect(200, 'GET', path)
    assert.equal(shown.displayName, 'Raced on')
    assert.deepEqual(await scim.memberIdsOf(group.id), users.slice(6).sort())
  })

  it('SCIM-21: a PATCH and a DELETE of one user end with no user, and no row of it in a group', async () => {
    for (let round = 0; round < 5; round++) {
      const user = await scim.user()
      const group = await scim.group(`Raced ${round}`, [user.id])
      const patch = (path: string, value: unknown) => ({
        body: { schemas: [PATCH], Operations: [{ op: 'add', path, value }] },
      })
      const [changed, deleted, added] = await Promise.all([
        scim.call('PATCH', `/Users/${user.id}`, patch('title', 'T')),
        scim.call('DELETE', `/Users/${user.id}`),
        scim.call('PATCH', `/Groups/${group.id}`, patch('members', [{ value: user.id }])),
      ])
      assert.equal(deleted.status, 204)
      assert.ok(changed.status === 200 || changed.status === 404, String(changed.status))
      assert.ok(added.status === 200 || added.status === 400, String(added.status))
      await scim.refused(404, undefined, 'GET', `/Users/${user.id}`)
      assert.deepEqual(await scim.memberIdsOf(group.id), [])
    }
  })
})

describe('who may lose what', () => {
  it('SCIM-08: the last owner is neither deactivated nor deleted: 400 that says why', async () => {
    const { data } = await scim.directory.get('/members?email=owner@acme.example')
    const owner = await scim.user({ userName: 'owner@acme.example' })
    const Operations = [{ op: 'replace', path: 'active', value: false }]
    const patch = { schemas: [PATCH], Operations }
    await scim.unchanged(`/Users/${owner.id}`, async () => {
      assert.match(await scim.refused(400, undefined, 'PATCH', `/Users/${owner.id}`, patch), /owner/)
      assert.match(await scim.refused(400, undefined, 'DELETE', `/Users/${owner.id}`), /owner/)
      const put = { schemas: [USER], userName: 'owner@acme.example', active: false }
      assert.match(await scim.refused(400, undefined, 'PUT', `/Users/${owner.id}`, put), /owner/)
    })
    const [same] = (await scim.directory.get('/members?email=owner@acme.example')).data
    assert.deepEqual([same.id, same.status], [data[0].id, 'active'])
  })

  it('SCIM-09: roles and entitlements are texts, and a group gives what an owner gave it', async () => {
    const user = await scim.user({
      roles: [{ value: 'owner', primary: true }, { value: 'root' }],
      ...{ entitlements: [{ value: '*' }], userType: 'admin', level: 'owner' },
    })
    assert.deepEqual(user.roles[1], { value: 'root' })
    const [member] = (await scim.directory.get(`/members?email=${user.userName}`)).data
    await scim.group('Owners', [user.id])
    await scim.group('admin', [user.id])
    const { level } = await scim.directory.get(`/members/${member.id}`)
    const { roles, grants } = await scim.directory.get(`/members/${member.id}/access`)
    const kinds = grants.map(({ grant }: { grant: string }) => grant)
    assert.equal(level, 'member')
    assert.deepEqual([kinds, roles], [['group_membership', 'group_membership'], []])
    const key = await scim.directory.key(['*'], { member_id: member.id })
    const made = await scim.directory.send('POST', '/members', { key, body: { email: 'x@people.example' } })
    assert.equal(made.status, 403)
  })

  it("SCIM-19, SCIM-20: the log of requests has no secret, and is the organization's own admins'", async () => {
    const password = 'Ann-s-Secret-1'
    const user = await scim.user({ password })
    const set = { op: 'replace', path: 'password', value: password }
    await scim.unchanged(`/Users/${user.id}`, () => scim.patch(`/Users/${user.id}`, set))
    await scim.patch(`/Users/${user.id}`, { op: 'replace', value: { password, title: 'T' } })
    await scim.expect(200, 'PUT', `/Users/${user.id}`, { schemas: [USER], userName: user.userName, password })
    await scim.app.scim.requestLog.flush()
    const log = await scim.directory.get('/scim_requests')
    assert.ok(log.data.length >= 4)
    const text = JSON.stringify(log)
    assert.ok(!text.includes(password) && !text.includes(scim.token))
    const reader = await scim.directory.key(['members:read'])
    assert.equal((await scim.directory.send('GET', '/scim_requests', { key: reader })).status, 403)
    const evil = await scim.app.organization('evil')
    const theirs = await scim.app.call('GET', `${evil.path}/scim_requests`, { key: evil.key })
    assert.deepEqual([theirs.status, theirs.body.data], [200, []])
  })

  it('SCIM-23: a group is no member of itself, and no circle can be made: groups inside groups are refused', async () => {
    const [one, two] = [await scim.group('Circle one'), await scim.group('Circle two')]
    for (const [outer, inner] of [
      [one, one],
      [one, two],
      [two, one],
    ]) {
      for (const value of [[{ value: inner.id }], [{ value: inner.id, type: 'Group' }]]) {
        const body = { schemas: [PATCH], Operations: [{ op: 'add', path: 'members', value }] }
        await scim.refused(400, 'invalidValue', 'PATCH', `/Groups/${outer.id}`, body)
      }
    }
  })

  it('SCIM-24: a bulk request has the limits that are announced, and a circle of references ends', async () => {
    const { bulk } = await scim.expect(200, 'GET', '/ServiceProviderConfig')
    const group = (bulkId: string, member: string) => ({
      ...{ method: 'POST', path: '/Groups', bulkId },
      data: { displayName: bulkId, members: [{ value: `bulkId:${member}` }] },
    })
    const Operations = [group('a', 'b'), group('b', 'c'), group('c', 'a')]
    await scim.refused(400, 'invalidSyntax', 'POST', '/Bulk', { Operations })
    const chain = Array.from({ length: bulk.maxOperations + 1 }, (_, at) => group(`${at}`, `${at + 1}`))
    await scim.refused(413, undefined, 'POST', '/Bulk', { Operations: chain })
    await scim.refused(400, 'invalidSyntax', 'POST', '/Bulk', { Operations: chain.slice(1) })
  })
})
