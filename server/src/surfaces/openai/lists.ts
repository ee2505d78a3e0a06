import { z } from 'zod'
import { DirectoryError } from '../../directory/errors.ts'
import { queryNumber, text } from '../http/wire-types.ts'

const CURSOR_LENGTH_MAX = 200

const order = z.enum(['asc', 'desc'], { error: 'must be asc or desc' })
const after = text(CURSOR_LENGTH_MAX)
  .optional()
  .describe('An id of this list: what comes after it is answered.')

/** An empty `limit` is none. It would count as 0, which is an answer here and an empty page. */
function limit(min: number, max: number, fallback: number) {
  return z.preprocess((value) => (value === '' ? undefined : value), queryNumber(min, max, fallback))
}

/** The query of a list that answers `next`. */
export function nextPageQuery(limits: { max?: number; default: number; order?: 'asc' | 'desc' }) {
  return z.object({
    limit: limit(0, limits.max ?? 1000, limits.default),
    after,
    order: order.default(limits.order ?? 'asc'),
  })
}

/** The query of a list that answers `first_id` and `last_id`. */
export const idPageQuery = z.object({ limit: limit(1, 100, 20), after })

/** A list whose next page is asked for with `after=<next>`. */
export function nextPage<T extends z.ZodType>(item: T) {
  return z.object({
    object: z.literal('list'),
    data: z.array(item),
    has_more: z.boolean(),
    next: z.string().nullable(),
  })
}

/** A list whose next page is asked for with `after=<last_id>`. */
export function idPage<T extends z.ZodType>(item: T) {
  return z.object({
    object: z.literal('list'),
    data: z.array(item),
    has_more: z.boolean(),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
  })
}

/**
 * What is shown of rows that were read with one more than asked for. A page of no items has nothing after it: older
 * clients stop at an empty page, and newer ones would ask for ever.
 */
function shown<Row>(rows: readonly Row[], limit: number): { rows: Row[]; hasMore: boolean } {
  return { rows: rows.slice(0, limit), hasMore: limit > 0 && rows.length > limit }
}

/**
 * A page of rows read with one row more than asked for.
 *
 * @param idOf the id of an item, where that is not its `id`
 */
export function toNextPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  toItem: (row: Row) => Item,
  idOf: (item: Item) => string = (item) => (item as { id: string }).id,
): { object: 'list'; data: Item[]; has_more: boolean; next: string | null } {
  const page = shown(rows, limit)
  const data = page.rows.map(toItem)
  const last = data.at(-1)
  return {
    object: 'list',
    data,
    has_more: page.hasMore,
    next: page.hasMore && last !== undefined ? idOf(last) : null,
  }
}

/** A page of rows read with one row more than asked for, in the other envelope. */
export function toIdPage<Row, Item extends { id: string }>(
  rows: readonly Row[],
  limit: number,
  toItem: (row: Row) => Item,
): { object: 'list'; data: Item[]; has_more: boolean; first_id: string | null; last_id: string | null } {
  const page = shown(rows, limit)
  const data = page.rows.map(toItem)
  return {
    object: 'list',
    data,
    has_more: page.hasMore,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
  }
}

/**
 * The UUID of the item that a page comes after; null: the first page.
 *
 * @param decode the UUID behind an id of this list, or undefined
 * @throws {DirectoryError} request.invalid
 */
export function afterId(
  after: string | undefined,
  decode: (id: string) => string | undefined,
): string | null {
  if (after === undefined) return null
  const uuid = decode(after)
  if (uuid === undefined) {
    throw new DirectoryError('request.invalid', 'after is not an id of this list.', { field: 'after' })
  }
  return uuid
}

/** A query parameter with any number of values: `name[]=a&name[]=b` as the SDKs write it, and `name=a`. */
export function queryList<Name extends string>(name: Name, item: z.ZodType<string>) {
  const values = z.preprocess((value) => (typeof value === 'string' ? [value] : value), z.array(item))
  return {
    [name]: values.optional(),
    [`${name}[]`]: values.optional(),
  } as Record<Name | `${Name}[]`, z.ZodOptional<typeof values>>
}

/** The values of such a parameter in both spellings; undefined: it is not there. */
export function listOf<Name extends string>(
  query: { readonly [Key in Name | `${Name}[]`]?: string[] | undefined },
  name: Name,
): string[] | undefined {
  const both = [...(query[name] ?? []), ...(query[`${name}[]`] ?? [])]
  return both.length === 0 ? undefined : both
}
