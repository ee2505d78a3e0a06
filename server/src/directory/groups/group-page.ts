import { requirePermission } from '../access/permission.ts'
import type { ReadContext } from '../context.ts'
import { findGroupCounts, type GroupRow, listGroups } from './group.sql.ts'

/**
 * Pages by number, for dialects that have no cursor. A page must cost the same wherever it is, so counting and
 * skipping are out: the count is kept, and each page leaves an anchor (a position and the group that stands
 * there) from which later pages start. Groups are listed by the number of the change that created them, so new
 * ones come last and never move a position; a deletion does, and retires the organization's anchors.
 */
interface Anchors {
  moves: number
  /** Position (groups before) to the number of the last group before it. */
  seqBefore: Map<number, number>
}

/** Organizations whose anchors this process keeps, and anchors each: about 100 bytes an anchor. */
const ORGANIZATIONS_MAX = 500
const ANCHORS_MAX = 20_000
const cache = new Map<string, Anchors>()

function anchorsOf(organizationId: string, moves: number): Anchors {
  let anchors = cache.get(organizationId)
  if (anchors === undefined || anchors.moves !== moves) {
    anchors = { moves, seqBefore: new Map([[0, 0]]) }
  }
  cache.delete(organizationId)
  cache.set(organizationId, anchors)
  if (cache.size > ORGANIZATIONS_MAX) cache.delete(cache.keys().next().value!)
  return anchors
}

function nearestAnchor(anchors: Anchors, position: number): { position: number; seq: number } {
  const exact = anchors.seqBefore.get(position)
  if (exact !== undefined) return { position, seq: exact }
  let best = 0
  for (const candidate of anchors.seqBefore.keys())
    if (candidate <= position && candidate > best) best = candidate
  return { position: best, seq: anchors.seqBefore.get(best) ?? 0 }
}

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
  const counts = await findGroupCounts(db, organizationId)
  if (offset >= counts.group_count) return { rows: [], total: counts.group_count }
  const anchors = anchorsOf(organizationId, counts.group_moves)
  const anchor = nearestAnchor(anchors, offset)
  const rows = await listGroups(db, organizationId, {
    afterSeq: anchor.seq,
    offset: offset - anchor.position,
    limit,
  })
  const [first] = rows
  const last = rows.at(-1)
  if (first !== undefined && last !== undefined && anchors.seqBefore.size < ANCHORS_MAX) {
    anchors.seqBefore.set(offset, first.created_seq - 1)
    anchors.seqBefore.set(offset + rows.length, last.created_seq)
  }
  return { rows, total: counts.group_count }
}
