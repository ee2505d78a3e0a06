import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { leaveWorkspace, removeFromWorkspace } from '../../directory/workspaces/offboarding.ts'
import { readSeats } from '../../directory/workspaces/seats.ts'
import {
  listWorkspaceMembers,
  requireWorkspace,
  type WorkspaceMember,
} from '../../directory/workspaces/workspace-members.ts'
import { setWorkspaceRole } from '../../directory/workspaces/workspace-role.ts'
import { moment, queryFlag } from '../http/wire-types.ts'
import { reading, type Services, write } from './exchange.ts'
import {
  fromId,
  fromIdField,
  idCursor,
  orgParams,
  page,
  pageQuery,
  preview,
  previewQuery,
  roleRef,
  shownName,
  toId,
  toPage,
  toRoleRef,
} from './wire.ts'

const workspaceMember = z
  .object({
    object: z.literal('workspace_member'),
    id: z.string(),
    email: z.string().nullable(),
    display_name: z.string().nullable(),
    status: z.enum(['active', 'suspended', 'removed']),
    /** The highest of the roles it has there, its own or a group's. */
    role: roleRef,
    since: moment,
  })
  .meta({ id: 'WorkspaceMember' })

function toWorkspaceMember({ member, role, since }: WorkspaceMember): z.infer<typeof workspaceMember> {
  return {
    object: 'workspace_member',
    id: toId('member', member.id),
    email: member.email,
    display_name: shownName(member),
    status: member.status,
    role: toRoleRef({ id: role.role_id, key: role.role_key, name: role.role_name }),
    since,
  }
}

const seats = z
  .object({
    object: z.literal('seats'),
    /** Null: no limit. */
    purchased: z.number().int().nullable(),
    /** Active members with a role on the workspace other than guest. */
    used: z.number().int(),
    guests: z.number().int(),
  })
  .meta({ id: 'Seats' })

const tags = ['Workspace members']
const workspaceParams = orgParams.extend({ workspace: z.string() })
const memberParams = workspaceParams.extend({ member: z.string() })

export function workspaceMemberRoutes(services: Services): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/workspaces/:workspace/members',
      {
        schema: {
          tags,
          summary: 'List the members of a workspace: who has a role on it, directly or through a group',
          operationId: 'listWorkspaceMembers',
          params: workspaceParams,
          querystring: pageQuery,
          response: { 200: page(workspaceMember) },
        },
      },
      async (request) => {
        const { limit, after } = request.query
        const context = reading(services, request)
        const { id } = await requireWorkspace(context, request.params.workspace)
        const rows = await listWorkspaceMembers(context, id, { afterId: idCursor(after), limit: limit + 1 })
        return toPage(rows, limit, toWorkspaceMember, (row) => row.member.id)
      },
    )

    app.get(
      '/workspaces/:workspace/seats',
      {
        schema: {
          tags,
          summary: 'How many seats of a workspace are purchased and taken',
          operationId: 'readSeats',
          params: workspaceParams,
          response: { 200: seats },
        },
      },
      async (request) => {
        const found = await readSeats(reading(services, request), request.params.workspace)
        return { object: 'seats' as const, ...found }
      },
    )

    app.put(
      '/workspaces/:workspace/members/:member/role',
      {
        schema: {
          tags,
          summary:
            'Set the role of a member of a workspace; guests keep on its projects what guests may have',
          operationId: 'setWorkspaceRole',
          params: memberParams,
          querystring: previewQuery,
          body: z.strictObject({ role: z.string() }),
          response: { 200: z.union([workspaceMember, preview]) },
        },
      },
      async (request, reply) => {
        const memberId = fromId('member', request.params.member)
        const roleId = fromIdField('role', request.body.role, 'role')
        const { id } = await requireWorkspace(reading(services, request), request.params.workspace)
        const options = { status: 200, render: toWorkspaceMember } as const
        return (await write(services, request, reply, options, (context) =>
          setWorkspaceRole(context, id, memberId, roleId),
        )) as never
      },
    )

    app.delete(
      '/workspaces/:workspace/members/:member',
      {
        schema: {
          tags,
          summary: 'Take a member out of a workspace, with everything it has there',
          operationId: 'removeWorkspaceMember',
          params: memberParams,
          querystring: previewQuery.extend({
            remove_seat: queryFlag.describe('Lower the purchased seats by one, if one is then unused.'),
          }),
          response: { 200: preview, 204: z.null() },
        },
      },
      async (request, reply) => {
        const memberId = fromId('member', request.params.member)
        const { id } = await requireWorkspace(reading(services, request), request.params.workspace)
        const removeSeat = request.query.remove_seat
        return (await write(services, request, reply, { status: 204 }, (context) =>
          removeFromWorkspace(context, id, memberId, { removeSeat }),
        )) as never
      },
    )

    app.post(
      '/workspaces/:workspace/leave',
      {
        schema: {
          tags,
          summary: 'Leave a workspace, with a key that acts as a member',
          operationId: 'leaveWorkspace',
          params: workspaceParams,
          querystring: previewQuery,
          response: { 200: preview, 204: z.null() },
        },
      },
      async (request, reply) => {
        const { id } = await requireWorkspace(reading(services, request), request.params.workspace)
        return (await write(services, request, reply, { status: 204 }, (context) =>
          leaveWorkspace(context, id),
        )) as never
      },
    )
  }
}
