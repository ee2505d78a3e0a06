import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { applyChange } from '../../directory/changes/change.ts'
import type { Context } from '../../directory/context.ts'
import { DirectoryError } from '../../directory/errors.ts'
import {
  createInvitation,
  getInvitation,
  INVITATION_GRANTS_MAX,
  type InvitationRow,
  listInvitations,
  revokeInvitation,
} from '../../directory/invitations/invitation.ts'
import { inOrganization, type KeyScopeServices } from '../http/key-scope.ts'
import { text } from '../http/wire-types.ts'
import { afterId, idPage, idPageQuery, toIdPage } from './lists.ts'
import { fromProjectRole, projectRole, toProjectRole } from './project-wire.ts'
import { roleName, toLevel, toLevelName } from './users-wire.ts'
import { decodeOpenaiId, fromOpenaiId, toOpenaiId, toUnixSeconds, withFields } from './wire.ts'

const EMAIL_LENGTH_MAX = 1024
const ID_LENGTH_MAX = 512

/** A revoked invitation is deleted here. */
const STATUSES = ['pending', 'accepted', 'expired'] as const

const invitedProject = z.object({ id: z.string(), role: projectRole })

const invite = z
  .object({
    object: z.literal('organization.invite'),
    id: z.string(),
    email: z.string(),
    role: roleName,
    status: z.enum(STATUSES),
    created_at: z.number().int(),
    expires_at: z.number().int().nullable(),
    accepted_at: z.number().int().nullable(),
    projects: z.array(invitedProject),
  })
  .meta({ id: 'OpenaiInvite' })

/** @param askedId the id it was asked for by, where a single invite was */
function toInvite(row: InvitationRow, askedId?: string): z.infer<typeof invite> {
  return {
    object: 'organization.invite',
    id: askedId ?? toOpenaiId('invite', row.id),
    email: row.email,
    role: toLevelName(row.level),
    status: shownStatus(row),
    created_at: toUnixSeconds(row.created_at),
    expires_at: toUnixSeconds(row.expires_at),
    accepted_at: row.accepted_at === null ? null : toUnixSeconds(row.accepted_at),
    projects: toProjects(row),
  }
}

/** @throws {DirectoryError} invitation.not_found */
function shownStatus({ status }: InvitationRow): (typeof STATUSES)[number] {
  if (status !== 'revoked') return status
  throw new DirectoryError('invitation.not_found', 'The invite is deleted.')
}

/** Each project once, with the higher of the two roles. What is given elsewhere has no place here. */
function toProjects(row: InvitationRow): z.infer<typeof invitedProject>[] {
  const roles = new Map<string, z.infer<typeof projectRole>>()
  for (const { project_id: id, role_key: key } of row.grants) {
    if (id === null) continue
    const isOwner = roles.get(id) === 'owner'
    roles.set(id, isOwner ? 'owner' : toProjectRole(key))
  }
  return [...roles].map(([id, role]) => ({ id: toOpenaiId('project', id), role }))
}

const newInvite = z.object({
  email: text(EMAIL_LENGTH_MAX),
  role: roleName,
  // The vendor puts who is invited without any into a default project: there is none here.
  projects: z
    .array(z.object({ id: text(ID_LENGTH_MAX), role: projectRole }))
    .max(INVITATION_GRANTS_MAX, `must have at most ${INVITATION_GRANTS_MAX} projects`)
    .default([]),
})

async function toGrants(context: Context, projects: z.infer<typeof newInvite>['projects']) {
  const ids = projects.map(({ id }, index) => fromOpenaiId('project', id, `projects[${index}].id`))
  const names = new Set(projects.map(({ role }) => role))
  const roleIds = new Map<string, string>()
  for (const name of names) roleIds.set(name, await fromProjectRole(context, name))
  return projects.map(({ role }, index) => ({ roleId: roleIds.get(role)!, projectId: ids[index]! }))
}

const tags = ['OpenAI: invites']
const inviteParams = z.object({ invite_id: z.string() })

export function inviteRoutes(services: KeyScopeServices): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/invites',
      {
        schema: {
          tags,
          summary: 'List invites',
          operationId: 'openaiListInvites',
          querystring: idPageQuery,
          response: { 200: idPage(invite) },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        const { limit, after } = request.query
        const rows = await listInvitations(context, {
          statuses: STATUSES,
          afterId: afterId(after, (id) => decodeOpenaiId('invite', id)),
          limit: limit + 1,
        })
        return toIdPage(rows, limit, (row) => toInvite(row))
      },
    )

    app.post(
      '/invites',
      {
        schema: {
          tags,
          summary: 'Create invite',
          operationId: 'openaiCreateInvite',
          body: newInvite,
          response: { 200: invite },
        },
      },
      async (request) => {
        const scope = inOrganization(services, request.actor)
        const { email, role, projects } = request.body
        const names = { level: 'role', 'project.not_found': 'projects', 'project.archived': 'projects' }
        const row = await withFields(names, () =>
          applyChange(services.directory, scope, async (context) =>
            createInvitation(context, {
              email,
              level: toLevel(role),
              grants: await toGrants(context, projects),
            }),
          ),
        )
        services.directory.wakeTasks()
        return toInvite(row)
      },
    )

    app.get(
      '/invites/:invite_id',
      {
        schema: {
          tags,
          summary: 'Retrieve invite',
          operationId: 'openaiRetrieveInvite',
          params: inviteParams,
          response: { 200: invite },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        const { invite_id: askedId } = request.params
        return toInvite(await getInvitation(context, fromOpenaiId('invite', askedId)), askedId)
      },
    )

    app.delete(
      '/invites/:invite_id',
      {
        schema: {
          tags,
          summary: 'Delete invite',
          operationId: 'openaiDeleteInvite',
          params: inviteParams,
          response: {
            200: z.object({
              object: z.literal('organization.invite.deleted'),
              id: z.string(),
              deleted: z.literal(true),
            }),
          },
        },
      },
      async (request) => {
        const scope = inOrganization(services, request.actor)
        const { invite_id: askedId } = request.params
        const id = fromOpenaiId('invite', askedId)
        await applyChange(services.directory, scope, (context) => revokeInvitation(context, id))
        return { object: 'organization.invite.deleted' as const, id: askedId, deleted: true as const }
      },
    )
  }
}
