import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { DirectoryError } from '../../directory/errors.ts'
import { getMember } from '../../directory/members/member.ts'
import { pageMembers } from '../../directory/members/member-positions.ts'
import { changeOthersLevel, removeNonOwner } from '../../directory/members/peers.ts'
import type { KeyScopeServices } from '../http/key-scope.ts'
import { moment, text } from '../http/wire-types.ts'
import { page, pageQuery, toPage, toPosition } from './lists.ts'
import { levelNumber, member, toLevel, toMember } from './user-wire.ts'
import { fromPath, organizationParams, reading, write } from './wire.ts'

const EMAIL_LENGTH_MAX = 1024
const SEARCH_LENGTH_MAX = 200
const ORDER_LENGTH_MAX = 100

/** Stands for the member that the key acts as. */
const ME = '@me'

const memberParams = organizationParams.extend({ user_uuid: z.string() })

/** The member of the path. @throws {DirectoryError} member.not_found */
function fromMemberPath(request: {
  actor: FastifyRequest['actor']
  params: z.infer<typeof memberParams>
}): string {
  const { user_uuid: asked } = request.params
  if (asked !== ME) return fromPath('member', asked)
  const id = request.actor.kind === 'api_key' ? request.actor.memberId : null
  if (id !== null) return id
  throw new DirectoryError('member.not_found', "The key is the organization's own: it acts as no member.")
}

const tags = ['PostHog: members']

export function memberRoutes(services: KeyScopeServices): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/:organization_id/members',
      {
        schema: {
          tags,
          summary: 'List members',
          operationId: 'posthogListMembers',
          params: organizationParams,
          querystring: pageQuery.extend({
            email: text(EMAIL_LENGTH_MAX, 0).optional(),
            search: text(SEARCH_LENGTH_MAX, 0).optional().describe('Part of a name or an address.'),
            updated_after: moment.optional(),
            order: text(ORDER_LENGTH_MAX, 0)
              .optional()
              .describe('`joined_at` or `-joined_at`, which is the default.'),
          }),
          response: { 200: page(member) },
        },
      },
      async (request) => {
        const context = reading(services, request)
        const { email, search, updated_after: updatedAfter, order } = request.query
        const filter = { email: email || null, search: search || null, updatedAfter: updatedAfter ?? null }
        const found = await pageMembers(context, filter, {
          ...toPosition(request.query),
          order: order === 'joined_at' ? 'asc' : 'desc',
        })
        return toPage(services, request, found.rows.map(toMember), found.count)
      },
    )

    app.get(
      '/:organization_id/members/:user_uuid',
      {
        schema: {
          tags,
          summary: 'Retrieve members',
          operationId: 'posthogRetrieveMember',
          params: memberParams,
          response: { 200: member },
        },
      },
      async (request) => {
        const row = await getMember(reading(services, request), fromMemberPath(request))
        if (row.status === 'removed') throw new DirectoryError('member.not_found', 'The member is removed.')
        return toMember(row)
      },
    )

    app.patch(
      '/:organization_id/members/:user_uuid',
      {
        schema: {
          tags,
          summary: 'Update members',
          operationId: 'posthogUpdateMember',
          params: memberParams,
          body: z.object({ level: levelNumber }),
          response: { 200: member },
        },
      },
      async (request) => {
        const id = fromMemberPath(request)
        const level = toLevel(request.body.level)
        return toMember(await write(services, request, (context) => changeOthersLevel(context, id, level)))
      },
    )

    app.delete(
      '/:organization_id/members/:user_uuid',
      {
        schema: {
          tags,
          summary: 'Delete members; a key that acts as the member leaves the organization',
          operationId: 'posthogDeleteMember',
          params: memberParams,
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const id = fromMemberPath(request)
        await write(services, request, (context) => removeNonOwner(context, id))
        return reply.code(204).send(null)
      },
    )
  }
}
