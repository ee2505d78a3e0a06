import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import {
  assignRoleOnce,
  getRoleHolder,
  pageRoleHolders,
  revokeRoleHolder,
} from '../../directory/roles/role-holders.ts'
import type { KeyScopeServices } from '../http/key-scope.ts'
import { page, pageQuery, toPage, toPosition } from './lists.ts'
import { roleMembership, toMemberships } from './role-wire.ts'
import { fromPath, organizationParams, reading, uuid, withFields, write } from './wire.ts'

/** What the directory calls things of a membership, by their names here. */
const membershipFields = {
  member: 'user_uuid',
  'member.not_found': 'user_uuid',
  'member.wrong_status': 'user_uuid',
}

const tags = ['PostHog: roles']
const roleParams = organizationParams.extend({ role_id: z.string() })
const membershipParams = roleParams.extend({ role_membership_id: z.string() })

export function roleMembershipRoutes(services: KeyScopeServices): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/:organization_id/roles/:role_id/role_memberships',
      {
        schema: {
          tags,
          summary: 'List role memberships',
          operationId: 'posthogListRoleMemberships',
          params: roleParams,
          querystring: pageQuery,
          response: { 200: page(roleMembership) },
        },
      },
      async (request) => {
        const context = reading(services, request)
        const roleId = fromPath('role', request.params.role_id)
        const found = await pageRoleHolders(context, roleId, toPosition(request.query))
        const shown = await toMemberships(context, found.rows)
        return toPage(services, request, shown, found.count)
      },
    )

    app.post(
      '/:organization_id/roles/:role_id/role_memberships',
      {
        schema: {
          tags,
          summary: 'Create role memberships',
          operationId: 'posthogCreateRoleMembership',
          params: roleParams,
          body: z.object({ user_uuid: uuid }),
          response: { 201: roleMembership },
        },
      },
      async (request, reply) => {
        const roleId = fromPath('role', request.params.role_id)
        const [shown] = await withFields(membershipFields, () =>
          write(services, request, async (context) =>
            toMemberships(context, [await assignRoleOnce(context, roleId, request.body.user_uuid)]),
          ),
        )
        return reply.code(201).send(shown!)
      },
    )

    app.get(
      '/:organization_id/roles/:role_id/role_memberships/:role_membership_id',
      {
        schema: {
          tags,
          summary: 'Retrieve role memberships',
          operationId: 'posthogRetrieveRoleMembership',
          params: membershipParams,
          response: { 200: roleMembership },
        },
      },
      async (request) => {
        const context = reading(services, request)
        const { role_id: roleId, role_membership_id: id } = request.params
        const row = await getRoleHolder(context, fromPath('role', roleId), fromPath('roleMembership', id))
        const [shown] = await toMemberships(context, [row])
        return shown!
      },
    )

    app.delete(
      '/:organization_id/roles/:role_id/role_memberships/:role_membership_id',
      {
        schema: {
          tags,
          summary: 'Delete role memberships',
          operationId: 'posthogDeleteRoleMembership',
          params: membershipParams,
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const { role_id: roleId, role_membership_id: id } = request.params
        await write(services, request, (context) =>
          revokeRoleHolder(context, fromPath('role', roleId), fromPath('roleMembership', id)),
        )
        return reply.code(204).send(null)
      },
    )
  }
}
