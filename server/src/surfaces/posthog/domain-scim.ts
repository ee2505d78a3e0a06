import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { createDomainScimToken, requireLinkedDomain } from '../../directory/domains/linked-domain.ts'
import {
  anyScimRequest,
  pageScimRequests,
  requireScimRequestAccess,
  type ScimRequestFilter,
  type StoredScimRequest,
} from '../../directory/scim/request.ts'
import type { KeyScopeServices } from '../http/key-scope.ts'
import { scimBaseUrl } from '../http/scim-address.ts'
import { moment, text } from '../http/wire-types.ts'
import { domainParams } from './domain-wire.ts'
import { numberedPageQuery, page, toNumberedPage, toNumberedPosition, wholeNumber } from './lists.ts'
import { fromPath, reading, write } from './wire.ts'

const SEARCH_LENGTH_MAX = 200
const STATUS_MAX = 999

const logEntry = z.object({
  id: z.string(),
  request_method: z.string(),
  request_path: z.string(),
  request_headers: z.record(z.string(), z.string()),
  request_body: z.unknown(),
  response_status: z.number().int(),
  response_body: z.unknown(),
  /** By what the client calls itself. */
  identity_provider: z.enum(['okta', 'entra_id', 'google', 'onelogin', 'other']),
  duration_ms: z.number().int(),
  created_at: moment,
})

function toLogEntry(row: StoredScimRequest): z.infer<typeof logEntry> {
  return {
    id: row.id,
    request_method: row.method,
    request_path: row.path,
    request_headers: row.headers,
    request_body: row.request_body,
    response_status: row.status,
    response_body: row.response_body,
    identity_provider: providerOf(row.headers['user-agent'] ?? ''),
    duration_ms: row.duration_ms,
    created_at: row.created_at,
  }
}

function providerOf(userAgent: string): z.infer<typeof logEntry>['identity_provider'] {
  if (/okta/i.test(userAgent)) return 'okta'
  if (/entra|microsoft/i.test(userAgent)) return 'entra_id'
  if (/google/i.test(userAgent)) return 'google'
  return /onelogin/i.test(userAgent) ? 'onelogin' : 'other'
}

const empty = (value: unknown) => (value === '' ? undefined : value)

const logQuery = numberedPageQuery.extend({
  status_min: wholeNumber(0, STATUS_MAX, 0),
  status_max: wholeNumber(0, STATUS_MAX, STATUS_MAX),
  search: z
    .preprocess(empty, text(SEARCH_LENGTH_MAX).optional())
    .describe('A text in the path or in the bodies, as they are shown.'),
  after: z.preprocess(empty, moment.optional()).describe('Answered at this moment or later.'),
  before: z.preprocess(empty, moment.optional()).describe('Answered before this moment.'),
})

function toFilter(query: z.infer<typeof logQuery>): ScimRequestFilter {
  const { status_min: min, status_max: max, search = null, after, before } = query
  return {
    ...anyScimRequest,
    status: min === 0 && max === STATUS_MAX ? null : { min, max },
    from: after === undefined ? null : new Date(after),
    to: before === undefined ? null : new Date(before),
    search,
  }
}

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
          description: 'What the SCIM client asked, the newest first. Values are masked.',
          operationId: 'posthogRetrieveDomainScimLogs',
          params: domainParams,
          querystring: logQuery,
          response: { 200: page(logEntry) },
        },
      },
      async (request) => {
        const context = reading(services, request)
        requireScimRequestAccess(context)
        const id = fromPath('domain', request.params.domain_id)
        const { provider } = await requireLinkedDomain(context, id)
        const position = toNumberedPosition(request.query)
        if (provider === null) return { count: 0, next: null, previous: null, results: [] }
        const filter = { ...toFilter(request.query), connectionId: provider.id }
        return toNumberedPage(
          services,
          request,
          await pageScimRequests(context, filter, position),
          toLogEntry,
        )
      },
    )
  }
}
