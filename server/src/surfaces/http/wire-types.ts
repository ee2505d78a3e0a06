import { z } from 'zod'

// A JSON string may hold what PostgreSQL's text cannot (U+0000), or what is not Unicode at all.
const storable = (value: string) => !value.includes('\u0000') && value.isWellFormed()

/** A text of a bounded length, in characters, that can be stored as it is. */
export function text(lengthMax: number, lengthMin = 1) {
  return z
    .string()
    .min(lengthMin, lengthMin === 1 ? 'must not be empty' : `must have at least ${lengthMin} characters`)
    .max(lengthMax, `must have at most ${lengthMax} characters`)
    .refine(storable, 'must be well-formed text without NUL characters')
}

const METADATA_KEYS_MAX = 50
const METADATA_KEY_LENGTH_MAX = 64
const METADATA_VALUE_LENGTH_MAX = 1024

/** Free data of an integrator, flat and bounded: up to 50 keys of up to 64 characters. */
export const metadata = z
  .record(
    text(METADATA_KEY_LENGTH_MAX),
    z.union([text(METADATA_VALUE_LENGTH_MAX, 0), z.number(), z.boolean(), z.null()], {
      error: `must be a text of at most ${METADATA_VALUE_LENGTH_MAX} characters without NUL, a number, true, false or null`,
    }),
  )
  .refine(
    (value) => Object.keys(value).length <= METADATA_KEYS_MAX,
    `must have at most ${METADATA_KEYS_MAX} keys`,
  )

const DOCUMENT_LENGTH_MAX = 100_000

/** Whether every text in a JSON value can be stored. A body, and so a value of it, is never deep. */
function isStorable(value: unknown): boolean {
  if (typeof value === 'string') return storable(value)
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([key, part]) => storable(key) && isStorable(part))
}

/** Free data of any shape, such as a rich text and its plain version: a JSON object of a bounded length. */
export const document = z
  .record(z.string(), z.unknown(), { error: 'must be an object' })
  .refine((value) => isStorable(value), {
    error: 'must be text without NUL characters throughout',
    abort: true,
  })
  .refine(
    (value) => JSON.stringify(value).length <= DOCUMENT_LENGTH_MAX,
    `must have at most ${DOCUMENT_LENGTH_MAX} characters`,
  )

const MOMENT_RULE = 'must be a time such as 2026-11-22T10:00:00Z'
const MOMENT_LENGTH_MAX = 40
// In UTC these stay within four digits of years, so every moment can be stored and shown again as it is.
const MOMENT_MIN = Date.UTC(100, 0, 1)
const MOMENT_MAX = Date.UTC(9999, 11, 31)
/** Offsets that PostgreSQL takes are below 16 hours; the world uses up to 14. */
const WIDE_OFFSET = /[+-](1[6-9]|2\d):\d\d$/

/** A moment with its offset, RFC 3339. */
export const moment = z.iso
  .datetime({ offset: true, error: MOMENT_RULE })
  .max(MOMENT_LENGTH_MAX, MOMENT_RULE)
  .refine((text) => {
    const time = Date.parse(text)
    return time >= MOMENT_MIN && time <= MOMENT_MAX && !WIDE_OFFSET.test(text)
  }, MOMENT_RULE)

/** A number in a query string. */
export function queryNumber(min: number, max: number, fallback: number) {
  return z.coerce
    .number({ error: 'must be a number' })
    .int('must be a whole number')
    .min(min, `must be at least ${min}`)
    .max(max, `must be at most ${max}`)
    .default(fallback)
}

/** `true` or `false` in a query string. */
export const queryFlag = z
  .enum(['true', 'false'], { error: 'must be true or false' })
  .default('false')
  .transform((value) => value === 'true')

const SLUG_LENGTH_MAX = 63

/** A name that stands in paths: lower-case letters and digits, with single hyphens between them. */
export const slug = text(SLUG_LENGTH_MAX).regex(
  /^[a-z0-9]+(-[a-z0-9]+)*$/,
  'must be lower-case letters and digits, with single hyphens between them',
)

const JSON_DEPTH_MAX = 16

/** A JSON object of any shape that can be stored, bounded in size and depth. */
export function jsonObject(bytesMax: number) {
  return z
    .record(z.string(), z.unknown())
    .refine((value) => depthOf(value) <= JSON_DEPTH_MAX, {
      error: `must be nested at most ${JSON_DEPTH_MAX} deep`,
      abort: true,
    })
    .refine((value) => {
      const text = JSON.stringify(value)
      // What JSON writes for NUL and for half a surrogate pair: PostgreSQL stores neither.
      return Buffer.byteLength(text) <= bytesMax && !/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/i.test(text)
    }, `must be JSON of at most ${bytesMax} bytes, well-formed and without NUL characters`)
}

/** Levels of nesting, counted up to one more than is allowed: never deeper than the stack. */
function depthOf(value: unknown): number {
  let level = [value]
  for (let depth = 0; ; depth++) {
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []))
    if (level.length === 0 || depth > JSON_DEPTH_MAX) return depth
  }
}
