import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import type { Answer } from '../../../app.ts'
import { GROUP, PATCH, USER } from '../../../scim-client.ts'
import { type IdentityProvider, openIdentityProvider, startIdentityProvider } from '../identity-provider.ts'

let scim: IdentityProvider
before(async () => {
  scim = await startIdentityProvider()
})

const REQUEST = ['urn:ietf:params:scim:api:messages:2.0:BulkRequest']
const bulkOf = (Operations: readonly object[], more: object = {}) => ({
  schemas: REQUEST,
  ...more,
  Operations,
})
const bulk = async (Operations: readonly object[], more: object = {}): Promise<Answer['body'][]> => {
  const body = await scim.expect(200, 'POST', '/Bulk', bulkOf(Operations, more))
  assert.deepEqual(body.schemas, ['urn:ietf:params:scim:api:messages:2.0:BulkResponse'])
  return body.Operations
}
const userOf = (bulkId: string, userName = `${bulkId}@bulk.example`) => ({
  ...{ method: 'POST', path: '/Users', bulkId, data: { schemas: [USER], userName } },
})
const statusesOf = (results: Answer['body'][]) => results.map(({ status }) => status)
const idOf = ({ location }: { location: string }) => location.replace(/.*\//, '')

describe('bulk requests', () => {
  it('carry out each kind of operation, in order, and answer each with its place and its version', async () => {
    const { id } = await scim.user({ userName: 'bulk-kinds' })
    const results = await bulk([
      userOf('kinds'),
      {
        method: 'PATCH',
        path: `/Users/${id}`,
        data: { schemas: [PATCH], Operations: [{ op: 'add', path: 'title', value: 'T' }] },
      },
      {
        method: 'PUT',
        path: `/Users/${id}`,
        data: { schemas: [USER], userName: 'bulk-kinds', nickName: 'N' },
      },
      { method: 'DELETE', path: `/Users/${id}` },
      { method: 'delete', path: `/Users/${id}` },
    ])
    assert.deepEqual(statusesOf(results), ['201', '200', '200', '204', '404'])
    assert.deepEqual(
      results.map(({ method }) => method),
      ['POST', 'PATCH', 'PUT', 'DELETE', 'DELETE'],
    )
    assert.equal(results[0].bulkId, 'kinds')
    const made = await scim.expect(200, 'GET', `/Users/${idOf(results[0])}`)
    assert.deepEqual([results[0].location, results[0].version], [made.meta.location, made.meta.version])
    assert.deepEqual(results[4].response.status, '404')
    assert.equal(results[4].location, `https://rollcall.example${scim.base}/Users/${id}`)
  })

  it('may refer to what they create before it stands there', async () => {
    const results = await bulk([
      {
        ...{ method: 'POST', path: '/Groups', bulkId: 'group' },
        data: {
          schemas: [GROUP],
          displayName: 'Forward',
          members: [{ value: 'bulkId:ann' }, { value: 'bulkId:ben' }],
        },
      },
      userOf('ann'),
      userOf('ben'),
      {
        method: 'PATCH',
        path: '/Users/bulkId:ann',
        data: { Operations: [{ op: 'replace', path: 'title', value: 'T' }] },
      },
    ])
    assert.deepEqual(statusesOf(results), ['201', '201', '201', '200'])
    const idsOf = new Map(results.filter(({ bulkId }) => bulkId).map((one) => [one.bulkId, idOf(one)]))
    const members = await scim.memberIdsOf(idsOf.get('group')!)
    assert.deepEqual(members, [idsOf.get('ann'), idsOf.get('ben')].sort())
    assert.equal((await scim.expect(200, 'GET', `/Users/${idsOf.get('ann')}`)).title, 'T')
  })

  it('that refer in a circle, to nothing, or by a bulkId that stands twice are 400, and carry out nothing', async () => {
    const group = (bulkId: string, member: string) => ({
      ...{ method: 'POST', path: '/Groups', bulkId },
      data: { schemas: [GROUP], displayName: bulkId, members: [{ value: `bulkId:${member}` }] },
    })
    for (const operations of [
      [group('one', 'two'), group('two', 'one')],
      [group('self', 'self')],
      [group('lost', 'nobody')],
      [userOf('twice'), userOf('twice', 'other')],
    ]) {
      const body = bulkOf([userOf('innocent'), ...operations])
      await scim.refused(400, 'invalidSyntax', 'POST', '/Bulk', body)
    }
    assert.deepEqual(await scim.find('userName eq "innocent@bulk.example"'), [])
  })

  it('stop after as many errors as failOnErrors says; what was done stays', async () => {
    const taken = {
      method: 'POST',
      path: '/Users',
      data: { schemas: [USER], userName: 'taken@bulk.example' },
    }
    await scim.user({ userName: 'taken@bulk.example' })
    const operations = [
      userOf('before'),
      { ...taken, bulkId: 'a' },
      userOf('between'),
      { ...taken, bulkId: 'b' },
      userOf('behind'),
    ]
    const stopped = await bulk(operations, { failOnErrors: 2 })
    assert.deepEqual(statusesOf(stopped), ['201', '409', '201', '409'])
    assert.equal(stopped[1].response.scimType, 'uniqueness')
    assert.deepEqual(await scim.find('userName eq "behind@bulk.example"'), [])
    const all = await bulk(operations)
    assert.deepEqual(statusesOf(all), ['409', '409', '409', '409', '201'])
    const first = await bulk([{ ...taken, bulkId: 'c' }, userOf('never')], { failOnErrors: 1 })
    assert.deepEqual(statusesOf(first), ['409'])
    await scim.refused(400, 'invalidValue', 'POST', '/Bulk', bulkOf([], { failOnErrors: 'all' }))
  })

  it('tell what depends on a failed operation that it failed', async () => {
    await scim.user({ userName: 'dependent@bulk.example' })
    const results = await bulk([
      userOf('dependent'),
      {
        ...{ method: 'POST', path: '/Groups', bulkId: 'of-it' },
        data: { schemas: [GROUP], displayName: 'Of it', members: [{ value: 'bulkId:dependent' }] },
      },
    ])
    assert.deepEqual(statusesOf(results), ['409', '400'])
    assert.equal(results[1].response.scimType, 'invalidValue')
  })

  it('with a version are refused on an older one: 412', async () => {
    const { id, meta } = await scim.user({ title: 'T' })
    const change = (value: string) => ({
      ...{ method: 'PATCH', path: `/Users/${id}`, version: meta.version },
      data: { Operations: [{ op: 'replace', path: 'title', value }] },
    })
    assert.deepEqual(statusesOf(await bulk([change('U'), change('V')])), ['200', '412'])
    assert.equal((await scim.expect(200, 'GET', `/Users/${id}`)).title, 'U')
  })

  it('of another shape are 400 invalidSyntax', async () => {
    const data = { schemas: [USER], userName: 'shape' }
    for (const operation of [
      ...[{}, null, 'x', { ...userOf('x'), method: 'GET' }, { ...userOf('x'), path: '/Me' }],
      ...[
        { method: 'POST', path: '/Users', data },
        { ...userOf('x'), path: '/Users/1' },
      ],
      ...[
        { method: 'DELETE', path: '/Users' },
        { ...userOf('x'), path: '/Users/1/2' },
        { ...userOf('x'), bulkId: 7 },
      ],
    ]) {
      await scim.refused(400, 'invalidSyntax', 'POST', '/Bulk', { schemas: REQUEST, Operations: [operation] })
    }
    for (const body of [{}, [], { Operations: {} }]) {
      await scim.refused(400, 'invalidSyntax', 'POST', '/Bulk', body)
    }
    assert.deepEqual(statusesOf(await bulk([])), [])
  })

  it('have 1,000 operations at most, as announced: one more is 413, and carries out nothing', async () => {
    const { bulk: limits } = await scim.expect(200, 'GET', '/ServiceProviderConfig')
    assert.deepEqual(limits, { supported: true, maxOperations: 1000, maxPayloadSize: 4 * 1024 * 1024 })
    const operations = Array.from({ length: 1001 }, (_, at) => userOf(`many-${at}`))
    await scim.refused(413, undefined, 'POST', '/Bulk', bulkOf(operations))
    assert.equal((await scim.find('userName sw "many-"')).length, 0)
    const results = await bulk(operations.slice(1))
    assert.deepEqual(new Set(statusesOf(results)), new Set(['201']))
    assert.deepEqual(
      results.map(({ bulkId }) => bulkId),
      operations.slice(1).map(({ bulkId }) => bulkId),
    )
    const { totalResults } = await scim.expect(200, 'GET', '/Users?filter=userName+sw+%22many-%22&count=0')
    assert.equal(totalResults, 1000)
    // With that many there, a search of users and groups has no more of both than it would have of one.
    await scim.group('last of all')
    for (const [count, length] of [
      [undefined, 100],
      [100_000, 1000],
    ]) {
      const page = await scim.expect(200, 'POST', '/.search', { count })
      assert.equal(page.Resources.length, length)
    }
    const nearEnd = await scim.expect(200, 'POST', '/.search', { startIndex: totalResults, count: 100_000 })
    assert.equal(nearEnd.Resources.at(-1).displayName, 'last of all')
  })

  it('have as many octets as announced, and no more: 413', async () => {
    const { bulk: limits } = await scim.expect(200, 'GET', '/ServiceProviderConfig')
    const headers = { 'content-type': 'application/scim+json' }
    const raw = (length: number) => {
      const text = JSON.stringify(bulkOf([]))
      return `${text.slice(0, -1)}${' '.repeat(length - text.length)}}`
    }
    const send = async (length: number) =>
      (await scim.call('POST', '/Bulk', { raw: raw(length), headers })).status
    assert.deepEqual([await send(limits.maxPayloadSize), await send(limits.maxPayloadSize + 1)], [200, 413])
  })

  it('reach nothing of another organization', async () => {
    const evil = await openIdentityProvider(scim.app, 'evil-bulk')
    const { id } = await scim.user({ title: 'T' })
    const body = bulkOf([
      { method: 'DELETE', path: `/Users/${id}` },
      { method: 'PUT', path: `/Users/${id}`, data: { schemas: [USER], userName: 'x' } },
      { method: 'POST', path: '/Groups', bulkId: 'g', data: { displayName: 'G', members: [{ value: id }] } },
    ])
    const { Operations } = await evil.expect(200, 'POST', '/Bulk', body)
    assert.deepEqual(statusesOf(Operations), ['404', '404', '400'])
    assert.equal((await scim.expect(200, 'GET', `/Users/${id}`)).title, 'T')
  })
})
