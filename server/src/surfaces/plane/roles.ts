import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import {
  getWorkspaceRole,
  pageWorkspaceRoles,
  type RankedRoleRow,
  type WorkspaceRoleKind,
} from '../../directory/roles/role-page.ts'
import { envelope, pageQuery, positionOf, readPage, toEnvelope } from './pages.ts'
import { roleSlug, roleTitle } from './role-wire.ts'
import { inOrganization, type PlaneServices } from './scope.ts'
import { fromPlaneId, workspaceParams } from './wire.ts'

/** The vendor's own for this list. */
const SIZE_DEFAULT = 20

const namespace = z.enum(['workspace', 'project'], { error: 'must be workspace or project' })

const role = z
  .object({
    id: z.string(),
    name: z.string(),
    description: z.string(),
    slug: z.string(),
    namespace,
    level: z.number().int(),
    is_system: z.boolean(),
    status: z.literal('active'),
  })
  .meta({ id: 'PlaneRole' })

function toRole(row: RankedRoleRow): z.infer<typeof role> {
  const kind = row.resource as WorkspaceRoleKind
  return {
    id: row.id,
    name: roleTitle(kind, row),
    description: row.description ?? '',
    slug: roleSlug(kind, row),
    namespace: kind,
    level: row.rank,
    is_system: row.key !== null,
    status: 'active',
  }
}

const tags = ['Plane: roles']

export function roleRoutes(services: PlaneServices): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/roles',
      {
        schema: {
          tags,
          summary: 'List roles',
          operationId: 'planeListRoles',
          params: workspaceParams,
          querystring: pageQuery.extend({ namespace: namespace.optional() }),
          response: { 200: envelope(role) },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        const page = readPage(request.query, SIZE_DEFAULT)
        const { id } = request.entered.workspace
        const kind = request.query.namespace ?? null
        return toEnvelope(page, await pageWorkspaceRoles(context, id, kind, positionOf(page)), toRole)
      },
    )

    app.get(
      '/roles/:role_id',
      {
        schema: {
          tags,
          summary: 'Retrieve role',
          operationId: 'planeRetrieveRole',
          params: workspaceParams.extend({ role_id: z.string() }),
          response: { 200: role },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        const id = fromPlaneId('role', request.params.role_id)
        return toRole(await getWorkspaceRole(context, request.entered.workspace.id, id))
      },
    )
  }
}
