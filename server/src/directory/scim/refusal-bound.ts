import { uuidMillis, uuidV7 } from '../../platform/uuid.ts'
import type { ScimRequestRow } from './request-row.ts'

const WINDOW_MILLIS = 60_000
/** Rows of refused credentials in a window: of one connection, and of all that are named. */
const ROWS_MAX = 30
const ROWS_OF_ALL_MAX = 1000

interface Window {
  rows: number
  /** Requests that got no row of their own. */
  further: number
  last: ScimRequestRow | undefined
  readonly endsAt: number
}

/**
 * Bounds what refused credentials write, since anybody can send those: so many rows a minute for a connection, then one
 * row that stands for all the others.
 */
export function createRefusalBound(now: () => number = () => performance.now()) {
  let windows = new Map<string, Window>()
  let rowsOfAll = 0
  let allEndsAt = 0
  let isEnding = false

  const isOver = (window: Window) => isEnding || window.endsAt <= now()
  return {
    /** Whether a refused request gets a row; else it is counted. */
    admit(connectionId: string): boolean {
      if (allEndsAt <= now()) {
        allEndsAt = now() + WINDOW_MILLIS
        rowsOfAll = 0
      }
      const window = windows.get(connectionId)
      if (window !== undefined && (window.rows >= ROWS_MAX || isOver(window))) {
        // A window that is over waits for its row to be written; what comes until then is counted with it.
        window.further += 1
        return false
      }
      if (rowsOfAll >= ROWS_OF_ALL_MAX) return false
      rowsOfAll += 1
      if (window !== undefined) window.rows += 1
      else windows.set(connectionId, { rows: 1, further: 0, last: undefined, endsAt: now() + WINDOW_MILLIS })
      return true
    },
    /** The row that was made of an admitted request: the others of its window are like it. */
    remember(row: ScimRequestRow): void {
      const window = windows.get(row.connection_id)
      if (window !== undefined) window.last = row
    },
    isAnyOver(): boolean {
      for (const window of windows.values()) if (isOver(window)) return true
      return false
    },
    /** Rows for the requests that were counted in windows that are over. */
    over(): ScimRequestRow[] {
      const ended = [...windows].filter(([, window]) => isOver(window))
      windows = new Map([...windows].filter(([, window]) => !isOver(window)))
      return ended.flatMap(([, { further, last }]) => {
        if (further === 0 || last === undefined) return []
        const id = uuidV7()
        return [{ ...last, id, created_at: new Date(uuidMillis(id)).toISOString(), times: further }]
      })
    },
    /** Every window is over. */
    end(): void {
      isEnding = true
    },
  }
}
