import {
  closeBrace,
  closeBracket,
  closingQuote,
  comma,
  JsonRowsError,
  jsonDepthMax,
  jsonRowBytesMax,
  openBrace,
  openBracket,
  parseJson,
  quote,
  syntaxError,
  tooDeep,
  withRoomFor,
} from './json-text.ts'

/** A row stands two levels deep already: in the body's object and in the array. */
const rowDepthMax = jsonDepthMax - 2

export interface RowsWanted {
  /** Name of the top-level member whose elements are the rows. */
  readonly rowsKey: string
  readonly rowsMax: number
  /**
   * Takes the next rows, in order; `firstIndex` is the place of the first among all rows. What it throws ends
   * the reading.
   */
  readonly onRows: (rows: unknown[], firstIndex: number) => void
}

/** The inside of the array: cuts it between elements and has `JSON.parse` read slices of many elements. */
export class RowSlices {
  closed = false
  /** Rows handed on. */
  count = 0

  readonly #wanted: RowsWanted
  readonly #sliceBytes: number
  /**
   * "[", then the bytes since the last cut; the comma of the next cut becomes the "]" that `JSON.parse`
   * needs.
   */
  #bytes: Buffer
  #length = 1
  /** Next byte to look at; one beyond the end after a backslash that ends what has come so far. */
  #at = 1
  #fillTo: number
  #inString = false
  #depth = 0
  /** Commas between elements since the last cut, and where the last of them is. */
  #commas = 0
  #lastComma = 0
  /** Where in the body `#bytes[0]` would be. */
  #start: number

  constructor(wanted: RowsWanted, sliceBytes: number, start: number) {
    this.#wanted = wanted
    this.#sliceBytes = Math.max(sliceBytes, 2)
    this.#fillTo = this.#sliceBytes
    this.#bytes = Buffer.allocUnsafe(this.#fillTo)
    this.#bytes[0] = openBracket
    this.#start = start - 1
  }

  /**
   * Takes bytes of a chunk and returns the index of the first one not taken: all, a slice, or up to the
   * array's end.
   */
  take(chunk: Buffer, from: number): number {
    if (this.#length >= this.#fillTo) this.#makeRoom()
    const to = Math.min(chunk.length, from + this.#fillTo - this.#length)
    chunk.copy(this.#bytes, this.#length, from, to)
    this.#length += to - from
    this.#scan()
    if (this.closed) {
      this.#handOn(this.#at - 1, this.#commas + 1)
      return to - (this.#length - this.#at)
    }
    if (this.#length >= this.#fillTo && this.#commas > 0) this.#cut()
    return to
  }

  /** Not one whole element in the slice: it is made longer, up to the longest row. */
  #makeRoom(): void {
    const longest = jsonRowBytesMax + 2
    if (this.#fillTo >= longest) {
      const index = this.count + this.#commas
      throw new JsonRowsError(
        'too_large',
        `must have at most ${jsonRowBytesMax} bytes in ${this.#wanted.rowsKey}[${index}]`,
      )
    }
    this.#fillTo = Math.min(this.#fillTo * 2, longest)
    this.#bytes = withRoomFor(this.#bytes, this.#length, this.#fillTo - this.#length)
  }

  #cut(): void {
    const shift = this.#lastComma
    this.#bytes[shift] = closeBracket
    this.#handOn(shift, this.#commas)
    this.#bytes.copyWithin(1, shift + 1, this.#length)
    this.#length -= shift
    this.#at -= shift
    this.#start += shift
    this.#commas = 0
    this.#fillTo = Math.max(this.#sliceBytes, this.#length)
  }

  /** The body ended within the rows; says where it went wrong, which may be before its end. */
  parseUnfinished(): void {
    this.#parse(this.#length)
  }

  #parse(end: number): unknown[] {
    return parseJson(this.#bytes.subarray(0, end), (index) => this.#start + index) as unknown[]
  }

  #handOn(end: number, elements: number): void {
    const rows = this.#parse(end + 1)
    // Only an array without any comma may have nothing in it; "[1,]" has nothing after its last cut.
    const empty = rows.length === 0 && this.count === 0 && this.closed && elements === 1
    if (rows.length !== elements && !empty) throw syntaxError(this.#start + end)
    if (empty) return
    if (this.count + elements > this.#wanted.rowsMax) throw this.#tooManyRows()
    const firstIndex = this.count
    this.count += elements
    this.#wanted.onRows(rows, firstIndex)
  }

  /** Every byte of a body passes here, so this one loop works on local variables. */
  #scan(): void {
    const bytes = this.#bytes
    const end = this.#length
    let at = this.#at
    let depth = this.#depth
    if (this.#inString) {
      at = closingQuote(bytes, at, end)
      if (at < end) {
        this.#inString = false
        at += 1
      }
    }
    while (at < end) {
      const byte = bytes[at]!
      at += 1
      if (byte === quote) {
        at = closingQuote(bytes, at, end)
        if (at >= end) {
          this.#inString = true
          break
        }
        at += 1
      } else if (byte === comma) {
        if (depth > 0) continue
        this.#commas += 1
        this.#lastComma = at - 1
        if (this.count + this.#commas >= this.#wanted.rowsMax) throw this.#tooManyRows()
      } else if (byte === openBrace || byte === openBracket) {
        depth += 1
        if (depth > rowDepthMax) throw tooDeep()
      } else if (byte === closeBrace || byte === closeBracket) {
        depth -= 1
        if (depth >= 0) continue
        this.closed = true // by "}", too: parsing refuses that
        break
      }
    }
    this.#at = at
    this.#depth = depth
  }

  #tooManyRows(): JsonRowsError {
    return new JsonRowsError(
      'too_many_rows',
      `must have at most ${this.#wanted.rowsMax} ${this.#wanted.rowsKey}`,
    )
  }
}
