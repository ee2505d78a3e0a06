import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ACCESS_TOKEN_TTL_SECONDS, issueAccessToken } from '../../directory/api-keys/api-key.ts'
import { inOrganization, type KeyScopeServices } from '../http/key-scope.ts'

const ACCESS_TOKEN_PREFIX = 'vit_at_'

export function accessTokenRoutes(services: KeyScopeServices): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.post(
      '/access-tokens',
      {
        schema: {
          tags: ['Vitable: authentication'],
          summary: 'Exchange an API key for a short-lived access token',
          operationId: 'vitableCreateAccessToken',
          body: z.object({
            grant_type: z.literal('client_credentials', { error: 'must be client_credentials' }),
            bound_entity: z
              .null({ error: 'must be null: there are no employers and employees here to bind a token to' })
              .optional(),
          }),
          response: {
            200: z.object({
              access_token: z.string(),
              token_type: z.literal('Bearer'),
              expires_in: z.number().int(),
              bound_entity: z.null(),
            }),
          },
        },
      },
      async (request, reply) => {
        const token = await issueAccessToken(inOrganization(services, request.actor), ACCESS_TOKEN_PREFIX)
        void reply.header('cache-control', 'no-store')
        return {
          access_token: token,
          token_type: 'Bearer' as const,
          expires_in: ACCESS_TOKEN_TTL_SECONDS,
          bound_entity: null,
        }
      },
    )
  }
}
