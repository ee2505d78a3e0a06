import { addressScope, plainAddress } from './address.ts'
import type { Allowed } from './allowed.ts'

const URL_LENGTH_MAX = 2048
const HTTPS_PORT = 443
const REGISTERED_PORT_MIN = 1024

/**
 * Ports above 1023 where something other than HTTP usually listens: those that browsers refuse to fetch from (WHATWG
 * Fetch, "bad port"), and databases, caches and container engines.
 */
const FOREIGN_PORTS = new Set([
  ...[
    1433, 1521, 1719, 1720, 1723, 2049, 2375, 2376, 2379, 2380, 3306, 3389, 3659, 4045, 4190, 5060, 5061,
    5432,
  ],
  ...[
    5672, 5900, 5984, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 9042, 9092, 9200, 9300,
    10080,
  ],
  ...[11211, 27017],
])

/** Where a checked URL leads. */
export interface Destination {
  readonly url: URL
  /** Without brackets. */
  readonly host: string
  readonly port: number
  /** The operator named this very place: its address may be any. */
  readonly isNamed: boolean
}

export interface UrlRules {
  readonly allowed: Allowed
  /** This server's own public name: it never asks itself through the front door. */
  readonly ownHost?: string | undefined
}

/**
 * Checks everything about a URL that can be known without asking for its address.
 *
 * @returns the rule it breaks, as the end of a sentence that begins with the field's name
 */
export function readUrl(text: string, rules: UrlRules): Destination | { problem: string } {
  if (text.length > URL_LENGTH_MAX) return refuse(`must have at most ${URL_LENGTH_MAX} characters`)
  // The parser would drop line ends silently, and take a backslash for a slash.
  if (/[\s\u0000-\u001f\u007f\\]/.test(text))
    return refuse('must not have spaces, control characters or backslashes')
  const url = URL.parse(text)
  if (url === null) return refuse('must be a URL such as https://idp.example.com/sso')
  if (url.username !== '' || url.password !== '') return refuse('must not have a user name or password')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = url.port === '' ? (url.protocol === 'http:' ? 80 : HTTPS_PORT) : Number(url.port)
  const isNamed = rules.allowed.hasPlace(host, port)
  // Without encryption only on this machine itself, and only where the operator says so.
  const isPlain = url.protocol === 'http:' && isNamed
  if (url.protocol !== 'https:' && !isPlain) return refuse('must begin with https://')
  const destination = { url, host, port, isNamed }
  if (isNamed) return destination
  if (port !== HTTPS_PORT && (port < REGISTERED_PORT_MIN || FOREIGN_PORTS.has(port))) {
    return refuse(`must not use port ${port}`)
  }
  return hostProblem(host, rules) ?? destination
}

function hostProblem(host: string, { allowed, ownHost }: UrlRules): { problem: string } | undefined {
  const address = plainAddress(host)
  if (address !== undefined) {
    if (addressScope(address) === 'public' || allowed.hasAddress(address)) return undefined
    return refuse('must not lead to an address inside of this network')
  }
  if (host.endsWith('.')) return refuse('must not have a host that ends with a dot')
  if (!host.includes('.') || host.endsWith('.localhost') || host === ownHost) {
    return refuse('must have the public name of a host')
  }
  return undefined
}

function refuse(problem: string): { problem: string } {
  return { problem }
}
