import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import type { Answer } from '../../../app.ts'
import { ENTERPRISE } from '../../../scim-client.ts'
import { type IdentityProvider, openIdentityProvider, startIdentityProvider } from '../identity-provider.ts'

let scim: IdentityProvider
let users: string[]
let groups: string[]
before(async () => {
  scim = await startIdentityProvider()
  users = []
  for (const [at, name] of ['dia', 'Ann', 'cid', 'BEN', 'eve'].entries()) {
    const more = at < 3 ? { title: name, [ENTERPRISE]: { department: 'Eng' } } : { title: 'ANN' }
    users.push((await scim.user({ userName: name, displayName: name, externalId: `${9 - at}`, ...more })).id)
  }
  groups = []
  for (const name of ['two', 'One']) groups.push((await scim.group(name, users.slice(0, 2))).id)
})

const get = (path: string) => scim.expect(200, 'GET', path)
const idsOf = (page: Answer['body']): string[] => page.Resources.map(({ id }: { id: string }) => id)
const namesOf = (page: Answer['body']): string[] =>
  page.Resources.map((one: { userName?: string; displayName: string }) => one.userName ?? one.displayName)

/** Every page that a cursor leads to. */
async function walk(path: string, count: number): Promise<string[][]> {
  const pages: string[][] = []
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const page: Answer['body'] = await get(`${path}count=${count}&cursor=${encodeURIComponent(cursor)}`)
    assert.ok(!('startIndex' in page))
    pages.push(idsOf(page))
    cursor = page.nextCursor
  }
  return pages
}

describe('sorting', () => {
  it('is by any single value, letter case where it counts, and up unless it says down', async () => {
    for (const [query, names] of [
      ['sortBy=userName', ['Ann', 'BEN', 'cid', 'dia', 'eve']],
      ['sortBy=USERNAME&sortOrder=Descending', ['eve', 'dia', 'cid', 'BEN', 'Ann']],
      ['sortBy=displayName', ['Ann', 'BEN', 'cid', 'dia', 'eve']],
      ['sortBy=externalId', ['eve', 'BEN', 'cid', 'Ann', 'dia']],
      ['sortBy=id&sortOrder=ascending', ['dia', 'Ann', 'cid', 'BEN', 'eve']],
      ['sortBy=meta.created&sortOrder=descending', ['eve', 'BEN', 'cid', 'Ann', 'dia']],
      ['sortBy=meta.lastModified', ['dia', 'Ann', 'cid', 'BEN', 'eve']],
      ['sortBy=title', ['Ann', 'BEN', 'eve', 'cid', 'dia']],
      ['sortBy=userName&filter=title+eq+%22ann%22&sortOrder=descending', ['eve', 'BEN', 'Ann']],
      ['sortBy=userName&startIndex=2&count=2', ['BEN', 'cid']],
    ] as const) {
      assert.deepEqual(namesOf(await get(`/Users?${query}`)), names, query)
    }
    assert.deepEqual(namesOf(await get('/Groups?sortBy=displayName')), ['One', 'two'])
  })

  it('has those without the value last, and first when it goes down', async () => {
    const path = `/Users?sortBy=${ENTERPRISE}:department`
    assert.deepEqual(idsOf(await get(path)).slice(0, 3), users.slice(0, 3))
    assert.deepEqual(idsOf(await get(`${path}&sortOrder=descending`)).slice(0, 2), users.slice(3))
  })

  it('by what is no single value, or in no order, is 400 invalidValue', async () => {
    for (const query of [
      'sortBy=foo',
      'sortBy=name',
      'sortBy=password',
      'sortBy=groups',
      'sortBy=userName&sortOrder=up',
    ]) {
      await scim.refused(400, 'invalidValue', 'GET', `/Users?${query}`)
    }
  })
})

describe('cursors (RFC 9865)', () => {
  it('walk every resource once, in the order of the list', async () => {
    assert.deepEqual((await walk('/Users?', 2)).flat(), users)
    assert.deepEqual((await walk('/Groups?', 1)).flat(), groups)
    const filter = encodeURIComponent('title eq "ann"')
    assert.deepEqual((await walk(`/Users?filter=${filter}&`, 1)).flat(), [users[1], users[3], users[4]])
    const sorted = ['Ann', 'BEN', 'cid', 'dia', 'eve']
    const { Resources } = await get('/Users?sortBy=userName')
    assert.deepEqual(namesOf({ Resources }), sorted)
    assert.deepEqual((await walk('/Users?sortBy=userName&', 2)).flat(), idsOf({ Resources }))
    assert.deepEqual((await walk('/Users?', 100)).flat(), users)
  })

  it('see nobody twice and miss nobody when others come and go between the pages', async () => {
    const first = await get('/Users?count=2&cursor=')
    const { id } = await scim.user({ userName: 'late' })
    const second = await get(`/Users?count=100&cursor=${first.nextCursor}`)
    assert.deepEqual([...idsOf(first), ...idsOf(second)], [...users, id])
    await scim.expect(204, 'DELETE', `/Users/${id}`)
  })

  it('that are none of the list are 400 invalidCursor; a count below one is 400 invalidCount', async () => {
    const { nextCursor } = await get('/Users?count=2&cursor=')
    for (const query of [
      ...['cursor=nonsense', `cursor=${nextCursor}x`, 'cursor=e30', `cursor=${'A'.repeat(9000)}`],
      ...[`filter=userName+pr&cursor=${nextCursor}`, `sortBy=userName&cursor=${nextCursor}`],
    ]) {
      await scim.refused(400, 'invalidCursor', 'GET', `/Users?${query}`)
    }
    await scim.refused(400, 'invalidCursor', 'GET', `/Groups?cursor=${nextCursor}`)
    for (const count of ['0', '-1']) {
      await scim.refused(400, 'invalidCount', 'GET', `/Users?cursor=&count=${count}`)
    }
    const forged = Buffer.from(nextCursor, 'base64url')
      .toString()
      .replace(/"until":\d+/, '"until":1')
    await scim.refused(
      400,
      'expiredCursor',
      'GET',
      `/Users?cursor=${Buffer.from(forged).toString('base64url')}`,
    )
  })

  it('of one connection open nothing of another', async () => {
    const other = await openIdentityProvider(scim.app, 'evil-cursor')
    const mine = await other.user()
    const { nextCursor } = await get('/Users?count=2&cursor=')
    const page = await other.expect(200, 'GET', `/Users?cursor=${nextCursor}`)
    assert.ok(idsOf(page).every((id) => id === mine.id))
  })

  it('are announced with the sizes that are kept', async () => {
    const { pagination, filter } = await get('/ServiceProviderConfig')
    const { cursor, index, defaultPageSize, maxPageSize } = pagination
    assert.deepEqual([cursor, index, defaultPageSize, maxPageSize], [true, true, 100, 1000])
    assert.equal(filter.maxResults, maxPageSize)
  })
})

describe('queries in a body', () => {
  const SEARCH = { schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'] }
  const search = (path: string, body: object) => scim.expect(200, 'POST', path, { ...SEARCH, ...body })

  it('find what the same query in the URL finds', async () => {
    const query = { filter: 'title eq "ann"', sortBy: 'userName', sortOrder: 'descending' }
    const found = await search('/Users/.search', {
      ...query,
      attributes: ['userName'],
      startIndex: 2,
      count: 1,
    })
    assert.deepEqual([found.totalResults, found.startIndex, namesOf(found)], [3, 2, ['BEN']])
    assert.deepEqual(Object.keys(found.Resources[0]).sort(), ['id', 'schemas', 'userName'])
    const shown = await search('/Groups/.search', {
      filter: 'displayName eq "one"',
      excludedAttributes: ['members'],
    })
    assert.deepEqual([idsOf(shown), 'members' in shown.Resources[0]], [[groups[1]], false])
    const first = await search('/Users/.search', { count: 3, cursor: '' })
    const second = await search('/Users/.search', { count: 3, cursor: first.nextCursor })
    assert.deepEqual([...idsOf(first), ...idsOf(second)], users)
  })

  it('at the root find users, then groups, as one list', async () => {
    const all = [...users, ...groups]
    const whole = await search('/.search', {})
    assert.deepEqual([whole.totalResults, idsOf(whole)], [7, all])
    for (let startIndex = 1; startIndex <= 8; startIndex++) {
      for (const count of [0, 1, 2, 3, 100]) {
        const page = await search('/.search', { startIndex, count })
        const wanted = all.slice(startIndex - 1, startIndex - 1 + count)
        assert.deepEqual([page.totalResults, idsOf(page)], [7, wanted], `${startIndex} ${count}`)
      }
    }
    const named = await search('/.search', { filter: 'displayName eq "one" or displayName eq "ann"' })
    assert.deepEqual(idsOf(named), [users[1], groups[1]])
    assert.deepEqual(idsOf(await search('/.search', { filter: 'userName eq "ann"' })), [users[1]])
    assert.deepEqual(idsOf(await search('/.search', { filter: `members eq "${users[0]}"` })), groups)
    await scim.refused(400, 'invalidFilter', 'POST', '/.search', { ...SEARCH, filter: 'foo eq "x"' })
  })

  it('of another shape are 400', async () => {
    for (const path of ['/.search', '/Users/.search', '/Groups/.search']) {
      await scim.refused(400, 'invalidSyntax', 'POST', path, [])
      await scim.refused(400, 'invalidValue', 'POST', path, { ...SEARCH, filter: 7 })
      await scim.refused(400, 'invalidValue', 'POST', path, { ...SEARCH, count: 'many' })
      await scim.refused(400, 'invalidFilter', 'POST', path, { ...SEARCH, filter: 'id eq' })
    }
  })
})
