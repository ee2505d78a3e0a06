import type { Attribute, ResourceType, Schema } from './attribute.ts'
import { resourceTypes } from './registry.ts'

/** Limits of the service, announced here and kept by the routes. */
export const bulkOperationsMax = 1000
/** Of every body: enough for a group of 10,000 members, as verbose as clients write it. */
export const bulkBytesMax = 4 * 1024 * 1024
export const pageSizeDefault = 100
export const pageSizeMax = 1000
export const cursorTtlSeconds = 3600

const schemaUrn = (name: string) => `urn:ietf:params:scim:schemas:core:2.0:${name}`

/**
 * What this service can do (RFC 7643 section 5; `pagination`: RFC 9865 section 4).
 *
 * @param baseUrl absolute address of the service, without a slash at its end
 */
export function serviceProviderConfig(baseUrl: string) {
  return {
    schemas: [schemaUrn('ServiceProviderConfig')],
    patch: { supported: true },
    bulk: { supported: true, maxOperations: bulkOperationsMax, maxPayloadSize: bulkBytesMax },
    filter: { supported: true, maxResults: pageSizeMax },
    changePassword: { supported: false },
    sort: { supported: true },
    etag: { supported: true },
    pagination: {
      cursor: true,
      index: true,
      defaultPaginationMethod: 'index',
      defaultPageSize: pageSizeDefault,
      maxPageSize: pageSizeMax,
      cursorTimeout: cursorTtlSeconds,
    },
    authenticationSchemes: [
      {
        type: 'oauthbearertoken',
        name: 'SCIM token',
        description: 'The SCIM token of the connection, in the Authorization header as a Bearer token.',
        specUri: 'https://www.rfc-editor.org/rfc/rfc6750',
        primary: true,
      },
    ],
    meta: {
      resourceType: 'ServiceProviderConfig',
      location: `${baseUrl}/ServiceProviderConfig`,
    },
  }
}

/** The kinds of resources as resources (RFC 7643 section 6); `baseUrl` as above. */
export const resourceTypeResources = (baseUrl: string) =>
  resourceTypes.map((type) => resourceTypeResource(type, baseUrl))

const resourceTypeResource = (type: ResourceType, baseUrl: string) => ({
  schemas: [schemaUrn('ResourceType')],
  id: type.name,
  name: type.name,
  description: type.description,
  endpoint: type.endpoint,
  schema: type.schema.id,
  schemaExtensions: type.extensions.map(({ id }) => ({ schema: id, required: false })),
  meta: { resourceType: 'ResourceType', location: `${baseUrl}/ResourceTypes/${type.name}` },
})

/** The schemas as resources (RFC 7643 section 7); `baseUrl` as above. */
export const schemaResources = (baseUrl: string) =>
  resourceTypes.flatMap(({ schema, extensions }) =>
    [schema, ...extensions].map((each) => schemaResource(each, baseUrl)),
  )

const schemaResource = ({ id, name, description, attributes }: Schema, baseUrl: string) => ({
  schemas: [schemaUrn('Schema')],
  id,
  name,
  description,
  attributes: attributes.map(attributeResource),
  meta: { resourceType: 'Schema', location: `${baseUrl}/Schemas/${id}` },
})

interface AttributeResource extends Omit<Attribute, 'caseExact' | 'uniqueness' | 'subAttributes'> {
  readonly caseExact?: boolean
  readonly uniqueness?: string
  readonly subAttributes?: readonly AttributeResource[]
}

/** Case and uniqueness are said of what has a text; a complex attribute has those of its parts. */
function attributeResource(attribute: Attribute): AttributeResource {
  const { caseExact, uniqueness, subAttributes, ...rest } = attribute
  if (attribute.type === 'complex')
    return { ...rest, subAttributes: (subAttributes ?? []).map(attributeResource) }
  return attribute.type === 'boolean' ? rest : { ...rest, caseExact, uniqueness }
}
