import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { applyChange } from '../../directory/changes/change.ts'
import {
  createMapping,
  findProjectMapping,
  getMapping,
  listMappings,
  type MappingRow,
  type NewMapping,
  removeMapping,
  updateMapping,
} from '../../directory/group-sync/mappings.ts'
import { text } from '../http/wire-types.ts'
import type { RouteRefusals } from './errors.ts'
import {
  type MappingBody,
  mappingUpdate,
  newMapping,
  projectMapping,
  requireStated,
  toMappingFields,
  toProjectMapping,
  toWorkspaceMapping,
  workspaceMapping,
} from './mapping-wire.ts'
import { inOrganization, type PlaneServices, shownTo } from './scope.ts'
import { fromPlaneId, workspaceParams } from './wire.ts'

/** The vendor's lists have no pages: this is more than there are groups. */
const LIST_MAX = 100_000
const IDENTIFIER_LENGTH_MAX = 255

/** A project that is not there is a wrong value of a body. */
const REFUSALS: RouteRefusals = {
  asView: true,
  answers: { 'project.not_found': [400, 'field'], 'permission.denied': [403, 'detail'] },
  fields: { 'project.not_found': 'project' },
}

const lists = [
  {
    list: 'workspace',
    path: '/group-sync/workspace-mappings',
    noun: 'WorkspaceMapping',
    shape: workspaceMapping,
    render: toWorkspaceMapping,
    parameter: 'workspace_mapping_id',
  },
  {
    list: 'projects',
    path: '/group-sync/project-mappings',
    noun: 'ProjectMapping',
    shape: projectMapping,
    render: toProjectMapping,
    parameter: 'project_mapping_id',
  },
] as const

const tags = ['Plane: group sync']

/** What groups of the identity provider stand for: a list for the workspace, and one for its projects. */
export function mappingRoutes(services: PlaneServices): FastifyPluginAsync {
  return async (app) => {
    for (const one of lists) await app.register(routesOf(services, one))
    await app.register(byKeyRoute(services))
  }
}

function routesOf(services: PlaneServices, one: (typeof lists)[number]): FastifyPluginAsync {
  const { list, path, noun, parameter } = one
  const shape = one.shape as z.ZodType
  const render = one.render as (row: MappingRow, sent?: string) => object
  const params = workspaceParams.extend({ [parameter]: z.string() })
  // Each list has a parameter of its own: an id of one is unknown in the other.
  const mappingOf = (request: FastifyRequest) =>
    fromPlaneId('mapping', (request.params as Record<string, string>)[parameter]!)
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      path,
      {
        schema: {
          tags,
          summary: `List ${list} mappings`,
          operationId: `planeList${noun}s`,
          params: workspaceParams,
          querystring: z.object({ project_identifier: text(IDENTIFIER_LENGTH_MAX, 0).optional() }),
          response: { 200: z.array(shape) },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        const { project_identifier: identifier } = request.query
        const isNarrowed = list === 'projects' && identifier !== undefined
        const rows = await listMappings(context, request.entered.workspace.id, list, {
          afterId: null,
          limit: LIST_MAX,
          project: isNarrowed ? { identifier } : null,
        })
        return rows.map((row) => render(row))
      },
    )

    app.post(
      path,
      {
        config: { planeRefusals: REFUSALS },
        schema: {
          tags,
          summary: `Create ${list} mapping`,
          operationId: `planeCreate${noun}`,
          params: workspaceParams,
          body: newMapping[list] as z.ZodType<MappingBody>,
          response: { 201: shape },
        },
      },
      async (request, reply) => {
        const row = await applyChange(
          services.directory,
          inOrganization(services, request.actor),
          async (context) => {
            // The schema requires each of them.
            const input = (await toMappingFields(context, shownTo(request), list, request.body)) as NewMapping
            return await createMapping(context, request.entered.workspace.id, input)
          },
        )
        return reply.code(201).send(render(row, request.body.role))
      },
    )

    app.get(
      `${path}/:${parameter}`,
      {
        schema: {
          tags,
          summary: `Retrieve ${list} mapping`,
          operationId: `planeRetrieve${noun}`,
          params,
          response: { 200: shape },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        return render(await getMapping(context, request.entered.workspace.id, list, mappingOf(request)))
      },
    )

    app.patch(
      `${path}/:${parameter}`,
      {
        config: { planeRefusals: REFUSALS },
        schema: {
          tags,
          summary: `Update ${list} mapping`,
          operationId: `planeUpdate${noun}`,
          params,
          body: mappingUpdate[list] as z.ZodType<MappingBody | null | undefined>,
          response: { 200: shape },
        },
      },
      async (request) => {
        const id = mappingOf(request)
        const { id: workspaceId } = request.entered.workspace
        const row = await applyChange(
          services.directory,
          inOrganization(services, request.actor),
          async (context) => {
            const before = await getMapping(context, workspaceId, list, id)
            const body = requireStated(request.body)
            const update = await toMappingFields(context, shownTo(request), list, body, before)
            return await updateMapping(context, workspaceId, list, id, update)
          },
        )
        return render(row, request.body?.role)
      },
    )

    app.delete(
      `${path}/:${parameter}`,
      {
        schema: {
          tags,
          summary: `Delete ${list} mapping`,
          operationId: `planeDelete${noun}`,
          params,
          response: { 204: z.undefined() },
        },
      },
      async (request, reply) => {
        const { id: workspaceId } = request.entered.workspace
        await applyChange(services.directory, inOrganization(services, request.actor), (context) =>
          removeMapping(context, workspaceId, list, mappingOf(request)),
        )
        return reply.code(204).send()
      },
    )
  }
}

/** A mapping of one project by what people call them. One of all projects has no such name. */
function byKeyRoute(services: PlaneServices): FastifyPluginAsync {
  return async (plain) => {
    plain.withTypeProvider<ZodTypeProvider>().patch(
      '/group-sync/project-mappings/:project_mapping_id/:idp_group_name',
      {
        config: { planeRefusals: REFUSALS },
        schema: {
          tags,
          summary: 'Update project mapping by project and group',
          operationId: 'planeUpdateProjectMappingByKey',
          params: workspaceParams.extend({
            // The router has one name for what stands here; it is the project's identifier.
            project_mapping_id: z.string(),
            idp_group_name: z.string(),
          }),
          body: mappingUpdate.projects,
          response: { 200: projectMapping },
        },
      },
      async (request) => {
        const { project_mapping_id: projectIdentifier, idp_group_name: idpGroupName } = request.params
        const { id: workspaceId } = request.entered.workspace
        const row = await applyChange(
          services.directory,
          inOrganization(services, request.actor),
          async (context) => {
            const named = { projectIdentifier, idpGroupName }
            const before = await findProjectMapping(context, workspaceId, named)
            const body = requireStated(request.body)
            const update = await toMappingFields(context, shownTo(request), 'projects', body, before)
            return await updateMapping(context, workspaceId, 'projects', before.id, update)
          },
        )
        return toProjectMapping(row, request.body?.role)
      },
    )
  }
}
