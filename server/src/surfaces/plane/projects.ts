import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { z } from 'zod'
import { applyChanges } from '../../directory/changes/change.ts'
import type { Context, ReadContext } from '../../directory/context.ts'
import { DirectoryError } from '../../directory/errors.ts'
import { annotateProject } from '../../directory/projects/annotate.ts'
import { createProject, type ProjectRow } from '../../directory/projects/project.ts'
import { addToProject } from '../../directory/projects/project-membership.ts'
import { pageProjects, readProjectSummaries } from '../../directory/projects/project-page.ts'
import { readNamed } from '../../directory/roles/roster.ts'
import { text } from '../http/wire-types.ts'
import type { RouteRefusals } from './errors.ts'
import { envelope, PAGE_SIZE_MAX, pageQuery, positionOf, readPage, toEnvelope } from './pages.ts'
import { toNotes } from './project-notes.ts'
import {
  newProject,
  project,
  projectLite,
  projectUpdate,
  toFields,
  toProject,
  toProjectLite,
} from './project-wire.ts'
import { resolveRole } from './role-wire.ts'
import { inOrganization, type PlaneServices, shownTo } from './scope.ts'
import { changeProject, shownProject } from './shown-project.ts'
import { optionalFlag, projectParams, workspaceParams } from './wire.ts'

const ORDER_LENGTH_MAX = 255

const projectQuery = pageQuery.extend({
  include_archived: optionalFlag,
  order_by: text(ORDER_LENGTH_MAX, 0).optional(),
})

/** What a list can be ordered by; anything else is the order of creation. */
const orders = {
  name: { orderBy: 'name', descending: false },
  '-name': { orderBy: 'name', descending: true },
  created_at: { orderBy: 'created_at', descending: false },
  '-created_at': { orderBy: 'created_at', descending: true },
} as const

const orderOf = (name = '') =>
  Object.hasOwn(orders, name) ? orders[name as keyof typeof orders] : orders.created_at

/** A lead who is not in the workspace is a wrong value. */
const LEAD: RouteRefusals = {
  answers: { 'workspace.not_member': [400, 'field'] },
  fields: { member: 'project_lead' },
}

const tags = ['Plane: projects']

export function projectRoutes(services: PlaneServices): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    async function render(context: ReadContext, row: ProjectRow) {
      return toProject(row, (await readProjectSummaries(context, [row.id])).get(row.id))
    }

    app.get(
      '/projects',
      {
        schema: {
          tags,
          summary: 'List projects',
          operationId: 'planeListProjects',
          params: workspaceParams,
          querystring: projectQuery,
          response: { 200: envelope(project) },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        const page = readPage(request.query)
        const { include_archived: includeArchived = false, order_by: order } = request.query
        const shown = { ...shownTo(request), includeArchived }
        const found = await pageProjects(context, shown, { ...positionOf(page), ...orderOf(order) })
        const ids = found.rows.map((row) => row.id)
        const summaries = await readProjectSummaries(context, ids)
        return toEnvelope(page, found, (row) => toProject(row, summaries.get(row.id)))
      },
    )

    app.get(
      '/projects-lite',
      {
        schema: {
          tags,
          summary: 'List projects, for pickers',
          operationId: 'planeListProjectsLite',
          params: workspaceParams,
          querystring: projectQuery,
          response: { 200: envelope(projectLite) },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        const page = readPage(request.query, PAGE_SIZE_MAX)
        const { include_archived: includeArchived = false, order_by: order } = request.query
        const shown = { ...shownTo(request), includeArchived }
        const found = await pageProjects(context, shown, { ...positionOf(page), ...orderOf(order) })
        return toEnvelope(page, found, toProjectLite)
      },
    )

    app.post(
      '/projects',
      {
        config: { planeRefusals: LEAD },
        schema: {
          tags,
          summary: 'Create project',
          operationId: 'planeCreateProject',
          params: workspaceParams,
          body: newProject,
          response: { 201: project },
        },
      },
      async (request, reply) => {
        const scope = inOrganization(services, request.actor)
        const row = await create(services, request, scope, request.body)
        return reply.code(201).send(await render(scope, row))
      },
    )

    app.get(
      '/projects/:project_id',
      {
        schema: {
          tags,
          summary: 'Retrieve project',
          operationId: 'planeRetrieveProject',
          params: projectParams,
          response: { 200: project },
        },
      },
      async (request) =>
        await render(inOrganization(services, request.actor), await shownProject(services, request)),
    )

    app.patch(
      '/projects/:project_id',
      {
        schema: {
          tags,
          summary: 'Update project',
          operationId: 'planeUpdateProject',
          params: projectParams,
          body: projectUpdate,
          response: { 200: project },
        },
      },
      async (request) => {
        const body = request.body ?? {}
        const row = await changeProject(services, request, async (context, id) => {
          const fields = { ...toFields(body), name: body.name ?? undefined }
          const changed = await annotateProject(context, id, toNotes(body), fields)
          if ((body.identifier ?? changed.identifier) === changed.identifier) return changed
          throw new DirectoryError('request.invalid', 'identifier cannot be changed here.', {
            field: 'identifier',
          })
        })
        return await render(inOrganization(services, request.actor), row)
      },
    )
  }
}

/**
 * Whoever creates a project becomes its admin, unless from outside the workspace, and so does the lead: changes of
 * their own, made together.
 */
async function create(
  services: PlaneServices,
  request: FastifyRequest,
  scope: ReadContext,
  body: z.infer<typeof newProject>,
): Promise<ProjectRow> {
  const { entered, actor } = request
  const { name, identifier, project_lead: lead } = body
  const noted = Object.entries(toNotes(body)).filter(([, value]) => value !== null)
  const { description = null, visibility = 'public' } = toFields(body)
  const creator = actor.kind === 'api_key' && actor.memberId !== null ? [actor.memberId] : []
  const present = await readNamed(scope, { kind: 'workspace', id: entered.workspace.id }, creator)
  const admins = new Set([...present.map(({ id }) => id), ...(lead ? [lead] : [])])
  let created: ProjectRow | undefined
  await applyChanges(services.directory, scope, [
    async (context: Context) => {
      created = await createProject(context, {
        workspaceSlug: entered.workspace.slug,
        ...{ name, identifier, description, visibility },
        metadata: Object.fromEntries(noted),
      })
    },
    ...[...admins].map((id) => async (context: Context) => {
      const role = await resolveRole(context, entered.workspace.id, 'project', 'admin')
      await addToProject(context, { entered, projectId: created!.id }, id, role.id)
    }),
  ])
  return created!
}
