import { z } from 'zod'
import type { ProviderWithScim } from '../../directory/identity-providers/identity-provider-page.ts'
import type { IdentityProviderInput } from '../../directory/identity-providers/settings.ts'
import { text } from '../http/wire-types.ts'

const TEXT_LENGTH_MAX = 512
const CERTIFICATE_LENGTH_MAX = 65_536
const CLIENT_LENGTH_MAX = 256
const CLIENTS_MAX = 100

const optionalText = text(TEXT_LENGTH_MAX, 0).nullish()

/** SAML settings as they are written, on a config and on the domains that are linked to it. */
export const samlSettings = z.object({
  saml_entity_id: optionalText,
  /** Despite its name, where people are sent to sign in. */
  saml_acs_url: optionalText,
  saml_x509_cert: text(CERTIFICATE_LENGTH_MAX, 0).nullish(),
})

/** All settings as they are written, on a config and on the domains that are linked to it. */
export const providerSettings = samlSettings.extend({
  scim_enabled: z.boolean().optional(),
  id_jag_issuer_url: optionalText,
  id_jag_jwks_url: optionalText,
  id_jag_allowed_clients: z
    .array(text(CLIENT_LENGTH_MAX))
    .max(CLIENTS_MAX, `must have at most ${CLIENTS_MAX} entries`)
    .optional(),
})

/** What the directory calls these settings, by their names here. */
export const providerFields = {
  'saml.entity_id': 'saml_entity_id',
  'saml.sso_url': 'saml_acs_url',
  'saml.certificates': 'saml_x509_cert',
  'id_jag.issuer': 'id_jag_issuer_url',
  'id_jag.jwks_url': 'id_jag_jwks_url',
  'id_jag.allowed_clients': 'id_jag_allowed_clients',
  scimEnabled: 'scim_enabled',
  idJagIssuer: 'id_jag_issuer_url',
  idJagJwksUrl: 'id_jag_jwks_url',
  idJagAllowedClients: 'id_jag_allowed_clients',
} as const

const PEM_BLOCK = /-----BEGIN [^-]+-----[^-]*-----END [^-]+-----/g

/** One field holds any number of certificates: each in its own lines of BEGIN and END, or one without them. */
function toCertificates(pem: string | null | undefined): string[] | undefined {
  if (pem === undefined) return undefined
  if (pem === null || pem.trim() === '') return []
  return pem.match(PEM_BLOCK) ?? [pem]
}

/** The settings that a body states. */
export function toProviderInput(body: z.infer<typeof providerSettings>): IdentityProviderInput {
  return {
    samlEntityId: body.saml_entity_id,
    samlSsoUrl: body.saml_acs_url,
    samlCertificates: toCertificates(body.saml_x509_cert),
    scimEnabled: body.scim_enabled,
    idJagIssuer: body.id_jag_issuer_url,
    idJagJwksUrl: body.id_jag_jwks_url,
    idJagAllowedClients: body.id_jag_allowed_clients,
  }
}

/** The settings as they are answered. */
export const shownSettings = z.object({
  has_saml: z.boolean(),
  saml_entity_id: z.string().nullable(),
  saml_acs_url: z.string().nullable(),
  saml_x509_cert: z.string().nullable(),
  /** SCIM is on, and there is a token that works. */
  has_scim: z.boolean(),
  scim_enabled: z.boolean(),
  /** Only in the answer to what has switched SCIM on. */
  scim_bearer_token: z.string().nullable(),
  has_id_jag: z.boolean(),
  id_jag_issuer_url: z.string().nullable(),
  id_jag_jwks_url: z.string().nullable(),
  id_jag_allowed_clients: z.array(z.string()),
})

/** @param row null: no identity provider is linked */
export function toShownSettings(
  row: ProviderWithScim | null,
  token: string | null,
): z.infer<typeof shownSettings> {
  const certificates = row?.saml_certificates ?? []
  const { saml_entity_id: entityId = null, saml_sso_url: signOnUrl = null } = row ?? {}
  return {
    has_saml: entityId !== null && signOnUrl !== null && certificates.length > 0,
    saml_entity_id: entityId,
    saml_acs_url: signOnUrl,
    saml_x509_cert: certificates.length === 0 ? null : certificates.join('\n'),
    has_scim: hasScim(row),
    scim_enabled: row?.scim_enabled ?? false,
    scim_bearer_token: token,
    has_id_jag: (row?.id_jag_issuer ?? null) !== null,
    id_jag_issuer_url: row?.id_jag_issuer ?? null,
    id_jag_jwks_url: row?.id_jag_jwks_url ?? null,
    id_jag_allowed_clients: row?.id_jag_allowed_clients ?? [],
  }
}

export function hasScim(row: ProviderWithScim | null): row is ProviderWithScim {
  return row?.scim_enabled === true && row.has_scim_token
}
