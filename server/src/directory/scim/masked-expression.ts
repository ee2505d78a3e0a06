/** What stands for a value that is not kept. */
export const MASK = '•••'

const LENGTH_MAX = 500

/** An attribute: its name, with its schema before and its parts behind (RFC 7644 section 3.10). */
const ATTRIBUTE = String.raw`(?:urn:[\w.:-]{1,120}:)?[A-Za-z$][\w$-]{0,40}(?:\.[A-Za-z$][\w$-]{0,40}){0,3}`
/** A text in quotes, ended or not, or whatever stands up to the next space or bracket. */
const LITERAL = String.raw`"(?:[^"\\]|\\.)*(?:"|$)|[^\s()[\]"]+`
const OPERATORS = 'eq|ne|co|sw|ew|gt|ge|lt|le'

const COMPARISON = new RegExp(String.raw`(${ATTRIBUTE})\s+(${OPERATORS})\s+(${LITERAL})`, 'iy')
const PRESENCE = new RegExp(String.raw`${ATTRIBUTE}\s+pr(?![\w.])`, 'iy')
const JOINT = /(?:and|or|not)(?![\w.])|[()[\]]|\s+/iy
const NAME_BEFORE_BRACKET = new RegExp(String.raw`${ATTRIBUTE}(?=\[)`, 'iy')
const NAME_AFTER_BRACKET = /(?<=\])\.[A-Za-z$][\w$-]{0,40}/iy
const NAME = new RegExp(`^${ATTRIBUTE}$`, 'i')

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/** Values of `type` that RFC 7643 names: they tell kinds of things, not people. */
const KINDS = /^(work|home|other|mobile|fax|pager|photo|thumbnail|user|group|direct|indirect)$/i

export const isUuid = (text: string): boolean => UUID.test(text)
export const isKind = (text: string): boolean => KINDS.test(text)
/** What clients write for a truth value: Entra sends texts. */
export const isTruth = (value: unknown): boolean =>
  typeof value === 'boolean' || /^(true|false)$/i.test(String(value))

/** Whether a text is the name of an attribute or of a schema, and so no value. */
function isName(text: string): boolean {
  return text.length <= LENGTH_MAX && NAME.test(text)
}

/** Is told what has been masked. */
export type Note = (text: string) => void

/** The path of a PATCH operation, or a name in its place, with the values in it masked. */
export function maskPath(text: string, note: Note): string {
  return isName(text) ? text : maskFilter(text, note)
}

/**
 * A filter with the values in it masked. Only what the grammar knows as a name or an operator is kept: from the first
 * piece on that it does not know, nothing is.
 */
export function maskFilter(text: string, note: Note): string {
  let masked = ''
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const found = pattern.exec(text)
    if (found !== null) at += found[0].length
    return found
  }
  while (at < text.length) {
    const comparison = masked.length > LENGTH_MAX ? null : take(COMPARISON)
    if (comparison !== null) {
      const [, name = '', operator = '', literal = ''] = comparison
      masked += `${name} ${operator} ${maskLiteral(name, literal, note)}`
      continue
    }
    const kept = take(PRESENCE) ?? take(JOINT) ?? take(NAME_BEFORE_BRACKET) ?? take(NAME_AFTER_BRACKET)
    if (kept === null || masked.length > LENGTH_MAX) {
      for (const word of text.slice(at).split(/[\s"()[\]]+/)) note(word)
      return masked + MASK
    }
    masked += kept[0].replaceAll(/\s+/g, ' ')
  }
  return masked
}

function maskLiteral(name: string, literal: string, note: Note): string {
  const bare = literal.replace(/^"(.*?)"?$/s, '$1')
  const last = name.split(/[.:]/).at(-1)!.toLowerCase()
  const isKept =
    (['active', 'primary'].includes(last) && isTruth(bare)) ||
    (last === 'type' && isKind(bare)) ||
    (/^((members|groups)(\.value)?|value|id)$/i.test(name) && isUuid(bare))
  if (isKept) return literal
  note(bare)
  return `"${MASK}"`
}

const ENDPOINTS = /^(scim|v2|Users|Groups|Me|Bulk|Schemas|ResourceTypes|ServiceProviderConfig|\.search)$/i
const SCHEMA = /^urn:ietf:params:scim:[\w.:-]{1,160}$/i
const NUMBER = /^\d{1,9}$/
const URL_LENGTH_MAX = 1000

/** The path and the query of a request, with whatever could name a person masked. */
export function maskUrl(url: string, note: Note): string {
  const [path = '', ...rest] = url.split('?')
  const parameters = new URLSearchParams(rest.join('?'))
  const segments = path.split('/').map((part) => {
    const isKept = part === '' || ENDPOINTS.test(part) || isUuid(part) || SCHEMA.test(part)
    return isKept ? part : masked(part, note)
  })
  const query = [...parameters].map((parameter) => maskParameter(parameter, note)).join('&')
  const shown = segments.join('/') + (query === '' ? '' : `?${query}`)
  return shown.length > URL_LENGTH_MAX ? `${shown.slice(0, URL_LENGTH_MAX)}…` : shown
}

function masked(text: string, note: Note): string {
  note(text)
  return MASK
}

function maskParameter([name, value]: [string, string], note: Note): string {
  const keptIf = (isKept: boolean) => `${name}=${isKept ? value : masked(value, note)}`
  switch (name) {
    case 'filter':
      return `filter=${maskFilter(value, note)}`
    case 'attributes':
    case 'excludedAttributes':
    case 'sortBy':
      return keptIf(value.split(',').every((part) => isName(part.trim())))
    case 'startIndex':
    case 'count':
      return keptIf(NUMBER.test(value))
    case 'sortOrder':
      return keptIf(/^(a|de)scending$/.test(value))
    case 'cursor':
      return keptIf(false)
    default:
      return `${MASK}=${masked(value, note)}`
  }
}
