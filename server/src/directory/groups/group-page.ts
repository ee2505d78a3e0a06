import { requirePermission } from '../access/permission.ts'
import type { ReadContext } from '../context.ts'
import { PositionAnchors } from '../position-anchors.ts'
import { findGroupCounts, type GroupRow, listGroups } from './group.sql.ts'

/**
 * Pages by number, for dialects that have no cursor. A page must cost the same wherever it is, so counting and
 * skipping are out: the count is kept, and pages start from anchors. Groups are listed by the number of the change that
 * created them, so new ones come last; a deletion moves positions.
 */
const anchors = new PositionAnchors()

export interface NumberedPage {
  readonly rows: GroupRow[]
  readonly total: number
}

/**
 * The page of groups that starts at a position.
 *
 * @param offset groups to skip, from 0; past the end the page is empty
 * @throws {DirectoryError} permission.denied
 */
export async function pageGroups(context: ReadContext, offset: number, limit: number): Promise<NumberedPage> {
  requirePermission(context.actor, 'groups:read')
  const { db, organizationId } = context
  const { group_count: total, group_moves: moves } = await findGroupCounts(db, organizationId)
  if (offset >= total) return { rows: [], total }
  const anchor = anchors.nearest(organizationId, moves, offset)
  const rows = await listGroups(db, organizationId, {
    afterSeq: anchor.seq,
    offset: offset - anchor.position,
    limit,
  })
  anchors.keep(organizationId, moves, { position: offset, seqs: rows.map((row) => row.created_seq) })
  return { rows, total }
}
