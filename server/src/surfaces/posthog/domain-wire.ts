import { z } from 'zod'
import { ssoEnforcements } from '../../directory/domains/domain.ts'
import type { LinkedDomain } from '../../directory/domains/linked-domain.ts'
import type { Mailing } from '../../directory/outbox/mailing.ts'
import { scimBaseUrl } from '../http/scim-address.ts'
import { moment } from '../http/wire-types.ts'
import { hasScim, providerFields, providerSettings, shownSettings, toShownSettings } from './provider-wire.ts'
import { organizationParams, uuid } from './wire.ts'

export const domainParams = organizationParams.extend({ domain_id: z.string() })

const ssoEnforcement = z.enum(ssoEnforcements, {
  error: `must be one of ${ssoEnforcements.map((name) => JSON.stringify(name)).join(', ')}`,
})

/** What can be said of a domain that is there; its name never changes, whatever a body says. */
export const domainUpdate = providerSettings.extend({
  jit_provisioning_enabled: z.boolean().optional(),
  sso_enforcement: ssoEnforcement.optional(),
  identity_provider_config: uuid.nullish(),
})

/** What the directory calls things of a domain, by their names here. */
export const domainFields = {
  ...providerFields,
  name: 'domain',
  just_in_time: 'jit_provisioning_enabled',
  identity_provider: 'identity_provider_config',
  'identity_provider.not_found': 'identity_provider_config',
  'domain.taken': 'domain',
} as const

export const domain = shownSettings
  .extend({
    id: z.string(),
    domain: z.string(),
    is_verified: z.boolean(),
    verified_at: moment.nullable(),
    /** What the TXT record at `_posthog-challenge.<domain>` has to hold. */
    verification_challenge: z.string(),
    jit_provisioning_enabled: z.boolean(),
    sso_enforcement: ssoEnforcement,
    scim_base_url: z.string().nullable(),
    identity_provider_config: z.string().nullable(),
  })
  .meta({ id: 'PosthogDomain' })

/** @param token of the SCIM client, where the request has just made it */
export function toDomain(
  mailing: Mailing,
  { domain: row, provider }: LinkedDomain,
  token: string | null = null,
): z.infer<typeof domain> {
  return {
    ...toShownSettings(provider, token),
    id: row.id,
    domain: row.name,
    is_verified: row.verified_at !== null,
    verified_at: row.verified_at,
    verification_challenge: row.challenge,
    jit_provisioning_enabled: row.just_in_time,
    sso_enforcement: row.sso_enforcement,
    scim_base_url: hasScim(provider) ? scimBaseUrl(mailing, provider.id) : null,
    identity_provider_config: row.identity_provider_id,
  }
}
