import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { type IdentityProvider, OKTA, startIdentityProvider } from '../identity-provider.ts'

let okta: IdentityProvider
let all: string[]
before(async () => {
  okta = await startIdentityProvider(OKTA)
  all = []
  for (let index = 0; index < 25; index++) {
    const userName = `user-${index}@list.example`
    const name = { givenName: 'Given', familyName: 'Family' }
    all.push((await okta.user({ userName, name, emails: [{ value: userName, primary: true }] })).id)
  }
})

const get = (path: string) => okta.expect(200, 'GET', path)
const idsOf = (page: { Resources: { id: string }[] }) => page.Resources.map(({ id }) => id)

describe('Okta reads lists', () => {
  it('B-02: the first user of a page of one has what the spec test looks for, and numbers are numbers', async () => {
    const page = await get('/Users?count=1&startIndex=1')
    assert.deepEqual([page.totalResults, page.startIndex, page.itemsPerPage], [25, 1, 1])
    const [user] = page.Resources
    assert.equal(user.id, all[0])
    assert.equal(user.userName, 'user-0@list.example')
    assert.deepEqual(user.name, { givenName: 'Given', familyName: 'Family' })
    assert.deepEqual([user.active, user.emails[0].value], [true, 'user-0@list.example'])
  })

  it('B-03: a wrong token, or none, is 401 with a SCIM body', async () => {
    for (const authorization of [undefined, '', 'Bearer', 'Bearer wrong', `Bearer ${okta.token}x`]) {
      const headers = authorization === undefined ? undefined : { authorization }
      for (const path of ['/Users', '/Users/1', '/Groups', '/ServiceProviderConfig', '/nowhere', '']) {
        const given = headers === undefined ? { key: null } : { key: null, headers }
        const { status, body } = await okta.app.call('GET', `${okta.base}${path}`, given)
        assert.deepEqual([status, body.status], [401, '401'], `${authorization} ${path}`)
      }
    }
  })

  it('B-22: pages of any number: too small is the smallest, too large is capped, past the end is empty', async () => {
    for (const [query, startIndex, ids] of [
      ['startIndex=0', 1, all],
      ['startIndex=-3', 1, all],
      ['startIndex=1', 1, all],
      ['startIndex=5000', 5000, []],
      ['count=0', 1, []],
      ['count=-1', 1, []],
      ['count=1', 1, all.slice(0, 1)],
      ['count=100000', 1, all],
      ['startIndex=25&count=10', 25, all.slice(24)],
      ['startIndex=11&count=5', 11, all.slice(10, 15)],
    ] as const) {
      for (const more of ['', '&filter=userName+pr']) {
        const page = await get(`/Users?${query}${more}`)
        assert.deepEqual([page.totalResults, page.startIndex], [25, startIndex], query + more)
        assert.deepEqual(idsOf(page), ids, query + more)
      }
    }
    for (const query of ['startIndex=one', 'count=1.5', 'count=1e3']) {
      await okta.refused(400, 'invalidValue', 'GET', `/Users?${query}`)
    }
  })

  it('B-23: whoever was there when the reading began is seen once, though users are created meanwhile', async () => {
    const seen: string[] = []
    const late: string[] = []
    for (let startIndex = 1; ; startIndex += 10) {
      const page = await get(`/Users?startIndex=${startIndex}&count=10`)
      seen.push(...idsOf(page))
      if (page.Resources.length < 10) break
      if (late.length < 4) late.push((await okta.user()).id)
    }
    assert.deepEqual(seen, [...all, ...late])
    for (const id of late) await okta.expect(204, 'DELETE', `/Users/${id}`)
  })

  it('B-108: groups are listed with their members, unless these are excluded', async () => {
    const [first, second] = [await okta.group('First', all.slice(0, 3)), await okta.group('Second')]
    const page = await get('/Groups?startIndex=1&count=100')
    assert.deepEqual(idsOf(page), [first.id, second.id])
    const values = page.Resources.map(({ members }: { members: { value: string }[] }) =>
      members.map(({ value }) => value).sort(),
    )
    assert.deepEqual(values, [all.slice(0, 3).sort(), []])
    const without = await get('/Groups?startIndex=1&count=100&excludedAttributes=members')
    assert.ok(without.Resources.every((group: object) => !('members' in group)))
  })
})
