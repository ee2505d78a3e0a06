import { requirePermission } from '../access/permission.ts'
import type { Context } from '../context.ts'
import type { MemberRow } from './member.sql.ts'
import { requireLockedMember, updateMember } from './member.ts'

/**
 * Sets entries of a member's metadata, and leaves out those that are null; the others stay.
 *
 * @throws {DirectoryError} what `updateMember` throws
 */
export async function annotateMember(
  context: Context,
  id: string,
  entries: Readonly<Record<string, string | null>>,
): Promise<MemberRow> {
  requirePermission(context.actor, 'members:write')
  const before = await requireLockedMember(context, id)
  const merged = Object.entries({ ...before.metadata, ...entries }).filter(
    ([key, value]) => value !== null || !Object.hasOwn(entries, key),
  )
  return await updateMember(context, id, { metadata: Object.fromEntries(merged) })
}
