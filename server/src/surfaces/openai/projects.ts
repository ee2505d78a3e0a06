import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { applyChange } from '../../directory/changes/change.ts'
import { annotateProject } from '../../directory/projects/annotate.ts'
import {
  archiveProject,
  createProject,
  getProject,
  listProjects,
  PROJECT_NAME_LENGTH_MAX,
  type ProjectRow,
} from '../../directory/projects/project.ts'
import { inOrganization, type KeyScopeServices } from '../http/key-scope.ts'
import { queryFlag, text } from '../http/wire-types.ts'
import { afterId, idPage, idPageQuery, toIdPage } from './lists.ts'
import { decodeOpenaiId, fromOpenaiId, toOpenaiId, toUnixSeconds } from './wire.ts'

const LABEL_LENGTH_MAX = 255
const RESIDENCY_LENGTH_MAX = 64
const RESIDENCY_DEFAULT = 'GLOBAL'

const project = z
  .object({
    id: z.string(),
    object: z.literal('organization.project'),
    name: z.string(),
    created_at: z.number().int(),
    archived_at: z.number().int().nullable(),
    status: z.enum(['active', 'archived']),
    external_key_id: z.string().nullable(),
    residency: z.string(),
  })
  .meta({ id: 'OpenaiProject' })

/** @param askedId the id it was asked for by, where a single project was */
function toProject(row: ProjectRow, askedId?: string): z.infer<typeof project> {
  const { external_key_id: externalKeyId, residency } = row.metadata
  return {
    id: askedId ?? toOpenaiId('project', row.id),
    object: 'organization.project',
    name: row.name,
    created_at: toUnixSeconds(row.created_at),
    archived_at: row.archived_at === null ? null : toUnixSeconds(row.archived_at),
    status: row.archived_at === null ? 'active' : 'archived',
    // Metadata is anybody's to write: what is no text is not what the vendor means.
    external_key_id: typeof externalKeyId === 'string' ? externalKeyId : null,
    residency: typeof residency === 'string' ? residency : RESIDENCY_DEFAULT,
  }
}

const label = text(LABEL_LENGTH_MAX).nullish()
/** Which there are is the vendor's to say, and to extend. */
const residency = text(RESIDENCY_LENGTH_MAX)
  .regex(/^[A-Z][A-Z0-9_]*$/, 'must be a residency such as EU_STORAGE_PROCESSING')
  .nullish()

const newProject = z
  .object({ name: text(PROJECT_NAME_LENGTH_MAX), external_key_id: label, residency, geography: label })
  .refine((body) => (body.residency ?? null) === null || (body.geography ?? null) === null, {
    path: ['geography'],
    error: 'must not be given beside residency',
  })

const projectUpdate = z.object({
  name: text(PROJECT_NAME_LENGTH_MAX).nullish(),
  external_key_id: label,
  geography: label,
})

const tags = ['OpenAI: projects']
const projectParams = z.object({ project_id: z.string() })

/** What a body states of the labels that a project's metadata keeps for this dialect. */
function stated(body: Readonly<Record<string, string | null | undefined>>): Record<string, string | null> {
  const labels = ['external_key_id', 'residency', 'geography'].map((name) => [name, body[name]] as const)
  return Object.fromEntries(
    labels.filter((entry): entry is [string, string | null] => entry[1] !== undefined),
  )
}

export function projectRoutes(services: KeyScopeServices): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.post(
      '/projects',
      {
        schema: {
          tags,
          summary: 'Create project',
          operationId: 'openaiCreateProject',
          body: newProject,
          response: { 200: project },
        },
      },
      async (request) => {
        const scope = inOrganization(services, request.actor)
        const labels = Object.entries(stated(request.body)).filter(([, value]) => value !== null)
        const row = await applyChange(services.directory, scope, (context) =>
          createProject(context, {
            workspaceSlug: null,
            identifier: null,
            name: request.body.name,
            metadata: Object.fromEntries(labels),
          }),
        )
        return toProject(row)
      },
    )

    app.get(
      '/projects',
      {
        schema: {
          tags,
          summary: 'List projects',
          operationId: 'openaiListProjects',
          querystring: idPageQuery.extend({ include_archived: queryFlag }),
          response: { 200: idPage(project) },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        const { limit, after, include_archived: includeArchived } = request.query
        const rows = await listProjects(context, {
          workspaceSlug: null,
          includeArchived,
          afterId: afterId(after, (id) => decodeOpenaiId('project', id)),
          limit: limit + 1,
        })
        return toIdPage(rows, limit, (row) => toProject(row))
      },
    )

    app.get(
      '/projects/:project_id',
      {
        schema: {
          tags,
          summary: 'Retrieve project',
          operationId: 'openaiRetrieveProject',
          params: projectParams,
          response: { 200: project },
        },
      },
      async (request) => {
        const { project_id: askedId } = request.params
        const context = inOrganization(services, request.actor)
        return toProject(await getProject(context, fromOpenaiId('project', askedId)), askedId)
      },
    )

    app.post(
      '/projects/:project_id',
      {
        schema: {
          tags,
          summary: 'Update project',
          operationId: 'openaiUpdateProject',
          params: projectParams,
          body: projectUpdate,
          response: { 200: project },
        },
      },
      async (request) => {
        const { project_id: askedId } = request.params
        const id = fromOpenaiId('project', askedId)
        const { name, external_key_id, geography } = request.body
        const row = await applyChange(
          services.directory,
          inOrganization(services, request.actor),
          (context) =>
            annotateProject(context, id, stated({ external_key_id, geography }), { name: name ?? undefined }),
        )
        return toProject(row, askedId)
      },
    )

    app.post(
      '/projects/:project_id/archive',
      {
        schema: {
          tags,
          summary: 'Archive project',
          operationId: 'openaiArchiveProject',
          params: projectParams,
          response: { 200: project },
        },
      },
      async (request) => {
        const { project_id: askedId } = request.params
        const id = fromOpenaiId('project', askedId)
        const row = await applyChange(
          services.directory,
          inOrganization(services, request.actor),
          (context) => archiveProject(context, id),
        )
        return toProject(row, askedId)
      },
    )
  }
}
