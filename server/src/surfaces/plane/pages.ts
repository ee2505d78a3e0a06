import { z } from 'zod'
import { DirectoryError } from '../../directory/errors.ts'
import { text } from '../http/wire-types.ts'

export const PAGE_SIZE_MAX = 1000
const SIZE_DEFAULT = 100
const TEXT_LENGTH_MAX = 64

/** `size:page:is_prev`, the page from 0. */
const CURSOR = /^(\d{1,9}):(-?\d{1,9}):[01]$/
const WHOLE = /^\d{1,9}$/

export const pageQuery = z.object({
  per_page: text(TEXT_LENGTH_MAX, 0).optional(),
  cursor: text(TEXT_LENGTH_MAX, 0).optional(),
})

export interface AskedPage {
  readonly number: number
  readonly size: number
}

function invalid(field: string, message: string): DirectoryError {
  return new DirectoryError('request.invalid', message, { field })
}

/**
 * The page that a query asks for. `per_page` wins over the size in the cursor; the page before the first is the first.
 *
 * @throws {DirectoryError} request.invalid
 */
export function readPage(query: z.infer<typeof pageQuery>, sizeDefault: number = SIZE_DEFAULT): AskedPage {
  const { per_page: perPage, cursor } = query
  if (perPage !== undefined && !WHOLE.test(perPage)) throw invalid('per_page', 'Invalid per_page parameter.')
  const size = perPage === undefined ? undefined : Number(perPage)
  if (size !== undefined && (size < 1 || size > PAGE_SIZE_MAX)) {
    throw invalid('per_page', `Invalid per_page value. It must be from 1 to ${PAGE_SIZE_MAX}.`)
  }
  if (cursor === undefined) return { number: 0, size: size ?? sizeDefault }
  const [, cursorSize, page] = CURSOR.exec(cursor) ?? []
  if (cursorSize === undefined || page === undefined) throw invalid('cursor', 'Invalid cursor parameter.')
  const among = Math.min(Math.max(Number(cursorSize), 1), PAGE_SIZE_MAX)
  return { number: Math.max(Number(page), 0), size: size ?? among }
}

export function positionOf({ number, size }: AskedPage): { offset: number; limit: number } {
  return { offset: number * size, limit: size }
}

/** The envelope of paged lists: every key is always there, and cursors are texts even where there is no more. */
export function envelope<T extends z.ZodType>(item: T) {
  return z.object({
    grouped_by: z.null(),
    sub_grouped_by: z.null(),
    total_count: z.number().int(),
    next_cursor: z.string(),
    prev_cursor: z.string(),
    next_page_results: z.boolean(),
    prev_page_results: z.boolean(),
    /** Of this page. */
    count: z.number().int(),
    total_pages: z.number().int(),
    total_results: z.number().int(),
    extra_stats: z.null(),
    results: z.array(item),
  })
}

export function toEnvelope<Row, Item>(
  { number, size }: AskedPage,
  { rows, total }: { readonly rows: readonly Row[]; readonly total: number },
  toItem: (row: Row) => Item,
) {
  return {
    grouped_by: null,
    sub_grouped_by: null,
    total_count: total,
    next_cursor: `${size}:${number + 1}:0`,
    prev_cursor: `${size}:${number - 1}:1`,
    next_page_results: (number + 1) * size < total,
    prev_page_results: number > 0,
    count: rows.length,
    total_pages: Math.ceil(total / size),
    total_results: total,
    extra_stats: null,
    results: rows.map(toItem),
  }
}
