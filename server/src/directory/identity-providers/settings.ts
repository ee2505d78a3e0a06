import type { Directory } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { parseCertificate } from './certificate.ts'
import type { IdentityProviderColumns } from './identity-provider.sql.ts'

export const CERTIFICATES_MAX = 10

/**
 * Settings of an identity provider as somebody gives them. A field left out stays as it is; a text that is blank, or
 * null, takes the setting away.
 */
export interface IdentityProviderInput {
  name?: string | undefined
  samlEntityId?: string | null | undefined
  /** Where people are sent to sign in. */
  samlSsoUrl?: string | null | undefined
  /** PEM; a signature by any of them counts. */
  samlCertificates?: readonly string[] | undefined
  oidcIssuer?: string | null | undefined
  oidcClientId?: string | null | undefined
  oidcClientSecret?: string | null | undefined
  idJagIssuer?: string | null | undefined
  /** Absent: found through the issuer. */
  idJagJwksUrl?: string | null | undefined
  /** None: every client. */
  idJagAllowedClients?: readonly string[] | undefined
  scimEnabled?: boolean | undefined
}

/** Everything but the secret, which is encrypted on its way. */
export type OpenColumns = Omit<IdentityProviderColumns, 'oidc_client_secret'>

const trimmed = (text: string | null) => (text === null || text.trim() === '' ? null : text.trim())

/** The first value that is given: the new one, cleaned, or the one before. */
function settled(given: string | null | undefined, before: string | null): string | null {
  return given === undefined ? before : trimmed(given)
}

/**
 * The settings as they are to be stored. Entity ids, the sign-on URL and the OIDC issuer are compared or called letter
 * by letter, so only the space around them goes; of ID-JAG's URLs, where a slash at the end means nothing, it goes as
 * well.
 *
 * @throws {DirectoryError} request.invalid (a URL that the server would not ask), identity_provider.certificate_refused
 */
export function readSettings(
  { outbound }: Pick<Directory, 'outbound'>,
  input: IdentityProviderInput,
  before: OpenColumns,
): OpenColumns {
  const url = (field: string, given: string | null | undefined, was: string | null) => {
    const value = settled(given, was)
    const problem = given === undefined || value === null ? undefined : outbound.urlProblem(value)
    if (problem !== undefined) throw new DirectoryError('request.invalid', `${field} ${problem}.`, { field })
    return value
  }
  const unslashed = (given: string | null | undefined) => given?.trim().replace(/\/+$/, '')
  const idJagIssuer = input.idJagIssuer === null ? null : unslashed(input.idJagIssuer)
  const idJagJwksUrl = input.idJagJwksUrl === null ? null : unslashed(input.idJagJwksUrl)
  return {
    name: input.name ?? before.name,
    saml_entity_id: settled(input.samlEntityId, before.saml_entity_id),
    saml_sso_url: url('saml.sso_url', input.samlSsoUrl, before.saml_sso_url),
    saml_certificates: readCertificates(input.samlCertificates) ?? before.saml_certificates,
    oidc_issuer: readIssuer(url('oidc.issuer', input.oidcIssuer, before.oidc_issuer)),
    oidc_client_id: settled(input.oidcClientId, before.oidc_client_id),
    id_jag_issuer: url('id_jag.issuer', idJagIssuer, before.id_jag_issuer),
    id_jag_jwks_url: url('id_jag.jwks_url', idJagJwksUrl, before.id_jag_jwks_url),
    id_jag_allowed_clients: [...new Set(input.idJagAllowedClients ?? before.id_jag_allowed_clients)],
    scim_enabled: input.scimEnabled ?? before.scim_enabled,
  }
}

/** OpenID Connect Discovery 1.0 §2: an issuer has no query and no fragment. */
function readIssuer(issuer: string | null): string | null {
  if (issuer === null || !/[?#]/.test(issuer)) return issuer
  throw new DirectoryError('request.invalid', 'oidc.issuer must not have a query or a fragment.', {
    field: 'oidc.issuer',
  })
}

function readCertificates(texts: readonly string[] | undefined): string[] | undefined {
  if (texts === undefined) return undefined
  if (texts.length > CERTIFICATES_MAX) {
    const field = 'saml.certificates'
    throw new DirectoryError(
      'request.invalid',
      `${field} must have at most ${CERTIFICATES_MAX} certificates.`,
      {
        field,
      },
    )
  }
  const pems = texts.map((text, index) => {
    const parsed = parseCertificate(text)
    if ('pem' in parsed) return parsed.pem
    const field = `saml.certificates[${index}]`
    throw new DirectoryError('identity_provider.certificate_refused', `${field} ${parsed.problem}.`, {
      field,
    })
  })
  return [...new Set(pems)]
}
