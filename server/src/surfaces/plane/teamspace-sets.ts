import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { applyChange } from '../../directory/changes/change.ts'
import { requireActiveProjects } from '../../directory/projects/project.ts'
import { readProjectSummaries } from '../../directory/projects/project-page.ts'
import { readNamed } from '../../directory/roles/roster.ts'
import {
  addTeamspaceMembers,
  pageTeamspaceMembers,
  removeTeamspaceMembers,
  TEAMSPACE_MEMBERS_MAX,
} from '../../directory/teamspaces/teamspace-members.ts'
import {
  linkProjects,
  pageTeamspaceProjects,
  TEAMSPACE_PROJECTS_MAX,
  unlinkProjects,
} from '../../directory/teamspaces/teamspace-projects.ts'
import type { RouteRefusals } from './errors.ts'
import { envelope, pageQuery, positionOf, readPage, toEnvelope } from './pages.ts'
import { project, toProject } from './project-wire.ts'
import { inOrganization, type PlaneServices } from './scope.ts'
import { TEAMSPACE_PAGE_SIZE, teamspaceParams } from './teamspaces.ts'
import { fromPlaneId, toUser, user, uuid } from './wire.ts'

/** An id of a body that names nobody there is a wrong value. */
const IDS: RouteRefusals = {
  answers: { 'workspace.not_member': [400, 'field'], 'project.not_found': [400, 'field'] },
  fields: { members: 'member_ids', 'project.not_found': 'project_ids' },
}

const ids = (max: number) => z.array(uuid).max(max, `must have at most ${max} ids`)
const memberIds = z.object({ member_ids: ids(TEAMSPACE_MEMBERS_MAX) })
const projectIds = z.object({ project_ids: ids(TEAMSPACE_PROJECTS_MAX) })

const tags = ['Plane: teamspaces']

/** Who is in a teamspace, and on which projects it is. */
export function teamspaceSetRoutes(services: PlaneServices): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/teamspaces/:teamspace_id/members',
      {
        schema: {
          tags,
          summary: 'List teamspace members',
          operationId: 'planeListTeamspaceMembers',
          params: teamspaceParams,
          querystring: pageQuery,
          response: { 200: envelope(user) },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        const page = readPage(request.query, TEAMSPACE_PAGE_SIZE)
        const { offset, limit } = positionOf(page)
        const id = fromPlaneId('teamspace', request.params.teamspace_id)
        const { workspace } = request.entered
        return toEnvelope(page, await pageTeamspaceMembers(context, workspace.id, id, offset, limit), toUser)
      },
    )

    app.post(
      '/teamspaces/:teamspace_id/members',
      {
        config: { planeRefusals: IDS },
        schema: {
          tags,
          summary: 'Add teamspace members',
          operationId: 'planeAddTeamspaceMembers',
          params: teamspaceParams,
          body: memberIds,
          response: { 200: z.array(user) },
        },
      },
      async (request) => {
        const scope = inOrganization(services, request.actor)
        const { id: workspaceId } = request.entered.workspace
        const id = fromPlaneId('teamspace', request.params.teamspace_id)
        const named = [...new Set(request.body.member_ids)]
        const rows = await applyChange(services.directory, scope, async (context) => {
          await addTeamspaceMembers(context, workspaceId, id, named)
          return await readNamed(context, { kind: 'workspace', id: workspaceId }, named)
        })
        return rows.map(toUser)
      },
    )

    app.delete(
      '/teamspaces/:teamspace_id/members',
      {
        schema: {
          tags,
          summary: 'Remove teamspace members',
          operationId: 'planeRemoveTeamspaceMembers',
          params: teamspaceParams,
          body: memberIds,
          response: { 204: z.undefined() },
        },
      },
      async (request, reply) => {
        const { id: workspaceId } = request.entered.workspace
        const id = fromPlaneId('teamspace', request.params.teamspace_id)
        await applyChange(services.directory, inOrganization(services, request.actor), (context) =>
          removeTeamspaceMembers(context, workspaceId, id, request.body.member_ids),
        )
        return reply.code(204).send()
      },
    )

    app.get(
      '/teamspaces/:teamspace_id/projects',
      {
        schema: {
          tags,
          summary: 'List teamspace projects',
          operationId: 'planeListTeamspaceProjects',
          params: teamspaceParams,
          querystring: pageQuery,
          response: { 200: envelope(project) },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        const page = readPage(request.query, TEAMSPACE_PAGE_SIZE)
        const { offset, limit } = positionOf(page)
        const id = fromPlaneId('teamspace', request.params.teamspace_id)
        const found = await pageTeamspaceProjects(context, request.entered.workspace.id, id, offset, limit)
        const summaries = await readProjectSummaries(
          context,
          found.rows.map((row) => row.id),
        )
        return toEnvelope(page, found, (row) => toProject(row, summaries.get(row.id)))
      },
    )

    app.post(
      '/teamspaces/:teamspace_id/projects',
      {
        config: { planeRefusals: IDS },
        schema: {
          tags,
          summary: 'Add teamspace projects',
          operationId: 'planeAddTeamspaceProjects',
          params: teamspaceParams,
          body: projectIds,
          response: { 200: z.array(project) },
        },
      },
      async (request) => {
        const scope = inOrganization(services, request.actor)
        const { id: workspaceId } = request.entered.workspace
        const id = fromPlaneId('teamspace', request.params.teamspace_id)
        const named = [...new Set(request.body.project_ids)]
        const rows = await applyChange(services.directory, scope, async (context) => {
          await linkProjects(context, workspaceId, id, named)
          return await requireActiveProjects(context, named)
        })
        const summaries = await readProjectSummaries(scope, named)
        return rows.map((row) => toProject(row, summaries.get(row.id)))
      },
    )

    app.delete(
      '/teamspaces/:teamspace_id/projects',
      {
        schema: {
          tags,
          summary: 'Remove teamspace projects',
          operationId: 'planeRemoveTeamspaceProjects',
          params: teamspaceParams,
          body: projectIds,
          response: { 204: z.undefined() },
        },
      },
      async (request, reply) => {
        const { id: workspaceId } = request.entered.workspace
        const id = fromPlaneId('teamspace', request.params.teamspace_id)
        await applyChange(services.directory, inOrganization(services, request.actor), (context) =>
          unlinkProjects(context, workspaceId, id, request.body.project_ids),
        )
        return reply.code(204).send()
      },
    )
  }
}
