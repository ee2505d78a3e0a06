import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { applyChange } from '../../directory/changes/change.ts'
import type { GroupRow } from '../../directory/groups/group.ts'
import {
  createGroup,
  GROUP_NAME_LENGTH_MAX,
  getGroup,
  listGroups,
  updateGroup,
} from '../../directory/groups/group.ts'
import { pageGroups } from '../../directory/groups/group-page.ts'
import { inOrganization, type KeyScopeServices } from '../http/key-scope.ts'
import { moment, queryNumber, text } from '../http/wire-types.ts'
import { envelope, fromVitableId, toVitableId } from './wire.ts'

const REFERENCE_LENGTH_MAX = 255
const LIMIT_MAX = 100
const LIMIT_DEFAULT = 20
const PAGE_MAX = 1_000_000

const group = z
  .object({
    id: z.string(),
    organization_id: z.string(),
    name: z.string(),
    external_reference_id: z.string(),
    created_at: moment.nullable(),
    updated_at: moment.nullable(),
  })
  .meta({ id: 'VitableGroup' })

function toVitableGroup(organizationId: string, row: GroupRow): z.infer<typeof group> {
  return {
    id: toVitableId('group', row.id),
    organization_id: toVitableId('organization', organizationId),
    name: row.name,
    // A group made elsewhere may have none; here the field is a text.
    external_reference_id: row.external_reference_id ?? '',
    created_at: row.created_at,
    updated_at: row.updated_at,
  }
}

const tags = ['Vitable: groups']
const groupParams = z.object({ group_id: z.string() })

export function groupRoutes(services: KeyScopeServices): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/',
      {
        schema: {
          tags,
          summary: 'List groups',
          operationId: 'vitableListGroups',
          querystring: z.object({
            limit: queryNumber(1, LIMIT_MAX, LIMIT_DEFAULT),
            page: queryNumber(1, PAGE_MAX, 1),
            external_reference_id: text(REFERENCE_LENGTH_MAX).optional(),
          }),
          response: {
            200: z.object({
              data: z.array(group),
              pagination: z.object({
                page: z.number().int(),
                limit: z.number().int(),
                total: z.number().int(),
                total_pages: z.number().int(),
              }),
            }),
          },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        const { limit, page, external_reference_id: reference } = request.query
        const offset = (page - 1) * limit
        const found =
          reference === undefined
            ? await pageGroups(context, offset, limit)
            : withTotal(
                await listGroups(context, { afterSeq: 0, limit, externalReferenceId: reference }),
                offset,
              )
        return {
          data: found.rows.map((row) => toVitableGroup(context.organizationId, row)),
          pagination: { page, limit, total: found.total, total_pages: Math.ceil(found.total / limit) },
        }
      },
    )

    app.post(
      '/',
      {
        schema: {
          tags,
          summary: 'Create group',
          operationId: 'vitableCreateGroup',
          body: z.object({
            name: text(GROUP_NAME_LENGTH_MAX),
            external_reference_id: text(REFERENCE_LENGTH_MAX),
          }),
          response: { 201: envelope(group) },
        },
      },
      async (request, reply) => {
        const scope = inOrganization(services, request.actor)
        const { name, external_reference_id: externalReferenceId } = request.body
        const row = await applyChange(services.directory, scope, (context) =>
          createGroup(context, { name, externalReferenceId, metadata: {} }),
        )
        return reply.code(201).send({ data: toVitableGroup(scope.organizationId, row) })
      },
    )

    app.get(
      '/:group_id',
      {
        schema: {
          tags,
          summary: 'Get group',
          operationId: 'vitableGetGroup',
          params: groupParams,
          response: { 200: envelope(group) },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        const row = await getGroup(context, fromVitableId('group', request.params.group_id))
        return { data: toVitableGroup(context.organizationId, row) }
      },
    )

    app.patch(
      '/:group_id',
      {
        schema: {
          tags,
          summary: 'Update group',
          operationId: 'vitableUpdateGroup',
          params: groupParams,
          // The reference page's own example sends no body at all.
          body: z
            .object({
              name: text(GROUP_NAME_LENGTH_MAX).nullish(),
              external_reference_id: text(REFERENCE_LENGTH_MAX).nullish(),
            })
            .nullish(),
          response: { 200: envelope(group) },
        },
      },
      async (request) => {
        const scope = inOrganization(services, request.actor)
        const id = fromVitableId('group', request.params.group_id)
        // Null says nothing, as an absent field does.
        const update = {
          name: request.body?.name ?? undefined,
          externalReferenceId: request.body?.external_reference_id ?? undefined,
        }
        const row = await applyChange(services.directory, scope, (context) =>
          updateGroup(context, id, update),
        )
        return { data: toVitableGroup(scope.organizationId, row) }
      },
    )
  }
}

/** The one group that a reference id names stands on the first page. */
function withTotal(rows: GroupRow[], offset: number): { rows: GroupRow[]; total: number } {
  return { rows: offset === 0 ? rows : [], total: rows.length }
}
