import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { createDomainScimToken, requireLinkedDomain } from '../../directory/domains/linked-domain.ts'
import { requireScimRequestAccess } from '../../directory/scim/request.ts'
import type { KeyScopeServices } from '../http/key-scope.ts'
import { moment } from '../http/wire-types.ts'
import { domainParams } from './domain-wire.ts'
import { numberedPageQuery, page } from './lists.ts'
import { scimBaseUrl } from './provider-wire.ts'
import { fromPath, reading, write } from './wire.ts'

const logEntry = z.object({
  id: z.string(),
  request_method: z.string(),
  request_path: z.string(),
  request_headers: z.record(z.string(), z.string()),
  request_body: z.unknown(),
  response_status: z.number().int(),
  response_body: z.unknown(),
  identity_provider: z.string(),
  duration_ms: z.number().int(),
  created_at: moment,
})

const tags = ['PostHog: domains']

/** The SCIM client of a domain's identity provider. */
export function domainScimRoutes(services: KeyScopeServices): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.post(
      '/:organization_id/domains/:domain_id/scim/token',
      {
        schema: {
          tags,
          summary: 'Create domains scim token',
          description: 'The token is shown once. The one before works on, so that a rotation has no gap.',
          operationId: 'posthogCreateDomainScimToken',
          params: domainParams,
          response: {
            200: z.object({
              scim_enabled: z.literal(true),
              scim_base_url: z.string(),
              scim_bearer_token: z.string(),
            }),
          },
        },
      },
      async (request) => {
        const id = fromPath('domain', request.params.domain_id)
        const { secret, provider } = await write(services, request, async (context) => {
          const made = await createDomainScimToken(context, id)
          return { ...made, ...(await requireLinkedDomain(context, id)) }
        })
        return {
          scim_enabled: true as const,
          scim_base_url: scimBaseUrl(services.directory.mailing, provider!.id),
          scim_bearer_token: secret,
        }
      },
    )

    app.get(
      '/:organization_id/domains/:domain_id/scim/logs',
      {
        schema: {
          tags,
          summary: 'Retrieve domains scim logs',
          description: 'Requests of the SCIM client. There is no SCIM server yet, so there are none.',
          operationId: 'posthogRetrieveDomainScimLogs',
          params: domainParams,
          querystring: numberedPageQuery,
          response: { 200: page(logEntry) },
        },
      },
      async (request) => {
        const context = reading(services, request)
        requireScimRequestAccess(context)
        await requireLinkedDomain(context, fromPath('domain', request.params.domain_id))
        return { count: 0, next: null, previous: null, results: [] }
      },
    )
  }
}
