import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { listGroups, listText, listUsers, type ResourcePage } from './lists.ts'
import { isJsonObject } from './protocol/json-object.ts'
import { ScimError } from './protocol/scim-error.ts'
import { type ListQuery, listQuery, pageSizeOf } from './query.ts'
import { type ScimScope, type ScimServices, scopeOf, sendScim } from './scope.ts'

const tags = ['SCIM: search']

/** The members of a search by their canonical names, which are compared without case. */
const names = new Map(Object.keys(listQuery.shape).map((name) => [name.toLowerCase(), name]))

/** @throws ScimError 400 */
function readSearch(body: unknown): ListQuery {
  if (!isJsonObject(body)) throw new ScimError(400, 'invalidSyntax', 'The body must be a JSON object.')
  const given = Object.entries(body).flatMap(([name, value]) => {
    const canonical = names.get(name.toLowerCase())
    return canonical === undefined || value === null ? [] : [[canonical, value] as const]
  })
  const read = listQuery.safeParse(Object.fromEntries(given))
  if (read.success) return read.data
  const place = z.core.toDotPath(read.error.issues[0]?.path ?? [])
  throw new ScimError(400, 'invalidValue', `${place || 'The body'} is not valid.`)
}

/** Queries in a body instead of a URL (RFC 7644 section 3.4.3). */
export function searchRoutes(services: ScimServices): FastifyPluginAsync {
  const searches = [
    ['/Users/.search', 'users', 'scimSearchUsers', listUsers],
    ['/Groups/.search', 'groups', 'scimSearchGroups', listGroups],
    ['/.search', 'users, then groups', 'scimSearch', searchBoth],
  ] as const
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()
    for (const [url, what, operationId, list] of searches) {
      app.post(url, { schema: { tags, summary: `Search ${what}`, operationId } }, async (request, reply) => {
        const page = await list(scopeOf(services, request), readSearch(request.body))
        return sendScim(reply, 200, listText(page))
      })
    }
  }
}

/**
 * Users, then groups. A filter that only one kind of resource understands finds nothing of the other.
 *
 * @throws ScimError 400
 */
async function searchBoth(scope: ScimScope, query: ListQuery): Promise<ResourcePage> {
  if (query.cursor !== undefined) {
    throw new ScimError(400, 'invalidCursor', 'Cursors walk /Users or /Groups, not both at once.')
  }
  const users = await listUsers(scope, query).catch(toUnknownFilter)
  if (users instanceof ScimError) return await listGroups(scope, query)
  const { startIndex, texts, total } = users
  const start = startIndex ?? 1
  const groups = await listGroups(scope, {
    ...query,
    startIndex: Math.max(start - total, 1),
    count: start + texts.length > total ? pageSizeOf(query) - texts.length : 0,
  }).catch(toUnknownFilter)
  if (groups instanceof ScimError) return users
  return {
    total: total + groups.total,
    texts: [...texts, ...groups.texts],
    startIndex,
    next: undefined,
  }
}

function toUnknownFilter(error: unknown): ScimError {
  if (error instanceof ScimError && error.scimType === 'invalidFilter') return error
  throw error
}
