/**
 * A page by position, for dialects that have no cursor: rows are skipped up to a bound, and beyond it a page is found
 * by the row it comes after.
 */
export interface PositionPage {
  /** The row it comes after; null: `offset` rows are skipped. */
  readonly afterId: string | null
  readonly offset: number
  readonly limit: number
}

/** Rows that are skipped, and rows that are counted, at most: what costs more with every row must not be open-ended. */
export const POSITION_MAX = 10_000

/** One page, and how many rows the list has: exact up to `POSITION_MAX`. */
export interface Counted<Row> {
  readonly rows: readonly Row[]
  readonly count: number
}

/** The rows that a statement skips. */
export function skipped(page: PositionPage): number {
  return page.afterId === null ? page.offset : 0
}
