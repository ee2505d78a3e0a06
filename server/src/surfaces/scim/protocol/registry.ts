import type { Attribute, ResourceType } from './attribute.ts'
import { complex, dateTime, reference, string } from './define-attribute.ts'
import { enterpriseUserSchema } from './enterprise-user-schema.ts'
import { groupSchema } from './group-schema.ts'
import { userSchema } from './user-schema.ts'

const readOnly = { mutability: 'readOnly' } as const

const common: readonly Attribute[] = [
  reference('schemas', 'URNs of the schemas that the resource has values of.', ['uri'], {
    ...readOnly,
    multiValued: true,
    required: true,
    returned: 'always',
  }),
  string('id', 'Identifier of the resource, given by this service and never given twice.', {
    ...readOnly,
    required: true,
    caseExact: true,
    returned: 'always',
    uniqueness: 'server',
  }),
  string('externalId', "The identity provider's own identifier of the resource.", { caseExact: true }),
  complex(
    'meta',
    'About the resource itself.',
    [
      string('resourceType', 'Name of the resource type.', { ...readOnly, caseExact: true }),
      dateTime('created', 'When the resource was created.', readOnly),
      dateTime('lastModified', 'When the resource last changed.', readOnly),
      reference('location', 'Address of the resource.', ['uri'], readOnly),
      string('version', 'Entity tag of the resource.', { ...readOnly, caseExact: true }),
    ],
    readOnly,
  ),
]

export const userType: ResourceType = {
  name: 'User',
  endpoint: '/Users',
  description: 'People that the identity provider provisions.',
  schema: userSchema,
  extensions: [enterpriseUserSchema],
  common,
}

export const groupType: ResourceType = {
  name: 'Group',
  endpoint: '/Groups',
  description: 'Groups that the identity provider provisions.',
  schema: groupSchema,
  extensions: [],
  common,
}

/** Every kind of resource; reading, changing, filtering and discovery all follow from it. */
export const resourceTypes: readonly ResourceType[] = [userType, groupType]
