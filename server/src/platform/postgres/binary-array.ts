/**
 * PostgreSQL's binary format of one-dimensional arrays (`array_send`/`array_recv` in
 * src/backend/utils/adt/arrayfuncs.c), all integers big-endian and 32 bits: number of dimensions (0 for an
 * empty array), whether there are nulls, element type, then per dimension its length and lower bound, then
 * each element's length in bytes (-1 for null) and bytes. `pg` sends a Buffer in binary format, so these bind
 * as `$1::text[]` and `$1::uuid[]`, without the quoting and the parsing of array literals on either side.
 */
const textOid = 25
const uuidOid = 2950
const headerBytes = 20
const emptyHeaderBytes = 12
const uuidElementBytes = 20
/** PostgreSQL takes no value of 1 GiB or more (`MaxAllocSize`). */
const arrayBytesMax = 0x3fffffff

/**
 * What both builders share: a buffer that doubles, so that n elements are copied fewer than n times
 * altogether.
 */
abstract class ArrayBuilder {
  /** Elements pushed, nulls included. */
  length = 0
  /** Whether any element pushed is not null; a statement can leave out a column that has none. */
  hasValues = false

  protected bytes: Buffer = Buffer.allocUnsafe(1024)
  protected end = headerBytes
  #hasNulls = false
  readonly #elementOid: number

  constructor(elementOid: number) {
    this.#elementOid = elementOid
  }

  /**
   * The array as PostgreSQL reads it: a view of the builder's own memory, to be taken once everything is
   * pushed.
   */
  toBuffer(): Buffer {
    writeHeader(this.bytes, this.#elementOid, this.length, this.#hasNulls)
    return this.bytes.subarray(0, this.length === 0 ? emptyHeaderBytes : this.end)
  }

  /** Makes room for an element's length and at most `valueBytesMax` bytes. */
  protected reserve(valueBytesMax: number): void {
    const needed = this.end + 4 + valueBytesMax
    if (needed > this.bytes.length) {
      if (needed > arrayBytesMax) throw new RangeError('a PostgreSQL array must be smaller than 1 GiB')
      const larger = Buffer.allocUnsafe(Math.min(Math.max(needed, this.bytes.length * 2), arrayBytesMax))
      this.bytes.copy(larger, 0, 0, this.end)
      this.bytes = larger
    }
  }

  protected pushNull(): void {
    this.reserve(0)
    this.end = this.bytes.writeInt32BE(-1, this.end)
    this.length += 1
    this.#hasNulls = true
  }
}

/** Builds a `text[]`, writing each string straight into the array's bytes. */
export class TextArrayBuilder extends ArrayBuilder {
  constructor() {
    super(textOid)
  }

  /**
   * @param value well-formed text: a lone surrogate is sent as U+FFFD, and PostgreSQL refuses U+0000 in text
   *   (22021 `character_not_in_repertoire`)
   * @throws {RangeError} if the array would reach 1 GiB, counting three bytes for each UTF-16 unit of `value`
   */
  push(value: string | null): void {
    if (value === null) {
      this.pushNull()
      return
    }
    this.reserve(value.length * 3)
    const start = this.end + 4
    const written = this.bytes.write(value, start, 'utf8')
    this.bytes.writeInt32BE(written, this.end)
    this.end = start + written
    this.length += 1
    this.hasValues = true
  }
}

/** Builds a `uuid[]`. */
export class UuidArrayBuilder extends ArrayBuilder {
  constructor() {
    super(uuidOid)
  }

  /**
   * @param uuid the 36 characters of RFC 9562 section 4, in either case
   * @throws {TypeError} for any other text; nothing is pushed then
   * @throws {RangeError} if the array would reach 1 GiB (53 million elements)
   */
  push(uuid: string | null): void {
    if (uuid === null) {
      this.pushNull()
      return
    }
    this.reserve(16)
    this.end = writeUuid(this.bytes, uuid, this.end)
    this.length += 1
    this.hasValues = true
  }
}

/**
 * Encodes ids as a `uuid[]`, in exactly the memory it takes.
 *
 * @param ids UUIDs as `UuidArrayBuilder.push` takes them, at most 53 million
 * @throws {TypeError} if one is no UUID
 */
export function encodeUuidArray(ids: readonly string[]): Buffer {
  if (ids.length === 0) return writeHeader(Buffer.allocUnsafe(emptyHeaderBytes), uuidOid, 0, false)
  const total = headerBytes + ids.length * uuidElementBytes
  if (total > arrayBytesMax) throw new RangeError('a PostgreSQL array must be smaller than 1 GiB')
  const bytes = writeHeader(Buffer.allocUnsafe(total), uuidOid, ids.length, false)
  let end = headerBytes
  for (const id of ids) {
    end = writeUuid(bytes, id, end)
  }
  return bytes
}

/**
 * Decodes a `uuid[]` in binary format: what `array_send(ids)` gives, selected as bytea. (A result column in
 * binary format does not survive `pg` 8, which reads its bytes as UTF-8.)
 *
 * @returns the ids in lower case, in order
 * @throws {TypeError} if the bytes are anything else: another type, more dimensions, nulls, or cut short
 */
export function decodeUuidArray(buffer: Buffer): string[] {
  const empty = buffer.length === emptyHeaderBytes && buffer.readInt32BE(0) === 0
  const length = !empty && buffer.length >= headerBytes ? buffer.readInt32BE(12) : 0
  const expectedBytes = empty ? emptyHeaderBytes : headerBytes + length * uuidElementBytes
  const oneDimension = empty || (buffer.length >= headerBytes && buffer.readInt32BE(0) === 1)
  if (!oneDimension || buffer.length !== expectedBytes || buffer.readInt32BE(8) !== uuidOid) {
    throw new TypeError('not a one-dimensional uuid[] without nulls')
  }
  const ids = new Array<string>(length)
  for (let index = 0, at = headerBytes; index < length; index += 1, at += uuidElementBytes) {
    if (buffer.readInt32BE(at) !== 16) throw new TypeError('not a one-dimensional uuid[] without nulls')
    ids[index] = readUuid(buffer, at + 4)
  }
  return ids
}

function writeHeader(bytes: Buffer, elementOid: number, length: number, hasNulls: boolean): Buffer {
  bytes.writeInt32BE(length === 0 ? 0 : 1, 0)
  bytes.writeInt32BE(hasNulls ? 1 : 0, 4)
  bytes.writeInt32BE(elementOid, 8)
  if (length > 0) {
    bytes.writeInt32BE(length, 12)
    bytes.writeInt32BE(1, 16)
  }
  return bytes
}

/** Where in a UUID's text each of its 16 bytes is. */
const uuidBytePlaces = Uint8Array.of(0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34)
const hyphen = 0x2d
/** The value of each hexadecimal digit, and -1 for every other UTF-16 unit. */
const nibbles = new Int8Array(0x10000).fill(-1)
for (const digit of '0123456789abcdefABCDEF') nibbles[digit.charCodeAt(0)] = Number.parseInt(digit, 16)
const hexBytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/**
 * Writes the length and the 16 bytes of a UUID, and returns where they end. It checks as it writes (a
 * negative nibble makes `checked` negative): 60 ns, where an expression before it takes another 160.
 */
function writeUuid(bytes: Buffer, uuid: string, at: number): number {
  bytes[at] = 0
  bytes[at + 1] = 0
  bytes[at + 2] = 0
  bytes[at + 3] = 16
  let checked = 0
  for (let index = 0; index < 16; index += 1) {
    const place = uuidBytePlaces[index]!
    const byte = (nibbles[uuid.charCodeAt(place)]! << 4) | nibbles[uuid.charCodeAt(place + 1)]!
    checked |= byte
    bytes[at + 4 + index] = byte
  }
  const hyphens =
    uuid.charCodeAt(8) === hyphen &&
    uuid.charCodeAt(13) === hyphen &&
    uuid.charCodeAt(18) === hyphen &&
    uuid.charCodeAt(23) === hyphen
  if (checked < 0 || !hyphens || uuid.length !== 36) {
    throw new TypeError(`${JSON.stringify(uuid.slice(0, 40))} is not a UUID`)
  }
  return at + uuidElementBytes
}

function readUuid(bytes: Buffer, at: number): string {
  let uuid = ''
  for (let index = 0; index < 16; index += 1) {
    if (index === 4 || index === 6 || index === 8 || index === 10) uuid += '-'
    uuid += hexBytes[bytes[at + index]!]
  }
  return uuid
}
