import type { Comparison } from '../../../directory/scim/criteria.ts'
import { FilterScanner, quoted } from './filter-scanner.ts'
import type { Filter } from './filter-syntax.ts'
import { ScimError, type ScimType } from './scim-error.ts'

/** Octets of UTF-8. */
const LENGTH_MAX = 4096
/** Parentheses and brackets inside one another. */
const DEPTH_MAX = 20
/** Comparisons, `pr` among them. */
const TERMS_MAX = 50

const COMPARISONS: ReadonlySet<string> = new Set<Comparison>([
  'eq',
  'ne',
  'co',
  'sw',
  'ew',
  'gt',
  'ge',
  'lt',
  'le',
])

/** `path`, `path[where]`, `path[where].sub`: what a PATCH operation is about (RFC 7644 section 3.5.2). */
export interface ValuePath {
  readonly path: string
  readonly where: Filter | null
  readonly sub: string | null
}

/**
 * Parses a filter of RFC 7644 section 3.4.2.2: the whole grammar, names and operators in any letter case, and
 * `emails[type eq "work"].value eq "x"`, which is `emails[type eq "work" and value eq "x"]`.
 *
 * In linear time, with at most 4,096 octets of UTF-8, 20 parentheses or brackets inside one another, and 50
 * comparisons.
 *
 * @throws ScimError 400 `invalidFilter`, saying where and why
 */
export function parseFilter(text: string): Filter {
  refuseTooLong(text, 'filter', 'invalidFilter')
  const parser = new FilterParser(new FilterScanner(text, 'filter'))
  return parser.whole()
}

/**
 * Parses the path of a PATCH operation within the limits of a filter. What is before and behind the bracket is not
 * looked up.
 *
 * @throws ScimError 400: `invalidFilter` for what the bracket holds, `invalidPath` for the rest
 */
export function parseValuePath(text: string): ValuePath {
  refuseTooLong(text, 'path', 'invalidPath')
  const scanner = new FilterScanner(text, 'path')
  const invalid = (why: string) => scanner.refusal(why, { scimType: 'invalidPath' })
  scanner.skipSpaces()
  const path = scanner.peekWord()
  if (path === '') throw invalid('the name of an attribute is missing')
  scanner.skip(path)
  const where = scanner.take('[') ? new FilterParser(scanner).bracket() : null
  let sub: string | null = null
  if (where !== null && scanner.take('.')) {
    if (scanner.peekWord() === '') throw invalid('the name of a sub-attribute is missing')
    sub = scanner.name()
  }
  scanner.skipSpaces()
  if (!scanner.atEnd()) throw invalid('nothing can stand here')
  return { path, where, sub }
}

function refuseTooLong(text: string, what: string, scimType: ScimType): void {
  // Every UTF-16 unit is at least one octet: a text of megabytes is refused unread.
  if (text.length <= LENGTH_MAX && Buffer.byteLength(text) <= LENGTH_MAX) return
  throw new ScimError(400, scimType, `The ${what} is longer than ${LENGTH_MAX} octets.`)
}

/** Recursive descent over RFC 7644 figure 1; `not` binds before `and`, `and` before `or`. */
class FilterParser {
  readonly #scanner: FilterScanner
  #depth = 0
  #terms = 0
  #inBracket = false

  constructor(scanner: FilterScanner) {
    this.#scanner = scanner
  }

  whole(): Filter {
    const filter = this.#or()
    if (!this.#scanner.atEnd()) throw this.#scanner.refusal('"and", "or" or the end is missing')
    return filter
  }

  /** What follows a `[`, up to and with its `]`. */
  bracket(): Filter {
    const at = this.#scanner.at - 1
    if (this.#inBracket) throw this.#scanner.refusal('a bracket inside a bracket is not allowed', { at })
    this.#inBracket = true
    const where = this.#nested(']')
    this.#inBracket = false
    return where
  }

  #or(): Filter {
    return this.#chain('or', () => this.#chain('and', () => this.#factor()))
  }

  #chain(kind: 'and' | 'or', next: () => Filter): Filter {
    const first = next()
    const of = [first]
    while (this.#takeWord(kind)) of.push(next())
    return of.length === 1 ? first : { kind, of }
  }

  #factor(): Filter {
    this.#scanner.skipSpaces()
    if (this.#scanner.take('(')) return this.#nested(')')
    if (!this.#takeWord('not')) return this.#term()
    this.#scanner.skipSpaces()
    if (!this.#scanner.take('(')) throw this.#scanner.refusal('"not" is followed by parentheses')
    return { kind: 'not', of: this.#nested(')') }
  }

  #nested(close: ')' | ']'): Filter {
    this.#depth++
    if (this.#depth > DEPTH_MAX) {
      throw this.#scanner.refusal(`more than ${DEPTH_MAX} parentheses or brackets are open`)
    }
    const filter = this.#or()
    if (!this.#scanner.take(close)) throw this.#scanner.refusal(`"and", "or" or "${close}" is missing`)
    this.#depth--
    return filter
  }

  #term(): Filter {
    const path = this.#scanner.path()
    if (!this.#scanner.take('[')) return this.#comparison(path)
    const where = this.bracket()
    if (!this.#scanner.take('.')) return { kind: 'some', path, where }
    const compared = this.#comparison(this.#scanner.name())
    return { kind: 'some', path, where: { kind: 'and', of: [where, compared] } }
  }

  #comparison(path: string): Filter {
    this.#terms++
    if (this.#terms > TERMS_MAX) throw this.#scanner.refusal(`it has more than ${TERMS_MAX} comparisons`)
    this.#scanner.skipSpaces()
    const word = this.#scanner.peekWord()
    const op = word.toLowerCase()
    if (op === 'pr') {
      this.#scanner.skip(word)
      return { kind: 'present', path }
    }
    if (!isComparison(op)) {
      const found = word === '' ? 'an operator is missing' : `${quoted(word)} is no operator`
      throw this.#scanner.refusal(`${found}; there are eq, ne, co, sw, ew, gt, ge, lt, le and pr`)
    }
    this.#scanner.skip(word)
    this.#scanner.skipSpaces()
    return { kind: 'compare', path, op, value: this.#scanner.value() }
  }

  #takeWord(word: 'and' | 'or' | 'not'): boolean {
    this.#scanner.skipSpaces()
    const found = this.#scanner.peekWord()
    if (found.toLowerCase() !== word) return false
    this.#scanner.skip(found)
    return true
  }
}

const isComparison = (word: string): word is Comparison => COMPARISONS.has(word)
