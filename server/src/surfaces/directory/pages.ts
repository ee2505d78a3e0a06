import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import {
  createPage,
  deletePage,
  getPage,
  listPages,
  PAGE_NAME_LENGTH_MAX,
  type PageRow,
  updatePage,
} from '../../directory/pages/page.ts'
import { requireWorkspace } from '../../directory/workspaces/workspace-members.ts'
import { moment, text } from '../http/wire-types.ts'
import { expectedVersion, reading, type Services, setVersion, write } from './exchange.ts'
import {
  fromId,
  fromIdField,
  idCursor,
  orgParams,
  page,
  pageQuery,
  preview,
  previewQuery,
  toId,
  toIdOrNull,
  toPage,
} from './wire.ts'

const REFERENCE_LENGTH_MAX = 255

const workspacePage = z
  .object({
    object: z.literal('page'),
    id: z.string(),
    workspace: z.string(),
    /** Null: it is the workspace's own. */
    project: z.string().nullable(),
    name: z.string(),
    external_reference_id: z.string().nullable(),
    created_at: moment,
    updated_at: moment,
  })
  .meta({ id: 'Page' })

function toWorkspacePage(row: PageRow): z.infer<typeof workspacePage> {
  return {
    object: 'page',
    id: toId('page', row.id),
    workspace: toId('workspace', row.workspace_id),
    project: toIdOrNull('project', row.project_id),
    name: row.name,
    external_reference_id: row.external_reference_id,
    created_at: row.created_at,
    updated_at: row.updated_at,
  }
}

/** The project of a body; undefined stays, null is none. */
function fromProject(project: string | null | undefined): string | null | undefined {
  return typeof project === 'string' ? fromIdField('project', project, 'project') : project
}

const tags = ['Pages']
const workspaceParams = orgParams.extend({ workspace: z.string() })
const pageParams = workspaceParams.extend({ page: z.string() })

/** The pages of a workspace that its application has registered, to be shared by assigning roles on them. */
export function pageRoutes(services: Services): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()
    const renderTo = (reply: FastifyReply) => (row: PageRow) => {
      setVersion(reply, row.version)
      return toWorkspacePage(row)
    }

    app.post(
      '/workspaces/:workspace/pages',
      {
        schema: {
          tags,
          summary: 'Register a page of a workspace, or of one of its projects',
          operationId: 'createPage',
          params: workspaceParams,
          body: z.strictObject({
            name: text(PAGE_NAME_LENGTH_MAX),
            project: z.string().nullish(),
            external_reference_id: text(REFERENCE_LENGTH_MAX).nullish(),
          }),
          response: { 201: workspacePage },
        },
      },
      async (request, reply) => {
        const { name, project, external_reference_id: externalReferenceId = null } = request.body
        const input = { name, projectId: fromProject(project) ?? null, externalReferenceId }
        return (await write(
          services,
          request,
          reply,
          { status: 201, render: renderTo(reply) },
          async (context) => {
            const { id } = await requireWorkspace(context, request.params.workspace)
            return await createPage(context, id, input)
          },
        )) as never
      },
    )

    app.get(
      '/workspaces/:workspace/pages',
      {
        schema: {
          tags,
          summary: 'List the pages of a workspace',
          operationId: 'listPages',
          params: workspaceParams,
          querystring: pageQuery.extend({
            project: z.string().optional(),
            external_reference_id: text(REFERENCE_LENGTH_MAX).optional(),
          }),
          response: { 200: page(workspacePage) },
        },
      },
      async (request) => {
        const { limit, after, project, external_reference_id: externalReferenceId = null } = request.query
        const projectId = fromProject(project) ?? null
        const context = reading(services, request)
        const { id } = await requireWorkspace(context, request.params.workspace)
        const place = { afterId: idCursor(after), limit: limit + 1 }
        const rows = await listPages(context, id, { ...place, projectId, externalReferenceId })
        return toPage(rows, limit, toWorkspacePage, (row) => row.id)
      },
    )

    app.get(
      '/workspaces/:workspace/pages/:page',
      {
        schema: {
          tags,
          summary: 'Read a page',
          operationId: 'getPage',
          params: pageParams,
          response: { 200: workspacePage },
        },
      },
      async (request, reply) => {
        const pageId = fromId('page', request.params.page)
        const context = reading(services, request)
        const { id } = await requireWorkspace(context, request.params.workspace)
        return renderTo(reply)(await getPage(context, id, pageId))
      },
    )

    app.patch(
      '/workspaces/:workspace/pages/:page',
      {
        schema: {
          tags,
          summary: 'Change fields of a page; null clears one',
          operationId: 'updatePage',
          params: pageParams,
          body: z.strictObject({
            name: text(PAGE_NAME_LENGTH_MAX).optional(),
            project: z.string().nullish(),
            external_reference_id: text(REFERENCE_LENGTH_MAX).nullish(),
          }),
          response: { 200: workspacePage },
        },
      },
      async (request, reply) => {
        const pageId = fromId('page', request.params.page)
        const { name, project, external_reference_id: externalReferenceId } = request.body
        const update = { name, projectId: fromProject(project), externalReferenceId }
        return (await write(
          services,
          request,
          reply,
          { status: 200, render: renderTo(reply) },
          async (context) => {
            const { id } = await requireWorkspace(context, request.params.workspace)
            return await updatePage(context, id, pageId, update, expectedVersion(request))
          },
        )) as never
      },
    )

    app.delete(
      '/workspaces/:workspace/pages/:page',
      {
        schema: {
          tags,
          summary: 'Delete a page and end every role on it',
          operationId: 'deletePage',
          params: pageParams,
          querystring: previewQuery,
          response: { 200: preview, 204: z.null() },
        },
      },
      async (request, reply) => {
        const pageId = fromId('page', request.params.page)
        return (await write(services, request, reply, { status: 204 }, async (context) => {
          const { id } = await requireWorkspace(context, request.params.workspace)
          await deletePage(context, id, pageId, expectedVersion(request))
        })) as never
      },
    )
  }
}
