import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { claimIdempotencyKey, SERVER_SCOPE, storeAnswer } from '../../directory/idempotency/idempotency.ts'
import type { OrganizationRow } from '../../directory/organizations/organization.ts'
import {
  createOrganization,
  deleteOrganization,
  getOrganization,
  listOrganizations,
  restoreOrganization,
  updateOrganization,
} from '../../directory/organizations/organization.ts'
import {
  BRAKE_WINDOW_SECONDS_DEFAULT,
  BRAKE_WINDOW_SECONDS_MAX,
  INVITATION_SECONDS_MAX,
  INVITATION_SECONDS_MIN,
  RATE_LIMIT_MAX,
} from '../../directory/organizations/settings.ts'
import { metadata, moment, queryFlag, slug, text } from '../http/wire-types.ts'
import {
  expectedVersion,
  idempotency,
  reading,
  replay,
  type Services,
  setVersion,
  write,
} from './exchange.ts'
import { newMember, toNewMember } from './members.ts'
import { idCursor, orgParams, page, pageQuery, preview, previewQuery, toId, toPage } from './wire.ts'

const removalBrake = z.strictObject({
  max_removals: z
    .number()
    .int('must be a whole number')
    .min(0, 'must be at least 0')
    .nullable()
    .default(null),
  max_share: z.number().min(0, 'must be at least 0').max(1, 'must be at most 1').nullable().default(null),
  window_seconds: z
    .number()
    .int('must be a whole number')
    .min(1, 'must be at least 1')
    .max(BRAKE_WINDOW_SECONDS_MAX, `must be at most ${BRAKE_WINDOW_SECONDS_MAX}`)
    .default(BRAKE_WINDOW_SECONDS_DEFAULT),
})

const requestCount = z
  .number()
  .int('must be a whole number')
  .min(1, 'must be at least 1')
  .max(RATE_LIMIT_MAX, `must be at most ${RATE_LIMIT_MAX}`)

const rateLimit = z
  .strictObject({ requests_per_minute: requestCount, burst: requestCount.optional() })
  .describe('For each API key and server process. `burst`: what a second gives by default, at least 1.')

const invitationSeconds = z
  .number()
  .int('must be a whole number')
  .min(INVITATION_SECONDS_MIN, `must be at least ${INVITATION_SECONDS_MIN}`)
  .max(INVITATION_SECONDS_MAX, `must be at most ${INVITATION_SECONDS_MAX}`)

const settings = z
  .strictObject({
    removal_brake: z
      .strictObject({
        member_sync: removalBrake.optional(),
        group_sync: removalBrake.optional(),
        scim: removalBrake.optional(),
      })
      .optional(),
    rate_limit: rateLimit.optional(),
    invitation_expiry_seconds: invitationSeconds.optional(),
  })
  .describe(
    '`removal_brake.member_sync`: hold a member sync that removes too much; no brake by default. ' +
      '`removal_brake.group_sync`: refuse a run of group sync that does. ' +
      '`removal_brake.scim`: hold what a group loses when its identity provider takes too many out; deactivation is never held. ' +
      '`rate_limit`: how often each API key may ask; no limit by default. ' +
      '`invitation_expiry_seconds`: how long an invitation lasts; three days by default.',
  )

const organization = z
  .object({
    object: z.literal('organization'),
    id: z.string(),
    slug: z.string(),
    name: z.string(),
    metadata: z.record(z.string(), z.unknown()),
    settings: z.record(z.string(), z.unknown()),
    created_at: moment,
    updated_at: moment,
    deleted_at: moment.nullable(),
    purge_at: moment.nullable(),
  })
  .meta({ id: 'Organization' })

function toOrganization(row: OrganizationRow): z.infer<typeof organization> {
  return {
    object: 'organization',
    id: toId('organization', row.id),
    slug: row.slug,
    name: row.name,
    metadata: row.metadata,
    settings: row.settings as Record<string, unknown>,
    created_at: row.created_at,
    updated_at: row.updated_at,
    deleted_at: row.deleted_at,
    purge_at: row.purge_at,
  }
}

const NAME_LENGTH_MAX = 255
const tags = ['Organizations']

/** Routes that belong to no organization: only the root key may use them. */
export function serverRoutes(services: Services): FastifyPluginAsync {
  const { directory } = services
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.post(
      '/organizations',
      {
        schema: {
          tags,
          summary: 'Create an organization with its owner',
          operationId: 'createOrganization',
          body: z.strictObject({
            name: text(NAME_LENGTH_MAX),
            slug,
            metadata: metadata.default({}),
            settings: settings.default({}),
            owner: newMember.omit({ level: true }),
          }),
          response: { 201: organization.extend({ owner: z.object({ id: z.string() }) }) },
        },
      },
      async (request, reply) => {
        const idempotent = idempotency(request, SERVER_SCOPE)
        const answer = await directory.database.transaction(async (tx) => {
          const stored = idempotent && (await claimIdempotencyKey(tx, idempotent))
          if (stored !== undefined) return { stored }
          const input = request.body
          const created = await createOrganization(tx, request.actor, {
            ...input,
            settings: input.settings,
            owner: toNewMember(input.owner),
          })
          const body = {
            ...toOrganization(created.organization),
            owner: { id: toId('member', created.owner.id) },
          }
          if (idempotent !== undefined) await storeAnswer(tx, idempotent, 201, JSON.stringify(body))
          return { body }
        })
        if ('stored' in answer) return replay(reply, answer.stored) as never
        return reply.code(201).send(answer.body)
      },
    )

    app.get(
      '/organizations',
      {
        schema: {
          tags,
          summary: 'List organizations',
          operationId: 'listOrganizations',
          querystring: pageQuery.extend({ include_deleted: queryFlag }),
          response: { 200: page(organization) },
        },
      },
      async (request) => {
        const { limit, after, include_deleted: includeDeleted } = request.query
        const rows = await listOrganizations(directory, request.actor, {
          afterId: idCursor(after),
          limit: limit + 1,
          includeDeleted,
        })
        return toPage(rows, limit, toOrganization, (row) => row.id)
      },
    )
  }
}

/** One organization. */
export function organizationRoutes(services: Services): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()
    const params = orgParams

    app.get(
      '/',
      {
        schema: {
          tags,
          summary: 'Read an organization',
          operationId: 'getOrganization',
          params,
          response: { 200: organization },
        },
      },
      async (request, reply) => {
        const row = await getOrganization(reading(services, request))
        setVersion(reply, row.version)
        return toOrganization(row)
      },
    )

    app.patch(
      '/',
      {
        schema: {
          tags,
          summary: 'Rename an organization, or change its slug, metadata or settings',
          operationId: 'updateOrganization',
          params,
          body: z.strictObject({
            name: text(NAME_LENGTH_MAX).optional(),
            slug: slug.optional(),
            metadata: metadata.optional(),
            settings: settings.optional(),
          }),
          response: { 200: organization },
        },
      },
      async (request, reply) =>
        (await write(
          services,
          request,
          reply,
          {
            status: 200,
            render: (row: OrganizationRow) => {
              setVersion(reply, row.version)
              return toOrganization(row)
            },
          },
          (context) => updateOrganization(context, request.body, expectedVersion(request)),
        )) as never,
    )

    app.delete(
      '/',
      {
        schema: {
          tags,
          summary: 'Delete an organization; it can be restored for 30 days',
          operationId: 'deleteOrganization',
          params,
          querystring: previewQuery,
          response: { 200: z.union([organization, preview]) },
        },
      },
      async (request, reply) =>
        (await write(services, request, reply, { status: 200, render: toOrganization }, (context) =>
          deleteOrganization(context, expectedVersion(request)),
        )) as never,
    )

    app.post(
      '/restore',
      {
        config: { takesDeleted: true },
        schema: {
          tags,
          summary: 'Restore a deleted organization within its grace period',
          operationId: 'restoreOrganization',
          params,
          response: { 200: organization },
        },
      },
      async (request, reply) => {
        const answer = await write(
          services,
          request,
          reply,
          { status: 200, render: toOrganization },
          restoreOrganization,
        )
        services.directory.wakeTasks()
        return answer as never
      },
    )
  }
}
