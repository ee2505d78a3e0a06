import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { GroupMemberRow } from '../../directory/groups/membership.ts'
import { addGroupMember, listGroupMembers, removeGroupMember } from '../../directory/groups/membership.ts'
import { moment } from '../http/wire-types.ts'
import { reading, type Services, write } from './exchange.ts'
import {
  fromId,
  fromIdField,
  idCursor,
  orgParams,
  page,
  pageQuery,
  preview,
  previewQuery,
  shownName,
  sourceName,
  toId,
  toPage,
} from './wire.ts'

export const groupMember = z
  .object({
    object: z.literal('group_member'),
    id: z.string(),
    email: z.string().nullable(),
    display_name: z.string().nullable(),
    external_reference_id: z.string().nullable(),
    status: z.enum(['active', 'suspended', 'removed']),
    grants: z.array(
      z.object({ source: sourceName, since: moment, until: moment.nullable(), change: z.string() }),
    ),
  })
  .meta({ id: 'GroupMember' })

export function toGroupMember(row: GroupMemberRow): z.infer<typeof groupMember> {
  return {
    object: 'group_member',
    id: toId('member', row.id),
    email: row.email,
    display_name: shownName(row),
    external_reference_id: row.external_reference_id,
    status: row.status,
    grants: row.grants.map((grant) => ({
      source: grant.source as z.infer<typeof sourceName>,
      since: grant.since,
      until: grant.expires_at,
      change: toId('change', grant.change),
    })),
  }
}

const tags = ['Group members']
const groupParams = orgParams.extend({ group: z.string() })

export function groupMemberRoutes(services: Services): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/groups/:group/members',
      {
        schema: {
          tags,
          summary: 'List the members of a group, now or as of a past moment, each with what put them there',
          operationId: 'listGroupMembers',
          params: groupParams,
          querystring: pageQuery.extend({ as_of: moment.optional() }),
          response: { 200: page(groupMember) },
        },
      },
      async (request) => {
        const { limit, after, as_of: asOf } = request.query
        const rows = await listGroupMembers(
          reading(services, request),
          fromId('group', request.params.group),
          {
            afterMemberId: idCursor(after),
            limit: limit + 1,
            asOf: asOf ?? null,
          },
        )
        return toPage(rows, limit, toGroupMember, (row) => row.id)
      },
    )

    app.post(
      '/groups/:group/members',
      {
        schema: {
          tags,
          summary: 'Add a member to a group, for good or until a moment',
          operationId: 'addGroupMember',
          params: groupParams,
          querystring: previewQuery,
          body: z.strictObject({ member: z.string(), expires_at: moment.nullish() }),
          response: {
            200: preview,
            201: z.object({ object: z.literal('group_membership'), group: z.string(), member: z.string() }),
          },
        },
      },
      async (request, reply) => {
        const groupId = fromId('group', request.params.group)
        const memberId = fromIdField('member', request.body.member, 'member')
        const body = {
          object: 'group_membership',
          group: request.params.group,
          member: request.body.member,
        }
        return (await write(services, request, reply, { status: 201, render: () => body }, (context) =>
          addGroupMember(context, groupId, memberId, request.body.expires_at ?? null),
        )) as never
      },
    )

    app.delete(
      '/groups/:group/members/:member',
      {
        schema: {
          tags,
          summary: 'Remove a member from a group, whatever put them there',
          operationId: 'removeGroupMember',
          params: groupParams.extend({ member: z.string() }),
          querystring: previewQuery,
          response: { 200: preview, 204: z.null() },
        },
      },
      async (request, reply) => {
        const groupId = fromId('group', request.params.group)
        const memberId = fromId('member', request.params.member)
        return (await write(services, request, reply, { status: 204 }, (context) =>
          removeGroupMember(context, groupId, memberId),
        )) as never
      },
    )
  }
}
