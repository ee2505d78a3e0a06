import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import {
  createProject,
  getProject,
  listProjects,
  type ProjectRow,
  updateProject,
} from '../../directory/projects/project.ts'
import { metadata, moment, text } from '../http/wire-types.ts'
import { expectedVersion, reading, type Services, setVersion, write } from './exchange.ts'
import { fromId, idCursor, orgParams, page, pageQuery, toId, toPage } from './wire.ts'

const NAME_LENGTH_MAX = 255
const IDENTIFIER_LENGTH_MAX = 12

const identifier = text(IDENTIFIER_LENGTH_MAX)
  .regex(/^[A-Za-z][A-Za-z0-9]*$/, 'must be letters and digits, and begin with a letter')
  .transform((value) => value.toUpperCase())

const project = z
  .object({
    object: z.literal('project'),
    id: z.string(),
    workspace: z.string(),
    identifier: z.string(),
    name: z.string(),
    metadata: z.record(z.string(), z.unknown()),
    created_at: moment,
    updated_at: moment,
  })
  .meta({ id: 'Project' })

function toProject(row: ProjectRow): z.infer<typeof project> {
  return {
    object: 'project',
    id: toId('project', row.id),
    workspace: toId('workspace', row.workspace_id),
    identifier: row.identifier,
    name: row.name,
    metadata: row.metadata,
    created_at: row.created_at,
    updated_at: row.updated_at,
  }
}

const tags = ['Projects']
const workspaceParams = orgParams.extend({ workspace: z.string() })
const projectParams = workspaceParams.extend({ project: z.string() })

export function projectRoutes(services: Services): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()
    const renderTo = (reply: FastifyReply) => (row: ProjectRow) => {
      setVersion(reply, row.version)
      return toProject(row)
    }

    app.post(
      '/workspaces/:workspace/projects',
      {
        schema: {
          tags,
          summary: 'Create a project',
          operationId: 'createProject',
          params: workspaceParams,
          body: z.strictObject({ name: text(NAME_LENGTH_MAX), identifier, metadata: metadata.default({}) }),
          response: { 201: project },
        },
      },
      async (request, reply) =>
        (await write(services, request, reply, { status: 201, render: renderTo(reply) }, (context) =>
          createProject(context, request.params.workspace, request.body),
        )) as never,
    )

    app.get(
      '/workspaces/:workspace/projects',
      {
        schema: {
          tags,
          summary: 'List the projects of a workspace',
          operationId: 'listProjects',
          params: workspaceParams,
          querystring: pageQuery,
          response: { 200: page(project) },
        },
      },
      async (request) => {
        const { limit, after } = request.query
        const rows = await listProjects(reading(services, request), request.params.workspace, {
          afterId: idCursor(after),
          limit: limit + 1,
        })
        return toPage(rows, limit, toProject, (row) => row.id)
      },
    )

    app.get(
      '/workspaces/:workspace/projects/:project',
      {
        schema: {
          tags,
          summary: 'Read a project',
          operationId: 'getProject',
          params: projectParams,
          response: { 200: project },
        },
      },
      async (request, reply) => {
        const id = fromId('project', request.params.project)
        return renderTo(reply)(await getProject(reading(services, request), request.params.workspace, id))
      },
    )

    app.patch(
      '/workspaces/:workspace/projects/:project',
      {
        schema: {
          tags,
          summary: 'Change fields of a project',
          operationId: 'updateProject',
          params: projectParams,
          body: z.strictObject({ name: text(NAME_LENGTH_MAX).optional(), metadata: metadata.optional() }),
          response: { 200: project },
        },
      },
      async (request, reply) => {
        const id = fromId('project', request.params.project)
        return (await write(services, request, reply, { status: 200, render: renderTo(reply) }, (context) =>
          updateProject(context, request.params.workspace, id, request.body, expectedVersion(request)),
        )) as never
      },
    )
  }
}
