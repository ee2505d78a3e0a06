import { z } from 'zod'
import { certificateFacts } from '../../directory/identity-providers/certificate.ts'
import {
  IDENTITY_PROVIDER_NAME_LENGTH_MAX,
  type IdentityProviderRow,
} from '../../directory/identity-providers/identity-provider.ts'
import { CERTIFICATES_MAX, type IdentityProviderInput } from '../../directory/identity-providers/settings.ts'
import { moment, text } from '../http/wire-types.ts'
import { toId } from './wire.ts'

const SETTING_LENGTH_MAX = 2048
const SECRET_LENGTH_MAX = 4096
const CERTIFICATE_TEXT_LENGTH_MAX = 20_000
const CLIENTS_MAX = 100
const CLIENT_LENGTH_MAX = 256

/** Up to the last second of 9999, which says that there is no end (RFC 5280 §4.1.2.5). */
const certificateDate = z.iso.datetime()

const certificate = z.object({
  /** SHA-256. */
  fingerprint: z.string(),
  subject: z.string(),
  not_before: certificateDate,
  not_after: certificateDate,
  expired: z.boolean(),
  key: z.object({ type: z.enum(['RSA', 'EC', 'Ed25519']), size: z.string() }),
  pem: z.string(),
})

/** Whatever is secret is not among it: of a client secret only whether there is one. */
export const identityProvider = z
  .object({
    object: z.literal('identity_provider'),
    id: z.string(),
    name: z.string(),
    saml: z.object({
      entity_id: z.string().nullable(),
      sso_url: z.string().nullable(),
      certificates: z.array(certificate),
      /** Somebody could sign in with it. */
      complete: z.boolean(),
    }),
    oidc: z.object({
      issuer: z.string().nullable(),
      client_id: z.string().nullable(),
      has_client_secret: z.boolean(),
      complete: z.boolean(),
    }),
    id_jag: z.object({
      issuer: z.string().nullable(),
      jwks_url: z.string().nullable(),
      /** None: every client. */
      allowed_clients: z.array(z.string()),
      complete: z.boolean(),
    }),
    scim: z.object({ enabled: z.boolean() }),
    created_at: moment,
    updated_at: moment,
  })
  .meta({ id: 'IdentityProvider' })

export function toIdentityProvider(row: IdentityProviderRow): z.infer<typeof identityProvider> {
  return {
    object: 'identity_provider',
    id: toId('identityProvider', row.id),
    name: row.name,
    saml: {
      entity_id: row.saml_entity_id,
      sso_url: row.saml_sso_url,
      certificates: row.saml_certificates.map(toCertificate),
      complete: row.saml_entity_id !== null && row.saml_sso_url !== null && row.saml_certificates.length > 0,
    },
    oidc: {
      issuer: row.oidc_issuer,
      client_id: row.oidc_client_id,
      has_client_secret: row.oidc_client_secret !== null,
      complete: row.oidc_issuer !== null && row.oidc_client_id !== null && row.oidc_client_secret !== null,
    },
    id_jag: {
      issuer: row.id_jag_issuer,
      jwks_url: row.id_jag_jwks_url,
      allowed_clients: row.id_jag_allowed_clients,
      complete: row.id_jag_issuer !== null,
    },
    scim: { enabled: row.scim_enabled },
    created_at: row.created_at,
    updated_at: row.updated_at,
  }
}

function toCertificate(pem: string): z.infer<typeof certificate> {
  const facts = certificateFacts(pem, new Date())
  return {
    fingerprint: facts.fingerprint,
    subject: facts.subject,
    not_before: facts.notBefore,
    not_after: facts.notAfter,
    expired: facts.isExpired,
    key: facts.key,
    pem,
  }
}

const setting = text(SETTING_LENGTH_MAX, 0).nullish()

/** What can be set. Left out: it stays; null or blank: it is taken away. */
export const identityProviderBody = z.strictObject({
  name: text(IDENTITY_PROVIDER_NAME_LENGTH_MAX, 0).optional(),
  saml: z
    .strictObject({
      entity_id: setting,
      sso_url: setting,
      certificates: z
        .array(text(CERTIFICATE_TEXT_LENGTH_MAX))
        .max(CERTIFICATES_MAX, `must have at most ${CERTIFICATES_MAX} certificates`)
        .optional()
        .describe('PEM, with or without its BEGIN and END lines. Replaces the ones before.'),
    })
    .optional(),
  oidc: z
    .strictObject({
      issuer: setting,
      client_id: setting,
      client_secret: text(SECRET_LENGTH_MAX, 0).nullish().describe('Never shown again.'),
    })
    .optional(),
  id_jag: z
    .strictObject({
      issuer: setting,
      jwks_url: setting,
      allowed_clients: z
        .array(text(CLIENT_LENGTH_MAX))
        .max(CLIENTS_MAX, `must name at most ${CLIENTS_MAX} clients`)
        .optional(),
    })
    .optional(),
  scim: z.strictObject({ enabled: z.boolean().optional() }).optional(),
})

export function fromIdentityProviderBody(body: z.infer<typeof identityProviderBody>): IdentityProviderInput {
  return {
    name: body.name,
    samlEntityId: body.saml?.entity_id,
    samlSsoUrl: body.saml?.sso_url,
    samlCertificates: body.saml?.certificates,
    oidcIssuer: body.oidc?.issuer,
    oidcClientId: body.oidc?.client_id,
    oidcClientSecret: body.oidc?.client_secret,
    idJagIssuer: body.id_jag?.issuer,
    idJagJwksUrl: body.id_jag?.jwks_url,
    idJagAllowedClients: body.id_jag?.allowed_clients,
    scimEnabled: body.scim?.enabled,
  }
}
