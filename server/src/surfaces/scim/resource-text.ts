import type { ScimGroupRow } from '../../directory/scim/group.ts'
import type { ScimUserRow } from '../../directory/scim/user.ts'
import type { ResourceDocument } from './protocol/attribute.ts'
import { enterpriseUserSchema } from './protocol/enterprise-user-schema.ts'
import { groupSchema } from './protocol/group-schema.ts'
import type { JsonObject } from './protocol/json-object.ts'
import type { Projection } from './protocol/projection.ts'
import { userSchema } from './protocol/user-schema.ts'
import type { ScimJson } from './scope.ts'

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

const ID_LENGTH = 36
const NO_ID = '0'.repeat(ID_LENGTH)
const MEMBERS_END = ']}'

/**
 * The text of a group from what stands before its members. All entries have one length: they are laid out at once in
 * what is sent, and the ids are copied to their places. Texts of 10,000 entries would be made and copied several times.
 */
function layOutMembers(before: string, memberIds: string, baseUrl: string): Buffer<ArrayBuffer> {
  const entry = Buffer.from(`{"value":"${NO_ID}","$ref":"${userUrl(baseUrl, NO_ID)}","type":"User"},`)
  const value = entry.indexOf(NO_ID)
  const ref = entry.lastIndexOf(NO_ID)
  const start = Buffer.byteLength(before)
  const end = start + (memberIds.length / ID_LENGTH) * entry.length
  const text = Buffer.allocUnsafeSlow(end + MEMBERS_END.length)
  text.write(before)
  text.fill(entry, start, end)
  for (let from = 0, to = start; from < memberIds.length; from += ID_LENGTH, to += entry.length) {
    for (let place = 0; place < ID_LENGTH; place++) {
      // Digits and letters: a character is a byte.
      const character = memberIds.charCodeAt(from + place)
      text[to + value + place] = character
      text[to + ref + place] = character
    }
  }
  // The last entry has a comma behind it, too.
  const last = end === start ? end : end - 1
  text.write(MEMBERS_END, last)
  return text.subarray(0, last + MEMBERS_END.length)
}

/** @param memberIds one behind the other; undefined: the members are not shown */
export function groupJson(
  row: ScimGroupRow,
  baseUrl: string,
  memberIds: string | undefined,
  projection: Projection | undefined,
): ScimJson {
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
  if (memberIds === undefined) return projected(head, projection)
  const text = layOutMembers(`${head.slice(0, -1)},"members":[`, memberIds, baseUrl)
  return projection === undefined ? text : projected(text.toString(), projection)
}

function projected(text: string, projection: Projection | undefined): string {
  if (projection === undefined) return text
  return JSON.stringify(projection.project(JSON.parse(text) as JsonObject))
}
