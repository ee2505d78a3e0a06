import type { FastifyPluginAsync } from 'fastify'
import { ScimError } from './protocol/scim-error.ts'

/** Who authenticates is an identity provider, not a person: nobody is "me" (RFC 7644 section 3.11). */
export function meRoutes(): FastifyPluginAsync {
  return async (app) => {
    app.route({
      method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
      url: '/Me',
      schema: { hide: true },
      handler: async () => {
        throw new ScimError(
          501,
          undefined,
          'There is no /Me: a SCIM token stands for a connection, not for a user.',
        )
      },
    })
  }
}
