/** A moment of the server, as microseconds since 1970: a double holds them exactly. */
export type Micros = number

/** Reads RFC 3339 in UTC, as the server writes it: `2026-11-22T07:49:37.120000Z`. */
export function toMicros(text: string): Micros {
  const [, seconds, fraction = ''] = /^(.{19})(?:\.(\d{1,6}))?Z$/.exec(text) ?? []
  if (seconds === undefined) throw new Error(`${text} is not a time in UTC`)
  return Date.parse(`${seconds}Z`) * 1000 + Number(fraction.padEnd(6, '0'))
}

/** Writes RFC 3339 in UTC with microseconds. */
export function fromMicros(micros: Micros): string {
  const seconds = new Date(Math.floor(micros / 1_000_000) * 1000).toISOString().slice(0, 19)
  return `${seconds}.${String(micros % 1_000_000).padStart(6, '0')}Z`
}
