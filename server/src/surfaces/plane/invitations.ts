import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { applyChange } from '../../directory/changes/change.ts'
import {
  changeInvitedRole,
  getWorkspaceInvitation,
  inviteToWorkspace,
  listWorkspaceInvitations,
  revokeWorkspaceInvitation,
  type WorkspaceInvitationRow,
} from '../../directory/invitations/workspace-invitation.ts'
import { moment, text } from '../http/wire-types.ts'
import type { RouteRefusals } from './errors.ts'
import { resolveRole, roleName, roleNumber, roleSlug } from './role-wire.ts'
import { inOrganization, type PlaneServices } from './scope.ts'
import { fromPlaneId, workspaceParams } from './wire.ts'

const EMAIL_LENGTH_MAX = 1024
const ROLE_DEFAULT = 5

const invitation = z
  .object({
    id: z.string(),
    email: z.string(),
    role: z.number().int(),
    role_slug: z.string(),
    accepted: z.boolean(),
    responded_at: moment.nullable(),
    created_at: moment,
    updated_at: moment,
  })
  .meta({ id: 'PlaneInvitation' })

function toInvitation(row: WorkspaceInvitationRow): z.infer<typeof invitation> {
  const role = { id: row.role_id, key: row.role_key, name: row.role_name }
  return {
    id: row.id,
    email: row.email,
    role: roleNumber('workspace', role),
    role_slug: roleSlug('workspace', role),
    accepted: row.status === 'accepted',
    responded_at: row.accepted_at,
    created_at: row.created_at,
    updated_at: row.accepted_at ?? row.created_at,
  }
}

/** That an address is invited already is about no one field here. */
const TAKEN: RouteRefusals = { formErrors: ['invitation.already_pending'] }

const ANSWERED: RouteRefusals = {
  answers: { 'invitation.wrong_status': [400, 'error', 'INVITE_ALREADY_ACCEPTED'] },
}

const EMAIL_FIXED = {
  error: 'Email cannot be updated.',
  code: 'EMAIL_CANNOT_BE_UPDATED',
  message: 'Email cannot be updated.',
}

const tags = ['Plane: invitations']
const invitationParams = workspaceParams.extend({ invitation_id: z.string() })

export function invitationRoutes(services: PlaneServices): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/invitations',
      {
        schema: {
          tags,
          summary: 'List workspace invitations',
          operationId: 'planeListInvitations',
          params: workspaceParams,
          response: { 200: z.array(invitation) },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        return (await listWorkspaceInvitations(context, request.entered.workspace.id)).map(toInvitation)
      },
    )

    app.post(
      '/invitations',
      {
        config: { planeRefusals: TAKEN },
        schema: {
          tags,
          summary: 'Invite to the workspace',
          operationId: 'planeCreateInvitation',
          params: workspaceParams,
          body: z.object({ email: text(EMAIL_LENGTH_MAX), role: roleName.nullish() }),
          response: { 201: invitation },
        },
      },
      async (request, reply) => {
        const { email, role } = request.body
        const { id } = request.entered.workspace
        const row = await applyChange(
          services.directory,
          inOrganization(services, request.actor),
          async (context) => {
            const { id: roleId } = await resolveRole(context, id, 'workspace', role ?? ROLE_DEFAULT)
            return await inviteToWorkspace(context, id, { email, roleId })
          },
        )
        return reply.code(201).send(toInvitation(row))
      },
    )

    app.get(
      '/invitations/:invitation_id',
      {
        schema: {
          tags,
          summary: 'Retrieve workspace invitation',
          operationId: 'planeRetrieveInvitation',
          params: invitationParams,
          response: { 200: invitation },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        const id = fromPlaneId('invitation', request.params.invitation_id)
        return toInvitation(await getWorkspaceInvitation(context, request.entered.workspace.id, id))
      },
    )

    app.patch(
      '/invitations/:invitation_id',
      {
        config: { planeRefusals: ANSWERED },
        schema: {
          tags,
          summary: 'Update workspace invitation',
          operationId: 'planeUpdateInvitation',
          params: invitationParams,
          body: z.object({ email: text(EMAIL_LENGTH_MAX).nullish(), role: roleName.nullish() }).nullish(),
          response: { 200: invitation, 400: z.looseObject({ error: z.string(), code: z.string() }) },
        },
      },
      async (request, reply) => {
        const scope = inOrganization(services, request.actor)
        const id = fromPlaneId('invitation', request.params.invitation_id)
        const workspaceId = request.entered.workspace.id
        const { email, role } = request.body ?? {}
        const before = await getWorkspaceInvitation(scope, workspaceId, id)
        const isOther = typeof email === 'string' && email.toLowerCase() !== before.email.toLowerCase()
        if (isOther) return reply.code(400).send(EMAIL_FIXED)
        const row = await applyChange(services.directory, scope, async (context) => {
          // Null says nothing, as an absent field does.
          const isSame = role === undefined || role === null
          const roleId = isSame
            ? before.role_id
            : (await resolveRole(context, workspaceId, 'workspace', role)).id
          return await changeInvitedRole(context, workspaceId, id, roleId)
        })
        return toInvitation(row)
      },
    )

    app.delete(
      '/invitations/:invitation_id',
      {
        config: { planeRefusals: ANSWERED },
        schema: {
          tags,
          summary: 'Delete workspace invitation',
          operationId: 'planeDeleteInvitation',
          params: invitationParams,
          response: { 204: z.undefined() },
        },
      },
      async (request, reply) => {
        const id = fromPlaneId('invitation', request.params.invitation_id)
        const workspaceId = request.entered.workspace.id
        await applyChange(services.directory, inOrganization(services, request.actor), (context) =>
          revokeWorkspaceInvitation(context, workspaceId, id),
        )
        return reply.code(204).send()
      },
    )
  }
}
