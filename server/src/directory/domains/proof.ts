import { randomBytes } from 'node:crypto'
import type { DnsAnswer, DnsRecords } from '../../platform/dns/dns-records.ts'

const CHALLENGE_BYTES = 32
/** What a name of nobody begins with, by which records for every name are found out. */
const NOBODY = '_rollcall-nobody-'

/** What was found when the proof of a domain was looked for. */
export type ProofFinding =
  | { readonly kind: 'found' }
  /** The record is not there, or does not hold the challenge. */
  | { readonly kind: 'absent'; readonly problem: string }
  /** Nobody could tell. Says nothing about the domain. */
  | { readonly kind: 'unanswered'; readonly problem: string }

export interface DomainProofs {
  /** The name of the record that people are told to make. */
  recordName(domain: string): string
  /** Looks for the challenge in DNS now. Takes seconds at worst; never throws. */
  find(domain: string, challenge: string): Promise<ProofFinding>
}

export interface DomainProofsOptions {
  readonly dns: DnsRecords
  /** The labels under which the record may stand; people are told the first. */
  readonly labels: readonly [string, ...string[]]
}

/** What a domain's record has to hold: 256 random bits, of this domain of this organization alone. */
export function makeChallenge(): string {
  return randomBytes(CHALLENGE_BYTES).toString('base64url')
}

/** Proof that somebody who may write to a domain's DNS wants an organization to have it. */
export function domainProofs({ dns, labels }: DomainProofsOptions): DomainProofs {
  async function find(domain: string, challenge: string): Promise<ProofFinding> {
    const looked = await Promise.all(labels.map((label) => findAt(`${label}.${domain}`, challenge)))
    // The first label is the one people know of; another one's failure counts only if it may hold the proof.
    return (
      looked.find((finding) => finding.kind === 'found') ??
      looked.find((finding) => finding.kind === 'unanswered') ??
      looked[0]!
    )
  }

  async function findAt(recordName: string, challenge: string): Promise<ProofFinding> {
    const answer = await dns.txt(recordName)
    if ('problem' in answer) return failed(answer)
    if (!answer.values.includes(challenge)) {
      return { kind: 'absent', problem: `The TXT record of ${recordName} does not hold the challenge.` }
    }
    return await refuseWildcard(recordName, challenge)
  }

  /**
   * A record that answers for every name does not show who has this one: a forgotten wildcard alias to a host that
   * anybody can take over would prove the whole domain. Where the aliases are told by the domain's own zone; what
   * stands at their end may be made to differ from question to question.
   */
  async function refuseWildcard(recordName: string, challenge: string): Promise<ProofFinding> {
    const parent = recordName.slice(recordName.indexOf('.') + 1)
    const nobody = `${NOBODY}${randomBytes(8).toString('hex')}.${parent}`
    const [texts, alias, nobodysAlias] = await Promise.all([
      dns.txt(nobody),
      dns.alias(recordName),
      dns.alias(nobody),
    ])
    for (const answer of [texts, alias, nobodysAlias]) {
      if ('problem' in answer && !answer.isAbsent) return failed(answer)
    }
    const aliases = 'values' in alias ? alias.values : []
    const isForAll =
      ('values' in texts && texts.values.includes(challenge)) ||
      ('values' in nobodysAlias && nobodysAlias.values.some((target) => aliases.includes(target)))
    if (!isForAll) return { kind: 'found' }
    const problem = `Every name below ${parent} answers like ${recordName}: put the challenge there alone.`
    return { kind: 'absent', problem }
  }

  return { recordName: (domain) => `${labels[0]}.${domain}`, find }
}

function failed(answer: Extract<DnsAnswer, { problem: string }>): ProofFinding {
  return { kind: answer.isAbsent ? 'absent' : 'unanswered', problem: answer.problem }
}
