import type { ReadContext } from '../context.ts'
import { PositionAnchors } from '../position-anchors.ts'
import { connectionOf } from './connection.ts'
import type { Criterion, Order } from './criteria.ts'
import type { ScimGroupRow } from './group.sql.ts'
import {
  countScimRows,
  type Listed,
  listAnchors,
  listScimGroupRows,
  listScimUserRows,
  type RowsWanted,
} from './list.sql.ts'
import { findRoster } from './roster.sql.ts'
import type { ScimUserRow } from './user.sql.ts'

/** What a list asks for. */
export interface ScimListQuery {
  /** Absent: all. */
  readonly criterion?: Criterion | undefined
  /** Absent: in the order of their creation. */
  readonly order?: Order | undefined
  readonly page: ScimPage
}

export type ScimPage =
  /** By position: rows to skip. */
  | { readonly offset: number; readonly limit: number }
  /** After a row: its number in the order of creation, or its place in the order asked for. */
  | { readonly after: ScimListPlace | null; readonly limit: number }

/** Where a page ended, for the next one to start after. */
export interface ScimListPlace {
  readonly seq: number
  /** What it is sorted by there, as text; absent where the order is that of creation. */
  readonly value?: string | null
  readonly id?: string
}

export interface ScimListPage<Row> {
  readonly rows: readonly Row[]
  readonly total: number
  /** Null: this is the last page. */
  readonly next: ScimListPlace | null
}

/** Rows between anchors that are laid all over a list once somebody asks for a page far from those that are known. */
const ANCHORS_EVERY = 250

const anchors = { user: new PositionAnchors(), group: new PositionAnchors() }

/** Users of the connection. A page costs the same wherever it is, as long as nothing is asked for but the order. */
export async function listScimUsers(
  context: ReadContext,
  query: ScimListQuery,
): Promise<ScimListPage<ScimUserRow>> {
  return await listRows(context, 'user', query, listScimUserRows)
}

/**
 * Groups of the connection, without their members.
 *
 * @param query.page.limit rows at most; fewer where `membersMax` is reached
 * @param membersMax members that the groups of a page may have together; one group may have more
 */
export async function listScimGroups(
  context: ReadContext,
  query: ScimListQuery,
  membersMax: number | null,
): Promise<ScimListPage<ScimGroupRow>> {
  const page = await listRows(context, 'group', query, listScimGroupRows)
  if (membersMax === null) return page
  let members = 0
  const fits = page.rows.filter((row, index) => {
    members += row.member_count
    return index === 0 || members <= membersMax
  })
  if (fits.length === page.rows.length) return page
  return { rows: fits, total: page.total, next: toPlace(fits.at(-1)!, query.order) }
}

async function listRows<Row extends Listed>(
  context: ReadContext,
  resource: 'user' | 'group',
  query: ScimListQuery,
  list: (
    db: ReadContext['db'],
    of: { organizationId: string; connectionId: string },
    wanted: RowsWanted,
  ) => Promise<Row[]>,
): Promise<ScimListPage<Row>> {
  const { db, organizationId } = context
  const connectionId = connectionOf(context)
  const of = { organizationId, connectionId }
  const { criterion, order, page } = query
  if (criterion === undefined && order === undefined) {
    const roster = await findRoster(db, organizationId, connectionId)
    const [total, moves] =
      resource === 'user'
        ? [roster?.user_count ?? 0, roster?.user_moves ?? 0]
        : [roster?.group_count ?? 0, roster?.group_moves ?? 0]
    if ('after' in page) {
      const rows = await list(db, of, { limit: page.limit, afterSeq: page.after?.seq ?? 0, offset: 0 })
      return { rows, total, next: nextOf(rows, page.limit, undefined) }
    }
    if (page.limit === 0 || page.offset >= total) return { rows: [], total, next: null }
    let anchor = anchors[resource].nearest(connectionId, moves, page.offset)
    if (page.offset - anchor.position > ANCHORS_EVERY * 2) {
      const laid = await listAnchors(db, of, resource, anchor, ANCHORS_EVERY)
      anchors[resource].lay(connectionId, moves, laid)
      anchor = anchors[resource].nearest(connectionId, moves, page.offset)
    }
    const offset = page.offset - anchor.position
    const rows = await list(db, of, { limit: page.limit, afterSeq: anchor.seq, offset })
    anchors[resource].keep(connectionId, moves, { position: page.offset, seqs: rows.map((row) => row.seq) })
    return { rows, total, next: nextOf(rows, page.limit, undefined) }
  }
  const wanted =
    'after' in page
      ? { criterion, order, limit: page.limit, offset: 0, after: page.after ?? undefined }
      : { criterion, order, limit: page.limit, offset: page.offset }
  const rows = page.limit === 0 ? [] : await list(db, of, wanted)
  const isWhole = wanted.offset === 0 && wanted.after === undefined && rows.length < page.limit
  const total = isWhole ? rows.length : await countScimRows(db, of, resource, criterion)
  return { rows, total, next: nextOf(rows, page.limit, order) }
}

function nextOf(rows: readonly Listed[], limit: number, order: Order | undefined): ScimListPlace | null {
  const last = rows.at(-1)
  return last === undefined || rows.length < limit ? null : toPlace(last, order)
}

function toPlace(row: Listed, order: Order | undefined): ScimListPlace {
  if (order === undefined) return { seq: row.seq }
  return { seq: row.seq, value: row.sort_value ?? null, id: row.id }
}
