import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import {
  archiveProject,
  createProject,
  getProject,
  listProjects,
  PROJECT_NAME_LENGTH_MAX,
  unarchiveProject,
  updateProject,
} from '../../directory/projects/project.ts'
import { metadata, queryFlag, slug, text } from '../http/wire-types.ts'
import { expectedVersion, reading, type Services, write } from './exchange.ts'
import { project, projectIdentifier, projectUpdate, renderProject, toProject } from './projects.ts'
import { fromId, idCursor, orgParams, page, pageQuery, toPage } from './wire.ts'

const tags = ['Projects']
const projectParams = orgParams.extend({ project: z.string() })

const newProject = z.strictObject({
  name: text(PROJECT_NAME_LENGTH_MAX),
  workspace: slug.nullish().describe('The slug of its workspace; absent: the organization itself has it.'),
  identifier: projectIdentifier.nullish().describe('Required for a project of a workspace.'),
  metadata: metadata.default({}),
})

const listQuery = pageQuery.extend({
  workspace: slug.optional().describe('Only projects of the workspace with this slug.'),
  include_archived: queryFlag,
})

/** All projects of an organization: its own and those of its workspaces. */
export function organizationProjectRoutes(services: Services): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.post(
      '/projects',
      {
        schema: {
          tags,
          summary: 'Create a project of the organization, or of a workspace',
          operationId: 'createProject',
          params: orgParams,
          body: newProject,
          response: { 201: project },
        },
      },
      async (request, reply) => {
        const { workspace: workspaceSlug = null, identifier = null, ...input } = request.body
        return (await write(
          services,
          request,
          reply,
          { status: 201, render: renderProject(reply) },
          (context) => createProject(context, { ...input, workspaceSlug, identifier }),
        )) as never
      },
    )

    app.get(
      '/projects',
      {
        schema: {
          tags,
          summary: 'List projects in the order of their creation, archived ones on request',
          operationId: 'listProjects',
          params: orgParams,
          querystring: listQuery,
          response: { 200: page(project) },
        },
      },
      async (request) => {
        const {
          limit,
          after,
          workspace: workspaceSlug = null,
          include_archived: includeArchived,
        } = request.query
        const rows = await listProjects(reading(services, request), {
          workspaceSlug,
          includeArchived,
          afterId: idCursor(after),
          limit: limit + 1,
        })
        return toPage(rows, limit, toProject, (row) => row.id)
      },
    )

    app.get(
      '/projects/:project',
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
        return renderProject(reply)(await getProject(reading(services, request), id))
      },
    )

    app.patch(
      '/projects/:project',
      {
        schema: {
          tags,
          summary: 'Change fields of a project that is not archived',
          operationId: 'updateProject',
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
          (context) => updateProject(context, id, request.body, expectedVersion(request)),
        )) as never
      },
    )

    for (const [name, summary, run] of [
      ['archive', 'Archive a project: it is listed on request only and cannot be changed', archiveProject],
      ['unarchive', 'Bring an archived project back', unarchiveProject],
    ] as const) {
      app.post(
        `/projects/:project/${name}`,
        {
          schema: {
            tags,
            summary,
            operationId: `${name}Project`,
            params: projectParams,
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
            (context) => run(context, id, expectedVersion(request)),
          )) as never
        },
      )
    }
  }
}
