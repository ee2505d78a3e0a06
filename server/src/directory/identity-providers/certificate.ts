import { type KeyObject, X509Certificate } from 'node:crypto'

const RSA_BITS_MIN = 2048
/** Curves of at least 128 bits of security, by the names OpenSSL has for them. */
const CURVES: Readonly<Record<string, string>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
}
const CERTIFICATE_LENGTH_MAX = 20_000

// One repetition over what the next part cannot begin with: a hostile text costs no more than its length.
const ARMOUR = /^-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \1-----$/
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

interface CertificateKey {
  readonly type: 'RSA' | 'EC' | 'Ed25519'
  /** Bits of an RSA key, or the name of a curve. */
  readonly size: string
}

/** What people have to see of a certificate. */
export interface CertificateFacts {
  readonly subject: string
  readonly fingerprint: string
  readonly notBefore: string
  readonly notAfter: string
  readonly isExpired: boolean
  readonly key: CertificateKey
}

/**
 * Reads one certificate that an identity provider signs with. An expired one is taken, as many providers live on
 * expired ones, and is shown as such. What could be forged is not: short keys, and digests with known collisions.
 *
 * @param text PEM, with its BEGIN and END lines or without them
 * @returns the certificate in one PEM form, or the rule it breaks, as the end of a sentence
 */
export function parseCertificate(text: string): { pem: string } | { problem: string } {
  const trimmed = text.trim()
  if (trimmed.length > CERTIFICATE_LENGTH_MAX)
    return refuse(`must have at most ${CERTIFICATE_LENGTH_MAX} characters`)
  if (trimmed.split('-----BEGIN').length > 2) return refuse('must be one certificate, not several')
  const [, label, armoured] = ARMOUR.exec(trimmed) ?? []
  if (label?.includes('PRIVATE KEY'))
    return refuse('must be a certificate: this is a private key, which nobody else should have')
  if (label !== undefined && label !== 'CERTIFICATE')
    return refuse(`must be a certificate, not a ${label.toLowerCase()}`)
  const base64 = (armoured ?? trimmed).replace(/\s+/g, '')
  if (!BASE64.test(base64)) return refuse('must be a certificate in PEM')
  const certificate = readDer(Buffer.from(base64, 'base64'))
  if (certificate === undefined) return refuse('must be a certificate in PEM')
  const problem =
    keyProblem(publicKeyOf(certificate)) ?? signatureProblem(certificate) ?? datesProblem(certificate)
  return problem === undefined ? { pem: certificate.toString() } : refuse(problem)
}

/** @param pem as `parseCertificate` gave it */
export function certificateFacts(pem: string, now: Date): CertificateFacts {
  const certificate = new X509Certificate(pem)
  const [from, to] = datesOf(certificate)
  return {
    // One line: the parts of a name come a line each; one without any parts comes as undefined.
    subject: (certificate.subject as string | undefined)?.split('\n').join(', ') ?? '',
    fingerprint: certificate.fingerprint256,
    notBefore: from.toISOString(),
    notAfter: to.toISOString(),
    isExpired: to.getTime() < now.getTime(),
    key: keyOf(certificate.publicKey)!,
  }
}

export function fingerprintOf(pem: string): string {
  return new X509Certificate(pem).fingerprint256
}

function refuse(problem: string): { problem: string } {
  return { problem }
}

function readDer(bytes: Buffer): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(bytes)
    // What follows the certificate would be dropped silently.
    if (certificate.raw.length !== bytes.length) return undefined
    // As it is kept and read from then on: not everything that is read once can be written, and read again.
    return new X509Certificate(certificate.toString())
  } catch {
    return undefined
  }
}

function publicKeyOf(certificate: X509Certificate): KeyObject | undefined {
  try {
    return certificate.publicKey
  } catch {
    return undefined
  }
}

function keyOf(key: KeyObject): CertificateKey | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'rsa' || type === 'rsa-pss') return { type: 'RSA', size: String(details?.modulusLength ?? 0) }
  if (type === 'ec')
    return { type: 'EC', size: CURVES[details?.namedCurve ?? ''] ?? details?.namedCurve ?? '' }
  return type === 'ed25519' ? { type: 'Ed25519', size: 'Ed25519' } : undefined
}

function keyProblem(publicKey: KeyObject | undefined): string | undefined {
  const key = publicKey === undefined ? undefined : keyOf(publicKey)
  if (key === undefined) return 'must have an RSA, EC or Ed25519 key'
  if (key.type === 'RSA' && Number(key.size) < RSA_BITS_MIN) {
    return `must have an RSA key of at least ${RSA_BITS_MIN} bits, this one has ${key.size}`
  }
  if (key.type === 'EC' && !Object.values(CURVES).includes(key.size)) {
    return `must have an EC key on ${Object.values(CURVES).join(', ')}, this one is on ${key.size}`
  }
  return undefined
}

/** RFC 5280 §4.1.2.5 knows no earlier year; what is no time at all is taken by OpenSSL as it stands. */
const EARLIEST = Date.UTC(1950)

/** From OpenSSL's text: the dates that Node makes of what is no time are whatever was in memory. */
function datesOf({ validFrom, validTo }: X509Certificate): readonly [from: Date, to: Date] {
  return [toDate(validFrom), toDate(validTo)]
}

/** `Nov 22 10:00:00 2026 GMT`; of a shorter year the parser would make one of our days. */
function toDate(text: string): Date {
  return new Date(/ \d{4} GMT$/.test(text) ? text : Number.NaN)
}

function datesProblem(certificate: X509Certificate): string | undefined {
  const areTimes = datesOf(certificate).every((date) => date.getTime() >= EARLIEST)
  return areTimes ? undefined : 'must have dates from 1950 on between which it is valid'
}

/** Digests with known collisions. (RSASSA-PSS has its digest in parameters that Node does not show.) */
const FORGEABLE = /md[245]|sha-?1(?!\d)/i

function signatureProblem(certificate: X509Certificate): string | undefined {
  const name = certificate.signatureAlgorithm ?? certificate.signatureAlgorithmOid
  return FORGEABLE.test(name) ? `must not be signed with ${name}: its digest can be forged` : undefined
}
