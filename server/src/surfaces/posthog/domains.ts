import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { createDomain, deleteDomain } from '../../directory/domains/domain.ts'
import {
  getLinkedDomain,
  type LinkedDomain,
  pageLinkedDomains,
  requireLinkedDomain,
} from '../../directory/domains/linked-domain.ts'
import { findProof, verifyDomain } from '../../directory/domains/verification.ts'
import {
  createIdentityProvider,
  updateIdentityProvider,
} from '../../directory/identity-providers/identity-provider.ts'
import type { KeyScopeServices } from '../http/key-scope.ts'
import { text } from '../http/wire-types.ts'
import { changeDomain } from './domain-changes.ts'
import { domain, domainFields, domainParams, domainUpdate, toDomain } from './domain-wire.ts'
import { page, pageQuery, toPage, toPosition } from './lists.ts'
import { samlSettings, toProviderInput } from './provider-wire.ts'
import { fromPath, organizationParams, reading, uuid, withFields, write, writeAll } from './wire.ts'

const NAME_LENGTH_MAX = 128

/** What needs the proof of the domain is not heard before there is one. */
const newDomain = samlSettings.extend({
  domain: text(NAME_LENGTH_MAX),
  identity_provider_config: uuid.nullish(),
})

const tags = ['PostHog: domains']

export function domainRoutes(services: KeyScopeServices): FastifyPluginAsync {
  const { domainProofs, domainCheckMillis, mailing } = services.directory
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/:organization_id/domains',
      {
        schema: {
          tags,
          summary: 'List domains',
          operationId: 'posthogListDomains',
          params: organizationParams,
          querystring: pageQuery,
          response: { 200: page(domain) },
        },
      },
      async (request) => {
        const context = reading(services, request)
        const found = await pageLinkedDomains(context, toPosition(request.query))
        const shown = found.rows.map((row) => toDomain(mailing, row))
        return toPage(services, request, shown, found.count)
      },
    )

    app.post(
      '/:organization_id/domains',
      {
        schema: {
          tags,
          summary: 'Create domains',
          operationId: 'posthogCreateDomain',
          params: organizationParams,
          body: newDomain,
          response: { 201: domain },
        },
      },
      async (request, reply) => {
        const { domain: name, identity_provider_config: linkedId, ...settings } = request.body
        const input = toProviderInput(settings)
        const isStated = Object.values(settings).some((value) => (value ?? '') !== '')
        let providerId: string | null
        let made: LinkedDomain
        await withFields(domainFields, () =>
          writeAll(services, request, [
            async (context) => {
              providerId = linkedId ?? null
              if (!isStated) return
              if (providerId !== null) {
                await updateIdentityProvider(context, services.directory, providerId, input)
              } else {
                const named = { ...input, name: name.trim() }
                providerId = (await createIdentityProvider(context, services.directory, named)).id
              }
            },
            async (context) => {
              const row = await createDomain(context, { name, identityProviderId: providerId })
              made = await requireLinkedDomain(context, row.id)
            },
          ]),
        )
        return reply.code(201).send(toDomain(mailing, made!))
      },
    )

    app.get(
      '/:organization_id/domains/:domain_id',
      {
        schema: {
          tags,
          summary: 'Retrieve domains',
          operationId: 'posthogRetrieveDomain',
          params: domainParams,
          response: { 200: domain },
        },
      },
      async (request) => {
        const context = reading(services, request)
        return toDomain(mailing, await getLinkedDomain(context, fromPath('domain', request.params.domain_id)))
      },
    )

    for (const method of ['PATCH', 'PUT'] as const) {
      app.route({
        method,
        url: '/:organization_id/domains/:domain_id',
        schema: {
          tags,
          summary: method === 'PATCH' ? 'Update domains' : 'Update domains; a field left out stays',
          operationId: method === 'PATCH' ? 'posthogUpdateDomain' : 'posthogReplaceDomain',
          params: domainParams,
          body: domainUpdate.nullish(),
          response: { 200: domain },
        },
        handler: async (request) => {
          const { linked, token } = await changeDomain(services, request, request.body ?? {})
          return toDomain(mailing, linked, token)
        },
      })
    }

    app.delete(
      '/:organization_id/domains/:domain_id',
      {
        schema: {
          tags,
          summary: 'Delete domains',
          operationId: 'posthogDeleteDomain',
          params: domainParams,
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        await write(services, request, (context) =>
          deleteDomain(context, fromPath('domain', request.params.domain_id)),
        )
        return reply.code(204).send(null)
      },
    )

    app.post(
      '/:organization_id/domains/:domain_id/verify',
      {
        schema: {
          tags,
          summary: 'Create domains verify',
          description: 'Looks for the TXT record now. 200 whether it is there or not: `is_verified` tells.',
          operationId: 'posthogVerifyDomain',
          params: domainParams,
          response: { 200: domain },
        },
      },
      async (request) => {
        const context = reading(services, request)
        const id = fromPath('domain', request.params.domain_id)
        const finding = await findProof(context, domainProofs, id)
        const linked = await withFields(domainFields, () =>
          write(services, request, async (writing) => {
            await verifyDomain(writing, id, finding, domainCheckMillis)
            return await requireLinkedDomain(writing, id)
          }),
        )
        return toDomain(mailing, linked)
      },
    )
  }
}
