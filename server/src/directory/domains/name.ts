import { parse } from 'tldts'
import { parseEmail } from '../members/email.ts'
import { publicMailDomains } from './public-mail.ts'

/** Leaves room for the label of the challenge in a DNS name of 253 characters. */
const DOMAIN_LENGTH_MAX = 200

/** Why a name is refused, as the end of a sentence that begins with the field's name. */
export interface DomainProblem {
  readonly problem: string
  /** It is a name like others, but one under which strangers have their names or mailboxes. */
  readonly isPublic: boolean
}

/**
 * A domain's name as it is stored and compared: lower-case A-labels without a dot at the end, exactly as it stands
 * behind the @ of a member's address.
 *
 * Names under which anybody gets a name (public suffixes, by Mozilla's list, which `tldts` carries and brings up to
 * date every few weeks, private ones such as `github.io` included) or a mailbox cannot be one organization's. Ends
 * that the list does not know (`corp.internal`) are taken: a self-hosted server has its own.
 */
export function parseDomainName(input: string): string | DomainProblem {
  const text = input.trim().replace(/[.\u3002\uff0e\uff61]$/u, '')
  const parsed = parseEmail(`x@${text}`)
  if ('problem' in parsed || text.includes('@')) {
    return refuse('must be a domain name such as acme.example, without a scheme, a port or a path')
  }
  const name = parsed.key.slice(2)
  if (name.length > DOMAIN_LENGTH_MAX) return refuse(`must have at most ${DOMAIN_LENGTH_MAX} characters`)
  const { domain, publicSuffix } = parse(name, { allowPrivateDomains: true })
  if (domain === null) {
    return refuse(`must be a domain of your own: anybody gets names under ${publicSuffix ?? name}`, true)
  }
  const labels = name.split('.')
  const mail = labels
    .map((_, place) => labels.slice(place).join('.'))
    .find((end) => publicMailDomains.has(end))
  if (mail !== undefined)
    return refuse(`must be a domain of your own: anybody gets a mailbox at ${mail}`, true)
  return name
}

function refuse(problem: string, isPublic = false): DomainProblem {
  return { problem, isPublic }
}
