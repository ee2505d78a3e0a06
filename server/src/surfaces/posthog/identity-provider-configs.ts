import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Context } from '../../directory/context.ts'
import {
  createIdentityProvider,
  deleteIdentityProvider,
  IDENTITY_PROVIDER_NAME_LENGTH_MAX,
} from '../../directory/identity-providers/identity-provider.ts'
import {
  getProviderWithScim,
  type ProviderWithScim,
  pageProvidersWithScim,
  requireProviderWithScim,
} from '../../directory/identity-providers/identity-provider-page.ts'
import { updateTellingScim } from '../../directory/identity-providers/scim-switch.ts'
import { createScimToken } from '../../directory/identity-providers/scim-token.ts'
import type { IdentityProviderInput } from '../../directory/identity-providers/settings.ts'
import type { KeyScopeServices } from '../http/key-scope.ts'
import { moment, text } from '../http/wire-types.ts'
import { page, pageQuery, toPage, toPosition } from './lists.ts'
import {
  providerFields,
  providerSettings,
  shownSettings,
  toProviderInput,
  toShownSettings,
} from './provider-wire.ts'
import { fromPath, organizationParams, reading, withFields, write, writeAll } from './wire.ts'

const config = shownSettings
  .extend({ id: z.string(), name: z.string(), created_at: moment, updated_at: moment })
  .meta({ id: 'PosthogIdentityProviderConfig' })

/** @param token of the SCIM client, where the request has just made it */
function toConfig(row: ProviderWithScim, token: string | null = null): z.infer<typeof config> {
  return {
    ...toShownSettings(row, token),
    id: row.id,
    name: row.name,
    created_at: row.created_at,
    updated_at: row.updated_at,
  }
}

const configBody = providerSettings
  .extend({ name: text(IDENTITY_PROVIDER_NAME_LENGTH_MAX, 0).optional() })
  .nullish()

const tags = ['PostHog: identity provider configs']
const configParams = organizationParams.extend({ config_id: z.string() })

export function identityProviderConfigRoutes(services: KeyScopeServices): FastifyPluginAsync {
  const { directory } = services

  /** Creates or changes a config, and makes the token of its SCIM client if that has just been switched on. */
  async function save(
    request: Parameters<typeof writeAll>[1],
    body: z.infer<typeof configBody>,
    id: string | undefined,
  ): Promise<z.infer<typeof config>> {
    const input = { ...toProviderInput(body ?? {}), name: body?.name }
    let saved: { id: string; isScimSwitchedOn: boolean }
    let answer: z.infer<typeof config>
    await withFields(providerFields, () =>
      writeAll(services, request, [
        async (context) => {
          saved = await saveSettings(context, input, id)
        },
        async (context) => {
          const made = saved.isScimSwitchedOn
            ? await createScimToken(context, saved.id, { expiresAt: null, replaces: true })
            : undefined
          answer = toConfig(await requireProviderWithScim(context, saved.id), made?.secret)
        },
      ]),
    )
    return answer!
  }

  async function saveSettings(
    context: Context,
    input: IdentityProviderInput,
    id: string | undefined,
  ): Promise<{ id: string; isScimSwitchedOn: boolean }> {
    if (id === undefined) {
      const row = await createIdentityProvider(context, directory, input)
      return { id: row.id, isScimSwitchedOn: row.scim_enabled }
    }
    return await updateTellingScim(context, directory, id, input)
  }

  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/:organization_id/identity_provider_configs',
      {
        schema: {
          tags,
          summary: 'List all identity provider configs',
          operationId: 'posthogListIdentityProviderConfigs',
          params: organizationParams,
          querystring: pageQuery,
          response: { 200: page(config) },
        },
      },
      async (request) => {
        const context = reading(services, request)
        const found = await pageProvidersWithScim(context, toPosition(request.query))
        const shown = found.rows.map((row) => toConfig(row))
        return toPage(services, request, shown, found.count)
      },
    )

    app.post(
      '/:organization_id/identity_provider_configs',
      {
        schema: {
          tags,
          summary: 'Create identity provider configs',
          operationId: 'posthogCreateIdentityProviderConfig',
          params: organizationParams,
          body: configBody,
          response: { 201: config },
        },
      },
      async (request, reply) => reply.code(201).send(await save(request, request.body, undefined)),
    )

    app.get(
      '/:organization_id/identity_provider_configs/:config_id',
      {
        schema: {
          tags,
          summary: 'Retrieve identity provider configs',
          operationId: 'posthogRetrieveIdentityProviderConfig',
          params: configParams,
          response: { 200: config },
        },
      },
      async (request) => {
        const context = reading(services, request)
        return toConfig(await getProviderWithScim(context, fromPath('config', request.params.config_id)))
      },
    )

    for (const method of ['PATCH', 'PUT'] as const) {
      app.route({
        method,
        url: '/:organization_id/identity_provider_configs/:config_id',
        schema: {
          tags,
          summary: `Update identity provider configs${method === 'PUT' ? '; a field left out stays' : ''}`,
          operationId: `posthog${method === 'PUT' ? 'Replace' : 'Update'}IdentityProviderConfig`,
          params: configParams,
          body: configBody,
          response: { 200: config },
        },
        handler: async (request) => save(request, request.body, fromPath('config', request.params.config_id)),
      })
    }

    app.delete(
      '/:organization_id/identity_provider_configs/:config_id',
      {
        schema: {
          tags,
          summary: 'Delete identity provider configs',
          operationId: 'posthogDeleteIdentityProviderConfig',
          params: configParams,
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        await write(services, request, (context) =>
          deleteIdentityProvider(context, fromPath('config', request.params.config_id)),
        )
        return reply.code(204).send(null)
      },
    )

    app.post(
      '/:organization_id/identity_provider_configs/:config_id/scim/token',
      {
        schema: {
          tags,
          summary: 'Create identity provider configs scim token',
          description: 'The token is shown once. The one before works on, so that a rotation has no gap.',
          operationId: 'posthogCreateIdentityProviderConfigScimToken',
          params: configParams,
          response: { 200: z.object({ scim_enabled: z.literal(true), scim_bearer_token: z.string() }) },
        },
      },
      async (request) => {
        const id = fromPath('config', request.params.config_id)
        const { secret } = await write(services, request, (context) =>
          createScimToken(context, id, { expiresAt: null, replaces: 'all but the latest' }),
        )
        return { scim_enabled: true as const, scim_bearer_token: secret }
      },
    )
  }
}
