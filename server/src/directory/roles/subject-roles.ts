import { requirePermissionOn } from '../access/authority.ts'
import type { ReadContext } from '../context.ts'
import { type OrderedPage, unknownAfter } from '../page.ts'
import { assignmentNotFound, requireSubject, type Subject, subjectColumns } from './assignment.ts'
import { roleHasExisted } from './role.sql.ts'
import { listSubjectRoles as listRows, type SubjectRole } from './subject-roles.sql.ts'
import { type Target, targetColumns } from './target.ts'
import { requireTarget } from './target-lookup.ts'

export type { SubjectRole } from './subject-roles.sql.ts'

async function requireReadable(context: ReadContext, subject: Subject, target: Target) {
  await requirePermissionOn(context, 'roles:read', target)
  await requireTarget(context, target)
  await requireSubject(context, subject)
  return { ...subjectColumns(subject), ...targetColumns(target) }
}

/**
 * The distinct roles that a member or a group has on this very target, in the order of the roles' creation: of a
 * member its own and those of its groups, each with how it comes. What is held above the target, or by every active
 * member, is not among them.
 *
 * @throws {DirectoryError} member.not_found, member.wrong_status (removed), group.not_found, workspace.not_found,
 *   project.not_found, request.invalid (`afterId` is no role of the organization), permission.denied
 */
export async function listSubjectRoles(
  context: ReadContext,
  subject: Subject,
  target: Target,
  page: OrderedPage,
): Promise<SubjectRole[]> {
  const { db, organizationId } = context
  const place = await requireReadable(context, subject, target)
  if (page.afterId !== null && !(await roleHasExisted(db, organizationId, page.afterId))) throw unknownAfter()
  return await listRows(db, organizationId, place, null, page)
}

/**
 * One role that a member or a group has on this very target, with how it comes.
 *
 * @throws {DirectoryError} role_assignment.not_found (it has no such role there); what `listSubjectRoles` throws
 */
export async function findSubjectRole(
  context: ReadContext,
  subject: Subject,
  target: Target,
  roleId: string,
): Promise<SubjectRole> {
  const place = await requireReadable(context, subject, target)
  const page = { afterId: null, limit: 1, order: 'asc' } as const
  const [row] = await listRows(context.db, context.organizationId, place, roleId, page)
  if (row === undefined) throw assignmentNotFound()
  return row
}
