import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import {
  type ConnectionWithHealth,
  getScimConnection,
  listScimConnections,
} from '../../directory/scim/connection-page.ts'
import { scimBaseUrl } from '../http/scim-address.ts'
import { moment } from '../http/wire-types.ts'
import { reading, type Services } from './exchange.ts'
import { scimToken, toScimToken } from './scim-tokens.ts'
import { fromId, idCursor, orgParams, page, pageQuery, toId, toPage } from './wire.ts'

const scimConnection = z
  .object({
    object: z.literal('scim_connection'),
    /** Of the identity provider. */
    id: z.string(),
    name: z.string(),
    enabled: z.boolean(),
    /** What the identity provider is told as its SCIM address. */
    base_url: z.string(),
    tokens: z.array(scimToken),
    health: z.object({
      last_request_at: moment.nullable(),
      last_success_at: moment.nullable(),
      last_error: z
        .object({
          at: moment,
          status: z.number().int(),
          scim_type: z.string().nullable(),
          /** Without the values of the request. */
          reason: z.string().nullable(),
          /** What to do about it. */
          advice: z.string(),
        })
        .nullable(),
      requests_last_24_hours: z.object({
        succeeded: z.number().int(),
        /** 4xx. */
        refused: z.number().int(),
        /** 5xx. */
        failed: z.number().int(),
      }),
    }),
  })
  .meta({ id: 'ScimConnection' })

const scimConnectionInFull = scimConnection
  .extend({
    provisioned: z.object({
      users: z.object({ active: z.number().int(), inactive: z.number().int() }),
      groups: z.number().int(),
      drift: z.object({
        /** Memberships that are asserted and not given. */
        missing: z.number().int(),
        /** Memberships that are given and not asserted any more: a plan is held. */
        held: z.number().int(),
      }),
    }),
  })
  .meta({ id: 'ScimConnectionInFull' })

const tags = ['SCIM connections']

/** Identity providers as the SCIM clients that they are. */
export function scimConnectionRoutes(services: Services): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    function toScimConnection({ id, name, isEnabled, tokens, health }: ConnectionWithHealth) {
      const { lastError: error } = health
      return {
        object: 'scim_connection' as const,
        id: toId('identityProvider', id),
        ...{ name, enabled: isEnabled },
        base_url: scimBaseUrl(services.directory.mailing, id),
        tokens: tokens.map(toScimToken),
        health: {
          last_request_at: health.lastRequestAt,
          last_success_at: health.lastSuccessAt,
          last_error: error && {
            ...{ at: error.at, status: error.status, scim_type: error.scimType },
            ...{ reason: error.reason, advice: error.advice },
          },
          requests_last_24_hours: health.requests,
        },
      }
    }

    app.get(
      '/scim_connections',
      {
        schema: {
          tags,
          summary: 'List the identity providers that provision through SCIM, with their health',
          operationId: 'listScimConnections',
          params: orgParams,
          querystring: pageQuery,
          response: { 200: page(scimConnection) },
        },
      },
      async (request) => {
        const { limit, after } = request.query
        const connections = await listScimConnections(reading(services, request), {
          afterId: idCursor(after),
          limit: limit + 1,
        })
        return toPage(connections, limit, toScimConnection, ({ id }) => id)
      },
    )

    app.get(
      '/scim_connections/:identity_provider',
      {
        schema: {
          tags,
          summary:
            'Read a SCIM connection: its tokens without their secrets, its health, what it has provisioned',
          operationId: 'getScimConnection',
          params: orgParams.extend({ identity_provider: z.string() }),
          response: { 200: scimConnectionInFull },
        },
      },
      async (request) => {
        const id = fromId('identityProvider', request.params.identity_provider)
        const connection = await getScimConnection(reading(services, request), id)
        return { ...toScimConnection(connection), provisioned: connection.provisioned }
      },
    )
  }
}
