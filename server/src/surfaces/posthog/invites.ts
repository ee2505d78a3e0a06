import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { DirectoryError } from '../../directory/errors.ts'
import {
  createInvitation,
  createInvitations,
  revokeInvitation,
} from '../../directory/invitations/invitation.ts'
import { pageOpenInvitations } from '../../directory/invitations/invitation-positions.ts'
import type { KeyScopeServices } from '../http/key-scope.ts'
import { invite, inviteFields, newInvite, toInvites, toNewInvitations } from './invite-wire.ts'
import { page, pageQuery, toPage, toPosition } from './lists.ts'
import { fromPath, organizationParams, reading, withFields, write } from './wire.ts'

/** In one call. */
const BULK_MAX = 20

const tags = ['PostHog: invites']

/** A refusal about one invite of several says which: `3__target_email`. */
async function withPlaces<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof DirectoryError)) throw error
    const [, place, field] = /^invitations\[(\d+)\](?:\.(.+))?$/.exec(error.details.field ?? '') ?? []
    if (place === undefined) throw error
    const { code, message } = error
    const inner = new DirectoryError(code, message, field === undefined ? {} : { field })
    return await withFields(inviteFields, () => Promise.reject(inner)).catch((renamed: unknown) => {
      const { field: named } = (renamed as DirectoryError).details
      if (named === undefined) throw renamed
      throw new DirectoryError(code, message, { field: `${place}.${named}` })
    })
  }
}

export function inviteRoutes(services: KeyScopeServices): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/:organization_id/invites',
      {
        schema: {
          tags,
          summary: 'List all invites',
          operationId: 'posthogListInvites',
          params: organizationParams,
          querystring: pageQuery,
          response: { 200: page(invite) },
        },
      },
      async (request) => {
        const context = reading(services, request)
        const found = await pageOpenInvitations(context, toPosition(request.query))
        const shown = await toInvites(context, found.rows)
        return toPage(services, request, shown, found.count)
      },
    )

    app.post(
      '/:organization_id/invites',
      {
        schema: {
          tags,
          summary: 'Create invites; a pending one of the same address is replaced',
          operationId: 'posthogCreateInvite',
          params: organizationParams,
          body: newInvite,
          response: { 201: invite },
        },
      },
      async (request, reply) => {
        const [shown] = await withFields(inviteFields, () =>
          write(services, request, async (context) => {
            const [input] = await toNewInvitations(context, [request.body])
            return await toInvites(context, [await createInvitation(context, input!)])
          }),
        )
        services.directory.wakeTasks()
        return reply.code(201).send(shown!)
      },
    )

    app.post(
      '/:organization_id/invites/bulk',
      {
        schema: {
          tags,
          summary: 'Create invites bulk: all of them or none',
          operationId: 'posthogCreateInvitesBulk',
          params: organizationParams,
          body: z.array(newInvite).max(BULK_MAX, `must have at most ${BULK_MAX} invites`),
          response: { 201: z.array(invite) },
        },
      },
      async (request, reply) => {
        const bodies = request.body
        // Nobody to invite is nothing to do.
        if (bodies.length === 0) {
          reading(services, request)
          return reply.code(201).send([])
        }
        const shown = await withPlaces(() =>
          write(services, request, async (context) =>
            toInvites(context, await createInvitations(context, await toNewInvitations(context, bodies))),
          ),
        )
        services.directory.wakeTasks()
        return reply.code(201).send(shown)
      },
    )

    app.delete(
      '/:organization_id/invites/:invite_id',
      {
        schema: {
          tags,
          summary: 'Delete invites',
          operationId: 'posthogDeleteInvite',
          params: organizationParams.extend({ invite_id: z.string() }),
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        await write(services, request, (context) =>
          revokeInvitation(context, fromPath('invite', request.params.invite_id)),
        )
        return reply.code(204).send(null)
      },
    )
  }
}
