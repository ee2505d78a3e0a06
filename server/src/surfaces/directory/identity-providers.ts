import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import {
  createIdentityProvider,
  deleteIdentityProvider,
  getIdentityProvider,
  type IdentityProviderRow,
  listIdentityProviders,
  updateIdentityProvider,
} from '../../directory/identity-providers/identity-provider.ts'
import { expectedVersion, reading, type Services, setVersion, write } from './exchange.ts'
import {
  fromIdentityProviderBody,
  identityProvider,
  identityProviderBody,
  toIdentityProvider,
} from './identity-provider-wire.ts'
import { fromId, idCursor, orgParams, page, pageQuery, preview, previewQuery, toPage } from './wire.ts'

const tags = ['Identity providers']
export const identityProviderParams = orgParams.extend({ identity_provider: z.string() })

export function identityProviderRoutes(services: Services): FastifyPluginAsync {
  const { directory } = services
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()
    const renderTo = (reply: FastifyReply) => (row: IdentityProviderRow) => {
      setVersion(reply, row.version)
      return toIdentityProvider(row)
    }

    app.post(
      '/identity_providers',
      {
        schema: {
          tags,
          summary: 'Create an identity provider; any setting may be left for later',
          operationId: 'createIdentityProvider',
          params: orgParams,
          body: identityProviderBody,
          response: { 201: identityProvider },
        },
      },
      async (request, reply) => {
        const input = fromIdentityProviderBody(request.body)
        return (await write(services, request, reply, { status: 201, render: renderTo(reply) }, (context) =>
          createIdentityProvider(context, directory, input),
        )) as never
      },
    )

    app.get(
      '/identity_providers',
      {
        schema: {
          tags,
          summary: 'List identity providers, without their secrets',
          operationId: 'listIdentityProviders',
          params: orgParams,
          querystring: pageQuery,
          response: { 200: page(identityProvider) },
        },
      },
      async (request) => {
        const { limit, after } = request.query
        const rows = await listIdentityProviders(reading(services, request), {
          afterId: idCursor(after),
          limit: limit + 1,
        })
        return toPage(rows, limit, toIdentityProvider, (row) => row.id)
      },
    )

    app.get(
      '/identity_providers/:identity_provider',
      {
        schema: {
          tags,
          summary: 'Read an identity provider, without its secrets',
          operationId: 'getIdentityProvider',
          params: identityProviderParams,
          response: { 200: identityProvider },
        },
      },
      async (request, reply) => {
        const id = fromId('identityProvider', request.params.identity_provider)
        return renderTo(reply)(await getIdentityProvider(reading(services, request), id))
      },
    )

    app.patch(
      '/identity_providers/:identity_provider',
      {
        schema: {
          tags,
          summary: 'Change settings of an identity provider; switching SCIM off revokes its tokens',
          operationId: 'updateIdentityProvider',
          params: identityProviderParams,
          querystring: previewQuery,
          body: identityProviderBody,
          response: { 200: z.union([identityProvider, preview]) },
        },
      },
      async (request, reply) => {
        const id = fromId('identityProvider', request.params.identity_provider)
        const input = fromIdentityProviderBody(request.body)
        const version = expectedVersion(request)
        return (await write(services, request, reply, { status: 200, render: renderTo(reply) }, (context) =>
          updateIdentityProvider(context, directory, id, input, version),
        )) as never
      },
    )

    app.delete(
      '/identity_providers/:identity_provider',
      {
        schema: {
          tags,
          summary: 'Delete an identity provider and its SCIM tokens; its domains stay, without it',
          operationId: 'deleteIdentityProvider',
          params: identityProviderParams,
          querystring: previewQuery,
          response: { 200: preview, 204: z.null() },
        },
      },
      async (request, reply) => {
        const id = fromId('identityProvider', request.params.identity_provider)
        const version = expectedVersion(request)
        return (await write(services, request, reply, { status: 204 }, (context) =>
          deleteIdentityProvider(context, id, version),
        )) as never
      },
    )
  }
}
