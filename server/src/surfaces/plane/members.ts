import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { ReadContext } from '../../directory/context.ts'
import { pageRoster, type RoleCountRow, readProjectRoleDistribution } from '../../directory/roles/roster.ts'
import { text } from '../http/wire-types.ts'
import { toMember } from './members-wire.ts'
import { envelope, PAGE_SIZE_MAX, pageQuery, positionOf, readPage, toEnvelope } from './pages.ts'
import { roleSlug, rolesWithSlug, roleTitle } from './role-wire.ts'
import { inOrganization, type PlaneServices } from './scope.ts'
import { member, optionalFlag, workspaceParams } from './wire.ts'

const TEXT_LENGTH_MAX = 255

const looked = text(TEXT_LENGTH_MAX, 0).optional()
const memberQuery = z.object({
  first_name: looked,
  last_name: looked,
  email: looked,
  display_name: looked,
  role_slug: looked,
  is_active: optionalFlag,
  is_bot: optionalFlag,
})

/** What a query looks for in a roster; undefined: nobody, whoever there is. */
async function toFilter(context: ReadContext, workspaceId: string, query: z.infer<typeof memberQuery>) {
  if (query.is_bot === true) return undefined
  const { role_slug: slug } = query
  const roleIds = slug === undefined ? null : await rolesWithSlug(context, workspaceId, 'workspace', slug)
  if (roleIds?.length === 0) return undefined
  return {
    firstName: query.first_name ?? null,
    lastName: query.last_name ?? null,
    email: query.email ?? null,
    displayName: query.display_name ?? null,
    roleIds,
    statuses: query.is_active === false ? (['suspended'] as const) : (['active'] as const),
  }
}

const tags = ['Plane: members']

const roleCount = z.object({
  role_id: z.string(),
  name: z.string(),
  slug: z.string(),
  is_system: z.boolean(),
  level: z.number().int(),
  membership_count: z.number().int(),
  distinct_member_count: z.number().int(),
})

const distribution = z
  .object({
    total_memberships: z.number().int(),
    total_distinct_members: z.number().int(),
    roles: z.array(roleCount),
  })
  .meta({ id: 'PlaneRoleDistribution' })

function toCount(row: RoleCountRow): z.infer<typeof roleCount> {
  const role = { id: row.role_id, key: row.role_key, name: row.role_name }
  return {
    role_id: row.role_id,
    name: roleTitle('project', role),
    slug: roleSlug('project', role),
    is_system: row.role_key !== null,
    level: row.rank,
    membership_count: row.memberships,
    distinct_member_count: row.members,
  }
}

export function memberRoutes(services: PlaneServices): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/members',
      {
        schema: {
          tags,
          summary: 'List workspace members',
          operationId: 'planeListMembers',
          params: workspaceParams,
          querystring: memberQuery,
          response: { 200: z.array(member) },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        const { id } = request.entered.workspace
        const everybody = { offset: 0, limit: null }
        const filter = await toFilter(context, id, request.query)
        const page = filter === undefined ? { offset: 0, limit: 0 } : everybody
        const { rows } = await pageRoster(context, { kind: 'workspace', id }, filter ?? {}, page)
        return rows.map(toMember('workspace'))
      },
    )

    app.get(
      '/members-lite',
      {
        schema: {
          tags,
          summary: 'List workspace members, paged',
          operationId: 'planeListMembersLite',
          params: workspaceParams,
          querystring: pageQuery,
          response: { 200: envelope(member) },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        const { id } = request.entered.workspace
        const page = readPage(request.query, PAGE_SIZE_MAX)
        const found = await pageRoster(context, { kind: 'workspace', id }, {}, positionOf(page))
        return toEnvelope(page, found, toMember('workspace'))
      },
    )

    app.get(
      '/project-role-distribution',
      {
        schema: {
          tags,
          summary: 'Count project members by role',
          operationId: 'planeGetProjectRoleDistribution',
          params: workspaceParams,
          response: { 200: distribution },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        const found = await readProjectRoleDistribution(context, request.entered.workspace.id)
        return {
          total_memberships: found.memberships,
          total_distinct_members: found.members,
          roles: found.roles.map(toCount),
        }
      },
    )
  }
}
