import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Level } from '../../directory/access/permission.ts'
import { applyChange, applyChanges } from '../../directory/changes/change.ts'
import type { Context } from '../../directory/context.ts'
import { DirectoryError } from '../../directory/errors.ts'
import { annotateMember } from '../../directory/members/annotate.ts'
import { removeMember } from '../../directory/members/lifecycle.ts'
import type { MemberRow } from '../../directory/members/member.ts'
import { changeMemberLevel, getMember, requireMember } from '../../directory/members/member.ts'
import { listMembersWithEmails } from '../../directory/members/member-list.ts'
import { assignRole } from '../../directory/roles/assignment.ts'
import { requireRoleOn } from '../../directory/roles/role-on.ts'
import { ORGANIZATION } from '../../directory/roles/target.ts'
import { inOrganization, type KeyScopeServices } from '../http/key-scope.ts'
import { text } from '../http/wire-types.ts'
import { afterId, idPage, idPageQuery, listOf, queryList, toIdPage } from './lists.ts'
import { organizationPlace, resolveRoleId, roleIdText } from './role-ids.ts'
import { roleName, toLevel, toUser, user } from './users-wire.ts'
import { decodeOpenaiId, fromOpenaiId, withFields } from './wire.ts'

const EMAIL_LENGTH_MAX = 1024
const NOTE_LENGTH_MAX = 255

const tags = ['OpenAI: users']
const userParams = z.object({ user_id: z.string() })

export function userRoutes(services: KeyScopeServices): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/users',
      {
        schema: {
          tags,
          summary: 'List users',
          operationId: 'openaiListUsers',
          querystring: idPageQuery.extend(queryList('emails', text(EMAIL_LENGTH_MAX))),
          response: { 200: idPage(user) },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        const { limit, after } = request.query
        const rows = await listMembersWithEmails(context, listOf(request.query, 'emails') ?? null, {
          afterId: afterId(after, (id) => decodeOpenaiId('user', id)),
          limit: limit + 1,
        })
        return toIdPage(rows, limit, (row) => toUser(row))
      },
    )

    app.get(
      '/users/:user_id',
      {
        schema: {
          tags,
          summary: 'Retrieve user',
          operationId: 'openaiRetrieveUser',
          params: userParams,
          response: { 200: user },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        const { user_id: askedId } = request.params
        const row = await getMember(context, fromOpenaiId('user', askedId))
        // A removed member is no user of the organization any more.
        if (row.status === 'removed') throw new DirectoryError('member.not_found', 'The user is removed.')
        return toUser(row, askedId)
      },
    )

    app.post(
      '/users/:user_id',
      {
        schema: {
          tags,
          summary: 'Update user',
          operationId: 'openaiUpdateUser',
          params: userParams,
          body: z
            .object({
              role: roleName.nullish(),
              role_id: roleIdText.nullish(),
              technical_level: text(NOTE_LENGTH_MAX, 0).nullish(),
              developer_persona: text(NOTE_LENGTH_MAX, 0).nullish(),
            })
            .nullish(),
          response: { 200: user },
        },
      },
      async (request) => {
        const scope = inOrganization(services, request.actor)
        const { user_id: askedId } = request.params
        const id = fromOpenaiId('user', askedId)
        const { role, role_id: roleId, ...rest } = request.body ?? {}
        if (typeof role === 'string' && typeof roleId === 'string') {
          throw new DirectoryError('request.invalid', 'role_id must not be given together with role.', {
            field: 'role_id',
          })
        }
        // Of the notes, null clears one. A role cannot be cleared: there null says nothing.
        const notes = Object.fromEntries(
          Object.entries(rest).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
        )
        const works = [
          ...(typeof role === 'string'
            ? [(context: Context) => changeMemberLevel(context, id, toLevel(role))]
            : []),
          ...(typeof roleId === 'string' ? [(context: Context) => giveRole(context, id, roleId)] : []),
          (context: Context) => annotateMember(context, id, notes),
        ]
        const rows = await withFields({ level: 'role' }, () => applyChanges(services.directory, scope, works))
        return toUser(rows.at(-1)!, askedId)
      },
    )

    app.delete(
      '/users/:user_id',
      {
        schema: {
          tags,
          summary: 'Delete user',
          operationId: 'openaiDeleteUser',
          params: userParams,
          response: {
            200: z.object({
              object: z.literal('organization.user.deleted'),
              id: z.string(),
              deleted: z.literal(true),
            }),
          },
        },
      },
      async (request) => {
        const scope = inOrganization(services, request.actor)
        const { user_id: askedId } = request.params
        const id = fromOpenaiId('user', askedId)
        await applyChange(services.directory, scope, (context) => removeMember(context, id))
        return { object: 'organization.user.deleted' as const, id: askedId, deleted: true as const }
      },
    )
  }
}

/** A predefined role of the organization is what a user is there; a custom one comes in addition. */
async function giveRole(context: Context, memberId: string, askedId: string): Promise<MemberRow> {
  return await withFields({ 'role.not_found': 'role_id', role: 'role_id', level: 'role_id' }, async () => {
    const roleId = await resolveRoleId(context, askedId, organizationPlace(context))
    const role = await requireRoleOn(context, roleId, ORGANIZATION)
    if (role.key !== null) return await changeMemberLevel(context, memberId, role.key as Level)
    await assignRole(context, { subject: { kind: 'member', id: memberId }, roleId, target: ORGANIZATION })
    return await requireMember(context, memberId)
  })
}
