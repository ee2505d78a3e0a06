import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import {
  deleteCustomRole,
  getCustomRole,
  pageCustomRoles,
  renameCustomRole,
} from '../../directory/roles/custom-roles.ts'
import { createRole, ROLE_NAME_LENGTH_MAX } from '../../directory/roles/role.ts'
import { ORGANIZATION } from '../../directory/roles/target.ts'
import type { KeyScopeServices } from '../http/key-scope.ts'
import { text } from '../http/wire-types.ts'
import { page, pageQuery, toPage, toPosition } from './lists.ts'
import { role, toRoles } from './role-wire.ts'
import { fromPath, organizationParams, reading, write } from './wire.ts'

const roleName = text(ROLE_NAME_LENGTH_MAX)

const tags = ['PostHog: roles']
const roleParams = organizationParams.extend({ role_id: z.string() })

export function roleRoutes(services: KeyScopeServices): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/:organization_id/roles',
      {
        schema: {
          tags,
          summary: 'List roles',
          operationId: 'posthogListRoles',
          params: organizationParams,
          querystring: pageQuery,
          response: { 200: page(role) },
        },
      },
      async (request) => {
        const context = reading(services, request)
        const found = await pageCustomRoles(context, toPosition(request.query))
        const shown = await toRoles(context, found.rows)
        return toPage(services, request, shown, found.count)
      },
    )

    app.post(
      '/:organization_id/roles',
      {
        schema: {
          tags,
          summary: 'Create roles',
          operationId: 'posthogCreateRole',
          params: organizationParams,
          body: z.object({ name: roleName }),
          response: { 201: role },
        },
      },
      async (request, reply) => {
        const [shown] = await write(services, request, async (context) => {
          const row = await createRole(context, {
            ...{ name: request.body.name, description: null, permissions: [], metadata: {} },
            ...{ resource: 'organization', of: ORGANIZATION },
          })
          return await toRoles(context, [{ role: row, holders: [] }])
        })
        return reply.code(201).send(shown!)
      },
    )

    app.get(
      '/:organization_id/roles/:role_id',
      {
        schema: {
          tags,
          summary: 'Retrieve roles',
          operationId: 'posthogRetrieveRole',
          params: roleParams,
          response: { 200: role },
        },
      },
      async (request) => {
        const context = reading(services, request)
        const held = await getCustomRole(context, fromPath('role', request.params.role_id))
        const [shown] = await toRoles(context, [held])
        return shown!
      },
    )

    app.patch(
      '/:organization_id/roles/:role_id',
      {
        schema: {
          tags,
          summary: 'Update roles',
          operationId: 'posthogUpdateRole',
          params: roleParams,
          body: z.object({ name: roleName.optional() }).nullish(),
          response: { 200: role },
        },
      },
      async (request) => {
        const id = fromPath('role', request.params.role_id)
        const [shown] = await write(services, request, async (context) =>
          toRoles(context, [await renameCustomRole(context, id, request.body?.name)]),
        )
        return shown!
      },
    )

    app.delete(
      '/:organization_id/roles/:role_id',
      {
        schema: {
          tags,
          summary: 'Delete roles',
          operationId: 'posthogDeleteRole',
          params: roleParams,
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const id = fromPath('role', request.params.role_id)
        await write(services, request, (context) => deleteCustomRole(context, id))
        return reply.code(204).send(null)
      },
    )
  }
}
