import { isUtf8 } from 'node:buffer'
import { findJsonSyntaxError } from './syntax-error.ts'

/** Deepest nesting of objects and arrays in a body, its own object included. */
export const jsonDepthMax = 32
/**
 * Most bytes of one row, with the white space around it. One row is parsed in one go, and JSON made to be
 * slow (no two keys alike) takes 50 ns a byte: 64 KiB of it hold the loop for 3 ms, one megabyte for 50 ms.
 */
export const jsonRowBytesMax = 64 * 1024
/** Most bytes of everything beside the rows, which is parsed in one go, too. */
export const jsonRestBytesMax = 64 * 1024

export type JsonRowsReason =
  | 'syntax'
  | 'too_large'
  | 'too_many_rows'
  | 'encoding'
  | 'too_deep'
  | 'duplicate_key'

/**
 * Why a body was refused. The message is a sentence fragment fit to show: "is not valid JSON at byte 123".
 */
export class JsonRowsError extends Error {
  readonly reason: JsonRowsReason

  constructor(reason: JsonRowsReason, message: string) {
    super(message)
    this.name = 'JsonRowsError'
    this.reason = reason
  }
}

export const quote = 0x22
export const comma = 0x2c
export const colon = 0x3a
export const openBracket = 0x5b
const backslash = 0x5c
export const closeBracket = 0x5d
export const openBrace = 0x7b
export const closeBrace = 0x7d

export const syntaxError = (byte: number) => new JsonRowsError('syntax', `is not valid JSON at byte ${byte}`)
export const tooDeep = () =>
  new JsonRowsError('too_deep', `must not nest values more than ${jsonDepthMax} deep`)
export const isWhitespace = (byte: number) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

/** Index of the quote that ends the string, or `end`, or one beyond it if the last byte is a backslash. */
export function closingQuote(bytes: Buffer, from: number, end: number): number {
  let at = from
  while (at < end) {
    const byte = bytes[at]!
    if (byte === quote) return at
    at += byte === backslash ? 2 : 1
  }
  return at
}

export function withRoomFor(bytes: Buffer, length: number, more: number): Buffer {
  if (length + more <= bytes.length) return bytes
  const larger = Buffer.allocUnsafe(Math.max(length + more, bytes.length * 2))
  bytes.copy(larger, 0, 0, length)
  return larger
}

export function parseJson(bytes: Buffer, byteAt: (index: number) => number): unknown {
  if (!isUtf8(bytes)) {
    throw new JsonRowsError('encoding', `is not valid UTF-8 at byte ${byteAt(firstInvalidUtf8(bytes))}`)
  }
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    throw syntaxError(byteAt(findJsonSyntaxError(bytes)))
  }
}

/** Decoded, the first invalid byte is the first replacement character that was not in the text. */
function firstInvalidUtf8(bytes: Buffer): number {
  const decoded = Buffer.from(bytes.toString('utf8'))
  let at = 0
  while (decoded[at] === bytes[at]) at += 1
  // U+FFFD is EF BF BD itself, so a sequence that began like it differs only in its second or third byte.
  const lead = bytes.subarray(0, at).lastIndexOf(0xef)
  return lead !== -1 && lead >= at - 2 ? lead : at
}
