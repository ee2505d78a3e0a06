import type { FastifyRequest } from 'fastify'
import { applyChange } from '../../directory/changes/change.ts'
import type { Context } from '../../directory/context.ts'
import type { ProjectRow } from '../../directory/projects/project.ts'
import { requireShownProject } from '../../directory/projects/project-page.ts'
import { inOrganization, type PlaneServices, shownTo } from './scope.ts'
import { fromPlaneId } from './wire.ts'

/** The project of the path, if the caller is shown it. @throws {DirectoryError} project.not_found, permission.denied */
export async function shownProject(services: PlaneServices, request: FastifyRequest): Promise<ProjectRow> {
  const id = fromPlaneId('project', (request.params as { project_id: string }).project_id)
  return await requireShownProject(inOrganization(services, request.actor), shownTo(request), id)
}

/** Runs an operation on the project of the path as one change. @throws as `shownProject`; what the operation throws */
export async function changeProject(
  services: PlaneServices,
  request: FastifyRequest,
  work: (context: Context, id: string) => Promise<ProjectRow>,
): Promise<ProjectRow> {
  const { id } = await shownProject(services, request)
  const scope = inOrganization(services, request.actor)
  return await applyChange(services.directory, scope, (context) => work(context, id))
}
