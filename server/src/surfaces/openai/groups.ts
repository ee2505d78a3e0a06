import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { applyChange } from '../../directory/changes/change.ts'
import type { GroupRow } from '../../directory/groups/group.ts'
import {
  createGroup,
  deleteGroup,
  GROUP_NAME_LENGTH_MAX,
  getGroup,
  updateGroup,
} from '../../directory/groups/group.ts'
import { listGroupsInOrder } from '../../directory/groups/group-list.ts'
import { inOrganization, type KeyScopeServices } from '../http/key-scope.ts'
import { text } from '../http/wire-types.ts'
import { afterId, nextPage, nextPageQuery, toNextPage } from './lists.ts'
import { decodeOpenaiId, fromOpenaiId, toOpenaiId, toUnixSeconds } from './wire.ts'

const LIMIT_DEFAULT = 100

/** What an update answers of a group. */
const fields = {
  id: z.string(),
  name: z.string(),
  created_at: z.number().int(),
  is_scim_managed: z.boolean(),
}

/** The vendor's schema has `group_type` and its examples have `object`: both are answered. */
const group = z
  .object({ object: z.literal('group'), ...fields, group_type: z.literal('group') })
  .meta({ id: 'OpenaiGroup' })

function toFields(row: GroupRow, askedId?: string) {
  return {
    id: askedId ?? toOpenaiId('group', row.id),
    name: row.name,
    created_at: toUnixSeconds(row.created_at),
    is_scim_managed: row.managed_by !== null,
  }
}

function toGroup(row: GroupRow, askedId?: string): z.infer<typeof group> {
  return { object: 'group', ...toFields(row, askedId), group_type: 'group' }
}

const tags = ['OpenAI: groups']
const groupParams = z.object({ group_id: z.string() })
const groupBody = z.object({ name: text(GROUP_NAME_LENGTH_MAX) })

export function groupRoutes(services: KeyScopeServices): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/groups',
      {
        schema: {
          tags,
          summary: 'List groups',
          operationId: 'openaiListGroups',
          querystring: nextPageQuery({ default: LIMIT_DEFAULT }),
          response: { 200: nextPage(group) },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        const { limit, order, after } = request.query
        const rows = await listGroupsInOrder(context, {
          afterId: afterId(after, (id) => decodeOpenaiId('group', id)),
          limit: limit + 1,
          order,
        })
        return toNextPage(rows, limit, (row) => toGroup(row))
      },
    )

    app.post(
      '/groups',
      {
        schema: {
          tags,
          summary: 'Create group',
          operationId: 'openaiCreateGroup',
          body: groupBody,
          response: { 200: group },
        },
      },
      async (request) => {
        const scope = inOrganization(services, request.actor)
        const row = await applyChange(services.directory, scope, (context) =>
          createGroup(context, { name: request.body.name, externalReferenceId: null, metadata: {} }),
        )
        return toGroup(row)
      },
    )

    app.get(
      '/groups/:group_id',
      {
        schema: {
          tags,
          summary: 'Retrieve group',
          operationId: 'openaiRetrieveGroup',
          params: groupParams,
          response: { 200: group },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        const { group_id: askedId } = request.params
        return toGroup(await getGroup(context, fromOpenaiId('group', askedId)), askedId)
      },
    )

    app.post(
      '/groups/:group_id',
      {
        schema: {
          tags,
          summary: 'Update group',
          operationId: 'openaiUpdateGroup',
          params: groupParams,
          body: groupBody,
          response: { 200: z.object(fields) },
        },
      },
      async (request) => {
        const scope = inOrganization(services, request.actor)
        const { group_id: askedId } = request.params
        const id = fromOpenaiId('group', askedId)
        const row = await applyChange(services.directory, scope, (context) =>
          updateGroup(context, id, { name: request.body.name }),
        )
        return toFields(row, askedId)
      },
    )

    app.delete(
      '/groups/:group_id',
      {
        schema: {
          tags,
          summary: 'Delete group',
          operationId: 'openaiDeleteGroup',
          params: groupParams,
          response: {
            200: z.object({ object: z.literal('group.deleted'), id: z.string(), deleted: z.literal(true) }),
          },
        },
      },
      async (request) => {
        const scope = inOrganization(services, request.actor)
        const { group_id: askedId } = request.params
        const id = fromOpenaiId('group', askedId)
        await applyChange(services.directory, scope, (context) => deleteGroup(context, id))
        return { object: 'group.deleted' as const, id: askedId, deleted: true as const }
      },
    )
  }
}
