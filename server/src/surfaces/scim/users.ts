import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { getScimUser, type ScimUserRow } from '../../directory/scim/user.ts'
import { listText, listUsers } from './lists.ts'
import { idOf } from './path-id.ts'
import { expectedVersion, isKnown } from './preconditions.ts'
import { userType } from './protocol/registry.ts'
import { listQuery, projectionQuery, toProjection } from './query.ts'
import { etagOf, userText, userUrl } from './resource-text.ts'
import { type ScimServices, scopeOf, sendScim } from './scope.ts'
import { deleteUser, patchUserById, postUser, putUser } from './user-operations.ts'

const params = z.object({ connection: z.string(), id: z.string() })
const tags = ['SCIM: users']

export function userRoutes(services: ScimServices): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/Users',
      {
        schema: {
          tags,
          summary: 'List users',
          description:
            'Filter, sort and page users of the connection; `count` is 100 by default and 1,000 at most.',
          operationId: 'scimListUsers',
          querystring: listQuery,
        },
      },
      async (request, reply) => {
        const page = await listUsers(scopeOf(services, request), request.query)
        return sendScim(reply, 200, listText(page))
      },
    )

    app.post(
      '/Users',
      {
        schema: {
          tags,
          summary: 'Create a user',
          description:
            'Makes a member of the organization, or takes over the one with the same address if its domain is verified.',
          operationId: 'scimCreateUser',
          querystring: projectionQuery,
        },
      },
      async (request, reply) => {
        const scope = scopeOf(services, request)
        const row = await postUser(scope, request.body)
        request.scimCreatedId = row.id
        void reply.headers({ location: userUrl(scope.baseUrl, row.id), etag: etagOf(row) })
        return sendScim(reply, 201, userText(row, scope.baseUrl, toProjection(userType, request.query)))
      },
    )

    app.get(
      '/Users/:id',
      {
        schema: {
          tags,
          summary: 'Retrieve a user',
          operationId: 'scimGetUser',
          params,
          querystring: projectionQuery,
        },
      },
      async (request, reply) => {
        const scope = scopeOf(services, request)
        const row = await getScimUser(scope.reading, idOf('user', request.params.id))
        void reply.header('etag', etagOf(row))
        if (isKnown(request, etagOf(row))) return reply.code(304).send()
        return sendScim(reply, 200, userText(row, scope.baseUrl, toProjection(userType, request.query)))
      },
    )

    const changes = [
      ['PUT', putUser, 'Replace a user', 'What the body leaves out is cleared; `active` stays as it is.'],
      ['PATCH', patchUserById, 'Change a user', 'All operations, in their order, or none.'],
    ] as const
    for (const [method, change, summary, description] of changes) {
      app.route({
        method,
        url: '/Users/:id',
        schema: {
          tags,
          summary,
          description,
          operationId: method === 'PUT' ? 'scimReplaceUser' : 'scimPatchUser',
          params,
          querystring: projectionQuery,
        },
        async handler(request, reply) {
          const scope = scopeOf(services, request)
          const id = idOf('user', request.params.id)
          const row: ScimUserRow = await change(scope, id, request.body, expectedVersion(request))
          void reply.header('etag', etagOf(row))
          return sendScim(reply, 200, userText(row, scope.baseUrl, toProjection(userType, request.query)))
        },
      })
    }

    app.delete(
      '/Users/:id',
      {
        schema: {
          tags,
          summary: 'Delete a user',
          description: 'Removes the member from the organization and ends all it has.',
          operationId: 'scimDeleteUser',
          params,
        },
      },
      async (request, reply) => {
        const id = idOf('user', request.params.id)
        await deleteUser(scopeOf(services, request), id, expectedVersion(request))
        return reply.code(204).send()
      },
    )
  }
}
