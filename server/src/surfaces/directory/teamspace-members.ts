import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import {
  addTeamspaceMembers,
  listTeamspaceMembers,
  removeTeamspaceMembers,
  TEAMSPACE_MEMBERS_MAX,
} from '../../directory/teamspaces/teamspace-members.ts'
import { requireWorkspace } from '../../directory/workspaces/workspace-members.ts'
import { moment } from '../http/wire-types.ts'
import { reading, type Services, write } from './exchange.ts'
import { groupMember, toGroupMember } from './group-members.ts'
import { fromIdSet, idSet, idSetQuery } from './id-set.ts'
import { teamspaceParams } from './teamspaces.ts'
import { fromId, idCursor, page, pageQuery, preview, previewQuery, toPage } from './wire.ts'

const members = idSet(TEAMSPACE_MEMBERS_MAX)

const tags = ['Teamspaces']

export function teamspaceMemberRoutes(services: Services): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/workspaces/:workspace/teamspaces/:teamspace/members',
      {
        schema: {
          tags,
          summary: 'List the members of a teamspace, each with what put them there',
          operationId: 'listTeamspaceMembers',
          params: teamspaceParams,
          querystring: pageQuery,
          response: { 200: page(groupMember) },
        },
      },
      async (request) => {
        const { limit, after } = request.query
        const teamspaceId = fromId('teamspace', request.params.teamspace)
        const context = reading(services, request)
        const { id } = await requireWorkspace(context, request.params.workspace)
        const place = { afterId: idCursor(after), limit: limit + 1 }
        const rows = await listTeamspaceMembers(context, id, teamspaceId, place)
        return toPage(rows, limit, toGroupMember, (row) => row.id)
      },
    )

    app.post(
      '/workspaces/:workspace/teamspaces/:teamspace/members',
      {
        schema: {
          tags,
          summary: 'Add members of the workspace to a teamspace, for good or until a moment',
          operationId: 'addTeamspaceMembers',
          params: teamspaceParams,
          querystring: previewQuery,
          body: z.strictObject({ members, expires_at: moment.nullish() }),
          response: {
            200: z.union([
              preview,
              z.object({
                object: z.literal('teamspace_members'),
                teamspace: z.string(),
                members: z.array(z.string()),
                /** Memberships that were not there before. */
                opened: z.number().int(),
              }),
            ]),
          },
        },
      },
      async (request, reply) => {
        const teamspaceId = fromId('teamspace', request.params.teamspace)
        const memberIds = fromIdSet('member', request.body.members, 'members')
        const render = ({ opened }: { opened: number }) => ({
          object: 'teamspace_members',
          teamspace: request.params.teamspace,
          members: request.body.members,
          opened,
        })
        return (await write(services, request, reply, { status: 200, render }, async (context) => {
          const { id } = await requireWorkspace(context, request.params.workspace)
          const until = request.body.expires_at ?? null
          return await addTeamspaceMembers(context, id, teamspaceId, memberIds, until)
        })) as never
      },
    )

    app.delete(
      '/workspaces/:workspace/teamspaces/:teamspace/members',
      {
        schema: {
          tags,
          summary:
            'Remove members from a teamspace, whatever put them there; the body or the query names them',
          operationId: 'removeTeamspaceMembers',
          params: teamspaceParams,
          querystring: previewQuery.extend({ member: idSetQuery }),
          body: z.strictObject({ members }).nullish(),
          response: { 200: preview, 204: z.null() },
        },
      },
      async (request, reply) => {
        const teamspaceId = fromId('teamspace', request.params.teamspace)
        const memberIds = fromIdSet('member', request.body?.members ?? request.query.member, 'members')
        return (await write(services, request, reply, { status: 204 }, async (context) => {
          const { id } = await requireWorkspace(context, request.params.workspace)
          await removeTeamspaceMembers(context, id, teamspaceId, memberIds)
        })) as never
      },
    )
  }
}
