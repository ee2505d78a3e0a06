import type { Logger } from 'pino'
import type { Database } from '../../platform/postgres/database.ts'
import { isUnavailable } from '../../platform/postgres/error-class.ts'
import { createRefusalBound } from './refusal-bound.ts'
import { insertScimRequests } from './request.sql.ts'
import { type ScimRequestEntry, toRequestRow } from './request-row.ts'

export type { ScimRequestEntry } from './request-row.ts'

const FLUSH_MILLIS = 200
const ROWS_AT_ONCE_MAX = 500
/** Kept while the database is away; then the oldest go. */
const BUFFER_LENGTH_MAX = 16_000_000

export interface ScimRequestLog {
  /** Takes note of a request that has been answered. Never throws, and waits for nothing. */
  record(entry: ScimRequestEntry): void
  /** Writes what has been noted so far, unless the database is away. */
  flush(): Promise<void>
  /** Writes what is left. */
  close(): Promise<void>
}

/**
 * Opens the log of what SCIM clients ask. Entries are masked as soon as the answers are on their way, kept in this
 * process and written in one statement for many, so that a request waits for none: a process that is killed loses the
 * last fifth of a second.
 */
export function openScimRequestLog(
  database: Database,
  log: Logger,
  bufferLengthMax: number = BUFFER_LENGTH_MAX,
): ScimRequestLog {
  const refusals = createRefusalBound()
  /** Rows as JSON, the oldest first. */
  let rows: string[] = []
  let length = 0
  let dropped = 0
  let isAway = false
  let writing: Promise<void> = Promise.resolve()

  function keep(row: string): void {
    rows.push(row)
    length += row.length
    if (length <= bufferLengthMax) return
    let excess = 0
    while (excess < rows.length && length > bufferLengthMax) {
      length -= rows[excess]!.length
      excess += 1
    }
    rows = rows.slice(excess)
    dropped += excess
  }

  function tellDropped(): void {
    if (dropped > 0) log.warn({ dropped }, 'entries of the SCIM request log were lost')
    dropped = 0
  }

  async function write(): Promise<void> {
    for (const entry of refusals.over()) keep(JSON.stringify(entry))
    while (rows.length > 0) {
      const batch = rows.slice(0, ROWS_AT_ONCE_MAX)
      rows = rows.slice(ROWS_AT_ONCE_MAX)
      const taken = batch.reduce((sum, row) => sum + row.length, 0)
      length -= taken
      try {
        await insertScimRequests(database, `[${batch.join(',')}]`)
        isAway = false
      } catch (error) {
        if (!isUnavailable(error)) {
          dropped += batch.length
          log.error({ err: error }, 'the SCIM request log could not be written')
          continue
        }
        if (!isAway) log.warn({ err: error }, 'the SCIM request log waits for the database')
        isAway = true
        const newer = rows
        rows = []
        length = 0
        for (const row of [...batch, ...newer]) keep(row)
        return
      }
    }
    tellDropped()
  }

  /** Noted and not masked yet. */
  let entries: ScimRequestEntry[] = []

  function maskAll(): void {
    const noted = entries
    entries = []
    for (const entry of noted) mask(entry)
  }

  function mask(entry: ScimRequestEntry): void {
    try {
      if (entry.client === null && !refusals.admit(entry.connectionId)) return
      const row = toRequestRow(entry)
      if (entry.client === null) refusals.remember(row)
      keep(JSON.stringify(row))
      if (rows.length >= ROWS_AT_ONCE_MAX && !isFlushing) void flush()
    } catch (error) {
      dropped += 1
      // Not the whole error: its message may quote what the client sent.
      const fault = error instanceof Error ? error.name : typeof error
      log.error({ fault }, 'a request of a SCIM client could not be noted')
    }
  }

  /** One after the other, so that rows are written in their order. */
  function flush(): Promise<void> {
    maskAll()
    writing = writing.then(write)
    return writing
  }

  let isFlushing = false
  const timer = setInterval(() => {
    if (isFlushing || (rows.length === 0 && !refusals.isAnyOver())) return
    isFlushing = true
    void flush().finally(() => {
      isFlushing = false
    })
  }, FLUSH_MILLIS)
  timer.unref()

  return {
    record(entry) {
      // Behind the answer, which is on its way then.
      if (entries.length === 0) setImmediate(maskAll)
      entries.push(entry)
    },
    flush,
    async close() {
      clearInterval(timer)
      maskAll()
      refusals.end()
      await flush()
      tellDropped()
    },
  }
}
