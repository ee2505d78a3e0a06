import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { applyChange } from '../../directory/changes/change.ts'
import { getMemberOfGroup, listMembersOfGroup } from '../../directory/groups/group-list.ts'
import { addGroupMember, removeGroupMember } from '../../directory/groups/membership.ts'
import { inOrganization, type KeyScopeServices } from '../http/key-scope.ts'
import { afterId, nextPage, nextPageQuery, toNextPage } from './lists.ts'
import { toUserName, userIdText } from './users-wire.ts'
import { decodeOpenaiId, fromOpenaiId, toOpenaiId, withFields } from './wire.ts'

const LIMIT_DEFAULT = 100

const groupUser = z
  .object({ id: z.string(), name: z.string(), email: z.string().nullable() })
  .meta({ id: 'OpenaiGroupUser' })

const tags = ['OpenAI: group users']
const groupParams = z.object({ group_id: z.string() })
const userParams = groupParams.extend({ user_id: z.string() })

export function groupUserRoutes(services: KeyScopeServices): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/groups/:group_id/users',
      {
        schema: {
          tags,
          summary: 'List group users',
          operationId: 'openaiListGroupUsers',
          params: groupParams,
          querystring: nextPageQuery({ default: LIMIT_DEFAULT, order: 'desc' }),
          response: { 200: nextPage(groupUser) },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        const { limit, order, after } = request.query
        const rows = await listMembersOfGroup(context, fromOpenaiId('group', request.params.group_id), {
          afterId: afterId(after, (id) => decodeOpenaiId('user', id)),
          limit: limit + 1,
          order,
        })
        return toNextPage(rows, limit, (row) => ({
          id: toOpenaiId('user', row.id),
          name: toUserName(row),
          email: row.email,
        }))
      },
    )

    app.post(
      '/groups/:group_id/users',
      {
        schema: {
          tags,
          summary: 'Add group user',
          operationId: 'openaiAddGroupUser',
          params: groupParams,
          body: z.object({ user_id: userIdText }),
          response: {
            200: z.object({ object: z.literal('group.user'), user_id: z.string(), group_id: z.string() }),
          },
        },
      },
      async (request) => {
        const scope = inOrganization(services, request.actor)
        const { group_id } = request.params
        const { user_id } = request.body
        const groupId = fromOpenaiId('group', group_id)
        const memberId = fromOpenaiId('user', user_id, 'user_id')
        await withFields({ 'member.not_found': 'user_id', 'member.wrong_status': 'user_id' }, () =>
          applyChange(services.directory, scope, (context) =>
            addGroupMember(context, groupId, memberId, null),
          ),
        )
        return { object: 'group.user' as const, user_id, group_id }
      },
    )

    app.get(
      '/groups/:group_id/users/:user_id',
      {
        schema: {
          tags,
          summary: 'Retrieve group user',
          operationId: 'openaiRetrieveGroupUser',
          params: userParams,
          response: {
            200: groupUser
              .extend({
                picture: z.string().nullable(),
                is_service_account: z.boolean().nullable(),
                user_type: z.literal('user'),
              })
              .meta({ id: 'OpenaiGroupUserDetails' }),
          },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        const { group_id, user_id } = request.params
        const groupId = fromOpenaiId('group', group_id)
        const row = await getMemberOfGroup(context, groupId, fromOpenaiId('user', user_id))
        return {
          id: user_id,
          name: toUserName(row),
          email: row.email,
          picture: null,
          is_service_account: false,
          user_type: 'user' as const,
        }
      },
    )

    app.delete(
      '/groups/:group_id/users/:user_id',
      {
        schema: {
          tags,
          summary: 'Remove group user',
          operationId: 'openaiRemoveGroupUser',
          params: userParams,
          response: {
            200: z.object({ object: z.literal('group.user.deleted'), deleted: z.literal(true) }),
          },
        },
      },
      async (request) => {
        const scope = inOrganization(services, request.actor)
        const groupId = fromOpenaiId('group', request.params.group_id)
        const memberId = fromOpenaiId('user', request.params.user_id)
        await applyChange(services.directory, scope, (context) =>
          removeGroupMember(context, groupId, memberId),
        )
        return { object: 'group.user.deleted' as const, deleted: true as const }
      },
    )
  }
}
