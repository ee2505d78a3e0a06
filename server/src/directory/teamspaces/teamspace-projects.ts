import { requireHeldOnAll, requirePermissionOn } from '../access/authority.ts'
import type { Context, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { actorSource } from '../grants/actor-source.ts'
import { endOtherProjectLinks, endProjectLinks, openProjectLinks } from '../grants/project-links.sql.ts'
import { type ProjectRow, requireActiveProjects } from '../projects/project.ts'
import { permissionsOf } from '../roles/predefined.ts'
import { type RoleRow, requirePredefinedRole, requireRole } from '../roles/role.ts'
import { fitsTarget } from '../roles/role-on.ts'
import { requireManagedTeamspace } from './manage.ts'
import { detailOf, type NumberedPage, onWorkspace, requireTeamspace } from './teamspace.ts'
import {
  countTeamspaceProjects,
  listTeamspaceProjects as listRows,
  type TeamspaceProjectRow,
} from './teamspace-projects.sql.ts'

export type { TeamspaceProjectRow } from './teamspace-projects.sql.ts'

/** Projects in one call. */
export const TEAMSPACE_PROJECTS_MAX = 100

/**
 * Links projects of the workspace to a teamspace: whoever is in it has the role on them. A project that is linked
 * already gets this role in place of the one it had; nothing changes where it is so.
 *
 * @param projectIds up to `TEAMSPACE_PROJECTS_MAX`
 * @param roleId a role for projects; absent: `member`
 * @throws {DirectoryError} teamspace.not_found, project.not_found (also one of another workspace), project.archived,
 *   role.not_found, role.wrong_target, role.permission_exceeded (the actor does not hold what the role gives on every
 *   one of the projects), permission.denied
 */
export async function linkProjects(
  context: Context,
  workspaceId: string,
  id: string,
  projectIds: readonly string[],
  roleId?: string,
): Promise<{ opened: number }> {
  const row = await requireManagedTeamspace(context, workspaceId, id)
  const { db, organizationId, change } = context
  const projects = await requireActiveProjects(context, projectIds)
  if (projects.some((project) => project.workspace_id !== workspaceId)) {
    throw new DirectoryError('project.not_found', 'There is no project with this id in the workspace.')
  }
  const role =
    roleId === undefined
      ? await requirePredefinedRole(context, 'project', 'member')
      : await requireRole(context, roleId)
  requireFit(role, projects)
  const targets = projects.map((project) => ({ kind: 'project', id: project.id }) as const)
  await requireHeldOnAll(context, permissionsOf(role), targets)
  const sourceId = await actorSource(context)
  const links = { groupId: id, projectIds, roleId: role.id, sourceId }
  const ended = await endOtherProjectLinks(db, organizationId, links, change.id)
  const opened = await openProjectLinks(db, organizationId, links, change.id)
  if (opened === 0 && ended === 0) return { opened }
  change.count({ opened, ended })
  change.describe({
    kind: 'teamspace.projects_linked',
    groupId: id,
    sourceId,
    detail: { ...detailOf(row), role: role.id, role_name: role.name },
  })
  return { opened }
}

/** @throws {DirectoryError} role.wrong_target */
function requireFit(role: RoleRow, projects: readonly ProjectRow[]): void {
  const fits = (project: ProjectRow) => {
    const found = { workspaceId: project.workspace_id, projectId: project.id, pageId: null }
    return fitsTarget(role, { kind: 'project', id: project.id }, found)
  }
  if (projects.every(fits)) return
  throw new DirectoryError('role.wrong_target', `The role ${role.name} is not for these projects.`, {
    field: 'role',
  })
}

/**
 * Takes a teamspace off projects: ends every role it has there. Projects it is not on are passed over.
 *
 * @param projectIds up to `TEAMSPACE_PROJECTS_MAX`
 * @throws {DirectoryError} teamspace.not_found, permission.denied
 */
export async function unlinkProjects(
  context: Context,
  workspaceId: string,
  id: string,
  projectIds: readonly string[],
): Promise<void> {
  const row = await requireManagedTeamspace(context, workspaceId, id)
  const { db, organizationId, change } = context
  const ended = await endProjectLinks(db, organizationId, { groupId: id, projectIds }, change.id)
  if (ended === 0) return
  change.count({ ended })
  change.describe({ kind: 'teamspace.projects_unlinked', groupId: id, detail: detailOf(row) })
}

/**
 * One page of the projects that a teamspace is on and that are not archived, in the order of their creation, each
 * with the roles it has there.
 *
 * @throws {DirectoryError} teamspace.not_found, permission.denied
 */
export async function listTeamspaceProjects(
  context: ReadContext,
  workspaceId: string,
  id: string,
  page: { afterId: string | null; limit: number },
): Promise<TeamspaceProjectRow[]> {
  await requireReadable(context, workspaceId, id)
  return await listRows(context.db, context.organizationId, id, page)
}

/** The same from a position, with the number of all. @throws as `listTeamspaceProjects` */
export async function pageTeamspaceProjects(
  context: ReadContext,
  workspaceId: string,
  id: string,
  offset: number,
  limit: number,
): Promise<NumberedPage<TeamspaceProjectRow>> {
  await requireReadable(context, workspaceId, id)
  const { db, organizationId } = context
  const total = await countTeamspaceProjects(db, organizationId, id)
  return { rows: await listRows(db, organizationId, id, { afterId: null, offset, limit }), total }
}

async function requireReadable(context: ReadContext, workspaceId: string, id: string): Promise<void> {
  await requirePermissionOn(context, 'teamspaces:read', onWorkspace(workspaceId))
  await requireTeamspace(context, workspaceId, id)
}
