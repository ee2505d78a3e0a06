import { z } from 'zod'
import type { ScimListQuery, ScimPage } from '../../directory/scim/list.ts'
import { openCursor } from './cursor.ts'
import type { ResourceType } from './protocol/attribute.ts'
import { toCriterion } from './protocol/criterion.ts'
import { pageSizeDefault, pageSizeMax } from './protocol/discovery.ts'
import { parseFilter } from './protocol/filter.ts'
import { toOrder } from './protocol/order.ts'
import { type Projection, parseProjection } from './protocol/projection.ts'
import { ScimError } from './protocol/scim-error.ts'

const text = z.union([z.string(), z.array(z.string())]).optional()

/** Which attributes an answer has; other parameters are ignored, as clients add flags of their own. */
export const projectionQuery = z.looseObject({ attributes: text, excludedAttributes: text })

/** What lists ask for, in a URL or in the body of a `.search`. */
export const listQuery = projectionQuery.extend({
  filter: z.string().optional(),
  sortBy: z.string().optional(),
  sortOrder: z.string().optional(),
  startIndex: z.union([z.string(), z.number()]).optional(),
  count: z.union([z.string(), z.number()]).optional(),
  cursor: z.string().optional(),
})

export type ListQuery = z.infer<typeof listQuery>

/** Undefined: everything that is returned by default. */
export function toProjection(
  type: ResourceType,
  query: Pick<ListQuery, 'attributes' | 'excludedAttributes'>,
): Projection | undefined {
  if (query.attributes === undefined && query.excludedAttributes === undefined) return undefined
  return parseProjection(type, query)
}

export interface ReadListQuery extends ScimListQuery {
  /** From 1; with a cursor there is none. */
  readonly startIndex: number | undefined
}

/**
 * Reads what a list asks for (RFC 7644 section 3.4.2, RFC 9865): from 1 and of 0 to 1,000 rows, whatever smaller or
 * larger numbers are sent.
 *
 * @throws ScimError 400 `invalidFilter`, `invalidValue`, `invalidCursor`, `expiredCursor`, `invalidCount`
 */
export function readListQuery(type: ResourceType, query: ListQuery): ReadListQuery {
  const criterion = query.filter === undefined ? undefined : toCriterion(type, parseFilter(query.filter))
  const order =
    query.sortBy === undefined || query.sortBy === ''
      ? undefined
      : toOrder(type, query.sortBy, query.sortOrder)
  return { criterion, order, ...readPage(type, query) }
}

function readPage(type: ResourceType, query: ListQuery): { page: ScimPage; startIndex: number | undefined } {
  const { cursor } = query
  if (cursor === undefined) {
    const startIndex = Math.max(toInteger('startIndex', query.startIndex, 1), 1)
    return { page: { offset: startIndex - 1, limit: pageSizeOf(query) }, startIndex }
  }
  const limit = Math.min(toInteger('count', query.count, pageSizeDefault), pageSizeMax)
  if (limit < 1) throw new ScimError(400, 'invalidCount', 'With a cursor, count must be 1 or more.')
  const after = cursor === '' ? null : openCursor(cursor, type, query)
  return { page: { after, limit }, startIndex: undefined }
}

/** Rows of a page by position. @throws ScimError 400 `invalidValue` */
export function pageSizeOf({ count }: ListQuery): number {
  return Math.min(Math.max(toInteger('count', count, pageSizeDefault), 0), pageSizeMax)
}

const INTEGER = /^[+-]?\d{1,15}$/

function toInteger(name: string, given: string | number | undefined, otherwise: number): number {
  if (given === undefined || given === '') return otherwise
  const number = typeof given === 'string' && INTEGER.test(given) ? Number(given) : given
  if (typeof number === 'number' && Number.isSafeInteger(number)) return number
  throw new ScimError(400, 'invalidValue', `${name} must be a whole number.`)
}
