import {
  closeBrace,
  closeBracket,
  closingQuote,
  colon,
  comma,
  isWhitespace,
  JsonRowsError,
  jsonDepthMax,
  jsonRestBytesMax,
  openBrace,
  openBracket,
  parseJson,
  quote,
  tooDeep,
  withRoomFor,
} from './json-text.ts'

/**
 * The body without its rows: keeps all bytes outside of the array, and finds where the array begins. It only
 * tells strings from brackets; whether those bytes are JSON is for `JSON.parse` to say, for which `[]` stands
 * for the rows.
 */
export class OutsideText {
  /** Set when the last byte taken opened the rows. */
  atRows = false

  readonly #rowsKey: string
  readonly #sliceBytes: number
  #bytes: Buffer = Buffer.allocUnsafe(4096)
  #length = 0
  /** Next byte to look at; one beyond the end after a backslash that ends what has come so far. */
  #at = 0
  #inString = false
  #keyStart = -1
  #depth = 0
  #next: 'key' | 'colon' | 'value' | 'comma' = 'key'
  #keyIsRows = false
  #rowsKeySeen = false
  #rowsAreArray = false
  /** Where in the kept bytes the rows are missing, and how many bytes they were. */
  #cutAt = Number.POSITIVE_INFINITY
  #cutBytes = 0

  constructor(rowsKey: string, sliceBytes: number) {
    this.#rowsKey = rowsKey
    this.#sliceBytes = sliceBytes
  }

  /**
   * Takes bytes of a chunk and returns the index of the first one not taken: all, a slice, or up to the rows.
   */
  take(chunk: Buffer, from: number): number {
    const to = Math.min(chunk.length, from + this.#sliceBytes)
    this.#bytes = withRoomFor(this.#bytes, this.#length, to - from)
    chunk.copy(this.#bytes, this.#length, from, to)
    this.#length += to - from
    this.#scan()
    const surplus = this.atRows ? this.#length - this.#at : 0
    this.#length -= surplus
    if (this.#length > jsonRestBytesMax) {
      throw new JsonRowsError(
        'too_large',
        `must have at most ${jsonRestBytesMax} bytes beside its ${this.#rowsKey}`,
      )
    }
    return to - surplus
  }

  /** The rows begin. What precedes them is checked now, not after 30 MB of rows. */
  checkBeforeRows(): void {
    this.#bytes = withRoomFor(this.#bytes, this.#length, 2)
    this.#bytes.write(']}', this.#length, 'latin1')
    parseJson(this.#bytes.subarray(0, this.#length + 2), (index) => index)
  }

  /** The rows ended with the byte before this one of the body. */
  returnAt(byte: number): void {
    this.#cutAt = this.#length
    this.#cutBytes = byte - 1 - this.#length
    this.#bytes[this.#length] = closeBracket
    this.#length += 1
    this.#at = this.#length
    this.#rowsAreArray = true
    this.atRows = false
    this.#next = 'comma'
  }

  parse(): Record<string, unknown> {
    const rest = parseJson(this.#bytes.subarray(0, this.#length), (index) => this.#byteAt(index))
    const members = rest as Record<string, unknown>
    if (this.#rowsAreArray) delete members[this.#rowsKey]
    return members
  }

  #byteAt(index: number): number {
    return index < this.#cutAt ? index : index + this.#cutBytes
  }

  #scan(): void {
    while (this.#at < this.#length) {
      if (this.#inString) {
        this.#at = closingQuote(this.#bytes, this.#at, this.#length)
        if (this.#at >= this.#length) return
        this.#inString = false
        if (this.#keyStart !== -1) this.#endKey(this.#at)
        this.#at += 1
      } else {
        const byte = this.#bytes[this.#at]!
        this.#at += 1
        if (!isWhitespace(byte)) this.#token(byte)
        if (this.atRows) return
      }
    }
  }

  #token(byte: number): void {
    if (this.#depth === 0) {
      this.#topLevel(byte)
      return
    }
    const next = this.#next
    if (this.#depth === 1)
      this.#next = byte === comma ? 'key' : byte === colon && next === 'colon' ? 'value' : 'comma'

    if (byte === quote) {
      this.#inString = true
      if (this.#depth > 1 || next !== 'key') return
      this.#keyStart = this.#at
      this.#next = 'colon'
    } else if (byte === openBracket || byte === openBrace) {
      this.atRows = byte === openBracket && this.#depth === 1 && next === 'value' && this.#keyIsRows
      if (this.atRows) return
      this.#depth += 1
      if (this.#depth > jsonDepthMax) throw tooDeep()
    } else if (byte === closeBracket || byte === closeBrace) {
      this.#depth -= 1
    }
  }

  /**
   * Nothing but one object, and white space around it. Refused early: this could go on for as long as bytes
   * come.
   */
  #topLevel(byte: number): void {
    const index = this.#at - 1
    if (byte === openBrace && this.#next === 'key') {
      this.#depth = 1
    } else if (index === 0 && byte === 0xef) {
      throw new JsonRowsError('encoding', 'must not begin with a byte order mark')
    } else if (this.#next === 'key') {
      throw new JsonRowsError('syntax', `must be a JSON object, which does not begin at byte ${index}`)
    } else {
      // Parsing refuses this, or what was wrong before it. A brace stands in for what may be half a
      // character.
      this.#bytes[index] = closeBrace
      this.#length = this.#at
      this.parse()
    }
  }

  #endKey(end: number): void {
    const bytes = this.#bytes.subarray(this.#keyStart - 1, end + 1)
    this.#keyStart = -1
    // An escape takes six bytes for one UTF-16 unit, so a longer key is another one, and a member's name can
    // be long.
    this.#keyIsRows = bytes.length <= 6 * this.#rowsKey.length + 2 && keyOf(bytes) === this.#rowsKey
    if (!this.#keyIsRows) return
    if (this.#rowsKeySeen) throw new JsonRowsError('duplicate_key', `must have "${this.#rowsKey}" only once`)
    this.#rowsKeySeen = true
  }
}

function keyOf(bytes: Buffer): string | undefined {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined // not JSON, which parsing the whole text reports
  }
}
