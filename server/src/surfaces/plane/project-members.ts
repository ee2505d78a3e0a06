import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { applyChange } from '../../directory/changes/change.ts'
import {
  addToProject,
  changeRoleOnProject,
  getOnProject,
  type ProjectPlace,
  removeFromProject,
} from '../../directory/projects/project-membership.ts'
import { pageRoster, type RosterRow } from '../../directory/roles/roster.ts'
import type { RouteRefusals } from './errors.ts'
import { toMember } from './members-wire.ts'
import { envelope, PAGE_SIZE_MAX, pageQuery, positionOf, readPage, toEnvelope } from './pages.ts'
import { resolveRole, roleName } from './role-wire.ts'
import { inOrganization, type PlaneServices } from './scope.ts'
import { shownProject } from './shown-project.ts'
import { fromPlaneId, member, projectParams, uuid } from './wire.ts'

const ROLE_DEFAULT = 5

/** A membership has no id of its own: it is the user's. So lists tell it, too. */
const membership = member.extend({ member: z.string() }).meta({ id: 'PlaneProjectMembership' })

function toMembership(row: RosterRow): z.infer<typeof membership> {
  return { ...toMember('project')(row), member: row.id }
}

/** Who is not in the workspace is a wrong value here, and not a thing that is not found. */
const NEW_MEMBER: RouteRefusals = {
  asView: true,
  answers: { 'workspace.not_member': [400, 'field'] },
}

/** Paths that mean the same: the second is the older one. */
const PATHS = [
  ['/projects/:project_id/project-members', 'Project'],
  ['/projects/:project_id/members', 'ProjectOlder'],
] as const

const tags = ['Plane: project members']
const memberParams = projectParams.extend({ member_id: z.string() })

export function projectMemberRoutes(services: PlaneServices): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    /** The project of the path, if the caller is shown it. */
    async function placeOf(request: FastifyRequest): Promise<ProjectPlace> {
      const { id } = await shownProject(services, request)
      return { entered: request.entered, projectId: id }
    }

    app.get(
      '/projects/:project_id/project-members-lite',
      {
        schema: {
          tags,
          summary: 'List project members, paged',
          operationId: 'planeListProjectMembersLite',
          params: projectParams,
          querystring: pageQuery,
          response: { 200: envelope(member) },
        },
      },
      async (request) => {
        const page = readPage(request.query, PAGE_SIZE_MAX)
        const { projectId: id } = await placeOf(request)
        const context = inOrganization(services, request.actor)
        const found = await pageRoster(context, { kind: 'project', id }, {}, positionOf(page))
        return toEnvelope(page, found, toMember('project'))
      },
    )

    for (const [path, name] of PATHS) {
      app.get(
        path,
        {
          schema: {
            tags,
            summary: 'List project members',
            operationId: `planeList${name}Members`,
            params: projectParams,
            response: { 200: z.array(member) },
          },
        },
        async (request) => {
          const { projectId: id } = await placeOf(request)
          const context = inOrganization(services, request.actor)
          const everybody = { offset: 0, limit: null }
          const { rows } = await pageRoster(context, { kind: 'project', id }, {}, everybody)
          return rows.map(toMember('project'))
        },
      )

      app.post(
        path,
        {
          config: { planeRefusals: NEW_MEMBER },
          schema: {
            tags,
            summary: 'Add project member',
            operationId: `planeAdd${name}Member`,
            params: projectParams,
            body: z.object({ member: uuid, role: roleName.nullish() }),
            response: { 201: membership },
          },
        },
        async (request, reply) => {
          const place = await placeOf(request)
          const { member: memberId, role } = request.body
          const row = await applyChange(
            services.directory,
            inOrganization(services, request.actor),
            async (context) => {
              const name = role ?? ROLE_DEFAULT
              const { id } = await resolveRole(context, place.entered.workspace.id, 'project', name)
              return await addToProject(context, place, memberId, id)
            },
          )
          return reply.code(201).send(toMembership(row))
        },
      )

      app.get(
        `${path}/:member_id`,
        {
          schema: {
            tags,
            summary: 'Retrieve project member',
            operationId: `planeRetrieve${name}Member`,
            params: memberParams,
            response: { 200: membership },
          },
        },
        async (request) => {
          const { projectId } = await placeOf(request)
          const id = fromPlaneId('projectMember', request.params.member_id)
          return toMembership(await getOnProject(inOrganization(services, request.actor), projectId, id))
        },
      )

      app.patch(
        `${path}/:member_id`,
        {
          schema: {
            tags,
            summary: 'Update project member',
            operationId: `planeUpdate${name}Member`,
            params: memberParams,
            body: z.object({ role: roleName.nullish() }).nullish(),
            response: { 200: membership },
          },
        },
        async (request) => {
          const place = await placeOf(request)
          const scope = inOrganization(services, request.actor)
          const id = fromPlaneId('projectMember', request.params.member_id)
          const role = request.body?.role ?? undefined
          // A role cannot be cleared: null says nothing.
          if (role === undefined) return toMembership(await getOnProject(scope, place.projectId, id))
          const row = await applyChange(services.directory, scope, async (context) => {
            const to = await resolveRole(context, place.entered.workspace.id, 'project', role)
            return await changeRoleOnProject(context, place, id, to.id)
          })
          return toMembership(row)
        },
      )

      app.delete(
        `${path}/:member_id`,
        {
          schema: {
            tags,
            summary: 'Remove project member',
            operationId: `planeRemove${name}Member`,
            params: memberParams,
            response: { 204: z.undefined() },
          },
        },
        async (request, reply) => {
          const place = await placeOf(request)
          const id = fromPlaneId('projectMember', request.params.member_id)
          await applyChange(services.directory, inOrganization(services, request.actor), (context) =>
            removeFromProject(context, place, id),
          )
          return reply.code(204).send()
        },
      )
    }
  }
}
