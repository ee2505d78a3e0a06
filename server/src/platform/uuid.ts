import { randomBytes } from 'node:crypto'

let lastMillis = 0
let counter = 0

/** Random bytes are drawn for many ids at once: each draw is a call of the system. */
const DRAWN_AT_ONCE = 256 * 16
let drawn = Buffer.alloc(0)
let taken = 0

function sixteenRandomBytes(): Buffer {
  if (taken === drawn.length) {
    drawn = randomBytes(DRAWN_AT_ONCE)
    taken = 0
  }
  taken += 16
  return drawn.subarray(taken - 16, taken)
}

/**
 * A UUIDv7 (RFC 9562 §5.7): sorts by the time of its making, and within one millisecond of one process by the
 * order of its making (the 12 bits of `rand_a` count, §6.2 method 1).
 */
export function uuidV7(): string {
  const millis = Math.max(Date.now(), lastMillis)
  const bytes = sixteenRandomBytes()
  if (millis === lastMillis) counter++
  else counter = bytes.readUInt16BE(6) & 0x7ff
  // A counter that ran over borrows the next millisecond.
  const overrun = counter > 0xfff
  lastMillis = overrun ? millis + 1 : millis
  if (overrun) counter = 0
  bytes.writeUIntBE(lastMillis, 0, 6)
  bytes.writeUInt16BE(0x7000 | counter, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return formatUuid(bytes)
}

/** The moment of a UUIDv7's making, in milliseconds since 1970. */
export function uuidMillis(uuid: string): number {
  return uuidBytes(uuid).readUIntBE(0, 6)
}

/** Stands before every UUIDv7 that is made at a moment or later, and after those made before. */
export function firstUuidAt(millis: number): string {
  const bytes = Buffer.alloc(16)
  bytes.writeUIntBE(Math.min(Math.max(Math.ceil(millis), 0), 2 ** 48 - 1), 0, 6)
  return formatUuid(bytes)
}

/** The text form of 16 bytes. */
export function formatUuid(bytes: Buffer): string {
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** The 16 bytes of a UUID's text form. */
export function uuidBytes(uuid: string): Buffer {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex')
}
