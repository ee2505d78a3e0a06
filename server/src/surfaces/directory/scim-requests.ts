import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { adviceFor } from '../../directory/scim/advice.ts'
import { listScimRequests, type StoredScimRequest } from '../../directory/scim/request.ts'
import { moment, queryNumber } from '../http/wire-types.ts'
import { reading, type Services } from './exchange.ts'
import { fromIdField, idCursor, orgParams, page, pageQuery, toId, toIdOrNull, toPage } from './wire.ts'

const LIMIT_MAX = 200
const LIMIT_DEFAULT = 50

const scimRequest = z
  .object({
    object: z.literal('scim_request'),
    id: z.string(),
    connection: z.string(),
    /** Null: the credential was refused. */
    token: z.string().nullable(),
    token_hint: z.string().nullable(),
    method: z.string(),
    route: z.string(),
    path: z.string(),
    status: z.number().int(),
    duration_ms: z.number().int(),
    scim_type: z.string().nullable(),
    /** Why it was refused, without the values of the request. */
    reason: z.string().nullable(),
    /** What to do about it; null: it was not refused. */
    advice: z.string().nullable(),
    /** The SCIM id of the user it was about. */
    user: z.string().nullable(),
    /** The SCIM id of the group it was about. */
    group: z.string().nullable(),
    headers: z.record(z.string(), z.string()),
    request_body: z.unknown(),
    response_body: z.unknown(),
    /** Above 1: of a flood of refused credentials one entry stands for many requests. */
    times: z.number().int(),
    /** When it was answered. */
    created_at: moment,
  })
  .meta({ id: 'ScimRequest' })

function toScimRequest(row: StoredScimRequest): z.infer<typeof scimRequest> {
  return {
    object: 'scim_request',
    id: toId('scimRequest', row.id),
    connection: toId('identityProvider', row.connection_id),
    token: toIdOrNull('scimToken', row.token_id),
    token_hint: row.token_hint,
    method: row.method,
    route: row.route,
    path: row.path,
    status: row.status,
    duration_ms: row.duration_ms,
    scim_type: row.scim_type,
    reason: row.reason,
    advice: row.status < 400 ? null : adviceFor(row),
    user: row.user_id,
    group: row.group_id,
    headers: row.headers,
    request_body: row.request_body,
    response_body: row.response_body,
    times: row.times,
    created_at: row.created_at,
  }
}

const STATUS_RULE = 'must be a status such as 409, or 2xx, 3xx, 4xx or 5xx'
const status = z
  .string()
  .regex(/^([2-5]xx|[2-5]\d\d)$/, STATUS_RULE)
  .transform((text) => ({ min: Number(text.replaceAll('x', '0')), max: Number(text.replaceAll('x', '9')) }))

const scimId = z.uuid('must be an id as SCIM shows it').toLowerCase()

const requestsQuery = pageQuery.extend({
  limit: queryNumber(1, LIMIT_MAX, LIMIT_DEFAULT),
  connection: z.string().optional().describe('The id of an identity provider.'),
  user: scimId.optional().describe('The SCIM id of a user.'),
  group: scimId.optional().describe('The SCIM id of a group.'),
  status: status.optional().describe('A status, or a kind of status such as 4xx.'),
  from: moment.optional().describe('Answered at this moment or later.'),
  to: moment.optional().describe('Answered before this moment.'),
})

const toDate = (text: string | undefined) => (text === undefined ? null : new Date(text))

/** The log of what SCIM clients asked. */
export function scimRequestRoutes(services: Services): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()
    app.get(
      '/scim_requests',
      {
        schema: {
          tags: ['SCIM connections'],
          summary: 'List what SCIM clients asked, the newest first; values are masked',
          operationId: 'listScimRequests',
          params: orgParams,
          querystring: requestsQuery,
          response: { 200: page(scimRequest) },
        },
      },
      async (request) => {
        const { limit, after, connection, user, group, status, from, to } = request.query
        const rows = await listScimRequests(
          reading(services, request),
          {
            connectionId:
              connection === undefined ? null : fromIdField('identityProvider', connection, 'connection'),
            ...{ userId: user ?? null, groupId: group ?? null, status: status ?? null },
            ...{ from: toDate(from), to: toDate(to), search: null },
          },
          { beforeId: idCursor(after), limit: limit + 1 },
        )
        return toPage(rows, limit, toScimRequest, (row) => row.id)
      },
    )
  }
}
