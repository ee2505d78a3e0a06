import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { GROUP, USER } from '../../../scim-client.ts'
import {
  type IdentityProvider,
  OKTA,
  openIdentityProvider,
  startIdentityProvider,
} from '../identity-provider.ts'

let okta: IdentityProvider
before(async () => {
  okta = await startIdentityProvider(OKTA)
})

const lookUp = (userName: string) => {
  const filter = encodeURIComponent(`userName eq "${userName}"`)
  return okta.expect(200, 'GET', `/Users?filter=${filter}&startIndex=1&count=100`)
}

const LIST = ['urn:ietf:params:scim:api:messages:2.0:ListResponse']
const annOf = (userName: string) => ({
  ...{ schemas: [USER], userName, name: { givenName: 'Ann', familyName: 'A' } },
  emails: [{ primary: true, value: userName, type: 'work' }],
  ...{ displayName: 'Ann A', active: true },
})

describe("the order of Okta's spec test", () => {
  it('is answered as it asks, step by step', async () => {
    await okta.user(annOf('somebody@acme.example'))

    // 1. A first user, with the required attributes.
    const first = await okta.expect(200, 'GET', '/Users?count=1&startIndex=1')
    const [user] = first.Resources
    for (const value of [
      user.id,
      user.userName,
      user.name.givenName,
      user.name.familyName,
      user.emails[0].value,
    ]) {
      assert.ok(typeof value === 'string' && value !== '')
    }
    assert.equal(user.active, true)

    // 2. That user by its id, 3. and nobody by names and ids that are none.
    assert.equal((await okta.expect(200, 'GET', `/Users/${user.id}`)).id, user.id)
    const nobody = await lookUp('abcdefgh@nobody.example')
    assert.deepEqual([nobody.schemas, nobody.totalResults], [LIST, 0])
    await okta.refused(404, undefined, 'GET', '/Users/abcdefgh')

    // 4. A random user is made, 5. found, 6. and cannot be made again.
    const random = 'runscope300@acme.example'
    const made = await okta.expect(201, 'POST', '/Users', annOf(random))
    assert.deepEqual([made.userName, made.active, made.name.givenName], [random, true, 'Ann'])
    assert.equal((await okta.expect(200, 'GET', `/Users/${made.id}`)).userName, random)
    assert.equal((await lookUp(random.toUpperCase())).Resources[0].id, made.id)
    await okta.refused(409, 'uniqueness', 'POST', '/Users', annOf(random))

    // 7. Groups are a list; 8. without a token nothing is answered.
    assert.deepEqual((await okta.expect(200, 'GET', '/Groups')).schemas, LIST)
    const { status } = await okta.app.call('GET', `${okta.base}/Users`, { key: null })
    assert.equal(status, 401)
  })
})

describe("the order of Okta's create, read, update and deactivate test", () => {
  it('leaves a deactivated user that is found and comes back under its id', async () => {
    const userName = 'crud@acme.example'

    // 1. Whether there are users, and this one.
    assert.deepEqual((await okta.expect(200, 'GET', '/Users?startIndex=1&count=100')).schemas, LIST)
    assert.equal((await lookUp(userName)).totalResults, 0)

    // 2. Created, then read.
    const made = await okta.expect(201, 'POST', '/Users', { ...annOf(userName), password: 'x', groups: [] })
    const path = `/Users/${made.id}`
    assert.deepEqual(await okta.expect(200, 'GET', path), made)

    // 3. Updated whole.
    const body = { ...made, name: { givenName: 'Anna', familyName: 'B' } }
    const updated = await okta.expect(200, 'PUT', path, body)
    assert.deepEqual(updated.name, { givenName: 'Anna', familyName: 'B' })

    // 4. Deactivated, and still there. 5. Assigned again: looked up and reactivated.
    const off = await okta.patch(path, { op: 'replace', value: { active: false } })
    assert.equal(off.active, false)
    const [found] = (await lookUp(userName)).Resources
    assert.deepEqual([found.id, found.active], [made.id, false])
    const on = await okta.expect(200, 'PUT', path, { ...found, active: true })
    assert.deepEqual([on.id, on.active], [made.id, true])
  })
})

describe('the order of an Okta group push', () => {
  it('creates, fills, renames and unlinks a group', async () => {
    const other = await openIdentityProvider(okta.app, 'evil', OKTA)
    await other.group('Engineering')
    const users = [await okta.user(), await okta.user(), await okta.user()].map(({ id }) => id)
    const filter = encodeURIComponent('displayName eq "Engineering"')
    const link = await okta.expect(200, 'GET', `/Groups?filter=${filter}&startIndex=1&count=100`)
    assert.equal(link.totalResults, 0)
    const group = await okta.expect(201, 'POST', '/Groups', {
      ...{ schemas: [GROUP], displayName: 'Engineering', members: [] },
    })
    const path = `/Groups/${group.id}`
    const all = users.map((value) => ({ value, display: 'someone' }))
    await okta.patch(path, { op: 'add', path: 'members', value: all })
    assert.deepEqual(await okta.memberIdsOf(group.id), [...users].sort())
    const name = { op: 'replace', value: { id: group.id, displayName: 'Engineering EU' } }
    const leaver = { op: 'remove', path: `members[value eq "${users[0]}"]` }
    await okta.patch(path, leaver, name)
    assert.deepEqual(await okta.memberIdsOf(group.id), users.slice(1).sort())
    await okta.expect(200, 'PUT', path, {
      ...{ schemas: [GROUP], id: group.id, displayName: 'Engineering EU', members: all.slice(0, 1) },
    })
    assert.deepEqual(await okta.memberIdsOf(group.id), [users[0]])
    await okta.expect(204, 'DELETE', path)
    await okta.refused(404, undefined, 'GET', path)
    for (const id of users) await okta.expect(200, 'GET', `/Users/${id}`)
  })
})
