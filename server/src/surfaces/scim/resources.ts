import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Endpoint, Versioned } from './endpoint.ts'
import { listText } from './lists.ts'
import { idOf } from './path-id.ts'
import { expectedVersion, isKnown } from './preconditions.ts'
import { type ListQuery, listQuery, projectionQuery, toProjection } from './query.ts'
import { etagOf } from './resource-text.ts'
import { type ScimServices, scopeOf, sendScim } from './scope.ts'

const params = z.object({ connection: z.string(), id: z.string() })

const descriptions = {
  user: {
    list: 'Filter, sort and page users of the connection; `count` is 100 by default and 1,000 at most.',
    post: 'Makes a member of the organization, or takes over the one with the same address if its domain is verified.',
    get: 'With the groups it is in.',
    put: 'What the body leaves out is cleared; `active` stays as it is.',
    delete: 'Removes the member from the organization and ends all it has.',
  },
  group: {
    list: 'With their members, unless these are excluded; a page may have fewer groups than asked for where they are large.',
    post: 'Makes a group that the connection manages.',
    get: 'Without `members`, they are not looked at: the read costs the same for every group.',
    put: 'Its members become those of the body.',
    delete: 'Ends what its members had by it.',
  },
} as const

type Query = Pick<ListQuery, 'attributes' | 'excludedAttributes'>

/** The routes of one kind of resource (RFC 7644 section 3). */
export function resourceRoutes<Row extends Versioned>(
  services: ScimServices,
  endpoint: Endpoint<Row>,
): FastifyPluginAsync {
  const { kind, type } = endpoint
  const { name, endpoint: path } = type
  const tags = [`SCIM: ${kind}s`]
  const described = descriptions[kind]

  async function answer(
    request: FastifyRequest<{ Querystring: Query }>,
    reply: FastifyReply,
    status: number,
    row: Row,
    isChanged: boolean,
  ): Promise<FastifyReply> {
    void reply.header('etag', etagOf(row))
    const json = await endpoint.json(
      scopeOf(services, request),
      row,
      toProjection(type, request.query),
      isChanged,
    )
    return sendScim(reply, status, json)
  }

  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      path,
      {
        schema: {
          ...{ tags, summary: `List ${kind}s`, description: described.list },
          operationId: `scimList${name}s`,
          querystring: listQuery,
        },
      },
      async (request, reply) => {
        const page = await endpoint.list(scopeOf(services, request), request.query)
        return sendScim(reply, 200, listText(page))
      },
    )

    app.post(
      path,
      {
        schema: {
          ...{ tags, summary: `Create a ${kind}`, description: described.post },
          operationId: `scimCreate${name}`,
          querystring: projectionQuery,
        },
      },
      async (request, reply) => {
        const scope = scopeOf(services, request)
        const row = await endpoint.post(scope, request.body)
        request.scimCreatedId = row.id
        void reply.header('location', endpoint.url(scope.baseUrl, row.id))
        return await answer(request, reply, 201, row, true)
      },
    )

    app.get(
      `${path}/:id`,
      {
        schema: {
          ...{ tags, summary: `Retrieve a ${kind}`, description: described.get },
          operationId: `scimGet${name}`,
          params,
          querystring: projectionQuery,
        },
      },
      async (request, reply) => {
        const row = await endpoint.get(scopeOf(services, request), idOf(kind, request.params.id))
        if (isKnown(request, etagOf(row))) return reply.code(304).header('etag', etagOf(row)).send()
        return await answer(request, reply, 200, row, false)
      },
    )

    const changes = [
      ['PUT', endpoint.put, 'Replace', described.put],
      ['PATCH', endpoint.patch, 'Change', 'All operations, in their order, or none.'],
    ] as const
    for (const [method, change, verb, description] of changes) {
      app.route({
        method,
        url: `${path}/:id`,
        schema: {
          ...{ tags, summary: `${verb} a ${kind}`, description },
          operationId: `scim${method === 'PUT' ? 'Replace' : 'Patch'}${name}`,
          params,
          querystring: projectionQuery,
        },
        async handler(request, reply) {
          const id = idOf(kind, request.params.id)
          const scope = scopeOf(services, request)
          const row = await change(scope, id, request.body, expectedVersion(request))
          return await answer(request, reply, 200, row, true)
        },
      })
    }

    app.delete(
      `${path}/:id`,
      {
        schema: {
          ...{ tags, summary: `Delete a ${kind}`, description: described.delete },
          operationId: `scimDelete${name}`,
          params,
        },
      },
      async (request, reply) => {
        const id = idOf(kind, request.params.id)
        await endpoint.delete(scopeOf(services, request), id, expectedVersion(request))
        return reply.code(204).send()
      },
    )
  }
}
