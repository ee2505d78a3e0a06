import type { ScimGroupRow } from '../../directory/scim/group.ts'
import type { ScimUserRow } from '../../directory/scim/user.ts'
import type { ResourceDocument } from './protocol/attribute.ts'
import { enterpriseUserSchema } from './protocol/enterprise-user-schema.ts'
import { groupSchema } from './protocol/group-schema.ts'
import type { JsonObject } from './protocol/json-object.ts'
import type { Projection } from './protocol/projection.ts'
import { userSchema } from './protocol/user-schema.ts'

export const etagOf = (row: { version: number }): string => `W/"${row.version}"`

export const userUrl = (baseUrl: string, id: string): string => `${baseUrl}/Users/${id}`
export const groupUrl = (baseUrl: string, id: string): string => `${baseUrl}/Groups/${id}`

/**
 * The text that is stored of a user's document: what clients write, with `schemas`; `active` has a column. Answers are
 * made by adding what the server says at its end, without parsing it again.
 */
export function toStoredDocument({ active: _, ...document }: ResourceDocument): string {
  const schemas = [userSchema.id]
  if (document[enterpriseUserSchema.id] !== undefined) schemas.push(enterpriseUserSchema.id)
  return JSON.stringify({ schemas, ...document })
}

/** The document that a stored text stands for. */
export function fromStoredDocument(row: ScimUserRow): ResourceDocument {
  const { schemas: _, ...document } = JSON.parse(row.document) as JsonObject
  return { ...document, active: row.active }
}

/** @param projection undefined: everything that is returned by default */
export function userText(row: ScimUserRow, baseUrl: string, projection: Projection | undefined): string {
  const meta = JSON.stringify({
    resourceType: 'User',
    created: row.created_at,
    lastModified: row.updated_at,
    location: userUrl(baseUrl, row.id),
    version: etagOf(row),
  })
  const groups = row.groups === null ? '' : `,"groups":${withUrls(row.groups, baseUrl)}`
  const text = `${row.document.slice(0, -1)},"id":"${row.id}","active":${row.active}${groups},"meta":${meta}}`
  return projected(text, projection)
}

function withUrls(groups: string, baseUrl: string): string {
  const list = JSON.parse(groups) as { value: string; display: string }[]
  return JSON.stringify(
    list.map(({ value, display }) => ({ value, $ref: groupUrl(baseUrl, value), display, type: 'direct' })),
  )
}

/** @param members the inside of the list of members; undefined: it is not shown */
export function groupText(
  row: ScimGroupRow,
  baseUrl: string,
  members: string | undefined,
  projection: Projection | undefined,
): string {
  const head = JSON.stringify({
    schemas: [groupSchema.id],
    id: row.id,
    ...(row.external_id === null ? {} : { externalId: row.external_id }),
    displayName: row.display_name,
    meta: {
      resourceType: 'Group',
      created: row.created_at,
      lastModified: row.updated_at,
      location: groupUrl(baseUrl, row.id),
      version: etagOf(row),
    },
  })
  const text = members === undefined ? head : `${head.slice(0, -1)},"members":[${members}]}`
  return projected(text, projection)
}

function projected(text: string, projection: Projection | undefined): string {
  if (projection === undefined) return text
  return JSON.stringify(projection.project(JSON.parse(text) as JsonObject))
}
