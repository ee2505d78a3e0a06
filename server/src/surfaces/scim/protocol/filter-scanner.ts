import { ScimError, type ScimType } from './scim-error.ts'

const TAB = 0x09
const SPACE = 0x20
const QUOTE = 0x22
const BACKSLASH = 0x5c

const isDigit = (code: number) => code >= 0x30 && code <= 0x39
const isLetter = (code: number) => (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a)
/** `-`, `_`, and the `$` of `$ref`. */
const isNameCode = (code: number) =>
  isLetter(code) || isDigit(code) || code === 0x2d || code === 0x5f || code === 0x24
/** With `:` and `.` of a path, and `+` of a number. */
const isWordCode = (code: number) => isNameCode(code) || code === 0x3a || code === 0x2e || code === 0x2b

const jsonNumber = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$/

const QUOTED_MAX = 40

/** A piece of a filter for a message; a long one is cut. */
export const quoted = (word: string) =>
  word.length > QUOTED_MAX ? `"${word.slice(0, QUOTED_MAX)}…"` : `"${word}"`

/** Reads a filter from left to right; no character is looked at more than a few times, whatever stands there. */
export class FilterScanner {
  readonly #text: string
  /** What is read, as a sentence names it. */
  readonly #what: 'filter' | 'path'
  #at = 0

  constructor(text: string, what: 'filter' | 'path') {
    this.#text = text
    this.#what = what
  }

  /** The refusal of what stands at a place: where (counted from 1) and why. */
  refusal(why: string, options: { at?: number; scimType?: ScimType } = {}): ScimError {
    const { at = this.#at, scimType = 'invalidFilter' } = options
    const place = at >= this.#text.length ? 'its end' : `character ${at + 1}`
    return new ScimError(400, scimType, `The ${this.#what} is not valid at ${place}: ${why}.`)
  }

  get at(): number {
    return this.#at
  }

  skipSpaces(): void {
    while (this.#is(SPACE) || this.#is(TAB)) this.#at++
  }

  atEnd(): boolean {
    return this.#at >= this.#text.length
  }

  /** Steps over one character if it is the one that stands here. */
  take(character: string): boolean {
    if (!this.#is(character.charCodeAt(0))) return false
    this.#at++
    return true
  }

  /** The word that stands here, without stepping over it; empty if none does. */
  peekWord(): string {
    return this.#text.slice(this.#at, this.#endOf(isWordCode))
  }

  skip(word: string): void {
    this.#at += word.length
  }

  /** An attribute's name, with or without its schema's URN and a sub-attribute. */
  path(): string {
    const word = this.peekWord()
    if (word === '') throw this.refusal('the name of an attribute is missing')
    if (!isLetter(word.charCodeAt(0)) && !word.startsWith('$')) {
      throw this.refusal(`${quoted(word)} is no name of an attribute`)
    }
    this.skip(word)
    return word
  }

  /** The name of a sub-attribute behind a bracket. */
  name(): string {
    const name = this.#text.slice(this.#at, this.#endOf(isNameCode))
    if (name === '') throw this.refusal('the name of a sub-attribute is missing')
    this.skip(name)
    return name
  }

  /** A JSON string, number, `true`, `false` or `null`. */
  value(): string | number | boolean | null {
    if (this.#is(QUOTE)) return this.#string()
    const word = this.peekWord()
    if (word === '') throw this.refusal('a value is missing')
    const value = toValue(word)
    if (value === undefined) throw this.refusal(`${quoted(word)} is no value: a text stands in double quotes`)
    this.skip(word)
    return value
  }

  #string(): string {
    const from = this.#at
    let at = from + 1
    while (at < this.#text.length && this.#text.charCodeAt(at) !== QUOTE) {
      at += this.#text.charCodeAt(at) === BACKSLASH ? 2 : 1
    }
    if (at >= this.#text.length) throw this.refusal('the text that begins here has no closing quote')
    this.#at = at + 1
    const value = parseString(this.#text.slice(from, this.#at))
    if (value === undefined) {
      throw this.refusal('the text that begins here has a wrong escape or a control character', { at: from })
    }
    // PostgreSQL has no text with U+0000, and UTF-8 no half of a surrogate pair: no attribute has such a value.
    if (value.includes('\0') || !value.isWellFormed()) {
      throw this.refusal('the text that begins here has a character that no attribute can have', { at: from })
    }
    return value
  }

  #is(code: number): boolean {
    return this.#text.charCodeAt(this.#at) === code
  }

  #endOf(belongs: (code: number) => boolean): number {
    let end = this.#at
    while (end < this.#text.length && belongs(this.#text.charCodeAt(end))) end++
    return end
  }
}

function parseString(literal: string): string | undefined {
  try {
    return JSON.parse(literal)
  } catch {
    return undefined
  }
}

/** Literals of the grammar ignore letter case (RFC 5234 section 2.3). */
function toValue(word: string): number | boolean | null | undefined {
  const literal = word.toLowerCase()
  if (literal === 'true') return true
  if (literal === 'false') return false
  if (literal === 'null') return null
  if (!jsonNumber.test(word)) return undefined
  const number = Number(word)
  return Number.isFinite(number) ? number : undefined
}
