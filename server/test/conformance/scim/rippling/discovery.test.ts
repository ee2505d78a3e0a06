import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { ENTERPRISE, GROUP, USER } from '../../../scim-client.ts'
import { type IdentityProvider, startIdentityProvider } from '../identity-provider.ts'

let rippling: IdentityProvider
before(async () => {
  rippling = await startIdentityProvider()
})

const idsOf = ({ Resources }: { Resources: { id: string }[] }) => Resources.map(({ id }) => id)

describe('Rippling, Entra and authentik ask what the service can do', () => {
  it('B-04: the three documents are served, with unknown parameters too; a filter on them is 403', async () => {
    for (const query of ['', '?excludedAttributes=x&foo=bar', '?startIndex=1&count=100']) {
      const config = await rippling.expect(200, 'GET', `/ServiceProviderConfig${query}`)
      assert.deepEqual(config.schemas, ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'])
      const types = await rippling.expect(200, 'GET', `/ResourceTypes${query}`)
      assert.deepEqual([types.totalResults, idsOf(types)], [2, ['User', 'Group']])
      const schemas = await rippling.expect(200, 'GET', `/Schemas${query}`)
      assert.deepEqual([schemas.totalResults, idsOf(schemas).sort()], [3, [USER, GROUP, ENTERPRISE].sort()])
    }
    for (const path of ['/ServiceProviderConfig', '/ResourceTypes', '/Schemas']) {
      await rippling.refused(403, undefined, 'GET', `${path}?filter=id+eq+%22User%22`)
    }
  })

  it('one of each is served at the place that it names', async () => {
    for (const list of ['/ResourceTypes', '/Schemas']) {
      for (const resource of (await rippling.expect(200, 'GET', list)).Resources) {
        const path = resource.meta.location.slice(`https://rollcall.example${rippling.base}`.length)
        assert.deepEqual(await rippling.expect(200, 'GET', path), resource)
      }
      await rippling.refused(404, undefined, 'GET', `${list}/unheard-of`)
    }
  })
})
