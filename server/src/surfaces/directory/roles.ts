import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { PERMISSION_LENGTH_MAX } from '../../directory/access/permission.ts'
import { permissionsOf } from '../../directory/roles/predefined.ts'
import {
  createRole,
  deleteRole,
  getRole,
  listPermissions,
  listRoles,
  ROLE_DESCRIPTION_LENGTH_MAX,
  ROLE_NAME_LENGTH_MAX,
  ROLE_PERMISSIONS_MAX,
  type RoleRow,
  updateRole,
} from '../../directory/roles/role.ts'
import { ORGANIZATION, targetKinds } from '../../directory/roles/target.ts'
import { metadata, moment, text } from '../http/wire-types.ts'
import { expectedVersion, reading, type Services, setVersion, write } from './exchange.ts'
import {
  fromId,
  fromTargetName,
  idCursor,
  orgParams,
  page,
  pageQuery,
  preview,
  previewQuery,
  target,
  targetName,
  toId,
  toPage,
  toTarget,
} from './wire.ts'

const role = z
  .object({
    object: z.literal('role'),
    id: z.string(),
    /** Of a predefined role. */
    key: z.string().nullable(),
    name: z.string(),
    description: z.string().nullable(),
    predefined: z.boolean(),
    /** The kind of target it can be assigned on. */
    resource: z.enum(targetKinds),
    /** Whose role it is: the organization's, or one workspace's or project's own. */
    of: target,
    /** `["*"]` is everything there is. */
    permissions: z.array(z.string()),
    metadata: z.record(z.string(), z.unknown()),
    created_at: moment,
    updated_at: moment,
  })
  .meta({ id: 'Role' })

function toRole(row: RoleRow): z.infer<typeof role> {
  return {
    object: 'role',
    id: toId('role', row.id),
    key: row.key,
    name: row.name,
    description: row.description,
    predefined: row.key !== null,
    resource: row.resource,
    of: toTarget({ workspaceId: row.workspace_id, projectId: row.project_id, pageId: null }),
    permissions: [...permissionsOf(row)],
    metadata: row.metadata,
    created_at: row.created_at,
    updated_at: row.updated_at,
  }
}

const name = text(ROLE_NAME_LENGTH_MAX)
const description = text(ROLE_DESCRIPTION_LENGTH_MAX, 0).nullish()
const permissionNames = z
  .array(text(PERMISSION_LENGTH_MAX))
  .max(ROLE_PERMISSIONS_MAX, `must name at most ${ROLE_PERMISSIONS_MAX} permissions`)
const resource = z.enum(targetKinds, { error: `must be one of ${targetKinds.join(', ')}` })

const tags = ['Roles']
const roleParams = orgParams.extend({ role: z.string() })

export function roleRoutes(services: Services): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()
    const renderTo = (reply: FastifyReply) => (row: RoleRow) => {
      setVersion(reply, row.version)
      return toRole(row)
    }

    app.get(
      '/permissions',
      {
        schema: {
          tags,
          summary: 'The permission catalogue: what Rollcall itself asks for',
          operationId: 'listPermissions',
          params: orgParams,
          response: {
            200: z.object({
              data: z.array(
                z.object({
                  object: z.literal('permission'),
                  name: z.string(),
                  description: z.string(),
                }),
              ),
            }),
          },
        },
      },
      async (request) => {
        const named = Object.entries(listPermissions(reading(services, request)))
        const data = named.map(([permission, about]) => {
          return { object: 'permission' as const, name: permission, description: about }
        })
        return { data }
      },
    )

    app.post(
      '/roles',
      {
        schema: {
          tags,
          summary: 'Create a role of permissions that you hold yourself',
          operationId: 'createRole',
          params: orgParams,
          body: z.strictObject({
            name,
            description,
            permissions: permissionNames,
            resource: resource.default('organization'),
            of: targetName.optional(),
            metadata: metadata.default({}),
          }),
          response: { 201: role },
        },
      },
      async (request, reply) => {
        const { of, ...fields } = request.body
        const input = {
          ...fields,
          description: fields.description ?? null,
          of: of === undefined ? ORGANIZATION : fromTargetName(of, 'of'),
        }
        return (await write(services, request, reply, { status: 201, render: renderTo(reply) }, (context) =>
          createRole(context, input),
        )) as never
      },
    )

    app.get(
      '/roles',
      {
        schema: {
          tags,
          summary: 'List roles, predefined ones included; all, or those that can be assigned on a target',
          operationId: 'listRoles',
          params: orgParams,
          querystring: pageQuery.extend({ resource: resource.optional(), target: targetName.optional() }),
          response: { 200: page(role) },
        },
      },
      async (request) => {
        const { limit, after, resource: kind, target: on } = request.query
        const rows = await listRoles(reading(services, request), {
          afterId: idCursor(after),
          limit: limit + 1,
          order: 'asc',
          resource: kind ?? null,
          target: on === undefined ? null : fromTargetName(on),
        })
        return toPage(rows, limit, toRole, (row) => row.id)
      },
    )

    app.get(
      '/roles/:role',
      {
        schema: {
          tags,
          summary: 'Read a role',
          operationId: 'getRole',
          params: roleParams,
          response: { 200: role },
        },
      },
      async (request, reply) => {
        const row = await getRole(reading(services, request), fromId('role', request.params.role))
        return renderTo(reply)(row)
      },
    )

    app.patch(
      '/roles/:role',
      {
        schema: {
          tags,
          summary: 'Change a custom role; what it gives changes for everybody who holds it',
          operationId: 'updateRole',
          params: roleParams,
          querystring: previewQuery,
          body: z.strictObject({
            name: name.optional(),
            description,
            permissions: permissionNames.optional(),
            metadata: metadata.optional(),
          }),
          response: { 200: z.union([role, preview]) },
        },
      },
      async (request, reply) => {
        const id = fromId('role', request.params.role)
        const version = expectedVersion(request)
        return (await write(services, request, reply, { status: 200, render: renderTo(reply) }, (context) =>
          updateRole(context, id, request.body, version),
        )) as never
      },
    )

    app.delete(
      '/roles/:role',
      {
        schema: {
          tags,
          summary: 'Delete a custom role and end every assignment of it',
          operationId: 'deleteRole',
          params: roleParams,
          querystring: previewQuery,
          response: { 200: preview, 204: z.null() },
        },
      },
      async (request, reply) => {
        const id = fromId('role', request.params.role)
        const version = expectedVersion(request)
        return (await write(services, request, reply, { status: 204 }, (context) =>
          deleteRole(context, id, version),
        )) as never
      },
    )
  }
}
