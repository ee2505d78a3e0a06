import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { GroupRow } from '../../directory/groups/group.ts'
import {
  createGroup,
  deleteGroup,
  GROUP_NAME_LENGTH_MAX,
  getGroup,
  listGroups,
  listGroupsHolding,
  updateGroup,
} from '../../directory/groups/group.ts'
import { metadata, moment, text } from '../http/wire-types.ts'
import { expectedVersion, reading, type Services, setVersion, write } from './exchange.ts'
import {
  fromHoldingQuery,
  fromId,
  holdingQuery,
  numberCursor,
  orgParams,
  page,
  pageQuery,
  preview,
  previewQuery,
  requireOnly,
  toId,
  toPage,
} from './wire.ts'

const REFERENCE_LENGTH_MAX = 255

const group = z
  .object({
    object: z.literal('group'),
    id: z.string(),
    name: z.string(),
    external_reference_id: z.string().nullable(),
    metadata: z.record(z.string(), z.unknown()),
    /** An identity provider says what it is called and who is in it. */
    managed: z.boolean(),
    created_at: moment,
    updated_at: moment,
  })
  .meta({ id: 'Group' })

function toGroup(row: GroupRow): z.infer<typeof group> {
  return {
    object: 'group',
    id: toId('group', row.id),
    name: row.name,
    external_reference_id: row.external_reference_id,
    metadata: row.metadata,
    managed: row.managed_by !== null,
    created_at: row.created_at,
    updated_at: row.updated_at,
  }
}

const tags = ['Groups']
const groupParams = orgParams.extend({ group: z.string() })

export function groupRoutes(services: Services): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()
    const renderTo = (reply: FastifyReply) => (row: GroupRow) => {
      setVersion(reply, row.version)
      return toGroup(row)
    }

    app.post(
      '/groups',
      {
        schema: {
          tags,
          summary: 'Create a group',
          operationId: 'createGroup',
          params: orgParams,
          body: z.strictObject({
            name: text(GROUP_NAME_LENGTH_MAX),
            external_reference_id: text(REFERENCE_LENGTH_MAX).nullish(),
            metadata: metadata.default({}),
          }),
          response: { 201: group },
        },
      },
      async (request, reply) => {
        const { name, external_reference_id: reference, metadata: data } = request.body
        return (await write(services, request, reply, { status: 201, render: renderTo(reply) }, (context) =>
          createGroup(context, { name, externalReferenceId: reference ?? null, metadata: data }),
        )) as never
      },
    )

    app.get(
      '/groups',
      {
        schema: {
          tags,
          summary: 'List groups, all or those that have a role, on a target, from a source',
          operationId: 'listGroups',
          params: orgParams,
          querystring: pageQuery.extend({
            ...holdingQuery.shape,
            external_reference_id: text(REFERENCE_LENGTH_MAX).optional(),
          }),
          response: { 200: page(group) },
        },
      },
      async (request) => {
        const { limit, after, external_reference_id: reference } = request.query
        const holding = fromHoldingQuery(request.query)
        if (Object.values(holding).some((value) => value !== null)) {
          requireOnly(request.query, ['external_reference_id'])
          const place = { afterSeq: numberCursor(after) ?? 0, limit: limit + 1 }
          const holders = await listGroupsHolding(reading(services, request), holding, place)
          return toPage(holders, limit, toGroup, (row) => row.created_seq)
        }
        const rows = await listGroups(reading(services, request), {
          afterSeq: numberCursor(after) ?? 0,
          limit: limit + 1,
          externalReferenceId: reference ?? null,
        })
        return toPage(rows, limit, toGroup, (row) => row.created_seq)
      },
    )

    app.get(
      '/groups/:group',
      {
        schema: {
          tags,
          summary: 'Read a group',
          operationId: 'getGroup',
          params: groupParams,
          response: { 200: group },
        },
      },
      async (request, reply) => {
        const row = await getGroup(reading(services, request), fromId('group', request.params.group))
        return renderTo(reply)(row)
      },
    )

    app.patch(
      '/groups/:group',
      {
        schema: {
          tags,
          summary: 'Change fields of a group; null clears one',
          operationId: 'updateGroup',
          params: groupParams,
          body: z.strictObject({
            name: text(GROUP_NAME_LENGTH_MAX).optional(),
            external_reference_id: text(REFERENCE_LENGTH_MAX).nullish(),
            metadata: metadata.optional(),
          }),
          response: { 200: group },
        },
      },
      async (request, reply) => {
        const id = fromId('group', request.params.group)
        const { name, external_reference_id: externalReferenceId, metadata: data } = request.body
        const update = { name, externalReferenceId, metadata: data }
        return (await write(services, request, reply, { status: 200, render: renderTo(reply) }, (context) =>
          updateGroup(context, id, update, expectedVersion(request)),
        )) as never
      },
    )

    app.delete(
      '/groups/:group',
      {
        schema: {
          tags,
          summary: 'Delete a group: ends every grant in it',
          operationId: 'deleteGroup',
          params: groupParams,
          querystring: previewQuery,
          response: { 200: preview, 204: z.null() },
        },
      },
      async (request, reply) => {
        const id = fromId('group', request.params.group)
        return (await write(services, request, reply, { status: 204 }, (context) =>
          deleteGroup(context, id, expectedVersion(request)),
        )) as never
      },
    )
  }
}
