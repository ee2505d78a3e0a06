import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { ReadContext } from '../../directory/context.ts'
import { DirectoryError } from '../../directory/errors.ts'
import { countActiveMembers } from '../../directory/members/member-positions.ts'
import {
  deleteOrganization,
  getOrganization,
  type OrganizationRow,
  updateOrganization,
} from '../../directory/organizations/organization.ts'
import { inOrganization, type KeyScopeServices } from '../http/key-scope.ts'
import { moment, text } from '../http/wire-types.ts'
import { page, pageQuery, toPage } from './lists.ts'
import { project, readProjects, team, toProject, toTeam } from './project-wire.ts'
import { levelNumber, toLevelNumber } from './user-wire.ts'
import { organizationParams, reading, write } from './wire.ts'

const NAME_LENGTH_MAX = 255

/** What the vendor's organizations have and nothing here does: always this, and nothing else is taken. */
const fixed = {
  logo_media_id: null,
  plugins_access_level: 0,
  available_product_features: [],
  is_member_join_email_enabled: false,
  customer_id: null,
  enforce_2fa: false,
  // Inviting takes a permission, which members do not have by themselves.
  members_can_invite: false,
  members_can_use_personal_api_keys: true,
  allow_publicly_shared_resources: false,
  is_ai_data_processing_approved: false,
  default_experiment_stats_method: null,
  default_role_id: null,
  enforce_verified_domains: false,
} as const

const fixedFields = z.object({
  logo_media_id: z.null(),
  plugins_access_level: z.literal(0),
  available_product_features: z.array(z.never()),
  is_member_join_email_enabled: z.literal(false),
  customer_id: z.null(),
  enforce_2fa: z.literal(false),
  members_can_invite: z.literal(false),
  members_can_use_personal_api_keys: z.literal(true),
  allow_publicly_shared_resources: z.literal(false),
  is_ai_data_processing_approved: z.literal(false),
  default_experiment_stats_method: z.null(),
  default_role_id: z.null(),
  enforce_verified_domains: z.literal(false),
})

const organization = fixedFields
  .extend({
    id: z.string(),
    name: z.string(),
    slug: z.string(),
    created_at: moment,
    updated_at: moment,
    /** Of the member that the key acts as; an organization's own key ranks as an owner. */
    membership_level: levelNumber,
    metadata: z.record(z.string(), z.unknown()),
    member_count: z.number().int(),
    teams: z.array(team),
    projects: z.array(project),
  })
  .meta({ id: 'PosthogOrganization' })

/** An organization with what is counted and listed in it. */
async function toOrganization(
  context: ReadContext,
  row: OrganizationRow,
): Promise<z.infer<typeof organization>> {
  const { actor } = context
  const projects = await readProjects(context)
  return {
    ...fixed,
    available_product_features: [],
    id: row.id,
    name: row.name,
    slug: row.slug,
    created_at: row.created_at,
    updated_at: row.updated_at,
    membership_level: toLevelNumber(actor.kind === 'api_key' ? actor.level : 'owner'),
    metadata: row.metadata,
    member_count: await countActiveMembers(context),
    teams: projects.map((shown) => toTeam(row.id, shown)),
    projects: projects.map((shown) => toProject(row.id, shown)),
  }
}

const tags = ['PostHog: organizations']

export function organizationRoutes(services: KeyScopeServices): FastifyPluginAsync {
  const show = async (context: ReadContext) => toOrganization(context, await getOrganization(context))
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/',
      {
        schema: {
          tags,
          summary: 'List organizations: the one of the key',
          operationId: 'posthogListOrganizations',
          querystring: pageQuery,
          response: { 200: page(organization) },
        },
      },
      async (request) => {
        const own = await show(inOrganization(services, request.actor))
        const rows = request.query.offset === 0 ? [own] : []
        return toPage(services, request, rows, 1)
      },
    )

    app.post(
      '/',
      {
        schema: {
          tags,
          summary: 'Create organizations; refused, because no key of an organization may',
          operationId: 'posthogCreateOrganization',
          response: { 201: organization },
        },
      },
      async () => {
        throw new DirectoryError('permission.denied', 'A key of an organization creates no other one.')
      },
    )

    app.get(
      '/:organization_id',
      {
        schema: {
          tags,
          summary: 'Retrieve organizations',
          operationId: 'posthogRetrieveOrganization',
          params: organizationParams,
          response: { 200: organization },
        },
      },
      async (request) => show(reading(services, request)),
    )

    app.patch(
      '/:organization_id',
      {
        schema: {
          tags,
          summary: 'Update organizations',
          operationId: 'posthogUpdateOrganization',
          params: organizationParams,
          body: fixedFields
            .partial()
            .extend({ name: text(NAME_LENGTH_MAX).optional() })
            .nullish(),
          response: { 200: organization },
        },
      },
      async (request) =>
        write(services, request, async (context) => {
          const row = await updateOrganization(context, { name: request.body?.name })
          return await toOrganization(context, row)
        }),
    )

    app.delete(
      '/:organization_id',
      {
        schema: {
          tags,
          summary: 'Delete organizations',
          operationId: 'posthogDeleteOrganization',
          params: organizationParams,
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        await write(services, request, (context) => deleteOrganization(context))
        return reply.code(204).send(null)
      },
    )
  }
}
