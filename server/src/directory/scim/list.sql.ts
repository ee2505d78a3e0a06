import { createHash } from 'node:crypto'
import type { Queryable } from '../../platform/postgres/database.ts'
import type { Statement } from '../../platform/postgres/sql.ts'
import type { Anchor } from '../position-anchors.ts'
import { compileCriterion, type ScimResource, sortOf, startAfter } from './criteria.sql.ts'
import type { Criterion, Order } from './criteria.ts'
import { GROUP_COLUMNS, type ScimGroupRow } from './group.sql.ts'
import { type ScimUserRow, USER_COLUMNS } from './user.sql.ts'

/** A row of a list with its place in it. */
export interface Listed {
  id: string
  seq: number
  /** What it is sorted by, as text. */
  sort_value?: string | null
}

export interface RowsWanted {
  readonly criterion?: Criterion | undefined
  readonly order?: Order | undefined
  readonly offset: number
  readonly limit: number
  /** In the order of creation: the number of the row before. */
  readonly afterSeq?: number
  /** In another order: the row before. */
  readonly after?: { readonly seq: number; readonly value?: string | null; readonly id?: string } | undefined
}

interface Connection {
  readonly organizationId: string
  readonly connectionId: string
}

export async function listScimUserRows(
  db: Queryable,
  of: Connection,
  wanted: RowsWanted,
): Promise<(ScimUserRow & Listed)[]> {
  return await db.rows(listing<ScimUserRow & Listed>('user', of, wanted))
}

export async function listScimGroupRows(
  db: Queryable,
  of: Connection,
  wanted: RowsWanted,
): Promise<(ScimGroupRow & Listed)[]> {
  return await db.rows(listing<ScimGroupRow & Listed>('group', of, wanted))
}

export async function countScimRows(
  db: Queryable,
  of: Connection,
  resource: ScimResource,
  criterion: Criterion | undefined,
): Promise<number> {
  const params: unknown[] = [of.organizationId, of.connectionId]
  const text = `select count(*) as count from ${FROM[resource]} where ${ours(resource)}${matching(criterion, resource, params)}`
  const row = await db.row(statement<{ count: number }>(text, params, criterion))
  return row?.count ?? 0
}

/** Every so manyth row of a list, by its position from 1 and its number, after one that is known. */
export async function listAnchors(
  db: Queryable,
  of: Connection,
  resource: ScimResource,
  after: Anchor,
  every: number,
): Promise<Anchor[]> {
  const text = `select position, seq from (
    select $3::bigint + row_number() over (order by seq) as position, seq from ${FROM[resource]}
    where ${ours(resource)} and seq > $4) numbered
    where position % $5::bigint = 0`
  const values = [of.organizationId, of.connectionId, after.position, after.seq, every]
  return await db.rows({ name: nameOf(text), text, values })
}

const ALIAS = { user: 'u', group: 'g' } as const
const FROM = { user: 'scim_user u', group: 'scim_group g' } as const
const COLUMNS = { user: USER_COLUMNS.text, group: GROUP_COLUMNS.text } as const

const ours = (resource: ScimResource) =>
  `${ALIAS[resource]}.organization_id = $1 and ${ALIAS[resource]}.connection_id = $2`

function matching(criterion: Criterion | undefined, resource: ScimResource, params: unknown[]): string {
  return criterion === undefined ? '' : ` and ${compileCriterion(criterion, resource, params)}`
}

/** The text is made of constants alone (criteria.sql.ts); what varies with a request is bound. */
function listing<Row>(resource: ScimResource, of: Connection, wanted: RowsWanted): Statement<Row> {
  const { criterion, order, after, afterSeq } = wanted
  const params: unknown[] = [of.organizationId, of.connectionId]
  const bind = (value: unknown, type: string) => `$${params.push(value)}::${type}`
  const alias = ALIAS[resource]
  let where = ours(resource) + matching(criterion, resource, params)
  if (afterSeq !== undefined) where += ` and ${alias}.seq > ${bind(afterSeq, 'bigint')}`
  let columns = `${COLUMNS[resource]}, ${alias}.seq`
  let by = `${alias}.seq`
  if (order === undefined && after !== undefined) where += ` and ${alias}.seq > ${bind(after.seq, 'bigint')}`
  if (order !== undefined) {
    const sorted = sortOf(order, resource, params)
    columns += `, (${sorted.value})::text as sort_value`
    by = sorted.by
    if (after?.id !== undefined) {
      const place = { value: after.value ?? null, id: after.id }
      where += ` and ${startAfter(order, resource, sorted.value, place, params)}`
    }
  }
  const limits = `offset ${bind(wanted.offset, 'bigint')} limit ${bind(wanted.limit, 'integer')}`
  // The rows first, then what is shown of them: the groups of those that are skipped are not looked up.
  const text = `select ${columns} from (select * from ${FROM[resource]} where ${where} order by ${by} ${limits}) ${alias} order by ${by}`
  return statement(text, params, criterion)
}

/**
 * Prepared where there are few texts of the kind: whatever is looked up by one column. Other filters have as many texts
 * as there are shapes of them, and connections keep what is prepared for ever.
 */
function statement<Row>(text: string, values: unknown[], criterion: Criterion | undefined): Statement<Row> {
  const isCommon = criterion === undefined || (criterion.kind === 'compare' && criterion.on.kind === 'column')
  if (isCommon) return { name: nameOf(text), text, values }
  return { text, values } as unknown as Statement<Row>
}

const names = new Map<string, string>()

function nameOf(text: string): string {
  let name = names.get(text)
  if (name === undefined) {
    name = createHash('sha256').update(text).digest('base64url').slice(0, 24)
    names.set(text, name)
  }
  return name
}
