import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import {
  connectIntegration,
  disconnectIntegration,
  environmentProjects,
  getIntegration,
  type IntegrationRow,
  listIntegrations,
  setEnvironmentMapping,
} from '../../directory/integrations/integration.ts'
import { jsonObject, moment, text } from '../http/wire-types.ts'
import { expectedVersion, reading, type Services, setVersion, write } from './exchange.ts'
import {
  actor,
  fromId,
  fromIdField,
  idCursor,
  orgParams,
  page,
  pageQuery,
  preview,
  previewQuery,
  toActor,
  toId,
  toPage,
} from './wire.ts'

const KIND_LENGTH_MAX = 50
const INTEGRATION_ID_LENGTH_MAX = 255
const CONFIG_BYTES_MAX = 16_384
const SECRETS_MAX = 20
const SECRET_NAME_LENGTH_MAX = 64
const SECRET_LENGTH_MAX = 4096

const environments = z.object({ production: z.string(), preview: z.string(), development: z.string() })

const integration = z
  .object({
    object: z.literal('integration'),
    id: z.string(),
    kind: z.string(),
    integration_id: z.string().nullable(),
    config: z.record(z.string(), z.unknown()),
    /** The project that each environment stands for; null: they are not mapped. */
    environment_mapping: environments.nullable(),
    created_by: actor,
    created_at: moment,
    updated_at: moment,
  })
  .meta({ id: 'Integration' })

function toIntegration(row: IntegrationRow): z.infer<typeof integration> {
  const projects = environmentProjects(row)
  return {
    object: 'integration',
    id: toId('integration', row.id),
    kind: row.kind,
    integration_id: row.integration_id,
    config: row.config,
    environment_mapping:
      projects === null
        ? null
        : {
            production: toId('project', projects.production),
            preview: toId('project', projects.preview),
            development: toId('project', projects.development),
          },
    created_by: toActor(row.created_by_kind, row.created_by_id),
    created_at: row.created_at,
    updated_at: row.updated_at,
  }
}

const tags = ['Integrations']
const integrationParams = orgParams.extend({ integration: z.string() })
const kind = text(KIND_LENGTH_MAX)

export function integrationRoutes(services: Services): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()
    const renderTo = (reply: FastifyReply) => (row: IntegrationRow) => {
      setVersion(reply, row.version)
      return toIntegration(row)
    }

    app.post(
      '/integrations',
      {
        schema: {
          tags,
          summary: 'Connect another product; its secrets are never shown again',
          operationId: 'connectIntegration',
          params: orgParams,
          body: z.strictObject({
            kind,
            integration_id: text(INTEGRATION_ID_LENGTH_MAX).nullish(),
            config: jsonObject(CONFIG_BYTES_MAX).default({}),
            secrets: z
              .record(text(SECRET_NAME_LENGTH_MAX), text(SECRET_LENGTH_MAX))
              .refine(
                (secrets) => Object.keys(secrets).length <= SECRETS_MAX,
                `must have at most ${SECRETS_MAX} secrets`,
              )
              .default({}),
          }),
          response: { 201: integration },
        },
      },
      async (request, reply) => {
        const { integration_id: integrationId = null, ...fields } = request.body
        return (await write(services, request, reply, { status: 201, render: renderTo(reply) }, (context) =>
          connectIntegration(context, services.directory, { ...fields, integrationId }),
        )) as never
      },
    )

    app.get(
      '/integrations',
      {
        schema: {
          tags,
          summary: 'List integrations, without their secrets',
          operationId: 'listIntegrations',
          params: orgParams,
          querystring: pageQuery.extend({ kind: kind.optional() }),
          response: { 200: page(integration) },
        },
      },
      async (request) => {
        const { limit, after, kind: only } = request.query
        const rows = await listIntegrations(reading(services, request), {
          afterId: idCursor(after),
          limit: limit + 1,
          kind: only ?? null,
        })
        return toPage(rows, limit, toIntegration, (row) => row.id)
      },
    )

    app.get(
      '/integrations/:integration',
      {
        schema: {
          tags,
          summary: 'Read an integration, without its secrets',
          operationId: 'getIntegration',
          params: integrationParams,
          response: { 200: integration },
        },
      },
      async (request, reply) => {
        const id = fromId('integration', request.params.integration)
        return renderTo(reply)(await getIntegration(reading(services, request), id))
      },
    )

    app.put(
      '/integrations/:integration/environment_mapping',
      {
        schema: {
          tags,
          summary: 'Say which project each environment stands for; one left out is the production one',
          operationId: 'setEnvironmentMapping',
          params: integrationParams,
          body: z.strictObject({
            production: z.string(),
            preview: z.string().optional(),
            development: z.string().optional(),
          }),
          response: { 200: integration },
        },
      },
      async (request, reply) => {
        const id = fromId('integration', request.params.integration)
        const project = (field: 'production' | 'preview' | 'development') => {
          const named = request.body[field]
          return named === undefined ? undefined : fromIdField('project', named, field)
        }
        const mapping = {
          production: project('production')!,
          preview: project('preview'),
          development: project('development'),
        }
        const version = expectedVersion(request)
        return (await write(services, request, reply, { status: 200, render: renderTo(reply) }, (context) =>
          setEnvironmentMapping(context, id, mapping, version),
        )) as never
      },
    )

    app.delete(
      '/integrations/:integration',
      {
        schema: {
          tags,
          summary: 'Disconnect another product',
          operationId: 'disconnectIntegration',
          params: integrationParams,
          querystring: previewQuery,
          response: { 200: preview, 204: z.null() },
        },
      },
      async (request, reply) => {
        const id = fromId('integration', request.params.integration)
        const version = expectedVersion(request)
        return (await write(services, request, reply, { status: 204 }, (context) =>
          disconnectIntegration(context, id, version),
        )) as never
      },
    )
  }
}
