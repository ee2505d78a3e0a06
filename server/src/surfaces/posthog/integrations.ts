import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { ReadContext } from '../../directory/context.ts'
import {
  disconnectIntegration,
  environmentProjects,
  getIntegration,
  type IntegrationRow,
  setEnvironmentMapping,
} from '../../directory/integrations/integration.ts'
import { pageIntegrations } from '../../directory/integrations/integration-positions.ts'
import { membersById } from '../../directory/members/member-positions.ts'
import { projectAliases, projectsOfAliases } from '../../directory/projects/project-aliases.ts'
import type { KeyScopeServices } from '../http/key-scope.ts'
import { moment } from '../http/wire-types.ts'
import { page, pageQuery, toPage, toPosition } from './lists.ts'
import { projectNumber } from './project-wire.ts'
import { toUserOrNull, user } from './user-wire.ts'
import { fromPath, organizationParams, reading, withFields, write } from './wire.ts'

const integration = z
  .object({
    id: z.string(),
    kind: z.string(),
    integration_id: z.string().nullable(),
    /** What may be shown. `environment_mapping` says which project each environment stands for. */
    config: z.record(z.string(), z.unknown()),
    created_at: moment,
    updated_at: moment,
    created_by: user.nullable(),
  })
  .meta({ id: 'PosthogIntegration' })

/** Integrations with who connected them and the numbers of projects, in two statements however many they are. */
async function toIntegrations(
  context: ReadContext,
  rows: readonly IntegrationRow[],
): Promise<z.infer<typeof integration>[]> {
  const creatorId = (row: IntegrationRow) => (row.created_by_kind === 'member' ? row.created_by_id : null)
  const creators = await membersById(context, rows.map(creatorId))
  const mapped = rows.flatMap((row) => Object.values(environmentProjects(row) ?? {}))
  const aliases = await projectAliases(context, mapped)
  return rows.map((row) => {
    const mapping = environmentProjects(row)
    const environments = Object.entries(mapping ?? {}).map(([name, id]) => [name, aliases.get(id)])
    return {
      id: row.id,
      kind: row.kind,
      integration_id: row.integration_id,
      config: {
        ...row.config,
        ...(mapping === null ? {} : { environment_mapping: Object.fromEntries(environments) }),
      },
      created_at: row.created_at,
      updated_at: row.updated_at,
      created_by: toUserOrNull(creators.get(creatorId(row) ?? '')),
    }
  })
}

/** Numbers of projects. */
const environmentMapping = z.object({
  production: projectNumber,
  preview: projectNumber.optional(),
  development: projectNumber.optional(),
})

/** The directory does not say which of the environments names the project that is missing. */
const mappingFields = { 'project.not_found': 'production', 'project.archived': 'production' }

const tags = ['PostHog: integrations']
const integrationParams = organizationParams.extend({ integration_id: z.string() })

export function integrationRoutes(services: KeyScopeServices): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/:organization_id/integrations',
      {
        schema: {
          tags,
          summary: 'List all org organizations integrations',
          operationId: 'posthogListIntegrations',
          params: organizationParams,
          querystring: pageQuery,
          response: { 200: page(integration) },
        },
      },
      async (request) => {
        const context = reading(services, request)
        const found = await pageIntegrations(context, toPosition(request.query))
        const shown = await toIntegrations(context, found.rows)
        return toPage(services, request, shown, found.count)
      },
    )

    app.get(
      '/:organization_id/integrations/:integration_id',
      {
        schema: {
          tags,
          summary: 'Retrieve org organizations integrations',
          operationId: 'posthogRetrieveIntegration',
          params: integrationParams,
          response: { 200: integration },
        },
      },
      async (request) => {
        const context = reading(services, request)
        const row = await getIntegration(context, fromPath('integration', request.params.integration_id))
        const [shown] = await toIntegrations(context, [row])
        return shown!
      },
    )

    app.delete(
      '/:organization_id/integrations/:integration_id',
      {
        schema: {
          tags,
          summary: 'Delete org organization integrations',
          operationId: 'posthogDeleteIntegration',
          params: integrationParams,
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        await write(services, request, (context) =>
          disconnectIntegration(context, fromPath('integration', request.params.integration_id)),
        )
        return reply.code(204).send(null)
      },
    )

    app.patch(
      '/:organization_id/integrations/:integration_id/environment-mapping',
      {
        schema: {
          tags,
          summary: 'Update integrations environment mapping',
          description: 'An environment left out is the production one.',
          operationId: 'posthogUpdateIntegrationEnvironmentMapping',
          params: integrationParams,
          body: environmentMapping,
          response: { 200: integration },
        },
      },
      async (request) => {
        const id = fromPath('integration', request.params.integration_id)
        const { production, preview = production, development = production } = request.body
        const [shown] = await withFields(mappingFields, () =>
          write(services, request, async (context) => {
            const toId = await projectsOfAliases(context, [production, preview, development])
            const mapping = {
              ...{ production: toId(production), preview: toId(preview) },
              development: toId(development),
            }
            return await toIntegrations(context, [await setEnvironmentMapping(context, id, mapping)])
          }),
        )
        return shown!
      },
    )
  }
}
