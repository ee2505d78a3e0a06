import { domainToASCII, domainToUnicode } from 'node:url'
import { foldText } from '../scim/fold.ts'

/** An address the directory accepts; told apart from `EmailProblem` by `'problem' in result`. */
export interface Email {
  /** What is stored and shown: the local part as given (NFC), the domain as lower-case A-labels. */
  readonly address: string
  /**
   * What is compared and indexed: equal for addresses that differ only in case. An address itself, at most
   * 254 octets.
   */
  readonly key: string
}

/** Why an address is refused. */
export interface EmailProblem {
  /** A sentence fragment that follows the field's name: "must have exactly one @". */
  readonly problem: string
}

const addressOctetsMax = 254
const localOctetsMax = 64
const labelOctetsMax = 63
/**
 * UTF-16 units looked at before anything is normalised, so that no input costs more than this. Normalising
 * shrinks a text at most threefold (Hangul), so nothing that fits 254 octets afterwards is longer than this
 * before.
 */
const inputUnitsMax = 1024

// RFC 5321 section 4.1.2 dot-atom and RFC 1123 host names. One repetition per part, bounded, over classes
// that exclude "@": linear on any input. Where the dots stand is checked apart, which is what keeps this
// flat.
const plainAddress = /^[\w!#$%&'*+/=?^`{|}~.-]{1,64}@[a-zA-Z0-9.-]{1,252}$/
const plainLocal = /^[\w!#$%&'*+/=?^`{|}~.-]*$/
const hostText = /^[a-zA-Z0-9.\-\u0080-\u{10ffff}]*$/u
// Nothing to see, or moves what is seen: controls, formats (bidi, zero-width), surrogates, private use,
// unassigned, every space, the fillers and variation selectors Unicode lets renderers ignore, the blank
// Braille cell, and the replacement character, which says that the sender had already lost the real one.
const unseen = /[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800\ufffd]/u
const internationalLocal = /^(?:[\w!#$%&'*+/=?^`{|}~.-]|(?![\0-\x7f])[\p{L}\p{M}\p{N}\p{S}])*$/u
const markFirst = /(?:^|\.)\p{M}/u
const aLabel = /(?:^|\.)xn--/
const numericLabel = /^(?:[0-9]+|0x[0-9a-f]*)$/
const hyphen = 0x2d
const digitNine = 0x39

const refuse = (problem: string): EmailProblem => ({ problem })
const tooLong = refuse('must be at most 254 octets long')
const localTooLong = refuse('must have at most 64 octets before the @')

/**
 * Parses one email address: RFC 5321 mailbox syntax without quoted local parts, comments and address
 * literals, with the non-ASCII local parts of RFC 6531 and internationalized domains (UTS 46, as `node:url`
 * maps them).
 *
 * Lengths are octets of UTF-8 after normalising: 254 in all, 64 before the @, 63 in each domain label. The
 * local part is normalised to NFC, not NFKC: a full-width `ａ` before the @ stays what it is and never becomes
 * `a`, so two mailboxes a mail server tells apart are never merged; in a domain UTS 46 does map `ａ` to `a`,
 * since DNS has only the one name. Dotless `ı` is a letter of its own; `ς` compares equal to `σ`, and `İ` to
 * `i` + U+0307.
 *
 * @param input any string; anything above 1,024 UTF-16 units is refused unread
 * @returns the address and its compare key (parsing either gives the same key), or the rule it breaks; never
 *   throws
 */
export function parseEmail(input: string): Email | EmailProblem {
  if (input.length > inputUnitsMax) return tooLong
  if (input.length <= addressOctetsMax && plainAddress.test(input)) {
    const at = input.indexOf('@')
    const given = input.slice(at + 1)
    const domain = given.toLowerCase()
    if (!domain.includes('xn--')) {
      const problem = dotProblem(input, at) ?? domainProblem(domain)
      if (problem !== undefined) return problem
      const address = domain === given ? input : input.slice(0, at + 1) + domain
      return { address, key: address.toLowerCase() }
    }
  }
  return parseUnusual(input)
}

/**
 * The same rules for whatever the plain expression did not match: non-ASCII text, A-labels, and every
 * mistake.
 */
function parseUnusual(input: string): Email | EmailProblem {
  if (unseen.test(input)) return refuse('must not contain spaces, control or invisible characters')
  const at = input.indexOf('@')
  if (at === -1 || at !== input.lastIndexOf('@')) return refuse('must have exactly one @')

  const local = input.slice(0, at).normalize('NFC')
  const localBroken = localProblem(local)
  if (localBroken !== undefined) return localBroken

  const domain = toHostName(input.slice(at + 1))
  if (typeof domain !== 'string') return domain
  const domainBroken = domainProblem(domain)
  if (domainBroken !== undefined) return domainBroken

  // Lower case can be longer ("Ⱥ" is 2 octets, "ⱥ" 3). The key keeps to the limits too, or it could not be
  // parsed.
  const folded = foldText(local)
  if (Buffer.byteLength(folded) > localOctetsMax) return localTooLong
  const address = `${local}@${domain}`
  const key = `${folded}@${domain}`
  if (Math.max(Buffer.byteLength(address), Buffer.byteLength(key)) > addressOctetsMax) return tooLong
  return { address, key }
}

function localProblem(local: string): EmailProblem | undefined {
  if (local === '') return refuse('must have a name before the @')
  if (Buffer.byteLength(local) > localOctetsMax) return localTooLong
  if (local.startsWith('"')) return refuse('must not have a quoted name before the @')
  if (!plainLocal.test(local)) {
    if (!internationalLocal.test(local)) return refuse('must not have such a character before the @')
    // A mark with no letter before it draws itself onto the dot, or onto whatever a page shows before the
    // address.
    if (markFirst.test(local)) return refuse('must not begin with a combining mark')
  }
  return dotProblem(local, local.length)
}

/** Dots must separate something; `end` is where the local part ends in `text`. */
function dotProblem(text: string, end: number): EmailProblem | undefined {
  const doubled = text.indexOf('..')
  const misplaced = text.startsWith('.') || text[end - 1] === '.' || (doubled !== -1 && doubled < end)
  return misplaced ? refuse('must not have a leading, trailing or doubled dot before the @') : undefined
}

/** The domain as lower-case A-labels, whose lengths and hyphens are still to be checked. */
function toHostName(domain: string): string | EmailProblem {
  if (domain === '') return refuse('must have a domain after the @')
  if (domain.startsWith('[')) return refuse('must have a domain name, not an IP address')
  // Checked before the conversion: it would take "/", "?" and ":" as the end of the name and pass what is
  // before.
  if (!hostText.test(domain)) return refuse('must have only letters, digits, hyphens and dots in its domain')
  const ascii = domainToASCII(domain)
  // An all-ASCII name passes the conversion whatever its A-labels hold; one that holds nothing stays as it is
  // here.
  if (ascii !== '' && !aLabel.test(domainToUnicode(ascii))) return ascii
  // Also empty for names that end in a number, which the conversion takes for a broken IPv4 address.
  const lower = domain.toLowerCase()
  return domainProblem(lower) ?? refuse('must have a valid internationalized domain')
}

/**
 * Checks lower-case host name text: RFC 1035 labels in the RFC 1123 alphabet, at least two, the top one no
 * number.
 */
function domainProblem(domain: string): EmailProblem | undefined {
  let start = 0
  let labels = 0
  while (true) {
    const dot = domain.indexOf('.', start)
    const end = dot === -1 ? domain.length : dot
    if (end === start) return refuse('must not have an empty label in its domain')
    if (end - start > labelOctetsMax) return refuse('must have domain labels of at most 63 octets')
    if (domain.charCodeAt(start) === hyphen || domain.charCodeAt(end - 1) === hyphen) {
      return refuse('must not have a domain label that begins or ends with a hyphen')
    }
    labels += 1
    if (dot === -1) break
    start = dot + 1
  }
  // No top-level domain begins with a digit; asking that first spares the expression on every real address.
  const numeric = domain.charCodeAt(start) <= digitNine && numericLabel.test(domain.slice(start))
  if (numeric) return refuse('must have a domain name, not an IP address')
  return labels < 2 ? refuse('must have a domain with at least two labels') : undefined
}
