import { readMemberIdsOfGroups } from '../../directory/scim/group.ts'
import { listScimGroups, listScimUsers, type ScimListPlace } from '../../directory/scim/list.ts'
import { sealCursor } from './cursor.ts'
import type { ResourceType } from './protocol/attribute.ts'
import { groupType, userType } from './protocol/registry.ts'
import { type ListQuery, readListQuery, toProjection } from './query.ts'
import { groupJson, userText } from './resource-text.ts'
import type { ScimScope } from './scope.ts'

/** Members in one page of groups, together; a page ends before the group that would pass it. */
const PAGE_MEMBERS_MAX = 100_000

export interface ResourcePage {
  readonly total: number
  readonly texts: readonly string[]
  readonly startIndex: number | undefined
  readonly next: string | undefined
}

/** A page of users (RFC 7644 section 3.4.2). @throws ScimError 400 */
export async function listUsers(scope: ScimScope, query: ListQuery): Promise<ResourcePage> {
  const { startIndex, ...wanted } = readListQuery(userType, query)
  const projection = toProjection(userType, query)
  const { rows, total, next } = await listScimUsers(scope.reading, wanted)
  const texts = rows.map((row) => userText(row, scope.baseUrl, projection))
  return { total, texts, startIndex, next: toCursor(next, startIndex, userType, query) }
}

/** A page of groups, with their members unless they are not wanted. @throws ScimError 400 */
export async function listGroups(scope: ScimScope, query: ListQuery): Promise<ResourcePage> {
  const { startIndex, ...wanted } = readListQuery(groupType, query)
  const projection = toProjection(groupType, query)
  const hasMembers = projection?.keeps('members') ?? true
  const page = await listScimGroups(scope.reading, wanted, hasMembers ? PAGE_MEMBERS_MAX : null)
  const ids = page.rows.map(({ id }) => id)
  const members = hasMembers ? await readMemberIdsOfGroups(scope.reading, ids) : undefined
  const texts = page.rows.map((row) => {
    return groupJson(row, scope.baseUrl, members && (members.get(row.id) ?? ''), projection).toString()
  })
  return { total: page.total, texts, startIndex, next: toCursor(page.next, startIndex, groupType, query) }
}

function toCursor(
  next: ScimListPlace | null,
  startIndex: number | undefined,
  type: ResourceType,
  query: ListQuery,
): string | undefined {
  return next === null || startIndex !== undefined ? undefined : sealCursor(next, type, query)
}

/** The JSON text of a ListResponse. */
export function listText({ total, texts, startIndex, next }: ResourcePage): string {
  const head = JSON.stringify({
    schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
    totalResults: total,
    ...(startIndex === undefined ? {} : { startIndex }),
    itemsPerPage: texts.length,
    ...(next === undefined ? {} : { nextCursor: next }),
  })
  return `${head.slice(0, -1)},"Resources":[${texts.join(',')}]}`
}
