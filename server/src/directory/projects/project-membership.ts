import { requirePermissionOn } from '../access/authority.ts'
import { actingMember } from '../access/rank.ts'
import type { Context, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { requireLockedMember } from '../members/member.ts'
import { revokeRolesOn } from '../roles/assignment.ts'
import { rankOf } from '../roles/predefined.ts'
import { findOnRoster, type RosterRow } from '../roles/roster.ts'
import { administersWorkspace, type EnteredWorkspace } from '../workspaces/workspace-access.ts'
import { setProjectRole } from './project-members.ts'

/** A project of a workspace that the actor has entered. */
export interface ProjectPlace {
  readonly entered: EnteredWorkspace
  readonly projectId: string
}

const onProject = (id: string) => ({ kind: 'project', id }) as const

/** Somebody who has a role on a project by itself. @throws {DirectoryError} role_assignment.not_found */
async function requireOnProject(
  context: ReadContext,
  projectId: string,
  memberId: string,
): Promise<RosterRow> {
  const row = await findOnRoster(context, onProject(projectId), { memberId })
  if (row === undefined) {
    throw new DirectoryError('role_assignment.not_found', 'The member has no role on this project.')
  }
  return row
}

/** As `requireOnProject`. @throws {DirectoryError} role_assignment.not_found, permission.denied */
export async function getOnProject(
  context: ReadContext,
  projectId: string,
  memberId: string,
): Promise<RosterRow> {
  await requirePermissionOn(context, 'roles:read', onProject(projectId))
  return await requireOnProject(context, projectId, memberId)
}

/**
 * Puts an active member of the workspace onto one of its projects.
 *
 * @throws {DirectoryError} workspace.not_member, request.invalid (has a role there already), what `setProjectRole`
 *   throws
 */
export async function addToProject(
  context: Context,
  { entered, projectId }: ProjectPlace,
  memberId: string,
  roleId: string,
): Promise<RosterRow> {
  await requirePermissionOn(context, 'roles:write', onProject(projectId))
  const workspace = { kind: 'workspace', id: entered.workspace.id } as const
  const member = await findOnRoster(context, workspace, { memberId })
  if (member === undefined || member.status !== 'active') {
    throw new DirectoryError('workspace.not_member', 'The user is not a member of the workspace.', {
      field: 'member',
    })
  }
  // Who is put there twice at the same time is seen by the later one.
  await requireLockedMember(context, memberId)
  if ((await findOnRoster(context, onProject(projectId), { memberId })) !== undefined) {
    throw new DirectoryError('request.invalid', 'The user is a member of the project already.')
  }
  await setProjectRole(context, projectId, { kind: 'member', id: memberId }, roleId)
  return await requireOnProject(context, projectId, memberId)
}

/**
 * Gives somebody on a project another role there. Nobody changes their own, or that of who ranks above them.
 *
 * @throws {DirectoryError} role_assignment.not_found, member.unchangeable_self, member.outranks, what
 *   `setProjectRole` throws
 */
export async function changeRoleOnProject(
  context: Context,
  place: ProjectPlace,
  memberId: string,
  roleId: string,
): Promise<RosterRow> {
  await requireMayHandle(context, place, memberId, 'change your own role')
  const { projectId } = place
  await setProjectRole(context, projectId, { kind: 'member', id: memberId }, roleId, { isOn: true })
  return await requireOnProject(context, projectId, memberId)
}

/**
 * Takes somebody off a project: ends every role there by itself. What comes through groups stays.
 *
 * @throws {DirectoryError} role_assignment.not_found, member.unchangeable_self, member.outranks, project.sole_admin,
 *   permission.denied
 */
export async function removeFromProject(
  context: Context,
  place: ProjectPlace,
  memberId: string,
): Promise<void> {
  await requireMayHandle(context, place, memberId, 'remove yourself')
  await revokeRolesOn(context, { kind: 'member', id: memberId }, onProject(place.projectId))
}

async function requireMayHandle(
  context: Context,
  { entered, projectId }: ProjectPlace,
  memberId: string,
  doing: string,
): Promise<void> {
  await requirePermissionOn(context, 'roles:write', onProject(projectId))
  const target = await requireOnProject(context, projectId, memberId)
  const actorId = actingMember(context.actor)
  if (actorId === memberId) throw new DirectoryError('member.unchangeable_self', `You cannot ${doing}.`)
  if (actorId === null || administersWorkspace(entered.rank)) return
  const options = { throughGroups: true }
  const actor = await findOnRoster(context, onProject(projectId), { memberId: actorId }, options)
  const rank = (row: RosterRow | undefined) =>
    row === undefined ? 0 : rankOf({ resource: 'project', key: row.role_key })
  if (rank(target) <= rank(actor)) return
  throw new DirectoryError('member.outranks', 'The member has a higher role on the project than yours.')
}
