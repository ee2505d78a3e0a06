import type { ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { rankOf } from '../roles/predefined.ts'
import type { GivenRoleRow } from './authority.sql.ts'
import { type Actor, levelOf, levels, levelsAbove } from './permission.ts'
import { listWorkspaceRanks } from './rank.sql.ts'

/** Ranks above every role of a workspace. */
const HIGHEST_RANK = Number.POSITIVE_INFINITY

/** The member that an actor acts as; null: nobody. */
export function actingMember(actor: Actor): string | null {
  return actor.kind === 'api_key' ? actor.memberId : null
}

/**
 * How high the actor ranks in some workspaces: owners and admins of the organization above all, others by their roles
 * there; 0 where they have none.
 *
 * @param beforeChange as it was before this open change: nobody raises themselves by what they are doing
 */
async function actorRanks(
  context: ReadContext,
  workspaceIds: readonly string[],
  beforeChange: string | null,
): Promise<(workspaceId: string) => number> {
  const { actor, db, organizationId } = context
  const memberId = actingMember(actor)
  if (memberId === null || levelOf(actor) !== 'member') return () => HIGHEST_RANK
  const rows = await listWorkspaceRanks(db, organizationId, memberId, workspaceIds, beforeChange)
  const ranks = new Map(rows.map((row) => [row.workspace_id, row.rank]))
  return (workspaceId) => ranks.get(workspaceId) ?? 0
}

/** The same in one workspace. */
export async function actorRank(context: ReadContext, workspaceId: string): Promise<number> {
  return (await actorRanks(context, [workspaceId], null))(workspaceId)
}

/** A predefined role, and the workspace it is given on. */
export type RankedRole = Pick<GivenRoleRow, 'key' | 'resource' | 'workspace_id'>

const ranksOnWorkspace = ({ key, resource }: RankedRole) =>
  resource === 'workspace' && (key === 'owner' || key === 'admin')

/** Whether one of some roles of workspaces ranks above the actor there. */
async function isAnyAbove(
  context: ReadContext,
  roles: readonly RankedRole[],
  beforeChange: string | null,
): Promise<boolean> {
  const ranked = roles.filter(ranksOnWorkspace)
  if (ranked.length === 0) return false
  const ids = [...new Set(ranked.map((role) => role.workspace_id!))]
  const rank = await actorRanks(context, ids, beforeChange)
  return ranked.some((role) => rankOf(role) > rank(role.workspace_id!))
}

/**
 * Who administers a workspace does not make its owners: both hold everything there, and owners rank higher. Of the
 * other roles it is enough to hold what they give.
 *
 * @param beforeChange what this open change has given and ended counts as before it
 * @throws {DirectoryError} member.outranks
 */
export async function requireGivenNotAbove(
  context: ReadContext,
  given: readonly RankedRole[],
  beforeChange: string | null = null,
): Promise<void> {
  const owners = given.filter(({ key }) => key === 'owner')
  if (!(await isAnyAbove(context, owners, beforeChange))) return
  throw new DirectoryError('member.outranks', 'You cannot give a role above your own.', { field: 'role' })
}

/**
 * Nobody takes a role from who ranks above them: on the organization by levels, on a workspace by the roles `owner`
 * and `admin`.
 *
 * @param beforeChange what this open change has given and ended counts as before it
 * @throws {DirectoryError} permission.denied (a level above the actor's), member.outranks
 */
export async function requireTakenNotAbove(
  context: ReadContext,
  taken: readonly RankedRole[],
  beforeChange: string | null = null,
): Promise<void> {
  const above = levelsAbove(levelOf(context.actor))
  const level = levels.find(
    (name) =>
      above.includes(name) && taken.some((role) => role.resource === 'organization' && role.key === name),
  )
  if (level !== undefined) {
    const who =
      level === 'owner' ? 'an owner may make or unmake an owner' : 'an admin or owner may unmake an admin'
    throw new DirectoryError('permission.denied', `Only ${who}.`, { field: 'role' })
  }
  if (!(await isAnyAbove(context, taken, beforeChange))) return
  throw new DirectoryError('member.outranks', 'You cannot take a role above your own.')
}
