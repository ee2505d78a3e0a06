import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { USER } from '../../../scim-client.ts'
import { type IdentityProvider, startIdentityProvider } from '../identity-provider.ts'

let scim: IdentityProvider
before(async () => {
  scim = await startIdentityProvider()
})

const json = (userName: string) => JSON.stringify({ schemas: [USER], userName })

describe('requests and answers', () => {
  it('B-06: a slash at the end, or a doubled one before the endpoint, is served the same', async () => {
    const user = await scim.user()
    for (const path of ['//Users', '/Users/', '//Users//', `//Users/${user.id}`, `/Users/${user.id}/`]) {
      const body = await scim.expect(200, 'GET', path)
      assert.ok(body.id === user.id || body.Resources[0].id === user.id, path)
    }
    const { status, body } = await scim.app.call('GET', `//scim//v2/${scim.connectionId}//Users`, {
      key: scim.token,
    })
    assert.deepEqual([status, body.totalResults], [200, 1])
  })

  it('a body is read as either media type, with or without a charset', async () => {
    for (const [at, type] of [
      'application/scim+json',
      'application/json',
      'application/scim+json; charset=utf-8',
      'application/json;charset=UTF-8',
      'Application/SCIM+JSON',
    ].entries()) {
      const { status } = await scim.call('POST', '/Users', {
        ...{ raw: json(`type-${at}`), headers: { 'content-type': type } },
      })
      assert.equal(status, 201, type)
    }
  })

  it('any other media type is 415', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'nonsense']) {
      const given = { raw: json('typed'), headers: { 'content-type': type } }
      const { status, body } = await scim.call('POST', '/Users', given)
      assert.deepEqual([status, body.status], [415, '415'], type)
    }
  })

  it('a GET and a DELETE may name a media type and have no body', async () => {
    const { id } = await scim.user()
    for (const type of ['application/json', 'application/scim+json; charset=utf-8', 'text/plain']) {
      const headers = { 'content-type': type }
      assert.equal((await scim.call('GET', `/Users/${id}`, { headers })).status, 200, type)
    }
    const headers = { 'content-type': 'application/scim+json' }
    assert.equal((await scim.call('DELETE', `/Users/${id}`, { headers })).status, 204)
  })

  it('a body that is too large is 413, one that is no UTF-8 or no JSON is 400', async () => {
    const raw = json('x'.repeat(4 * 1024 * 1024))
    const headers = { 'content-type': 'application/scim+json' }
    assert.equal((await scim.call('POST', '/Users', { raw, headers })).status, 413)
    const latin = Buffer.from(json('ä'), 'latin1')
    const { status, body } = await scim.call('POST', '/Users', { raw: latin, headers })
    assert.deepEqual([status, body.scimType], [400, 'invalidSyntax'])
  })

  it('an unknown path is 404, a known one with another method 405, with what is allowed', async () => {
    const { id } = await scim.user()
    for (const path of [
      '',
      '/',
      '/users',
      '/Nothing',
      `/Users/${id}/emails`,
      '/Bulk/1',
      '/Me/1',
      '/.search/x',
    ]) {
      assert.equal((await scim.call('GET', path)).status, 404, path)
    }
    for (const [method, path, allow] of [
      ['DELETE', '/Users', 'GET, POST'],
      ['PUT', '/Groups', 'GET, POST'],
      ['PATCH', '/Users/', 'GET, POST'],
      ['POST', `/Users/${id}`, 'GET, PUT, PATCH, DELETE'],
      ['POST', `/Groups/${id}`, 'GET, PUT, PATCH, DELETE'],
      ['GET', '/Bulk', 'POST'],
      ['GET', '/.search', 'POST'],
      ['PUT', '/.search', 'POST'],
    ] as const) {
      const { status, headers } = await scim.call(method, path, method === 'DELETE' ? {} : { body: {} })
      assert.deepEqual([status, headers.allow], [405, allow], `${method} ${path}`)
    }
  })

  it('a URL that cannot be read is 400', async () => {
    for (const path of ['/Users/%zz', '/%', '/Users?filter=%zz']) {
      const { status, body } = await scim.call('GET', path)
      assert.equal(status, 400, path)
      assert.equal(body.status, '400')
    }
  })

  it('/Me is 501 for every method: a token stands for no user', async () => {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
      const { status } = await scim.call(method, '/Me', method === 'GET' ? {} : { body: {} })
      assert.equal(status, 501, method)
    }
  })
})
