import { type GivenRole, requireMayGive } from '../access/authority.ts'
import type { Level } from '../access/permission.ts'
import type { Context } from '../context.ts'
import { requireMayGrantLevel } from '../members/member.ts'
import { holdProjects, type ProjectRow } from '../projects/project.sql.ts'
import { projectNotFound, requireActive } from '../projects/project.ts'
import { requireFit, requireMayHandle } from '../roles/assignment.ts'
import { findRoles, type RoleRow } from '../roles/role.sql.ts'
import { roleNotFound } from '../roles/role.ts'
import { fromTargetColumns } from '../roles/target.ts'
import { targetNotFound } from '../roles/target-lookup.ts'
import { findWorkspaces } from '../workspaces/workspace.sql.ts'
import type { InvitationGrant, InvitationGrantRow, InvitationRow } from './invitation.sql.ts'

/** What an invitation offers. */
export interface Offer {
  readonly level: Level
  readonly grants: readonly InvitationGrant[]
}

/** A role that is offered, as it is now: what is missing has gone, or never was there. */
export interface OfferedRole {
  readonly grant: InvitationGrant
  readonly role: RoleRow | undefined
  readonly project: ProjectRow | undefined
  readonly hasWorkspace: boolean
}

export function toGrant(row: InvitationGrantRow): InvitationGrant {
  return { roleId: row.role_id, workspaceId: row.workspace_id, projectId: row.project_id }
}

export function toOffer({ level, grants }: InvitationRow): Offer {
  return { level, grants: grants.map(toGrant) }
}

const idsOf = (ids: readonly (string | null)[]) => [...new Set(ids.filter((id) => id !== null))]

/**
 * Looks up what is offered, in three statements however much it is. Nobody archives one of the projects before
 * COMMIT.
 */
export async function findOffered(
  context: Context,
  grants: readonly InvitationGrant[],
): Promise<OfferedRole[]> {
  if (grants.length === 0) return []
  const { db, organizationId } = context
  const held = await holdProjects(db, organizationId, idsOf(grants.map(({ projectId }) => projectId)))
  const projects = new Map(held.map((row) => [row.id, row]))
  const found = await findRoles(db, organizationId, idsOf(grants.map(({ roleId }) => roleId)))
  const roles = new Map(found.map((row) => [row.id, row]))
  const wanted = idsOf(grants.map(({ workspaceId }) => workspaceId))
  const workspaces = new Set((await findWorkspaces(db, organizationId, wanted)).map(({ id }) => id))
  return grants.map((grant) => ({
    grant,
    role: roles.get(grant.roleId),
    project: grant.projectId === null ? undefined : projects.get(grant.projectId),
    hasWorkspace: grant.workspaceId !== null && workspaces.has(grant.workspaceId),
  }))
}

const targetOf = ({ workspaceId, projectId }: InvitationGrant) =>
  fromTargetColumns({ workspace_id: workspaceId, project_id: projectId, page_id: null })

/**
 * A role that can be given where it is offered.
 *
 * @throws {DirectoryError} role.not_found, role.wrong_target, workspace.not_found, project.not_found, project.archived
 */
function requireGivable({ grant, role, project, hasWorkspace }: OfferedRole): RoleRow {
  const { workspaceId, projectId } = grant
  if (projectId !== null && project === undefined) throw projectNotFound()
  if (project !== undefined) requireActive(project)
  const target = targetOf(grant)
  if (workspaceId !== null && !hasWorkspace) throw targetNotFound(target)
  if (role === undefined) throw roleNotFound()
  requireFit(role, target, { workspaceId: project?.workspace_id ?? workspaceId, projectId, pageId: null })
  return role
}

/** Whether an offered role can be given still. */
export function isGivable({ grant, role, project }: OfferedRole): boolean {
  return role !== undefined && (grant.projectId === null || project?.archived_at === null)
}

function toGiven(role: RoleRow, { workspaceId, projectId }: InvitationGrant): GivenRole {
  return { ...role, workspace_id: workspaceId, project_id: projectId, page_id: null }
}

/** Each role and place once. */
function distinct(given: readonly (readonly [RoleRow, InvitationGrant])[]): GivenRole[] {
  const found = new Map(
    given.map(([role, grant]) => [
      `${role.id} ${grant.workspaceId} ${grant.projectId}`,
      toGiven(role, grant),
    ]),
  )
  return [...found.values()]
}

/**
 * Nobody invites to more than they hold: the person who accepts has it all. Takes a fixed number of statements for
 * any number of offers.
 *
 * @param inEntry runs what may refuse the offer at a place, and says in the refusal where that is
 * @throws {DirectoryError} permission.denied (the level or the role owner, by who is none), role.permission_exceeded,
 *   role.not_found, role.wrong_target, workspace.not_found, project.not_found, project.archived
 */
export async function requireMayOffer(
  context: Context,
  offers: readonly Offer[],
  inEntry: <T>(place: number, work: () => T) => T,
): Promise<void> {
  for (const [place, { level }] of offers.entries()) {
    await inEntry(place, () => requireMayGrantLevel(context, level))
  }
  const offered = await findOffered(
    context,
    offers.flatMap(({ grants }) => grants),
  )
  const places = offers.flatMap(({ grants }, place) => grants.map(() => place))
  const given = offered.map((one, index) =>
    inEntry(places[index]!, () => {
      const role = requireGivable(one)
      requireMayHandle(context, role)
      return [role, one.grant] as const
    }),
  )
  await requireMayGive(context, distinct(given))
}

/** The same for offers that were made once, as far as they can be given still. @throws as `requireMayOffer` */
export async function requireMayRepeat(context: Context, offers: readonly Offer[]): Promise<void> {
  for (const { level } of offers) await requireMayGrantLevel(context, level)
  const offered = await findOffered(
    context,
    offers.flatMap(({ grants }) => grants),
  )
  const givable = offered.filter(isGivable)
  for (const { role } of givable) requireMayHandle(context, role!)
  await requireMayGive(context, distinct(givable.map(({ role, grant }) => [role!, grant])))
}
