import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { DirectoryError } from '../../directory/errors.ts'
import { listText } from './lists.ts'
import { resourceTypeResources, schemaResources, serviceProviderConfig } from './protocol/discovery.ts'
import { ScimError } from './protocol/scim-error.ts'
import { type ScimServices, scopeOf, sendScim } from './scope.ts'

const tags = ['SCIM: discovery']
const params = z.object({ connection: z.string(), id: z.string() })
const query = z.looseObject({ filter: z.string().optional() })

const LISTS = [
  ['ResourceTypes', resourceTypeResources, 'the kinds of resources'],
  ['Schemas', schemaResources, 'the schemas of resources'],
] as const

/** What the service can do (RFC 7644 section 4). */
export function discoveryRoutes(services: ScimServices): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/ServiceProviderConfig',
      {
        schema: {
          tags,
          summary: 'Retrieve what the service can do',
          operationId: 'scimGetServiceProviderConfig',
          querystring: query,
        },
      },
      async (request, reply) => {
        refuseFilter(request.query.filter)
        const config = serviceProviderConfig(scopeOf(services, request).baseUrl)
        return sendScim(reply, 200, JSON.stringify(config))
      },
    )

    for (const [name, resources, what] of LISTS) {
      app.get(
        `/${name}`,
        {
          schema: { tags, summary: `List ${what}`, operationId: `scimList${name}`, querystring: query },
        },
        async (request, reply) => {
          refuseFilter(request.query.filter)
          const texts = resources(scopeOf(services, request).baseUrl).map((one) => JSON.stringify(one))
          const page = { total: texts.length, texts, startIndex: 1, next: undefined }
          return sendScim(reply, 200, listText(page))
        },
      )
      app.get(
        `/${name}/:id`,
        {
          schema: { tags, summary: `Retrieve one of ${what}`, operationId: `scimGetOneOf${name}`, params },
        },
        async (request, reply) => {
          const all: readonly { readonly id: string }[] = resources(scopeOf(services, request).baseUrl)
          const id = request.params.id.toLowerCase()
          const found = all.find((one) => one.id.toLowerCase() === id)
          if (found === undefined) {
            throw new DirectoryError('route.not_found', `There is none of ${what} with this id.`)
          }
          return sendScim(reply, 200, JSON.stringify(found))
        },
      )
    }
  }
}

/** Filters of what describes the service are forbidden (RFC 7644 section 4). */
function refuseFilter(filter: string | undefined): void {
  if (filter !== undefined) throw new ScimError(403, undefined, 'Discovery cannot be filtered.')
}
