import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../app.ts'
import { ENTERPRISE, GROUP, openConnection, PATCH, USER } from '../../../scim-client.ts'
import {
  asIdentityProvider,
  conforming,
  type IdentityProvider,
  openIdentityProvider,
} from '../identity-provider.ts'

const MADE_UP = '01990000-0000-7000-8000-00000000abcd'

let app: TestApp
let acme: IdentityProvider
let evil: IdentityProvider
let evilToo: IdentityProvider
before(async () => {
  app = conforming(await startTestApp({ withoutTasks: true }))
  acme = await openIdentityProvider(app, 'acme')
  evil = await openIdentityProvider(app, 'evil')
  evilToo = asIdentityProvider(app, await openConnection(app, evil.directory))
})

/** Everything that can be asked of a user and a group by their ids. */
function requestsOf(
  userId: string,
  groupId: string,
): (readonly [method: string, path: string, body?: object])[] {
  const patch = { schemas: [PATCH], Operations: [{ op: 'replace', path: 'displayName', value: 'pwned' }] }
  return [
    ['GET', `/Users/${userId}`],
    ['PUT', `/Users/${userId}`, { schemas: [USER], userName: 'pwned' }],
    ['PATCH', `/Users/${userId}`, patch],
    ['DELETE', `/Users/${userId}`],
    ['GET', `/Groups/${groupId}`],
    ['GET', `/Groups/${groupId}?excludedAttributes=members`],
    ['PUT', `/Groups/${groupId}`, { schemas: [GROUP], displayName: 'pwned' }],
    ['PATCH', `/Groups/${groupId}`, patch],
    ['DELETE', `/Groups/${groupId}`],
  ]
}

/** Tries everything on a user and a group of `owner`; nothing of them may be told or changed. */
async function holdApart(owner: IdentityProvider, stranger: IdentityProvider): Promise<void> {
  const user = await owner.user({ displayName: 'Ann A' })
  const group = await owner.group(`Owned ${user.id}`, [user.id])
  const paths = [`/Users/${user.id}`, `/Groups/${group.id}`]
  const state = async () => [
    await owner.expect(200, 'GET', paths[0]!),
    await owner.expect(200, 'GET', paths[1]!),
  ]
  const before = await state()
  const unknown = requestsOf(MADE_UP, MADE_UP)
  for (const [at, [method, path, body]] of requestsOf(user.id, group.id).entries()) {
    const given = body === undefined ? {} : { body }
    const answer = await stranger.call(method, path, given)
    const [, unknownPath] = unknown[at]!
    const madeUp = await stranger.call(method, unknownPath, given)
    assert.deepEqual([answer.status, answer.body], [404, madeUp.body], `${method} ${path}`)
    // With its own token it cannot speak to the other connection at all.
    const direct = await app.call(method, owner.base + path, { key: stranger.token, ...given })
    assert.equal(direct.status, 401, `${method} ${path}`)
  }
  const own = await stranger.group(`Own ${user.id}`)
  for (const value of [[{ value: user.id }], [{ value: group.id }]]) {
    const Operations = [{ op: 'add', path: 'members', value }]
    const body = { schemas: [PATCH], Operations }
    await stranger.refused(400, 'invalidValue', 'PATCH', `/Groups/${own.id}`, body)
  }
  const reader = await stranger.user({ [ENTERPRISE]: { manager: { value: user.id } } })
  assert.deepEqual((await stranger.expect(200, 'GET', `/Users/${reader.id}`))[ENTERPRISE].manager, {
    value: user.id,
  })
  for (const filter of [
    `id eq "${user.id}"`,
    `userName eq "${user.userName}"`,
    `groups.value eq "${group.id}"`,
  ]) {
    assert.deepEqual(await stranger.find(filter), [], filter)
  }
  for (const filter of [`id eq "${group.id}"`, `members.value eq "${user.id}"`, `displayName sw "Owned"`]) {
    assert.deepEqual(await stranger.find(filter, '/Groups'), [], filter)
  }
  assert.deepEqual(await state(), before)
}

describe("what is another's", () => {
  it('B-27: a user of another organization answers exactly as one that nobody has', async () => {
    const { id } = await acme.user()
    const [theirs, madeUp] = [
      await evil.call('GET', `/Users/${id}`),
      await evil.call('GET', `/Users/${MADE_UP}`),
    ]
    assert.deepEqual([theirs.status, theirs.body], [404, madeUp.body])
    assert.ok(!JSON.stringify(theirs.body).includes(id))
  })

  it('SCIM-01: of another organization nothing is read, changed or referred to', async () => {
    await holdApart(acme, evil)
  })

  it('SCIM-02: of another connection of the same organization neither', async () => {
    await holdApart(evilToo, evil)
  })

  it('SCIM-03: a POST of an address that somebody of another organization has takes over nobody', async () => {
    const member = await acme.directory.member({ email: 'ann@acme.example', display_name: 'Ann' })
    const key = await acme.directory.key(['members:read'], { member_id: member.id })
    const before = await acme.directory.get(`/members/${member.id}`)
    const user = await evil.user({ userName: 'ann@acme.example', emails: [{ value: 'ann@acme.example' }] })
    await evil.patch(`/Users/${user.id}`, { op: 'replace', path: 'active', value: false })
    assert.deepEqual(await acme.directory.get(`/members/${member.id}`), before)
    assert.notEqual((await acme.directory.send('GET', '/members', { key })).status, 401)
    const [own] = (await evil.directory.get('/members?email=ann@acme.example')).data
    assert.notEqual(own.id, member.id)
  })

  // One account for both memberships does not exist yet; what both have in common is the address.
  it('SCIM-04: a person who is in two organizations is changed in the one whose connection says so', async () => {
    const address = 'both@people.example'
    const [ours, theirs] = [await acme.user({ userName: address }), await evil.user({ userName: address })]
    const state = async () => [
      (await acme.directory.get(`/members?email=${address}`)).data,
      await acme.expect(200, 'GET', `/Users/${ours.id}`),
    ]
    const before = await state()
    await evil.patch(
      `/Users/${theirs.id}`,
      { op: 'replace', path: 'userName', value: 'pwned@people.example' },
      { op: 'replace', path: 'name.givenName', value: 'Pwned' },
      { op: 'replace', path: 'emails', value: [{ value: 'pwned@people.example' }] },
      { op: 'replace', path: 'active', value: false },
    )
    assert.deepEqual(await state(), before)
    await evil.expect(204, 'DELETE', `/Users/${theirs.id}`)
    assert.deepEqual(await state(), before)
  })

  it('SCIM-05: an externalId is a text and nothing else, whatever it is equal to', async () => {
    const known = await evil.user({ externalId: 'known' })
    for (const externalId of [
      '1',
      '0',
      known.id,
      'known',
      evil.connectionId,
      'IdP',
      acme.connectionId,
      'true',
    ]) {
      const user = await evil.user({ externalId })
      assert.equal(user.externalId, externalId)
      assert.notEqual(user.id, known.id)
      assert.ok((await evil.find(`externalId eq "${externalId}"`)).includes(user.id))
      await evil.expect(204, 'DELETE', `/Users/${user.id}`)
      if (externalId !== known.id) await evil.refused(404, undefined, 'GET', `/Users/${externalId}`)
    }
    assert.deepEqual(await evil.expect(200, 'GET', `/Users/${known.id}`), known)
    await evil.refused(400, 'invalidValue', 'POST', '/Users', {
      schemas: [USER],
      userName: 'n',
      externalId: 1,
    })
  })
})
