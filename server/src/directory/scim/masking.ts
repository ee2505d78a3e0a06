import { isKind, isTruth, isUuid, MASK, maskPath, maskUrl, type Note } from './masked-expression.ts'

/** Objects, lists and values that are kept of one body. */
const NODES_MAX = 400
const DEPTH_MAX = 12
const ENTRIES_MAX = 50
/** Characters of one body as it is kept. */
const BODY_LENGTH_MAX = 32_000
/** Values looked for in a sentence, and the length of a sentence. */
const SEEN_MAX = 2000
const SENTENCE_LENGTH_MAX = 500

const OPERATIONS = /^(add|replace|remove)$/i
const METHODS = /^(GET|POST|PUT|PATCH|DELETE)$/i
const SCIM_TYPES =
  /^(invalidFilter|tooMany|uniqueness|mutability|invalidSyntax|invalidPath|noTarget|invalidValue|invalidVers|sensitive|invalidCursor|expiredCursor|invalidCount)$/
const COUNTS = new Set(['totalresults', 'itemsperpage', 'startindex', 'count', 'status', 'failonerrors'])
const SCHEMA = /^urn:ietf:params:scim:[\w.:-]{1,160}$/i
/** Attributes that a sentence may quote. */
const QUOTED =
  /^(userName|displayName|externalId|active|name|emails|members|groups|manager|password|schemas|id|value|type|primary|path|op|Operations|filter|count|startIndex|sortBy|cursor)(\.\w+)?$/i
/** Attributes whose values are ids of users and groups. */
const LINKS = /^(members|groups|manager)$/i

/** Masks what belongs to one request; what it has masked it knows again in a sentence. */
export interface Masking {
  /** A body by an allow-list: names of attributes, operations, paths, kinds, truth values of `active`, ids, counts. */
  body(value: unknown): unknown
  /** A sentence of a refusal without the values of the request, quotations, addresses and numbers. */
  sentence(text: string): string
  /** The path and the query of the request. */
  url(text: string): string
}

/**
 * Knows nothing yet: bodies and the URL come before sentences about them.
 *
 * @param knowsAgain false: there is no sentence to come, and nothing is remembered
 */
export function createMasking({ knowsAgain }: { knowsAgain: boolean } = { knowsAgain: true }): Masking {
  const seen = new Set<string>()
  let isOverfull = false
  const note = (text: string) => {
    if (!knowsAgain) return
    if (seen.size >= SEEN_MAX) isOverfull = true
    else if (text.trim() !== '') seen.add(text.trim())
  }
  return {
    body(value) {
      const masked = maskValue(value, { nodes: 0, note, knowsAgain }, [], undefined, 0)
      const isTooLong = masked !== undefined && JSON.stringify(masked).length > BODY_LENGTH_MAX
      return isTooLong ? { [MASK]: 'too large to be kept' } : masked
    },
    url: (text) => maskUrl(text, note),
    sentence(text) {
      if (isOverfull || text.length > SENTENCE_LENGTH_MAX) return MASK
      let masked = text
      // What is longer than the sentence cannot be in it, and may be too long for an expression at all.
      const sought = [...seen].filter((value) => value.length <= text.length)
      // The longest first: a value may be a part of another.
      for (const value of sought.sort((one, other) => other.length - one.length)) {
        masked = masked.replaceAll(pattern(value), MASK)
      }
      return masked
        .replaceAll(/["“„«](?:(?!["”“»]).)*["”“»]/gsu, (quoted) =>
          QUOTED.test(quoted.slice(1, -1)) ? quoted : `"${MASK}"`,
        )
        .replaceAll(/\S*@\S*|(?!\d{1,4}(?!\S|[.,:;)]))\S*\d\S*|\p{Cc}+/gu, MASK)
        .toWellFormed()
    },
  }
}

interface Progress {
  nodes: number
  readonly note: Note
  readonly knowsAgain: boolean
}

/** @param names the attributes that the value is of, from the outermost, in lower case */
function maskValue(
  value: unknown,
  progress: Progress,
  names: readonly string[],
  target: string | undefined,
  depth: number,
): unknown {
  if (value === null || value === undefined) return value
  progress.nodes += 1
  if (typeof value !== 'object')
    return maskScalar(value as string | number | boolean, progress, names, target)
  if (progress.nodes > NODES_MAX || depth > DEPTH_MAX) {
    noteAll(value, progress)
    return MASK
  }
  if (Array.isArray(value)) {
    const shown = value
      .slice(0, ENTRIES_MAX)
      .map((entry) => maskValue(entry, progress, names, target, depth + 1))
    const rest = value.slice(ENTRIES_MAX)
    noteAll(rest, progress)
    return rest.length === 0 ? shown : [...shown, `… and ${rest.length} more`]
  }
  const entries = Object.entries(value)
  const path = entries.find(([name]) => name.toLowerCase() === 'path')?.[1]
  const inner = typeof path === 'string' ? lastName(path) : target
  const masked: Record<string, unknown> = {}
  for (const [name, entry] of entries.slice(0, ENTRIES_MAX)) {
    masked[maskPath(name, progress.note)] = maskValue(
      entry,
      progress,
      [...names, lastName(name)],
      inner,
      depth + 1,
    )
  }
  noteAll(entries.slice(ENTRIES_MAX), progress)
  return masked
}

/** The attribute that a path leads to: of `urn:…:User:manager.value` it is `value`. */
function lastName(path: string): string {
  return (
    path
      .replace(/\[.*\]/s, '')
      .split(/[.:]/)
      .at(-1) ?? ''
  ).toLowerCase()
}

function maskScalar(
  value: string | number | boolean,
  { note }: Progress,
  names: readonly string[],
  target: string | undefined,
): unknown {
  const name = names.at(-1) ?? ''
  const about = name === 'value' && target !== undefined ? target : name
  if (isTruth(value)) return ['active', 'primary', 'supported'].includes(about) ? value : MASK
  if (COUNTS.has(name) && /^\d{1,9}$/.test(String(value))) return value
  if (typeof value === 'string' && isKept(value, names, target)) return value
  if (name === 'path' && typeof value === 'string') return maskPath(value, note)
  note(String(value))
  return MASK
}

function isKept(value: string, names: readonly string[], target: string | undefined): boolean {
  const name = names.at(-1) ?? ''
  const outer = names.at(-2)
  switch (name) {
    case 'op':
      return OPERATIONS.test(value)
    case 'method':
      return METHODS.test(value)
    case 'scimtype':
      return SCIM_TYPES.test(value)
    case 'schemas':
      return SCHEMA.test(value)
    case 'type':
    case 'resourcetype':
      return isKind(value)
    case 'id':
      // Of a resource, not of something inside of one.
      return (outer === undefined || outer === 'resources') && isUuid(value)
    case 'members':
    case 'groups':
    case 'manager':
      return isUuid(value)
    case 'value':
      return (
        isUuid(value) &&
        LINKS.test(outer === 'operations' || outer === 'value' ? (target ?? '') : (outer ?? ''))
      )
    default:
      return false
  }
}

/** Takes note of every text below a value that is not kept itself. */
function noteAll(value: unknown, { note, knowsAgain }: Progress): void {
  if (!knowsAgain) return
  const open = [value]
  for (let visited = 0; open.length > 0; visited++) {
    // A note too many makes every sentence unkept: there is no value that this could miss.
    if (visited > SEEN_MAX) {
      for (let count = 0; count <= SEEN_MAX; count++) note(String(count))
      return
    }
    const next = open.pop()
    if (typeof next === 'object' && next !== null) for (const inner of Object.values(next)) open.push(inner)
    else if (next !== null && next !== undefined) note(String(next))
  }
}

function pattern(value: string): RegExp {
  const escaped = value.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`)
  // What is short could be a part of any word.
  return value.length > 2
    ? new RegExp(escaped, 'giu')
    : new RegExp(String.raw`(?<![\p{L}\p{N}])${escaped}(?![\p{L}\p{N}])`, 'giu')
}
