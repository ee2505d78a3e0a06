import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { DirectoryError } from '../../directory/errors.ts'
import {
  createInvitation,
  createInvitations,
  getInvitation,
  INVITATION_GRANTS_MAX,
  INVITATION_MESSAGE_LENGTH_MAX,
  INVITATION_NAME_LENGTH_MAX,
  INVITATIONS_MAX,
  type InvitationRow,
  invitationStatuses,
  listInvitations,
  type NewInvitation,
  revokeInvitation,
} from '../../directory/invitations/invitation.ts'
import { resendInvitation } from '../../directory/invitations/resend.ts'
import { targetColumns } from '../../directory/roles/target.ts'
import { moment, text } from '../http/wire-types.ts'
import { reading, type Services, write } from './exchange.ts'
import {
  actor,
  fromId,
  fromIdField,
  fromTargetName,
  idCursor,
  levelName,
  orgParams,
  page,
  pageQuery,
  preview,
  previewQuery,
  roleRef,
  target,
  targetName,
  toActor,
  toId,
  toIdOrNull,
  toPage,
  toRoleRef,
  toTarget,
} from './wire.ts'

const EMAIL_LENGTH_MAX = 320

const offeredRole = z.object({ role: roleRef, target })

const invitation = z
  .object({
    object: z.literal('invitation'),
    id: z.string(),
    email: z.string(),
    level: levelName,
    status: z.enum(invitationStatuses),
    /** What it is to: the organization, or a workspace. */
    target,
    /** The roles that acceptance gives beside the level. */
    grants: z.array(offeredRole),
    first_name: z.string().nullable(),
    message: z.string().nullable(),
    invited_by: actor,
    created_at: moment,
    expires_at: moment,
    /** When its latest mail was written; null: none was. */
    mailed_at: moment.nullable(),
    accepted_at: moment.nullable(),
    revoked_at: moment.nullable(),
    /** Who accepted it. */
    member: z.string().nullable(),
  })
  .meta({ id: 'Invitation' })

function toInvitation(row: InvitationRow): z.infer<typeof invitation> {
  return {
    object: 'invitation',
    id: toId('invitation', row.id),
    email: row.email,
    level: row.level,
    status: row.status,
    target: toTarget({ workspaceId: row.workspace_id, projectId: null, pageId: null }),
    grants: row.grants.map(toOfferedRole),
    first_name: row.first_name,
    message: row.message,
    invited_by: toActor(row.invited_by_kind, row.invited_by_id),
    created_at: row.created_at,
    expires_at: row.expires_at,
    mailed_at: row.mailed_at,
    accepted_at: row.accepted_at,
    revoked_at: row.revoked_at,
    member: toIdOrNull('member', row.member_id),
  }
}

export function toOfferedRole(grant: InvitationRow['grants'][number]): z.infer<typeof offeredRole> {
  return {
    role: toRoleRef({ id: grant.role_id, key: grant.role_key, name: grant.role_name }),
    target: toTarget({ workspaceId: grant.workspace_id, projectId: grant.project_id, pageId: null }),
  }
}

const newInvitation = z.strictObject({
  email: text(EMAIL_LENGTH_MAX),
  level: levelName.default('member'),
  target: targetName
    .default('organization')
    .describe('What it is to: organization, or the id of a workspace (wsp_…), which takes a role there.'),
  role: z.string().optional().describe('The role on the workspace that it is to.'),
  grants: z
    .array(z.strictObject({ role: z.string(), target: targetName }))
    .max(INVITATION_GRANTS_MAX, `must have at most ${INVITATION_GRANTS_MAX} entries`)
    .default([])
    .describe('Roles that acceptance gives beside the level, such as on projects.'),
  first_name: text(INVITATION_NAME_LENGTH_MAX, 0).nullish(),
  message: text(INVITATION_MESSAGE_LENGTH_MAX, 0).nullish().describe('Stands in the mail.'),
  expires_in_seconds: z.number().optional(),
  send_email: z.boolean().default(true).describe('False: nothing is mailed before a resend.'),
  combine_pending: z
    .boolean()
    .default(false)
    .describe('Takes over what a pending invitation of the same address and target offers, and retires it.'),
  replace_pending: z
    .boolean()
    .default(false)
    .describe('Retires a pending invitation of the same address and target.'),
})

/** @param at what stands before the names of fields, where it is one of several */
function fromNewInvitation(body: z.infer<typeof newInvitation>, at = ''): NewInvitation {
  const { workspaceId, projectId } = targetColumns(fromTargetName(body.target, `${at}target`))
  const refuse = (field: string, rule: string) =>
    new DirectoryError('request.invalid', `${at}${field} ${rule}.`, { field: `${at}${field}` })
  if (projectId !== null) throw refuse('target', 'must be organization, or the id of a workspace')
  if (body.role !== undefined && workspaceId === null)
    throw refuse('role', 'is for an invitation to a workspace')
  if (body.combine_pending && body.replace_pending) {
    throw refuse('replace_pending', 'does not go together with combine_pending')
  }
  const onTarget =
    body.role === undefined ? [] : [{ roleId: fromIdField('role', body.role, `${at}role`), workspaceId }]
  const grants = body.grants.map(({ role, target: on }, index) => ({
    roleId: fromIdField('role', role, `${at}grants[${index}].role`),
    ...targetColumns(fromTargetName(on, `${at}grants[${index}].target`)),
  }))
  return {
    ...{ email: body.email, level: body.level, workspaceId, grants: [...onTarget, ...grants] },
    ...{ firstName: body.first_name, message: body.message, sendEmail: body.send_email },
    expiresInSeconds: body.expires_in_seconds,
    pending: body.combine_pending ? 'combine' : body.replace_pending ? 'replace' : 'refuse',
  }
}

const tags = ['Invitations']
const invitationParams = orgParams.extend({ invitation: z.string() })

export function invitationRoutes(services: Services): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.post(
      '/invitations',
      {
        schema: {
          tags,
          summary: 'Invite an address; the link that accepts is mailed to it and shown nowhere else',
          operationId: 'createInvitation',
          params: orgParams,
          body: newInvitation,
          response: { 201: invitation },
        },
      },
      async (request, reply) => {
        const input = fromNewInvitation(request.body)
        const options = { status: 201, render: toInvitation } as const
        const answer = await write(services, request, reply, options, (context) =>
          createInvitation(context, input),
        )
        services.directory.wakeTasks()
        return answer as never
      },
    )

    app.post(
      '/invitations/bulk',
      {
        schema: {
          tags,
          summary: 'Invite several addresses, all of them or none',
          operationId: 'createInvitations',
          params: orgParams,
          body: z.strictObject({
            invitations: z
              .array(newInvitation)
              .min(1, 'must have at least 1 entry')
              .max(INVITATIONS_MAX, `must have at most ${INVITATIONS_MAX} entries`),
          }),
          response: { 201: z.object({ data: z.array(invitation) }) },
        },
      },
      async (request, reply) => {
        const inputs = request.body.invitations.map((one, place) =>
          fromNewInvitation(one, `invitations[${place}].`),
        )
        const render = (rows: InvitationRow[]) => ({ data: rows.map(toInvitation) })
        const answer = await write(services, request, reply, { status: 201, render }, (context) =>
          createInvitations(context, inputs),
        )
        services.directory.wakeTasks()
        return answer as never
      },
    )

    app.get(
      '/invitations',
      {
        schema: {
          tags,
          summary: 'List invitations, all or those with a status or of an address',
          operationId: 'listInvitations',
          params: orgParams,
          querystring: pageQuery.extend({
            status: z.enum(invitationStatuses).optional(),
            email: text(EMAIL_LENGTH_MAX).optional(),
          }),
          response: { 200: page(invitation) },
        },
      },
      async (request) => {
        const { limit, after, status, email } = request.query
        const rows = await listInvitations(reading(services, request), {
          afterId: idCursor(after),
          limit: limit + 1,
          statuses: status === undefined ? null : [status],
          email: email ?? null,
        })
        return toPage(rows, limit, toInvitation, (row) => row.id)
      },
    )

    app.get(
      '/invitations/:invitation',
      {
        schema: {
          tags,
          summary: 'Read an invitation, whatever its status',
          operationId: 'getInvitation',
          params: invitationParams,
          response: { 200: invitation },
        },
      },
      async (request) => {
        const id = fromId('invitation', request.params.invitation)
        return toInvitation(await getInvitation(reading(services, request), id))
      },
    )

    app.post(
      '/invitations/:invitation/resend',
      {
        schema: {
          tags,
          summary: 'Mail an invitation again: the old link dies, and its time begins anew',
          operationId: 'resendInvitation',
          params: invitationParams,
          response: { 200: invitation },
        },
      },
      async (request, reply) => {
        const id = fromId('invitation', request.params.invitation)
        const options = { status: 200, render: toInvitation } as const
        const answer = await write(services, request, reply, options, (context) =>
          resendInvitation(context, id),
        )
        services.directory.wakeTasks()
        return answer as never
      },
    )

    app.delete(
      '/invitations/:invitation',
      {
        schema: {
          tags,
          summary: 'Revoke an invitation that is not accepted: its link works no more',
          operationId: 'revokeInvitation',
          params: invitationParams,
          querystring: previewQuery,
          response: { 200: preview, 204: z.null() },
        },
      },
      async (request, reply) => {
        const id = fromId('invitation', request.params.invitation)
        return (await write(services, request, reply, { status: 204 }, (context) =>
          revokeInvitation(context, id),
        )) as never
      },
    )
  }
}
