import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { DirectoryError } from '../../directory/errors.ts'
import { getMember } from '../../directory/members/member.ts'
import { inOrganization, type PlaneServices } from './scope.ts'
import { toUser, user } from './wire.ts'

export function userRoutes(services: PlaneServices): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/users/me',
      {
        schema: {
          tags: ['Plane: users'],
          summary: 'Get current user',
          operationId: 'planeGetCurrentUser',
          response: { 200: user.meta({ id: 'PlaneUser' }) },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        const memberId = request.actor.kind === 'api_key' ? request.actor.memberId : null
        if (memberId === null) {
          throw new DirectoryError('permission.denied', 'The key acts as its organization: it is no user.')
        }
        return toUser(await getMember(context, memberId))
      },
    )
  }
}
