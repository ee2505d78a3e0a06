import { requirePermissionOn } from '../access/authority.ts'
import type { Context, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { endOtherPredefinedRoleGrantsAt, listRoleGrantsAt } from '../grants/role-grant.sql.ts'
import { groupHasExisted } from '../groups/group.sql.ts'
import { findMember } from '../members/member.sql.ts'
import { type OrderedPage, unknownAfter } from '../page.ts'
import {
  assignRole,
  changeSubject,
  requireMayGrantRole,
  type Subject,
  subjectColumns,
} from '../roles/assignment.ts'
import { type Target, targetColumns } from '../roles/target.ts'
import { lockProject } from './project.sql.ts'
import { requireActiveProject, requireProject } from './project.ts'
import {
  findProjectGroup,
  findProjectMember,
  listProjectGroups as listProjectGroupRows,
  listProjectMembers as listProjectMemberRows,
  type ProjectGroupRow,
  type ProjectMemberRow,
} from './project-members.sql.ts'

export type { ProjectGroupRow, ProjectMemberRow } from './project-members.sql.ts'

/**
 * Who is on a project: the members and groups with a role there by grants of their own. Owners and admins of the
 * organization reach every project without being on it.
 */
const onProject = (id: string): Target => ({ kind: 'project', id })

/**
 * One page of the members with a role on a project, in the order of their ids, each with its highest predefined
 * role for dialects that know one role only.
 *
 * @throws {DirectoryError} project.not_found, request.invalid (`afterId` is nobody of the organization),
 *   permission.denied
 */
export async function listProjectMembers(
  context: ReadContext,
  projectId: string,
  page: OrderedPage,
): Promise<ProjectMemberRow[]> {
  await requireReadable(context, projectId)
  const { db, organizationId } = context
  const { afterId } = page
  // Who has left the project since the last page is a place in the list all the same.
  if (afterId !== null && (await findMember(db, organizationId, afterId)) === undefined) throw unknownAfter()
  return await listProjectMemberRows(db, organizationId, projectId, page)
}

/** One of them. @throws {DirectoryError} project.not_found, role_assignment.not_found, permission.denied */
export async function getProjectMember(
  context: ReadContext,
  projectId: string,
  memberId: string,
): Promise<ProjectMemberRow> {
  await requireReadable(context, projectId)
  return await requireProjectMember(context, projectId, memberId)
}

/** A member who has a role on a project. @throws {DirectoryError} role_assignment.not_found */
export async function requireProjectMember(
  context: ReadContext,
  projectId: string,
  memberId: string,
): Promise<ProjectMemberRow> {
  const row = await findProjectMember(context.db, context.organizationId, projectId, memberId)
  if (row === undefined) throw notOnProject('member')
  return row
}

/** The same page of the groups with a role on a project. @throws as `listProjectMembers` */
export async function listProjectGroups(
  context: ReadContext,
  projectId: string,
  page: OrderedPage,
): Promise<ProjectGroupRow[]> {
  await requireReadable(context, projectId)
  const { db, organizationId } = context
  const { afterId } = page
  if (afterId !== null && !(await groupHasExisted(db, organizationId, afterId))) throw unknownAfter()
  return await listProjectGroupRows(db, organizationId, projectId, page)
}

/** One of them. @throws {DirectoryError} project.not_found, role_assignment.not_found, permission.denied */
export async function getProjectGroup(
  context: ReadContext,
  projectId: string,
  groupId: string,
): Promise<ProjectGroupRow> {
  await requireReadable(context, projectId)
  return await requireProjectGroup(context, projectId, groupId)
}

/** A group that has a role on a project. @throws {DirectoryError} role_assignment.not_found */
export async function requireProjectGroup(
  context: ReadContext,
  projectId: string,
  groupId: string,
): Promise<ProjectGroupRow> {
  const row = await findProjectGroup(context.db, context.organizationId, projectId, groupId)
  if (row === undefined) throw notOnProject('group')
  return row
}

async function requireReadable(context: ReadContext, projectId: string): Promise<void> {
  await requirePermissionOn(context, 'roles:read', onProject(projectId))
  await requireProject(context, projectId)
}

function notOnProject(kind: Subject['kind']): DirectoryError {
  return new DirectoryError('role_assignment.not_found', `The ${kind} has no role on this project.`)
}

/**
 * Gives a member or a group one role on a project for good, in place of the predefined roles it has there by
 * grants of its own; its custom roles stay. Nothing changes if it is so already.
 *
 * @param options.isOn refuses who has no role there yet
 * @throws {DirectoryError} what `assignRole` throws; project.archived, role_assignment.not_found (`isOn`)
 */
export async function setProjectRole(
  context: Context,
  projectId: string,
  subject: Subject,
  roleId: string,
  options: { isOn: boolean } = { isOn: false },
): Promise<void> {
  const target = onProject(projectId)
  await requirePermissionOn(context, 'roles:write', target)
  const { db, organizationId, change } = context
  // Of two who set somebody's role the later one sees what the earlier one opened, and ends it.
  await lockProject(db, organizationId, projectId)
  await requireActiveProject(context, projectId)
  await requireMayGrantRole(context, roleId, target)
  const place = { ...subjectColumns(subject), roleId, ...targetColumns(target) }
  const held = await listRoleGrantsAt(db, organizationId, place)
  if (options.isOn && held.length === 0) throw notOnProject(subject.kind)
  const isHeld = held.some((grant) => grant.role_id === roleId && grant.expires_at === null)
  // Opened first: that waits for whoever is removing the subject, and nobody waits for the grants that end here.
  if (!isHeld) await assignRole(context, { subject, roleId, target })
  const ended = await endOtherPredefinedRoleGrantsAt(db, organizationId, place, change.id)
  change.count({ ended })
  if (!isHeld || ended === 0) return
  change.describe({ kind: 'role.revoked', ...changeSubject(subject), detail: { project: projectId } })
}
