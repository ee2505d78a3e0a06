import { requirePermission } from '../access/permission.ts'
import type { ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { requireKnownMember } from '../members/member-list.ts'
import { type OrderedPage, unknownAfter } from '../page.ts'
import type { GroupRow } from './group.sql.ts'
import { requireGroup } from './group.ts'
import {
  findGroupPlace,
  findMemberOfGroup,
  type GroupUserRow,
  listMembersOfGroup as listMemberRows,
  listGroupsInOrder as listRows,
} from './group-list.sql.ts'

export type { GroupUserRow } from './group-list.sql.ts'

/**
 * One page of groups in the order of their creation or against it. A group that is deleted by now still has its
 * place, so that who pages meanwhile misses nothing.
 *
 * @throws {DirectoryError} request.invalid (`afterId` is no group of the organization), permission.denied
 */
export async function listGroupsInOrder(context: ReadContext, page: OrderedPage): Promise<GroupRow[]> {
  requirePermission(context.actor, 'groups:read')
  const { db, organizationId } = context
  const afterSeq = page.afterId === null ? null : await findGroupPlace(db, organizationId, page.afterId)
  if (afterSeq === undefined) throw unknownAfter()
  return await listRows(db, organizationId, afterSeq, page)
}

/**
 * One page of who is in a group now, each once, in the order of their ids or against it.
 *
 * @throws {DirectoryError} group.not_found, request.invalid (`afterId` is no member of the organization),
 *   permission.denied
 */
export async function listMembersOfGroup(
  context: ReadContext,
  groupId: string,
  page: OrderedPage,
): Promise<GroupUserRow[]> {
  requirePermission(context.actor, 'groups:read')
  await requireGroup(context, groupId)
  await requireKnownMember(context, page.afterId)
  return await listMemberRows(context.db, context.organizationId, groupId, page)
}

/** One who is in a group now. @throws {DirectoryError} group.not_found, membership.not_found, permission.denied */
export async function getMemberOfGroup(
  context: ReadContext,
  groupId: string,
  memberId: string,
): Promise<GroupUserRow> {
  requirePermission(context.actor, 'groups:read')
  await requireGroup(context, groupId)
  const row = await findMemberOfGroup(context.db, context.organizationId, groupId, memberId)
  if (row === undefined) throw new DirectoryError('membership.not_found', 'The member is not in this group.')
  return row
}
