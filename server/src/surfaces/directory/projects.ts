import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import {
  createProject,
  getProject,
  listProjects,
  PROJECT_NAME_LENGTH_MAX,
  type ProjectRow,
  updateProject,
} from '../../directory/projects/project.ts'
import { metadata, moment, text } from '../http/wire-types.ts'
import { expectedVersion, reading, type Services, setVersion, write } from './exchange.ts'
import { fromId, idCursor, orgParams, page, pageQuery, toId, toIdOrNull, toPage } from './wire.ts'

const IDENTIFIER_LENGTH_MAX = 12

export const projectIdentifier = text(IDENTIFIER_LENGTH_MAX)
  .regex(/^[A-Za-z][A-Za-z0-9]*$/, 'must be letters and digits, and begin with a letter')
  .transform((value) => value.toUpperCase())

export const project = z
  .object({
    object: z.literal('project'),
    id: z.string(),
    /** Null: it belongs to the organization itself. */
    workspace: z.string().nullable(),
    identifier: z.string().nullable(),
    name: z.string(),
    metadata: z.record(z.string(), z.unknown()),
    created_at: moment,
    updated_at: moment,
    archived_at: moment.nullable(),
  })
  .meta({ id: 'Project' })

export function toProject(row: ProjectRow): z.infer<typeof project> {
  return {
    object: 'project',
    id: toId('project', row.id),
    workspace: toIdOrNull('workspace', row.workspace_id),
    identifier: row.identifier,
    name: row.name,
    metadata: row.metadata,
    created_at: row.created_at,
    updated_at: row.updated_at,
    archived_at: row.archived_at,
  }
}

/** What can be changed of a project. */
export const projectUpdate = z.strictObject({
  name: text(PROJECT_NAME_LENGTH_MAX).optional(),
  metadata: metadata.optional(),
})

/** Renders a project with its version as the answer's ETag. */
export const renderProject = (reply: FastifyReply) => (row: ProjectRow) => {
  setVersion(reply, row.version)
  return toProject(row)
}

const tags = ['Projects']
const workspaceParams = orgParams.extend({ workspace: z.string() })
const projectParams = workspaceParams.extend({ project: z.string() })

/** The projects of a workspace, by its slug. */
export function projectRoutes(services: Services): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.post(
      '/workspaces/:workspace/projects',
      {
        schema: {
          tags,
          summary: 'Create a project of a workspace',
          operationId: 'createWorkspaceProject',
          params: workspaceParams,
          body: z.strictObject({
            name: text(PROJECT_NAME_LENGTH_MAX),
            identifier: projectIdentifier,
            metadata: metadata.default({}),
          }),
          response: { 201: project },
        },
      },
      async (request, reply) =>
        (await write(services, request, reply, { status: 201, render: renderProject(reply) }, (context) =>
          createProject(context, { ...request.body, workspaceSlug: request.params.workspace }),
        )) as never,
    )

    app.get(
      '/workspaces/:workspace/projects',
      {
        schema: {
          tags,
          summary: 'List the projects of a workspace that are not archived',
          operationId: 'listWorkspaceProjects',
          params: workspaceParams,
          querystring: pageQuery,
          response: { 200: page(project) },
        },
      },
      async (request) => {
        const { limit, after } = request.query
        const rows = await listProjects(reading(services, request), {
          workspaceSlug: request.params.workspace,
          includeArchived: false,
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
          summary: 'Read a project of a workspace',
          operationId: 'getWorkspaceProject',
          params: projectParams,
          response: { 200: project },
        },
      },
      async (request, reply) => {
        const id = fromId('project', request.params.project)
        return renderProject(reply)(
          await getProject(reading(services, request), id, request.params.workspace),
        )
      },
    )

    app.patch(
      '/workspaces/:workspace/projects/:project',
      {
        schema: {
          tags,
          summary: 'Change fields of a project of a workspace',
          operationId: 'updateWorkspaceProject',
          params: projectParams,
          body: projectUpdate,
          response: { 200: project },
        },
      },
      async (request, reply) => {
        const id = fromId('project', request.params.project)
        return (await write(
          services,
          request,
          reply,
          { status: 200, render: renderProject(reply) },
          (context) =>
            updateProject(context, id, request.body, expectedVersion(request), request.params.workspace),
        )) as never
      },
    )
  }
}
