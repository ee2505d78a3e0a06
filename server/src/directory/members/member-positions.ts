import { requirePermission } from '../access/permission.ts'
import type { ReadContext } from '../context.ts'
import type { Counted, PositionPage } from '../position-page.ts'
import { parseEmail } from './email.ts'
import type { MemberRow } from './member.sql.ts'
import { countMembers, findMembers, listMembersAt, type MemberFilter } from './member-positions.sql.ts'

/** Everybody who is active. */
const EVERYBODY: MemberFilter = { emailKey: null, search: null, updatedAfter: null }

/**
 * A page of active members by position, in the order of their creation. A search looks at every active member until
 * the page is full.
 *
 * @param filter `email`: whose address it is; one that is none is nobody's
 * @throws {DirectoryError} permission.denied
 */
export async function pageMembers(
  context: ReadContext,
  filter: { email: string | null; search: string | null; updatedAfter: string | null },
  page: PositionPage & { order: 'asc' | 'desc' },
): Promise<Counted<MemberRow>> {
  requirePermission(context.actor, 'members:read')
  const { email, ...rest } = filter
  const parsed = email === null ? null : parseEmail(email)
  if (parsed !== null && 'problem' in parsed) return { rows: [], count: 0 }
  const { db, organizationId } = context
  const wanted = { ...rest, emailKey: parsed?.key ?? null }
  return {
    rows: await listMembersAt(db, organizationId, wanted, page),
    count: await countMembers(db, organizationId, wanted),
  }
}

/** How many active members there are, counted up to a bound. For whoever may see the organization. */
export async function countActiveMembers(context: ReadContext): Promise<number> {
  return await countMembers(context.db, context.organizationId, EVERYBODY)
}

/**
 * The members behind what names them (who invited, who created), whatever their status. Asks for no permission beside
 * that of what names them.
 */
export async function membersById(
  context: ReadContext,
  ids: readonly (string | null)[],
): Promise<Map<string, MemberRow>> {
  const wanted = [...new Set(ids.filter((id) => id !== null))]
  const rows = await findMembers(context.db, context.organizationId, wanted)
  return new Map(rows.map((row) => [row.id, row]))
}
