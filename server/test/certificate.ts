import {
  createHash,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto'

// A certificate is built here byte by byte (RFC 5280), because tests need what no tool makes willingly any more: weak
// keys, broken digests, dates in the past.

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

const sequence = (...parts: readonly Buffer[]) => der(0x30, ...parts)
const oid = (text: string) => {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number)
  const bytes = rest.flatMap((part) => {
    const septets = [part & 0x7f]
    for (let left = part >> 7; left > 0; left >>= 7) septets.unshift((left & 0x7f) | 0x80)
    return septets
  })
  return der(0x06, Buffer.from([first * 40 + second, ...bytes]))
}
const nothing = der(0x05)
const generalizedTime = (at: Date | string) =>
  der(0x18, Buffer.from(typeof at === 'string' ? at : at.toISOString().replace(/[-:T]|\.\d+/g, '')))
const commonName = (name: string) =>
  sequence(der(0x31, sequence(oid('2.5.4.3'), der(0x0c, Buffer.from(name)))))

const SIGNATURES = {
  rsa: { md5: '1.2.840.113549.1.1.4', sha1: '1.2.840.113549.1.1.5', sha256: '1.2.840.113549.1.1.11' },
  ec: { md5: '', sha1: '1.2.840.10045.4.1', sha256: '1.2.840.10045.4.3.2' },
} as const

export interface CertificateOptions {
  readonly name?: string
  /** Says in the alternative name alone whose it is. */
  readonly hasEmptySubject?: boolean
  /** Bits of an RSA key, or the name of a curve. */
  readonly key?: number | string
  readonly digest?: 'md5' | 'sha1' | 'sha256'
  readonly notBefore?: Date
  /** A text stands there as it is, a time or not. */
  readonly notAfter?: Date | string
}

export interface MadeCertificate {
  readonly pem: string
  /** PEM of the private key. */
  readonly key: string
  readonly x509: X509Certificate
}

function keyPair(key: number | string): { publicKey: KeyObject; privateKey: KeyObject } {
  return typeof key === 'number'
    ? generateKeyPairSync('rsa', { modulusLength: key })
    : generateKeyPairSync('ec', { namedCurve: key })
}

const DAY_MILLIS = 86_400_000

/** A certificate signed by its own key, for one host name. */
export function makeCertificate(options: CertificateOptions = {}): MadeCertificate {
  const { name = 'idp.example', key = 'P-256', digest = 'sha256' } = options
  const { publicKey, privateKey } = keyPair(key)
  const algorithmId = SIGNATURES[typeof key === 'number' ? 'rsa' : 'ec'][digest]
  const algorithm = sequence(oid(algorithmId), ...(typeof key === 'number' ? [nothing] : []))
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const dnsName = der(0x82, Buffer.from(name))
  const alternative = sequence(oid('2.5.29.17'), der(0x04, sequence(dnsName)))
  const authority = sequence(
    oid('2.5.29.19'),
    der(0x01, Buffer.from([0xff])),
    der(0x04, sequence(der(0x01, Buffer.from([0xff])))),
  )
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm,
    sequence(commonName(name).subarray(2)),
    sequence(
      generalizedTime(options.notBefore ?? new Date(Date.now() - DAY_MILLIS)),
      generalizedTime(options.notAfter ?? new Date(Date.now() + 365 * DAY_MILLIS)),
    ),
    options.hasEmptySubject === true ? sequence() : sequence(commonName(name).subarray(2)),
    spki,
    der(0xa3, sequence(alternative, authority)),
  )
  const signature = sign(digest, body, privateKey)
  const whole = sequence(body, algorithm, der(0x03, Buffer.from([0]), signature))
  const x509 = new X509Certificate(whole)
  return { pem: x509.toString(), key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), x509 }
}

/** The SHA-256 fingerprint as it is shown: upper-case pairs with colons between them. */
export function fingerprintOf(pem: string): string {
  const digest = createHash('sha256').update(new X509Certificate(pem).raw).digest('hex')
  return digest.toUpperCase().match(/../g)!.join(':')
}
