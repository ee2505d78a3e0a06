import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { PERMISSION_LENGTH_MAX } from '../../directory/access/permission.ts'
import { applyChange } from '../../directory/changes/change.ts'
import type { ReadContext } from '../../directory/context.ts'
import {
  createRole,
  deleteRole,
  getRole,
  listRoles,
  ROLE_DESCRIPTION_LENGTH_MAX,
  ROLE_NAME_LENGTH_MAX,
  ROLE_PERMISSIONS_MAX,
  updateRole,
} from '../../directory/roles/role.ts'
import { requireRoleOn } from '../../directory/roles/role-on.ts'
import { ORGANIZATION, type Target } from '../../directory/roles/target.ts'
import { inOrganization, type KeyScopeServices } from '../http/key-scope.ts'
import { text } from '../http/wire-types.ts'
import { nextPage, nextPageQuery, toNextPage } from './lists.ts'
import { fromPermissionNames } from './permission-names.ts'
import { afterRoleId, organizationPlace, type RolePlace, resolveRoleId } from './role-ids.ts'
import { role, toRole } from './roles-wire.ts'
import { withFields } from './wire.ts'

const LIMIT_DEFAULT = 1000

const roleFields = {
  role_name: text(ROLE_NAME_LENGTH_MAX),
  permissions: z.array(text(PERMISSION_LENGTH_MAX)).max(ROLE_PERMISSIONS_MAX, 'has too many permissions'),
  description: text(ROLE_DESCRIPTION_LENGTH_MAX, 0).nullish(),
}

/** What the directory calls `role_name`. */
const fieldNames = { name: 'role_name' }

/** Whose roles: the organization's or one project's. */
export interface RoleRoutes<Params extends z.ZodObject> {
  readonly path: string
  readonly params: Params
  readonly tag: string
  /** As operation ids name one: `Role`, `ProjectRole`. */
  readonly operation: string
  readonly home: (context: ReadContext, params: z.infer<Params>) => { target: Target; place: RolePlace }
}

/** Registers create, list, retrieve, update and delete of roles. */
export function roleRoutes<Params extends z.ZodObject>(
  app: FastifyInstance,
  services: KeyScopeServices,
  routes: RoleRoutes<Params>,
): void {
  const { path, params, operation } = routes
  const tags = [routes.tag]
  const roleParams = params.extend({ role_id: z.string() })
  type Asked = z.infer<Params> & { role_id: string }

  app.get(
    path,
    {
      schema: {
        tags,
        summary: 'List roles',
        operationId: `openaiList${operation}s`,
        params,
        querystring: nextPageQuery({ default: LIMIT_DEFAULT }),
        response: { 200: nextPage(role) },
      },
    },
    async (request) => {
      const context = inOrganization(services, request.actor)
      const { target, place } = routes.home(context, request.params as z.infer<Params>)
      const { limit, order, after } = request.query as z.infer<ReturnType<typeof nextPageQuery>>
      const rows = await listRoles(context, {
        afterId: await afterRoleId(context, after, place),
        limit: limit + 1,
        order,
        resource: place.kind,
        target,
      })
      return toNextPage(rows, limit, (row) => toRole(row, place))
    },
  )

  app.post(
    path,
    {
      schema: {
        tags,
        summary: 'Create role',
        operationId: `openaiCreate${operation}`,
        params,
        body: z.object(roleFields),
        response: { 200: role },
      },
    },
    async (request) => {
      const scope = inOrganization(services, request.actor)
      const { target, place } = routes.home(scope, request.params as z.infer<Params>)
      const body = request.body as z.infer<z.ZodObject<typeof roleFields>>
      const row = await withFields(fieldNames, () =>
        applyChange(services.directory, scope, (context) =>
          createRole(context, {
            name: body.role_name,
            description: body.description ?? null,
            permissions: fromPermissionNames(body.permissions),
            metadata: {},
            resource: place.kind,
            of: target,
          }),
        ),
      )
      return toRole(row, place)
    },
  )

  app.get(
    `${path}/:role_id`,
    {
      schema: {
        tags,
        summary: 'Retrieve role',
        operationId: `openaiRetrieve${operation}`,
        params: roleParams,
        response: { 200: role },
      },
    },
    async (request) => {
      const context = inOrganization(services, request.actor)
      const asked = request.params as Asked
      const { target, place } = routes.home(context, asked)
      const row = await getRole(context, await resolveRoleId(context, asked.role_id, place))
      return toRole(await requireRoleOn(context, row.id, target), place, asked.role_id)
    },
  )

  app.post(
    `${path}/:role_id`,
    {
      schema: {
        tags,
        summary: 'Update role',
        operationId: `openaiUpdate${operation}`,
        params: roleParams,
        body: z
          .object({
            role_name: roleFields.role_name.nullish(),
            permissions: roleFields.permissions.nullish(),
            description: roleFields.description,
          })
          .nullish(),
        response: { 200: role },
      },
    },
    async (request) => {
      const scope = inOrganization(services, request.actor)
      const asked = request.params as Asked
      const { target, place } = routes.home(scope, asked)
      const body = (request.body ?? {}) as {
        [Field in keyof typeof roleFields]?: z.infer<(typeof roleFields)[Field]> | null
      }
      // A description may be none, so null clears it; a name and permissions may not, and null says nothing.
      const update = {
        name: body.role_name ?? undefined,
        description: body.description,
        permissions: body.permissions ? fromPermissionNames(body.permissions) : undefined,
      }
      const row = await withFields(fieldNames, () =>
        applyChange(services.directory, scope, async (context) => {
          const id = await resolveRoleId(context, asked.role_id, place)
          await requireRoleOn(context, id, target)
          return await updateRole(context, id, update)
        }),
      )
      return toRole(row, place, asked.role_id)
    },
  )

  app.delete(
    `${path}/:role_id`,
    {
      schema: {
        tags,
        summary: 'Delete role',
        operationId: `openaiDelete${operation}`,
        params: roleParams,
        response: {
          200: z.object({ object: z.literal('role.deleted'), id: z.string(), deleted: z.literal(true) }),
        },
      },
    },
    async (request) => {
      const scope = inOrganization(services, request.actor)
      const asked = request.params as Asked
      const { target, place } = routes.home(scope, asked)
      await applyChange(services.directory, scope, async (context) => {
        const id = await resolveRoleId(context, asked.role_id, place)
        await requireRoleOn(context, id, target)
        await deleteRole(context, id)
      })
      return { object: 'role.deleted', id: asked.role_id, deleted: true }
    },
  )
}

/** The organization's own roles. */
export function organizationRoleRoutes(services: KeyScopeServices): FastifyPluginAsync {
  return async (app) =>
    roleRoutes(app, services, {
      path: '/roles',
      params: z.object({}),
      tag: 'OpenAI: roles',
      operation: 'Role',
      home: (context) => ({ target: ORGANIZATION, place: organizationPlace(context) }),
    })
}
