import { lookup as systemLookup } from 'node:dns/promises'
import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { LookupFunction } from 'node:net'
import { addressScope, plainAddress } from './address.ts'
import { type Destination, readUrl, type UrlRules } from './url.ts'

/** Why a request to a customer's address came to nothing, in words that tell nothing about this network. */
export class OutboundError extends Error {
  readonly reason: 'refused' | 'unreachable' | 'timeout' | 'too_large'
  constructor(reason: OutboundError['reason'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'OutboundError'
    this.reason = reason
  }
}

interface OutboundRequest {
  readonly method?: 'GET' | 'HEAD' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** For the whole exchange, the name's resolution included. */
  readonly timeoutMillis?: number
  /** Of the answer's body. */
  readonly bytesMax?: number
}

interface OutboundAnswer {
  /** Redirects are answers like others: they are never followed. */
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

export interface Outbound {
  /** Why a URL is refused, as the end of a sentence that begins with the field's name; undefined: it is not. */
  urlProblem(url: string): string | undefined
  /** @throws {OutboundError} */
  request(url: string, request?: OutboundRequest): Promise<OutboundAnswer>
}

interface Address {
  readonly address: string
  readonly family: number
}

export interface OutboundOptions extends UrlRules {
  /** All addresses of a name; absent: as the system resolves names. */
  readonly resolve?: (host: string) => Promise<readonly Address[]>
  /** Certificate authorities beside those of Node (whose own setting for operators is NODE_EXTRA_CA_CERTS). */
  readonly authorities?: readonly string[]
}

const TIMEOUT_MILLIS = 10_000
const BYTES_MAX = 1024 * 1024
const HEADER_BYTES_MAX = 32 * 1024

/**
 * The one way to addresses that customers give us (an identity provider's keys, a webhook): https to the open
 * internet only, but for what the operator allows. A name is resolved once, every address it has is checked, and the
 * connection goes to one of those and no other, so an answer that changes in between changes nothing. No proxy, no
 * redirects, no connection kept for another request; an answer is cut off by time and size, and taken as it is sent
 * (never unpacked).
 */
export function createOutbound(options: OutboundOptions): Outbound {
  const resolve = options.resolve ?? ((host) => systemLookup(host, { all: true, verbatim: true }))
  return {
    urlProblem(url) {
      const read = readUrl(url, options)
      return 'problem' in read ? read.problem : undefined
    },
    async request(url, request = {}) {
      const destination = readUrl(url, options)
      if ('problem' in destination) throw new OutboundError('refused', `The URL ${destination.problem}.`)
      const signal = AbortSignal.timeout(request.timeoutMillis ?? TIMEOUT_MILLIS)
      try {
        const addresses = await withSignal(resolveChecked(destination), signal)
        return await exchange(destination, addresses, request, signal)
      } catch (error) {
        throw toOutboundError(error, signal)
      }
    },
  }

  async function resolveChecked(destination: Destination): Promise<readonly Address[]> {
    const { host, url } = destination
    const literal = plainAddress(host)
    const found = literal === undefined ? await resolve(host) : [addressOf(host)]
    if (found.length === 0) throw new OutboundError('unreachable', 'The host has no address.')
    for (const { address } of found) {
      const plain = plainAddress(address)
      const scope = plain === undefined ? 'internal' : addressScope(plain)
      const isAllowed = scope === 'public' || destination.isNamed || options.allowed.hasAddress(plain ?? '')
      if (!isAllowed || (url.protocol === 'http:' && scope !== 'loopback')) {
        throw new OutboundError('refused', 'The host leads to an address that is not allowed.')
      }
    }
    return found
  }

  async function exchange(
    { url }: Destination,
    addresses: readonly Address[],
    request: OutboundRequest,
    signal: AbortSignal,
  ): Promise<OutboundAnswer> {
    const isEncrypted = url.protocol === 'https:'
    // An agent of its own: nothing is kept alive for a request that was checked at another moment.
    const agent = isEncrypted ? new HttpsAgent({ keepAlive: false }) : new HttpAgent({ keepAlive: false })
    try {
      const sent = (isEncrypted ? httpsRequest : httpRequest)(url, {
        agent,
        signal,
        method: request.method ?? 'GET',
        // A packed answer would be another size than the one that arrives.
        headers: { 'user-agent': 'Rollcall', 'accept-encoding': 'identity', ...request.headers },
        maxHeaderSize: HEADER_BYTES_MAX,
        lookup: pinnedTo(addresses),
        ...(options.authorities === undefined ? {} : { ca: [...options.authorities] }),
      })
      const answer = await answerTo(sent, request.body)
      return {
        status: answer.statusCode ?? 0,
        headers: answer.headers,
        body: await readBody(answer, request.bytesMax ?? BYTES_MAX),
      }
    } finally {
      agent.destroy()
    }
  }
}

const addressOf = (host: string): Address => ({ address: host, family: host.includes(':') ? 6 : 4 })

/** Resolves any name to the addresses that were checked. */
function pinnedTo(addresses: readonly Address[]): LookupFunction {
  return (_host, { all }, callback) => {
    const [first] = addresses
    if (all === true) callback(null, [...addresses])
    else callback(null, first!.address, first!.family)
  }
}

function answerTo(sent: ClientRequest, body: string | undefined): Promise<IncomingMessage> {
  return new Promise((fulfil, reject) => {
    sent.once('response', fulfil)
    sent.on('error', reject)
    sent.end(body)
  })
}

async function readBody(answer: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of answer as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > bytesMax) {
      answer.destroy()
      throw new OutboundError('too_large', `The answer is larger than ${bytesMax} bytes.`)
    }
    parts.push(part)
  }
  return Buffer.concat(parts)
}

/** A promise that cannot be ended, no longer waited for once the signal says so. */
async function withSignal<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const ended = Promise.withResolvers<never>()
  const end = () => ended.reject(signal.reason)
  signal.addEventListener('abort', end, { once: true })
  try {
    return await Promise.race([work, ended.promise])
  } finally {
    signal.removeEventListener('abort', end)
  }
}

function toOutboundError(error: unknown, signal: AbortSignal): OutboundError {
  if (error instanceof OutboundError) return error
  if (signal.aborted)
    return new OutboundError('timeout', 'The host did not answer in time.', { cause: error })
  return new OutboundError('unreachable', 'The host could not be reached.', { cause: error })
}
