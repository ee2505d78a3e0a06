import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import {
  createWorkspace,
  getWorkspace,
  listWorkspaces,
  updateWorkspace,
  type WorkspaceRow,
} from '../../directory/workspaces/workspace.ts'
import { metadata, moment, slug, text } from '../http/wire-types.ts'
import { expectedVersion, reading, type Services, setVersion, write } from './exchange.ts'
import { idCursor, orgParams, page, pageQuery, toId, toPage } from './wire.ts'

const NAME_LENGTH_MAX = 255
const SEATS_MAX = 1_000_000

const seats = z
  .number()
  .int('must be a whole number')
  .min(0, 'must be at least 0')
  .max(SEATS_MAX, `must be at most ${SEATS_MAX}`)

const workspace = z
  .object({
    object: z.literal('workspace'),
    id: z.string(),
    slug: z.string(),
    name: z.string(),
    purchased_seats: z.number().int().nullable(),
    metadata: z.record(z.string(), z.unknown()),
    created_at: moment,
    updated_at: moment,
  })
  .meta({ id: 'Workspace' })

function toWorkspace(row: WorkspaceRow): z.infer<typeof workspace> {
  return {
    object: 'workspace',
    id: toId('workspace', row.id),
    slug: row.slug,
    name: row.name,
    purchased_seats: row.purchased_seats,
    metadata: row.metadata,
    created_at: row.created_at,
    updated_at: row.updated_at,
  }
}

const tags = ['Workspaces']
const workspaceParams = orgParams.extend({ workspace: z.string() })

export function workspaceRoutes(services: Services): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()
    const renderTo = (reply: FastifyReply) => (row: WorkspaceRow) => {
      setVersion(reply, row.version)
      return toWorkspace(row)
    }

    app.post(
      '/workspaces',
      {
        schema: {
          tags,
          summary: 'Create a workspace',
          operationId: 'createWorkspace',
          params: orgParams,
          body: z.strictObject({
            name: text(NAME_LENGTH_MAX),
            slug,
            purchased_seats: seats.nullish(),
            metadata: metadata.default({}),
          }),
          response: { 201: workspace },
        },
      },
      async (request, reply) => {
        const { purchased_seats: purchasedSeats = null, ...input } = request.body
        return (await write(services, request, reply, { status: 201, render: renderTo(reply) }, (context) =>
          createWorkspace(context, { ...input, purchasedSeats }),
        )) as never
      },
    )

    app.get(
      '/workspaces',
      {
        schema: {
          tags,
          summary: 'List workspaces',
          operationId: 'listWorkspaces',
          params: orgParams,
          querystring: pageQuery,
          response: { 200: page(workspace) },
        },
      },
      async (request) => {
        const { limit, after } = request.query
        const rows = await listWorkspaces(reading(services, request), {
          afterId: idCursor(after),
          limit: limit + 1,
        })
        return toPage(rows, limit, toWorkspace, (row) => row.id)
      },
    )

    app.get(
      '/workspaces/:workspace',
      {
        schema: {
          tags,
          summary: 'Read a workspace by its slug',
          operationId: 'getWorkspace',
          params: workspaceParams,
          response: { 200: workspace },
        },
      },
      async (request, reply) =>
        renderTo(reply)(await getWorkspace(reading(services, request), request.params.workspace)),
    )

    app.patch(
      '/workspaces/:workspace',
      {
        schema: {
          tags,
          summary: 'Change fields of a workspace',
          operationId: 'updateWorkspace',
          params: workspaceParams,
          body: z.strictObject({
            name: text(NAME_LENGTH_MAX).optional(),
            purchased_seats: seats.nullish(),
            metadata: metadata.optional(),
          }),
          response: { 200: workspace },
        },
      },
      async (request, reply) => {
        const { purchased_seats: purchasedSeats, ...update } = request.body
        return (await write(services, request, reply, { status: 200, render: renderTo(reply) }, (context) =>
          updateWorkspace(
            context,
            request.params.workspace,
            { ...update, purchasedSeats },
            expectedVersion(request),
          ),
        )) as never
      },
    )
  }
}
