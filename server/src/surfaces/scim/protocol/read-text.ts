import type { Attribute } from './attribute.ts'
import { ScimError } from './scim-error.ts'
import { lengthMaxOf } from './value-limits.ts'

const webAddress = /^https?:\/\//i
const base64 = /^[A-Za-z0-9+/_-]+={0,2}$/

export const invalidValue = (detail: string) => new ScimError(400, 'invalidValue', detail)

/**
 * Checks the text of a string, reference or binary attribute; it is kept as it was sent.
 *
 * @param place the attribute's path, for the message and its limit of length
 * @throws ScimError 400 `invalidValue`: no text, too long, a character that cannot be stored, an address that is not
 *   http or https, no base64
 */
export function readText(attribute: Attribute, given: unknown, place: string): string {
  if (typeof given !== 'string') throw invalidValue(`${place} must be a string.`)
  const max = lengthMaxOf(place)
  if (given.length > max) throw invalidValue(`${place} must have at most ${max} characters.`)
  // PostgreSQL has no text with U+0000, and UTF-8 no half of a surrogate pair.
  if (given.includes('\0') || !given.isWellFormed()) {
    throw invalidValue(`${place} must not contain U+0000 or half of a surrogate pair.`)
  }
  // An address is shown as a link one day: never one that runs (javascript:) or carries a document (data:).
  if (attribute.referenceTypes?.includes('external') && !(webAddress.test(given) && URL.canParse(given))) {
    throw invalidValue(`${place} must be an http or https address.`)
  }
  if (attribute.type === 'binary' && !base64.test(given)) {
    throw invalidValue(`${place} must be base64 without spaces.`)
  }
  return given
}
