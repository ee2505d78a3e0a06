import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { archiveProject, archiveProjectWithNote, unarchiveProject } from '../../directory/projects/project.ts'
import { DELETED_NOTE } from './project-notes.ts'
import type { PlaneServices } from './scope.ts'
import { changeProject } from './shown-project.ts'
import { projectParams } from './wire.ts'

const tags = ['Plane: projects']

/** Projects end here by being archived; one that is deleted is hidden as well. */
export function projectArchiveRoutes(services: PlaneServices): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.delete(
      '/projects/:project_id',
      {
        schema: {
          tags,
          summary: 'Delete project',
          operationId: 'planeDeleteProject',
          params: projectParams,
          response: { 204: z.undefined() },
        },
      },
      async (request, reply) => {
        const note = { [DELETED_NOTE]: true }
        await changeProject(services, request, (context, id) => archiveProjectWithNote(context, id, note))
        return reply.code(204).send()
      },
    )

    app.post(
      '/projects/:project_id/archive',
      {
        schema: {
          tags,
          summary: 'Archive project',
          operationId: 'planeArchiveProject',
          params: projectParams,
          response: { 204: z.undefined() },
        },
      },
      async (request, reply) => {
        await changeProject(services, request, archiveProject)
        return reply.code(204).send()
      },
    )

    app.delete(
      '/projects/:project_id/archive',
      {
        schema: {
          tags,
          summary: 'Unarchive project',
          operationId: 'planeUnarchiveProject',
          params: projectParams,
          response: { 204: z.undefined() },
        },
      },
      async (request, reply) => {
        await changeProject(services, request, unarchiveProject)
        return reply.code(204).send()
      },
    )
  }
}
