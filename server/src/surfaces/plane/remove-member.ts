import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { applyChange } from '../../directory/changes/change.ts'
import { DirectoryError } from '../../directory/errors.ts'
import { removeEmailFromWorkspace } from '../../directory/workspaces/offboarding-by-email.ts'
import { text } from '../http/wire-types.ts'
import type { RouteRefusals } from './errors.ts'
import { inOrganization, type PlaneServices } from './scope.ts'
import { workspaceParams } from './wire.ts'

const EMAIL_LENGTH_MAX = 1024

/** What the vendor's page says of each refusal, in its words. */
const REFUSALS: RouteRefusals = {
  asView: true,
  texts: {
    'member.unchangeable_self':
      "Cannot remove yourself. You'll need leave the workspace from the application.",
    'member.outranks': 'Cannot remove a member with a higher role than yours.',
    'project.sole_admin': 'Member is the sole admin of one or more projects — promote another admin first.',
  },
}

export function removeMemberRoutes(services: PlaneServices): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.post(
      '/members/remove',
      {
        config: { planeRefusals: REFUSALS },
        schema: {
          tags: ['Plane: members'],
          summary: 'Remove workspace member',
          operationId: 'planeRemoveMember',
          params: workspaceParams,
          body: z
            .object({
              email: text(EMAIL_LENGTH_MAX, 0).nullish(),
              remove_seat: z.boolean().nullish(),
            })
            .nullish(),
          response: { 204: z.undefined() },
        },
      },
      async (request, reply) => {
        const { email, remove_seat: removeSeat } = request.body ?? {}
        if (email === undefined || email === null || email === '') {
          throw new DirectoryError('request.invalid', 'email field is required.')
        }
        const { id } = request.entered.workspace
        await applyChange(services.directory, inOrganization(services, request.actor), (context) =>
          removeEmailFromWorkspace(context, id, email, { removeSeat: removeSeat ?? false }),
        )
        return reply.code(204).send()
      },
    )
  }
}
