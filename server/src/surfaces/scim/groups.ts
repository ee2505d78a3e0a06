import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { getScimGroup, readMemberIds, type ScimGroupRow } from '../../directory/scim/group.ts'
import { deleteGroup, patchGroupById, postGroup, putGroup } from './group-operations.ts'
import { listGroups, listText } from './lists.ts'
import { idOf } from './path-id.ts'
import { expectedVersion, isKnown } from './preconditions.ts'
import { groupType } from './protocol/registry.ts'
import { type ListQuery, listQuery, projectionQuery, toProjection } from './query.ts'
import { etagOf, groupJson, groupUrl } from './resource-text.ts'
import { type ScimScope, type ScimServices, scopeOf, sendScim } from './scope.ts'

const params = z.object({ connection: z.string(), id: z.string() })
const tags = ['SCIM: groups']

/** Members that the answer to a change shows; of a larger group it shows the rest, as a read can do better. */
const SHOWN_MEMBERS_MAX = 100

export function groupRoutes(services: ScimServices): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/Groups',
      {
        schema: {
          tags,
          summary: 'List groups',
          description:
            'With their members, unless these are excluded; a page may have fewer groups than asked for where they are large.',
          operationId: 'scimListGroups',
          querystring: listQuery,
        },
      },
      async (request, reply) => {
        const page = await listGroups(scopeOf(services, request), request.query)
        return sendScim(reply, 200, listText(page))
      },
    )

    app.post(
      '/Groups',
      {
        schema: {
          tags,
          summary: 'Create a group',
          operationId: 'scimCreateGroup',
          querystring: projectionQuery,
        },
      },
      async (request, reply) => {
        const scope = scopeOf(services, request)
        const row = await postGroup(scope, request.body)
        request.scimCreatedId = row.id
        void reply.header('location', groupUrl(scope.baseUrl, row.id))
        return await sendChanged(scope, request, reply, 201, row)
      },
    )

    app.get(
      '/Groups/:id',
      {
        schema: {
          tags,
          summary: 'Retrieve a group',
          description: 'Without `members`, they are not looked at: the read costs the same for every group.',
          operationId: 'scimGetGroup',
          params,
          querystring: projectionQuery,
        },
      },
      async (request, reply) => {
        const scope = scopeOf(services, request)
        const row = await getScimGroup(scope.reading, idOf('group', request.params.id))
        void reply.header('etag', etagOf(row))
        if (isKnown(request, etagOf(row))) return reply.code(304).send()
        return sendScim(reply, 200, await textOf(scope, row, request.query, Number.POSITIVE_INFINITY))
      },
    )

    const changes = [
      ['PUT', putGroup, 'Replace a group', 'Its members become those of the body.'],
      ['PATCH', patchGroupById, 'Change a group', 'All operations, in their order, or none.'],
    ] as const
    for (const [method, change, summary, description] of changes) {
      app.route({
        method,
        url: '/Groups/:id',
        schema: {
          tags,
          summary,
          description,
          operationId: method === 'PUT' ? 'scimReplaceGroup' : 'scimPatchGroup',
          params,
          querystring: projectionQuery,
        },
        async handler(request, reply) {
          const scope = scopeOf(services, request)
          const id = idOf('group', request.params.id)
          const row = await change(scope, id, request.body, expectedVersion(request))
          scope.wake()
          return await sendChanged(scope, request, reply, 200, row)
        },
      })
    }

    app.delete(
      '/Groups/:id',
      {
        schema: { tags, summary: 'Delete a group', operationId: 'scimDeleteGroup', params },
      },
      async (request, reply) => {
        const scope = scopeOf(services, request)
        await deleteGroup(scope, idOf('group', request.params.id), expectedVersion(request))
        scope.wake()
        return reply.code(204).send()
      },
    )
  }
}

type Query = Pick<ListQuery, 'attributes' | 'excludedAttributes'>

async function sendChanged(
  scope: ScimScope,
  request: FastifyRequest<{ Querystring: Query }>,
  reply: FastifyReply,
  status: number,
  row: ScimGroupRow,
): Promise<FastifyReply> {
  void reply.header('etag', etagOf(row))
  return sendScim(reply, status, await textOf(scope, row, request.query, SHOWN_MEMBERS_MAX))
}

async function textOf(
  scope: ScimScope,
  row: ScimGroupRow,
  query: Query,
  membersMax: number,
): Promise<string | Buffer> {
  const projection = toProjection(groupType, query)
  const isShown = (projection?.keeps('members') ?? true) && row.member_count <= membersMax
  const members = isShown
    ? row.member_count === 0
      ? ''
      : await readMemberIds(scope.reading, row.id)
    : undefined
  return groupJson(row, scope.baseUrl, members, projection)
}
