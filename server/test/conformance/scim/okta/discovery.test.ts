import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { type IdentityProvider, OKTA, startIdentityProvider } from '../identity-provider.ts'

let okta: IdentityProvider
before(async () => {
  okta = await startIdentityProvider(OKTA)
})

describe('Okta tries what is not possible', () => {
  it('B-05: what describes the service is changed by nobody: 405', async () => {
    for (const path of ['/ServiceProviderConfig', '/ResourceTypes', '/Schemas', '/Schemas/x', '/Schemas/']) {
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
        const given = method === 'DELETE' ? {} : { body: {} }
        const { status, headers } = await okta.call(method, path, given)
        assert.deepEqual([status, headers.allow], [405, 'GET'], `${method} ${path}`)
      }
    }
  })

  it('B-116: 429 says in whole seconds when to try again, in the SCIM body', async () => {
    const answers = await Promise.all(Array.from({ length: 400 }, () => okta.call('GET', '/Users?count=1')))
    const refused = answers.filter(({ status }) => status === 429)
    assert.ok(refused.length > 0 && refused.length < 400)
    for (const { headers, body } of refused) {
      assert.match(String(headers['retry-after']), /^[1-9]\d*$/)
      assert.equal(body.status, '429')
    }
    assert.ok(answers.every(({ status }) => status === 200 || status === 429))
    await okta.expect(200, 'GET', '/Users?count=1')
  })
})
