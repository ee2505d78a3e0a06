import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { applyChange } from '../../directory/changes/change.ts'
import {
  createTeamspace,
  deleteTeamspace,
  getTeamspace,
  pageTeamspaces,
  TEAMSPACE_NAME_LENGTH_MAX,
  type TeamspaceRow,
  updateTeamspace,
} from '../../directory/teamspaces/teamspace.ts'
import { document, moment, text } from '../http/wire-types.ts'
import type { RouteRefusals } from './errors.ts'
import { envelope, pageQuery, positionOf, readPage, toEnvelope } from './pages.ts'
import { inOrganization, type PlaneServices } from './scope.ts'
import { fromPlaneId, uuid, workspaceParams } from './wire.ts'

/** The vendor's own for these lists. */
export const TEAMSPACE_PAGE_SIZE = 20
const DESCRIPTION_LENGTH_MAX = 100_000

const anything = z.record(z.string(), z.unknown())

const teamspace = z
  .object({
    id: z.string(),
    name: z.string(),
    description_json: anything,
    description_html: z.string(),
    description_stripped: z.string(),
    description_binary: z.string().nullable(),
    logo_props: anything,
    /** A user's id. */
    lead: z.string().nullable(),
    workspace: z.string(),
    created_at: moment,
    updated_at: moment,
    deleted_at: z.null(),
    created_by: z.null(),
    updated_by: z.null(),
  })
  .meta({ id: 'PlaneTeamspace' })

/** The forms of a description, by what the directory keeps each under. */
const described = {
  json: 'description_json',
  html: 'description_html',
  stripped: 'description_stripped',
  binary: 'description_binary',
} as const

function toTeamspace(row: TeamspaceRow): z.infer<typeof teamspace> {
  const { json, html, stripped, binary } = row.description
  const shown = typeof html === 'string' ? html : ''
  // Behind the last end of a tag there is none: nothing looks for one there.
  const tagged = shown.lastIndexOf('>') + 1
  const bare = shown.slice(0, tagged).replace(/<[^>]*>/g, '') + shown.slice(tagged)
  return {
    id: row.id,
    name: row.name,
    description_json: anything.safeParse(json).data ?? {},
    description_html: shown,
    description_stripped: typeof stripped === 'string' ? stripped : bare.trim(),
    description_binary: typeof binary === 'string' ? binary : null,
    logo_props: row.logo,
    lead: row.lead_id,
    workspace: row.workspace_id,
    created_at: row.created_at,
    updated_at: row.updated_at,
    deleted_at: null,
    created_by: null,
    updated_by: null,
  }
}

const fields = {
  description_json: document.nullish(),
  description_html: text(DESCRIPTION_LENGTH_MAX, 0).nullish(),
  description_stripped: text(DESCRIPTION_LENGTH_MAX, 0).nullish(),
  description_binary: text(DESCRIPTION_LENGTH_MAX, 0).nullish(),
  logo_props: document.nullish(),
  lead: uuid.nullish(),
}

const newTeamspace = z.object({ name: text(TEAMSPACE_NAME_LENGTH_MAX), ...fields })
const teamspaceUpdate = z.object({ name: text(TEAMSPACE_NAME_LENGTH_MAX).nullish(), ...fields }).nullish()

/** A description with what a body states of it; null takes a form away. */
function withStated(
  before: Readonly<Record<string, unknown>>,
  body: z.infer<typeof newTeamspace> | NonNullable<z.infer<typeof teamspaceUpdate>>,
): Record<string, unknown> {
  const stated = Object.entries(described).flatMap(([key, name]) =>
    body[name] === undefined ? [] : [[key, body[name]] as const],
  )
  // Another text in one form leaves those behind that say the old one.
  const kept = stated.length === 0 ? before : {}
  return Object.fromEntries([...Object.entries(kept), ...stated].filter(([, value]) => value !== null))
}

/** A lead who is not in the workspace is a wrong value. */
const LEAD: RouteRefusals = { answers: { 'workspace.not_member': [400, 'field'] } }

const tags = ['Plane: teamspaces']
export const teamspaceParams = workspaceParams.extend({ teamspace_id: z.string() })

export function teamspaceRoutes(services: PlaneServices): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/teamspaces',
      {
        schema: {
          tags,
          summary: 'List teamspaces',
          operationId: 'planeListTeamspaces',
          params: workspaceParams,
          querystring: pageQuery,
          response: { 200: envelope(teamspace) },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        const page = readPage(request.query, TEAMSPACE_PAGE_SIZE)
        const { offset, limit } = positionOf(page)
        const found = await pageTeamspaces(context, request.entered.workspace.id, offset, limit)
        return toEnvelope(page, found, toTeamspace)
      },
    )

    app.post(
      '/teamspaces',
      {
        config: { planeRefusals: LEAD },
        schema: {
          tags,
          summary: 'Create teamspace',
          operationId: 'planeCreateTeamspace',
          params: workspaceParams,
          body: newTeamspace,
          response: { 201: teamspace },
        },
      },
      async (request, reply) => {
        const { body, entered } = request
        const input = {
          name: body.name,
          leadId: body.lead ?? null,
          description: withStated({}, body),
          logo: body.logo_props ?? {},
        }
        const row = await applyChange(
          services.directory,
          inOrganization(services, request.actor),
          (context) => createTeamspace(context, entered.workspace.id, input),
        )
        return reply.code(201).send(toTeamspace(row))
      },
    )

    app.get(
      '/teamspaces/:teamspace_id',
      {
        schema: {
          tags,
          summary: 'Retrieve teamspace',
          operationId: 'planeRetrieveTeamspace',
          params: teamspaceParams,
          response: { 200: teamspace },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        const id = fromPlaneId('teamspace', request.params.teamspace_id)
        return toTeamspace(await getTeamspace(context, request.entered.workspace.id, id))
      },
    )

    app.patch(
      '/teamspaces/:teamspace_id',
      {
        config: { planeRefusals: LEAD },
        schema: {
          tags,
          summary: 'Update teamspace',
          operationId: 'planeUpdateTeamspace',
          params: teamspaceParams,
          body: teamspaceUpdate,
          response: { 200: teamspace },
        },
      },
      async (request) => {
        const body = request.body ?? {}
        const workspaceId = request.entered.workspace.id
        const id = fromPlaneId('teamspace', request.params.teamspace_id)
        const row = await applyChange(
          services.directory,
          inOrganization(services, request.actor),
          async (context) => {
            const before = await getTeamspace(context, workspaceId, id)
            return await updateTeamspace(context, workspaceId, id, {
              name: body.name ?? undefined,
              leadId: body.lead,
              description: withStated(before.description, body),
              logo: body.logo_props === null ? {} : body.logo_props,
            })
          },
        )
        return toTeamspace(row)
      },
    )

    app.delete(
      '/teamspaces/:teamspace_id',
      {
        schema: {
          tags,
          summary: 'Delete teamspace',
          operationId: 'planeDeleteTeamspace',
          params: teamspaceParams,
          response: { 204: z.undefined() },
        },
      },
      async (request, reply) => {
        const id = fromPlaneId('teamspace', request.params.teamspace_id)
        const workspaceId = request.entered.workspace.id
        await applyChange(services.directory, inOrganization(services, request.actor), (context) =>
          deleteTeamspace(context, workspaceId, id),
        )
        return reply.code(204).send()
      },
    )
  }
}
