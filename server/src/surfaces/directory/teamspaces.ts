import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import {
  createTeamspace,
  deleteTeamspace,
  getTeamspace,
  listTeamspaces,
  TEAMSPACE_NAME_LENGTH_MAX,
  type TeamspaceRow,
  updateTeamspace,
} from '../../directory/teamspaces/teamspace.ts'
import { requireWorkspace } from '../../directory/workspaces/workspace-members.ts'
import { document, moment, text } from '../http/wire-types.ts'
import { expectedVersion, reading, type Services, setVersion, write } from './exchange.ts'
import {
  fromId,
  fromIdField,
  idCursor,
  orgParams,
  page,
  pageQuery,
  preview,
  previewQuery,
  toId,
  toIdOrNull,
  toPage,
} from './wire.ts'

const freeData = z.record(z.string(), z.unknown())

const teamspace = z
  .object({
    object: z.literal('teamspace'),
    id: z.string(),
    workspace: z.string(),
    name: z.string(),
    /** A member of the workspace, who may say who is in the teamspace and on which projects. */
    lead: z.string().nullable(),
    /** As it was given: a rich text and its plain versions, or whatever the application keeps. */
    description: freeData,
    logo: freeData,
    created_at: moment,
    updated_at: moment,
  })
  .meta({ id: 'Teamspace' })

function toTeamspace(row: TeamspaceRow): z.infer<typeof teamspace> {
  return {
    object: 'teamspace',
    id: toId('teamspace', row.id),
    workspace: toId('workspace', row.workspace_id),
    name: row.name,
    lead: toIdOrNull('member', row.lead_id),
    description: row.description,
    logo: row.logo,
    created_at: row.created_at,
    updated_at: row.updated_at,
  }
}

/** The lead of a body; undefined stays, null is nobody. */
function fromLead(lead: string | null | undefined): string | null | undefined {
  return typeof lead === 'string' ? fromIdField('member', lead, 'lead') : lead
}

const tags = ['Teamspaces']
const workspaceParams = orgParams.extend({ workspace: z.string() })
export const teamspaceParams = workspaceParams.extend({ teamspace: z.string() })

/** The teamspaces of a workspace, by its slug. */
export function teamspaceRoutes(services: Services): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()
    const renderTo = (reply: FastifyReply) => (row: TeamspaceRow) => {
      setVersion(reply, row.version)
      return toTeamspace(row)
    }

    app.post(
      '/workspaces/:workspace/teamspaces',
      {
        schema: {
          tags,
          summary: 'Create a teamspace of a workspace',
          operationId: 'createTeamspace',
          params: workspaceParams,
          body: z.strictObject({
            name: text(TEAMSPACE_NAME_LENGTH_MAX),
            lead: z.string().nullish(),
            description: document.default({}),
            logo: document.default({}),
          }),
          response: { 201: teamspace },
        },
      },
      async (request, reply) => {
        const { lead, ...fields } = request.body
        const leadId = fromLead(lead) ?? null
        return (await write(
          services,
          request,
          reply,
          { status: 201, render: renderTo(reply) },
          async (context) => {
            const { id } = await requireWorkspace(context, request.params.workspace)
            return await createTeamspace(context, id, { ...fields, leadId })
          },
        )) as never
      },
    )

    app.get(
      '/workspaces/:workspace/teamspaces',
      {
        schema: {
          tags,
          summary: 'List the teamspaces of a workspace',
          operationId: 'listTeamspaces',
          params: workspaceParams,
          querystring: pageQuery,
          response: { 200: page(teamspace) },
        },
      },
      async (request) => {
        const { limit, after } = request.query
        const context = reading(services, request)
        const { id } = await requireWorkspace(context, request.params.workspace)
        const rows = await listTeamspaces(context, id, { afterId: idCursor(after), limit: limit + 1 })
        return toPage(rows, limit, toTeamspace, (row) => row.id)
      },
    )

    app.get(
      '/workspaces/:workspace/teamspaces/:teamspace',
      {
        schema: {
          tags,
          summary: 'Read a teamspace',
          operationId: 'getTeamspace',
          params: teamspaceParams,
          response: { 200: teamspace },
        },
      },
      async (request, reply) => {
        const teamspaceId = fromId('teamspace', request.params.teamspace)
        const context = reading(services, request)
        const { id } = await requireWorkspace(context, request.params.workspace)
        return renderTo(reply)(await getTeamspace(context, id, teamspaceId))
      },
    )

    app.patch(
      '/workspaces/:workspace/teamspaces/:teamspace',
      {
        schema: {
          tags,
          summary: 'Change fields of a teamspace; null takes the lead away',
          operationId: 'updateTeamspace',
          params: teamspaceParams,
          body: z.strictObject({
            name: text(TEAMSPACE_NAME_LENGTH_MAX).optional(),
            lead: z.string().nullish(),
            description: document.optional(),
            logo: document.optional(),
          }),
          response: { 200: teamspace },
        },
      },
      async (request, reply) => {
        const teamspaceId = fromId('teamspace', request.params.teamspace)
        const { lead, ...fields } = request.body
        const update = { ...fields, leadId: fromLead(lead) }
        return (await write(
          services,
          request,
          reply,
          { status: 200, render: renderTo(reply) },
          async (context) => {
            const { id } = await requireWorkspace(context, request.params.workspace)
            return await updateTeamspace(context, id, teamspaceId, update, expectedVersion(request))
          },
        )) as never
      },
    )

    app.delete(
      '/workspaces/:workspace/teamspaces/:teamspace',
      {
        schema: {
          tags,
          summary: 'Delete a teamspace: ends its memberships and its roles on projects',
          operationId: 'deleteTeamspace',
          params: teamspaceParams,
          querystring: previewQuery,
          response: { 200: preview, 204: z.null() },
        },
      },
      async (request, reply) => {
        const teamspaceId = fromId('teamspace', request.params.teamspace)
        return (await write(services, request, reply, { status: 204 }, async (context) => {
          const { id } = await requireWorkspace(context, request.params.workspace)
          await deleteTeamspace(context, id, teamspaceId, expectedVersion(request))
        })) as never
      },
    )
  }
}
