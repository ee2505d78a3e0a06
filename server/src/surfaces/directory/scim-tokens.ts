import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import {
  createScimToken,
  listScimTokens,
  revokeScimToken,
  type ScimTokenRow,
} from '../../directory/identity-providers/scim-token.ts'
import { moment } from '../http/wire-types.ts'
import { reading, type Services, write } from './exchange.ts'
import { identityProviderParams } from './identity-providers.ts'
import { fromId, idCursor, page, pageQuery, preview, previewQuery, toId, toPage } from './wire.ts'

export const scimToken = z
  .object({
    object: z.literal('scim_token'),
    id: z.string(),
    /** The first characters of the token. */
    hint: z.string(),
    created_at: moment,
    expires_at: moment.nullable(),
    /** To within 15 seconds. */
    last_used_at: moment.nullable(),
  })
  .meta({ id: 'ScimToken' })

export function toScimToken(row: ScimTokenRow): z.infer<typeof scimToken> {
  return {
    object: 'scim_token',
    id: toId('scimToken', row.id),
    hint: row.hint,
    created_at: row.created_at,
    expires_at: row.expires_at,
    last_used_at: row.last_used_at,
  }
}

const tags = ['Identity providers']

/** The tokens that an identity provider's SCIM client carries. */
export function scimTokenRoutes(services: Services): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.post(
      '/identity_providers/:identity_provider/scim_tokens',
      {
        schema: {
          tags,
          summary: 'Create a SCIM token; it is shown once. Two may work at a time, for a rotation',
          operationId: 'createScimToken',
          params: identityProviderParams,
          body: z
            .strictObject({
              expires_at: moment.nullish(),
              replace: z.boolean().default(false).describe('Revoke the ones before in the same change.'),
            })
            .nullish(),
          response: { 201: scimToken.extend({ token: z.string() }) },
        },
      },
      async (request, reply) => {
        const id = fromId('identityProvider', request.params.identity_provider)
        const { expires_at: expiresAt = null, replace = false } = request.body ?? {}
        return (await write(
          services,
          request,
          reply,
          {
            status: 201,
            secret: true,
            render: (made: { token: ScimTokenRow; secret: string }) => ({
              ...toScimToken(made.token),
              token: made.secret,
            }),
          },
          (context) => createScimToken(context, id, { expiresAt, replaces: replace }),
        )) as never
      },
    )

    app.get(
      '/identity_providers/:identity_provider/scim_tokens',
      {
        schema: {
          tags,
          summary: 'List the SCIM tokens that are not revoked, without their secrets',
          operationId: 'listScimTokens',
          params: identityProviderParams,
          querystring: pageQuery,
          response: { 200: page(scimToken) },
        },
      },
      async (request) => {
        const id = fromId('identityProvider', request.params.identity_provider)
        const { limit, after } = request.query
        const rows = await listScimTokens(reading(services, request), id, {
          afterId: idCursor(after),
          limit: limit + 1,
        })
        return toPage(rows, limit, toScimToken, (row) => row.id)
      },
    )

    app.delete(
      '/identity_providers/:identity_provider/scim_tokens/:scim_token',
      {
        schema: {
          tags,
          summary: 'Revoke a SCIM token: the next request with it is refused',
          operationId: 'revokeScimToken',
          params: identityProviderParams.extend({ scim_token: z.string() }),
          querystring: previewQuery,
          response: { 200: preview, 204: z.null() },
        },
      },
      async (request, reply) => {
        const provider = fromId('identityProvider', request.params.identity_provider)
        const id = fromId('scimToken', request.params.scim_token)
        return (await write(services, request, reply, { status: 204 }, (context) =>
          revokeScimToken(context, provider, id),
        )) as never
      },
    )
  }
}
