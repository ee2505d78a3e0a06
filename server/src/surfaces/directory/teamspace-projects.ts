import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import {
  linkProjects,
  listTeamspaceProjects,
  TEAMSPACE_PROJECTS_MAX,
  type TeamspaceProjectRow,
  unlinkProjects,
} from '../../directory/teamspaces/teamspace-projects.ts'
import { requireWorkspace } from '../../directory/workspaces/workspace-members.ts'
import { reading, type Services, write } from './exchange.ts'
import { fromIdSet, idSet, idSetQuery } from './id-set.ts'
import { teamspaceParams } from './teamspaces.ts'
import {
  fromId,
  fromIdField,
  idCursor,
  page,
  pageQuery,
  preview,
  previewQuery,
  roleRef,
  toId,
  toPage,
  toRoleRef,
} from './wire.ts'

const projects = idSet(TEAMSPACE_PROJECTS_MAX)

const teamspaceProject = z
  .object({
    object: z.literal('teamspace_project'),
    id: z.string(),
    identifier: z.string().nullable(),
    name: z.string(),
    /** What whoever is in the teamspace has on it. */
    roles: z.array(roleRef),
  })
  .meta({ id: 'TeamspaceProject' })

function toTeamspaceProject(row: TeamspaceProjectRow): z.infer<typeof teamspaceProject> {
  return {
    object: 'teamspace_project',
    id: toId('project', row.id),
    identifier: row.identifier,
    name: row.name,
    roles: row.roles.map(toRoleRef),
  }
}

const tags = ['Teamspaces']

export function teamspaceProjectRoutes(services: Services): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/workspaces/:workspace/teamspaces/:teamspace/projects',
      {
        schema: {
          tags,
          summary: 'List the projects that a teamspace is on and that are not archived',
          operationId: 'listTeamspaceProjects',
          params: teamspaceParams,
          querystring: pageQuery,
          response: { 200: page(teamspaceProject) },
        },
      },
      async (request) => {
        const { limit, after } = request.query
        const teamspaceId = fromId('teamspace', request.params.teamspace)
        const context = reading(services, request)
        const { id } = await requireWorkspace(context, request.params.workspace)
        const place = { afterId: idCursor(after), limit: limit + 1 }
        const rows = await listTeamspaceProjects(context, id, teamspaceId, place)
        return toPage(rows, limit, toTeamspaceProject, (row) => row.id)
      },
    )

    app.post(
      '/workspaces/:workspace/teamspaces/:teamspace/projects',
      {
        schema: {
          tags,
          summary: 'Give everybody in a teamspace a role on projects, in place of the one it had there',
          operationId: 'linkTeamspaceProjects',
          params: teamspaceParams,
          querystring: previewQuery,
          body: z.strictObject({ projects, role: z.string().optional() }),
          response: {
            200: z.union([
              preview,
              z.object({
                object: z.literal('teamspace_projects'),
                teamspace: z.string(),
                projects: z.array(z.string()),
                /** Roles on projects that were not there before. */
                opened: z.number().int(),
              }),
            ]),
          },
        },
      },
      async (request, reply) => {
        const teamspaceId = fromId('teamspace', request.params.teamspace)
        const { projects: named, role } = request.body
        const projectIds = fromIdSet('project', named, 'projects')
        const roleId = role === undefined ? undefined : fromIdField('role', role, 'role')
        const render = ({ opened }: { opened: number }) => ({
          object: 'teamspace_projects',
          teamspace: request.params.teamspace,
          projects: named,
          opened,
        })
        return (await write(services, request, reply, { status: 200, render }, async (context) => {
          const { id } = await requireWorkspace(context, request.params.workspace)
          return await linkProjects(context, id, teamspaceId, projectIds, roleId)
        })) as never
      },
    )

    app.delete(
      '/workspaces/:workspace/teamspaces/:teamspace/projects',
      {
        schema: {
          tags,
          summary: 'Take a teamspace off projects; the body or the query names them',
          operationId: 'unlinkTeamspaceProjects',
          params: teamspaceParams,
          querystring: previewQuery.extend({ project: idSetQuery }),
          body: z.strictObject({ projects }).nullish(),
          response: { 200: preview, 204: z.null() },
        },
      },
      async (request, reply) => {
        const teamspaceId = fromId('teamspace', request.params.teamspace)
        const named = request.body?.projects ?? request.query.project
        const projectIds = fromIdSet('project', named, 'projects')
        return (await write(services, request, reply, { status: 204 }, async (context) => {
          const { id } = await requireWorkspace(context, request.params.workspace)
          await unlinkProjects(context, id, teamspaceId, projectIds)
        })) as never
      },
    )
  }
}
