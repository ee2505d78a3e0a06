import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { resourceTypeResources, schemaResources, serviceProviderConfig } from './discovery.ts'
import { resourceTypes } from './registry.ts'

const base = 'https://scim.acme.example/scim/v2/c1'

interface Described {
  name: string
  type: string
  subAttributes?: readonly Described[]
  [trait: string]: unknown
}

const allOf = (attributes: readonly Described[]): Described[] =>
  attributes.flatMap((attribute) => [attribute, ...allOf(attribute.subAttributes ?? [])])

describe('discovery', () => {
  test('B-04: the configuration says what the service can do', () => {
    const config = serviceProviderConfig(base)
    assert.deepEqual(config.schemas, ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'])
    assert.deepEqual(config.patch, { supported: true })
    assert.deepEqual(config.bulk, { supported: true, maxOperations: 1000, maxPayloadSize: 4 * 1024 * 1024 })
    assert.deepEqual(config.filter, { supported: true, maxResults: 1000 })
    assert.deepEqual(config.changePassword, { supported: false })
    assert.deepEqual(config.pagination, {
      cursor: true,
      index: true,
      defaultPaginationMethod: 'index',
      defaultPageSize: 100,
      maxPageSize: 1000,
      cursorTimeout: 3600,
    })
    assert.deepEqual(
      config.authenticationSchemes.map(({ type }) => type),
      ['oauthbearertoken'],
    )
    assert.equal(config.meta.location, `${base}/ServiceProviderConfig`)
  })

  test('B-04: resource types have their endpoints, schemas and addresses', () => {
    const [user, group] = resourceTypeResources(base)
    assert.deepEqual([user!.endpoint, group!.endpoint], ['/Users', '/Groups'])
    assert.equal(user!.schema, 'urn:ietf:params:scim:schemas:core:2.0:User')
    assert.deepEqual(user!.schemaExtensions, [
      { schema: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User', required: false },
    ])
    assert.deepEqual(user!.meta, { resourceType: 'ResourceType', location: `${base}/ResourceTypes/User` })
  })

  test('B-04: every schema of a resource type is described, with an address of its own', () => {
    const schemas = schemaResources(base)
    const ids = resourceTypes.flatMap(({ schema, extensions }) => [
      schema.id,
      ...extensions.map(({ id }) => id),
    ])
    assert.deepEqual(
      schemas.map(({ id }) => id),
      ids,
    )
    for (const { id, meta } of schemas) assert.equal(meta.location, `${base}/Schemas/${id}`)
  })

  test('RFC 7643 section 7: every attribute says all that the section asks of it', () => {
    const attributes = allOf(
      schemaResources(base).flatMap((schema) => schema.attributes as unknown as Described[]),
    )
    assert.ok(attributes.length > 80)
    for (const attribute of attributes) {
      for (const trait of ['name', 'type', 'description', 'mutability', 'returned']) {
        assert.equal(typeof attribute[trait], 'string', `${trait} of ${attribute.name}`)
      }
      assert.equal(typeof attribute.multiValued, 'boolean')
      assert.equal(typeof attribute.required, 'boolean')
      assert.equal(attribute.type === 'complex', attribute.subAttributes !== undefined, attribute.name)
      assert.equal(attribute.type === 'reference', attribute.referenceTypes !== undefined, attribute.name)
      if (attribute.type === 'string') assert.equal(typeof attribute.caseExact, 'boolean')
    }
    const password = attributes.find(({ name }) => name === 'password')!
    assert.deepEqual([password.mutability, password.returned], ['writeOnly', 'never'])
  })

  test('RFC 7643 sections 4.1, 4.2, 4.3: users and groups have every attribute there is', () => {
    const names = schemaResources(base).map(({ attributes }) => attributes.map(({ name }) => name).sort())
    const user =
      'active addresses displayName emails entitlements groups ims locale name nickName password phoneNumbers photos ' +
      'preferredLanguage profileUrl roles timezone title userName userType x509Certificates'
    const enterprise = 'costCenter department division employeeNumber manager organization'
    assert.deepEqual(
      names.map((each) => each.join(' ')),
      [user, enterprise, 'displayName members'],
    )
  })
})
