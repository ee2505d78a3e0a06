import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { DirectoryError } from '../../directory/errors.ts'
import { type Counted, POSITION_MAX, type PositionPage } from '../../directory/position-page.ts'
import type { KeyScopeServices } from '../http/key-scope.ts'
import { uuid } from './wire.ts'

const LIMIT_DEFAULT = 100
const LIMIT_MAX = 1000
const OFFSET_MAX = 1_000_000_000

/** A whole number in a query; an empty one is none. */
export function wholeNumber(min: number, max: number, fallback: number) {
  return z.preprocess(
    (value) => (value === '' ? undefined : value),
    z.coerce
      .number({ error: 'must be a number' })
      .int('must be a whole number')
      .min(min, `must be at least ${min}`)
      .max(max, `must be at most ${max}`)
      .default(fallback),
  )
}

export const pageQuery = z.object({
  // A larger page than there is gives the largest one: clients go on with `next`.
  limit: wholeNumber(1, OFFSET_MAX, LIMIT_DEFAULT).transform((limit) => Math.min(limit, LIMIT_MAX)),
  offset: wholeNumber(0, OFFSET_MAX, 0),
  after: uuid
    .optional()
    .describe(
      `Stands in \`next\` where \`offset\` is above ${POSITION_MAX}: the row that the page comes after.`,
    ),
})

/** The query of a list that has pages with numbers. */
export const numberedPageQuery = z.object({
  page: wholeNumber(1, OFFSET_MAX, 1),
  page_size: wholeNumber(1, OFFSET_MAX, 20).transform((size) => Math.min(size, 100)),
})

export function page<T extends z.ZodType>(item: T) {
  return z.object({
    count: z.number().int(),
    next: z.string().nullable(),
    previous: z.string().nullable(),
    results: z.array(item),
  })
}

type NumberedPageQuery = z.infer<typeof numberedPageQuery>

/**
 * What to read for a page with a number.
 *
 * @throws {DirectoryError} request.invalid: further ahead than is counted
 */
export function toNumberedPosition({ page: number, page_size: limit }: NumberedPageQuery): {
  offset: number
  limit: number
} {
  const offset = (number - 1) * limit
  if (offset > POSITION_MAX) {
    throw new DirectoryError(
      'request.invalid',
      `page must be within the first ${POSITION_MAX} entries: narrow the list down with after and before.`,
      { field: 'page' },
    )
  }
  return { offset, limit: limit + 1 }
}

/** A page with a number, of rows that were read with one more than asked for. */
export function toNumberedPage<Row, Item>(
  services: KeyScopeServices,
  request: FastifyRequest & { query: NumberedPageQuery },
  { rows, count }: Counted<Row>,
  toItem: (row: Row) => Item,
): { count: number; next: string | null; previous: string | null; results: Item[] } {
  const { page: number, page_size: limit } = request.query
  const hasMore = rows.length > limit && number * limit <= POSITION_MAX
  const linkTo = (to: number): string => {
    const [path = '', query = ''] = request.url.split('?')
    const parameters = new URLSearchParams(query)
    parameters.set('page', String(to))
    return `${services.directory.mailing.publicUrl()}${path}?${parameters.toString()}`
  }
  return {
    count,
    next: hasMore ? linkTo(number + 1) : null,
    previous: number === 1 ? null : linkTo(number - 1),
    results: rows.slice(0, limit).map(toItem),
  }
}

type PageQuery = z.infer<typeof pageQuery>

/**
 * What to read for a page: one row more than it shows.
 *
 * @throws {DirectoryError} request.invalid: far ahead only by the links
 */
export function toPosition({ limit, offset, after }: PageQuery): PositionPage {
  const afterId = after ?? null
  if (offset > POSITION_MAX && afterId === null) {
    throw new DirectoryError(
      'request.invalid',
      `offset must be at most ${POSITION_MAX}: what comes after it is reached by following next.`,
      { field: 'offset' },
    )
  }
  return { afterId, offset, limit: limit + 1 }
}

/**
 * A page of what was read with one more than asked for.
 *
 * @param items what is shown of each row; where a page is too far to be counted to, the next one is found by an id
 * @param count of the whole list
 */
export function toPage<Item extends { id: string }>(
  services: KeyScopeServices,
  request: FastifyRequest & { query: PageQuery },
  items: readonly Item[],
  count: number,
): { count: number; next: string | null; previous: string | null; results: Item[] } {
  const { limit, offset } = request.query
  const shown = items.slice(0, limit)
  const hasMore = items.length > limit
  const last = shown.at(-1)
  const linkTo = (to: number, after?: string): string => {
    const [path = '', query = ''] = request.url.split('?')
    const parameters = new URLSearchParams(query)
    parameters.delete('after')
    parameters.set('limit', String(limit))
    parameters.set('offset', String(to))
    if (after !== undefined) parameters.set('after', after)
    return `${services.directory.mailing.publicUrl()}${path}?${parameters.toString()}`
  }
  const nextOffset = offset + limit
  const anchor = nextOffset > POSITION_MAX ? last?.id : undefined
  return {
    // Counting stops at a bound; never less is told than what the page shows to be there.
    count: Math.max(count, shown.length === 0 ? 0 : offset + shown.length + (hasMore ? 1 : 0)),
    next: hasMore ? linkTo(nextOffset, anchor) : null,
    previous: offset === 0 || offset - limit > POSITION_MAX ? null : linkTo(Math.max(0, offset - limit)),
    results: shown,
  }
}
