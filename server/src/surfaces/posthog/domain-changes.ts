import type { FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { updateDomain } from '../../directory/domains/domain.ts'
import {
  configureDomainProvider,
  type LinkedDomain,
  requireLinkedDomain,
} from '../../directory/domains/linked-domain.ts'
import { createScimToken } from '../../directory/identity-providers/scim-token.ts'
import type { KeyScopeServices } from '../http/key-scope.ts'
import { domainFields, type domainUpdate } from './domain-wire.ts'
import { toProviderInput } from './provider-wire.ts'
import { fromPath, withFields, writeAll } from './wire.ts'

interface DomainRequest {
  readonly actor: FastifyRequest['actor']
  readonly params: { organization_id: string; domain_id: string }
}

/**
 * Changes a domain and the settings of its identity provider, which are settings of the domain in this dialect: first
 * the link, then what the request says of the provider, then what needs both. All of it or nothing.
 *
 * @returns the domain, and the token of its SCIM client if the request has switched SCIM on
 */
export async function changeDomain(
  services: KeyScopeServices,
  request: DomainRequest,
  body: z.infer<typeof domainUpdate>,
): Promise<{ linked: LinkedDomain; token: string | null }> {
  const id = fromPath('domain', request.params.domain_id)
  const { identity_provider_config: linkedId, sso_enforcement: ssoEnforcement, ...rest } = body
  const { jit_provisioning_enabled: justInTime, ...settings } = rest
  const isConfiguring = Object.values(settings).some((value) => value !== undefined)
  let provider: { id: string; isScimSwitchedOn: boolean } | undefined
  let token: string | null
  let linked: LinkedDomain
  await withFields(domainFields, () =>
    writeAll(services, request, [
      async (context) => {
        await updateDomain(context, id, { identityProviderId: linkedId })
      },
      async (context) => {
        provider = isConfiguring
          ? await configureDomainProvider(context, services.directory, id, toProviderInput(settings))
          : undefined
      },
      async (context) => {
        if (provider !== undefined) await updateDomain(context, id, { identityProviderId: provider.id })
      },
      async (context) => {
        await updateDomain(context, id, { justInTime, ssoEnforcement })
      },
      async (context) => {
        token = null
        if (provider?.isScimSwitchedOn !== true) return
        const made = await createScimToken(context, provider.id, { expiresAt: null, replaces: true })
        token = made.secret
      },
      async (context) => {
        linked = await requireLinkedDomain(context, id)
      },
    ]),
  )
  return { linked: linked!, token: token! }
}
