import { Resolver } from 'node:dns/promises'

/** What a name's records of one type say, or why nobody could tell. */
export type DnsAnswer =
  | { readonly values: readonly string[] }
  | {
      /** A sentence about the failure. */
      readonly problem: string
      /** The name or the record is not there; else the question got no answer, and the record may well be there. */
      readonly isAbsent: boolean
    }

/** Reads records of a name. Never throws. */
export interface DnsRecords {
  /** TXT records, each as one text. */
  txt(name: string): Promise<DnsAnswer>
  /** What the name is an alias of. */
  alias(name: string): Promise<DnsAnswer>
}

export interface DnsRecordsOptions {
  /** Addresses of resolvers, with a port or without; none: those of the system. */
  readonly servers: readonly string[]
  readonly timeoutMillis?: number
}

const TIMEOUT_MILLIS = 2000
const TRIES = 2
const ALIASES_MAX = 8

const ABSENT: Readonly<Record<string, string>> = {
  ENOTFOUND: 'has no DNS entry',
  ENODATA: 'has no such DNS record',
}
const UNANSWERED: Readonly<Record<string, string>> = {
  ETIMEOUT: 'the DNS server did not answer in time',
  ECONNREFUSED: 'the DNS server could not be reached',
  ESERVFAIL: 'the DNS server could not find out (SERVFAIL)',
  EREFUSED: 'the DNS server refused to answer (REFUSED)',
  ENOTIMP: 'the DNS server does not answer such questions',
  EFORMERR: 'the DNS server did not understand the question',
  EBADRESP: 'the DNS server’s answer could not be read',
  EBADNAME: 'it is not a name that DNS knows',
}

/**
 * Real look-ups at real resolvers: no cache of ours, UDP and, for long answers, TCP. A record of several strings is
 * one text (RFC 7208 §3.3 has the same rule), and an alias (CNAME) is followed where the resolver has not done it.
 */
export function dnsRecords(options: DnsRecordsOptions): DnsRecords {
  // Each look-up has its own: a resolver shares its time-outs and its cancelling.
  function openResolver(): Resolver {
    const resolver = new Resolver({ timeout: options.timeoutMillis ?? TIMEOUT_MILLIS, tries: TRIES })
    if (options.servers.length > 0) resolver.setServers([...options.servers])
    return resolver
  }

  async function alias(name: string): Promise<DnsAnswer> {
    return await answerFor(name, () => openResolver().resolveCname(name))
  }

  async function txt(name: string): Promise<DnsAnswer> {
    let asked = name
    for (let aliases = 0; ; aliases++) {
      const answer = await answerFor(name, async () => {
        const records = await openResolver().resolveTxt(asked)
        return records.map((strings) => strings.join(''))
      })
      if ('values' in answer || !answer.isAbsent || aliases === ALIASES_MAX) return answer
      const followed = await alias(asked)
      if ('problem' in followed) return answer
      asked = followed.values[0]!
    }
  }

  return { txt, alias }
}

async function answerFor(name: string, ask: () => Promise<string[]>): Promise<DnsAnswer> {
  try {
    const values = await ask()
    // An answer that holds an alias alone counts as one without records.
    return values.length === 0 ? failure(name, 'ENODATA') : { values }
  } catch (error) {
    return failure(name, (error as NodeJS.ErrnoException).code ?? '')
  }
}

function failure(name: string, code: string): DnsAnswer {
  const absent = ABSENT[code]
  if (absent !== undefined) return { problem: `${name} ${absent}.`, isAbsent: true }
  const reason = UNANSWERED[code] ?? `the look-up failed (${code})`
  return { problem: `${name} could not be looked up: ${reason}.`, isAbsent: false }
}
