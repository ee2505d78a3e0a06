/** An instant as it is compared: what is stored has microseconds, what a client writes may have more. */
export interface Moment {
  /** RFC 3339 in UTC with microseconds, the rest cut off. */
  readonly micros: string
  /** Something was cut off: the instant is later than `micros`, and earlier than the next. */
  readonly later: boolean
}

// One bounded class after another, the fraction alone unbounded: linear on any input.
const dateTime = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?$/i

/**
 * Parses an xsd:dateTime (RFC 7643 section 2.3.5) with any number of fraction digits; without an offset it is UTC.
 *
 * @returns null for what is no moment of the years 1 to 9999 in UTC
 */
export function parseMoment(text: string): Moment | null {
  const [matched, day, time, fraction = '', offset = 'Z'] = dateTime.exec(text) ?? []
  if (matched === undefined) return null
  const local = new Date(`${day}T${time}Z`)
  // February 30 and 24:00 would silently be another day.
  if (Number.isNaN(local.getTime()) || !local.toISOString().startsWith(`${day}T${time}`)) return null
  const utc = new Date(`${day}T${time}${offset.toUpperCase()}`)
  if (Number.isNaN(utc.getTime())) return null
  const seconds = utc.toISOString().slice(0, -'.000Z'.length)
  if (!/^\d{4}-/.test(seconds) || seconds.startsWith('0000')) return null
  return {
    micros: `${seconds}.${fraction.slice(0, 6).padEnd(6, '0')}Z`,
    later: /[1-9]/.test(fraction.slice(6)),
  }
}
