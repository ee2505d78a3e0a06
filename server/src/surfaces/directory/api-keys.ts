import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { PERMISSION_LENGTH_MAX, permissionProblem } from '../../directory/access/permission.ts'
import type { ApiKeyRow } from '../../directory/api-keys/api-key.ts'
import { createApiKey, listApiKeys, revokeApiKey } from '../../directory/api-keys/api-key.ts'
import { moment, text } from '../http/wire-types.ts'
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
  toId,
  toIdOrNull,
  toPage,
} from './wire.ts'

const NAME_LENGTH_MAX = 255
const SCOPES_MAX = 100
const scopeName = text(PERMISSION_LENGTH_MAX).superRefine((name, issues) => {
  const problem = name === '*' ? undefined : permissionProblem(name)
  if (problem !== undefined) issues.addIssue(problem)
})

const apiKey = z
  .object({
    object: z.literal('api_key'),
    id: z.string(),
    name: z.string(),
    /** The first characters of the key. */
    hint: z.string(),
    scopes: z.array(z.string()),
    member_id: z.string().nullable(),
    created_at: moment,
    expires_at: moment.nullable(),
    last_used_at: moment.nullable(),
  })
  .meta({ id: 'ApiKey' })

function toApiKey(row: ApiKeyRow): z.infer<typeof apiKey> {
  return {
    object: 'api_key',
    id: toId('apiKey', row.id),
    name: row.name,
    hint: row.hint,
    scopes: row.scopes,
    member_id: toIdOrNull('member', row.member_id),
    created_at: row.created_at,
    expires_at: row.expires_at,
    last_used_at: row.last_used_at,
  }
}

const tags = ['API keys']

export function apiKeyRoutes(services: Services): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.post(
      '/api_keys',
      {
        schema: {
          tags,
          summary: 'Create an API key; its secret is shown once',
          operationId: 'createApiKey',
          params: orgParams,
          body: z.strictObject({
            name: text(NAME_LENGTH_MAX),
            scopes: z
              .array(scopeName)
              .min(1, 'must name at least one scope')
              .max(SCOPES_MAX, `must name at most ${SCOPES_MAX} scopes`),
            member_id: z.string().nullish(),
            expires_at: moment.nullish(),
          }),
          response: { 201: apiKey.extend({ key: z.string() }) },
        },
      },
      async (request, reply) => {
        const { name, member_id: member, expires_at: expiresAt } = request.body
        const input = {
          name,
          scopes: [...new Set(request.body.scopes)],
          memberId:
            member === undefined || member === null ? null : fromIdField('member', member, 'member_id'),
          expiresAt: expiresAt ?? null,
        }
        return (await write(
          services,
          request,
          reply,
          {
            status: 201,
            secret: true,
            render: (made: { key: ApiKeyRow; secret: string }) => ({
              ...toApiKey(made.key),
              key: made.secret,
            }),
          },
          (context) => createApiKey(context, input),
        )) as never
      },
    )

    app.get(
      '/api_keys',
      {
        schema: {
          tags,
          summary: 'List API keys, without their secrets',
          operationId: 'listApiKeys',
          params: orgParams,
          querystring: pageQuery,
          response: { 200: page(apiKey) },
        },
      },
      async (request) => {
        const { limit, after } = request.query
        const rows = await listApiKeys(reading(services, request), {
          afterId: idCursor(after),
          limit: limit + 1,
        })
        return toPage(rows, limit, toApiKey, (row) => row.id)
      },
    )

    app.delete(
      '/api_keys/:key',
      {
        schema: {
          tags,
          summary: 'Revoke an API key: it stops within a second everywhere',
          operationId: 'revokeApiKey',
          params: orgParams.extend({ key: z.string() }),
          querystring: previewQuery,
          response: { 200: preview, 204: z.null() },
        },
      },
      async (request, reply) => {
        const id = fromId('apiKey', request.params.key)
        return (await write(services, request, reply, { status: 204 }, (context) =>
          revokeApiKey(context, id),
        )) as never
      },
    )
  }
}
