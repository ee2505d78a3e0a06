import { closeHistory } from '../changes/past.ts'
import type { ReadContext } from '../context.ts'
import { type HeldGrantRow, listGrantsOfMember } from '../grants/held-grants.sql.ts'
import type { GroupKind } from '../groups/group.sql.ts'
import type { MemberRow, MemberStatus } from '../members/member.sql.ts'
import { requireMember } from '../members/member.ts'
import { listAssignmentsReaching, type RoleAssignmentRow } from '../roles/assignment.sql.ts'
import type { TargetKind } from '../roles/target.ts'
import { listMemberGroups, type MemberGroupRow } from './member-groups.sql.ts'
import { findStatusAsOf, listRolePaths, type RolePathRow } from './paths.sql.ts'
import { requirePermission } from './permission.ts'

export type { MemberGroupRow } from './member-groups.sql.ts'

/** A grant that would have to end for something to be lost. */
export type EndingGrant =
  | { readonly grant: 'role'; readonly id: string }
  | {
      readonly grant: 'group_membership'
      readonly groupId: string
      readonly groupKind: GroupKind
      readonly source: string
    }
  | { readonly grant: 'organization_membership' }

/** A role that a member has on a target, with every way it comes. */
export interface HeldRole {
  readonly role: Pick<RolePathRow, 'role_id' | 'role_key' | 'role_name' | 'resource'>
  readonly target: { readonly kind: TargetKind; readonly id: string | null; readonly name: string | null }
  readonly since: string
  /** When the last of the ways ends by itself; null: never. */
  readonly until: string | null
  /** None for what every active member has. */
  readonly paths: readonly RolePathRow[]
  /** All of these together, and no fewer, would have to end. */
  readonly lostByEnding: readonly EndingGrant[]
}

export interface MemberAccess {
  readonly member: MemberRow
  /** At the moment that was asked about. */
  readonly status: MemberStatus
  /** The member's own grants: memberships of groups, and roles. */
  readonly grants: readonly HeldGrantRow[]
  readonly roles: readonly HeldRole[]
}

/**
 * Everything a member holds and why: each grant with its source, the change that opened it, since and until; and
 * each role it has by them, with what would have to end for it to be lost.
 *
 * @param asOf RFC 3339, a past moment; null: now
 * @throws {DirectoryError} member.not_found, request.invalid (a moment in the future), permission.denied
 */
export async function explainAccess(
  context: ReadContext,
  memberId: string,
  asOf: string | null,
): Promise<MemberAccess> {
  requirePermission(context.actor, 'members:read')
  const { db, organizationId } = context
  const member = await requireMember(context, memberId)
  const status = await statusAt(context, member, asOf)
  const grants = await listGrantsOfMember(db, organizationId, memberId, asOf)
  const paths = await listRolePaths(db, organizationId, memberId, asOf)
  return { member, status: status ?? 'removed', grants, roles: groupByRole(paths) }
}

interface IdPage {
  readonly afterId: string | null
  readonly limit: number
}

/**
 * One page of the groups a member is in now, in the order of their ids.
 *
 * @throws {DirectoryError} member.not_found, permission.denied
 */
export async function listGroupsOfMember(
  context: ReadContext,
  memberId: string,
  page: IdPage,
): Promise<MemberGroupRow[]> {
  requirePermission(context.actor, 'members:read')
  const rows = await listMemberGroups(context.db, context.organizationId, memberId, page)
  // Only an empty page leaves open whether there is such a member.
  if (rows.length === 0) await requireMember(context, memberId)
  return rows
}

/**
 * One page of the role assignments that reach a member now: its own, and those of the groups it is in.
 *
 * @throws {DirectoryError} member.not_found, permission.denied
 */
export async function listRolesOfMember(
  context: ReadContext,
  memberId: string,
  page: IdPage,
): Promise<RoleAssignmentRow[]> {
  requirePermission(context.actor, 'members:read')
  const rows = await listAssignmentsReaching(context.db, context.organizationId, memberId, page)
  if (rows.length === 0) await requireMember(context, memberId)
  return rows
}

/** A member's status now or at a moment of the past, which is closed by the question. Undefined: not there yet. */
export async function statusAt(
  context: ReadContext,
  member: MemberRow,
  asOf: string | null,
): Promise<MemberStatus | undefined> {
  if (asOf === null) return member.status
  requirePermission(context.actor, 'changes:read')
  await closeHistory(context, asOf)
  return await findStatusAsOf(context.db, context.organizationId, member.id, asOf)
}

function groupByRole(paths: readonly RolePathRow[]): HeldRole[] {
  const byPlace = Map.groupBy(
    paths,
    (path) => `${path.role_id} ${path.workspace_id} ${path.project_id} ${path.page_id}`,
  )
  return [...byPlace.values()].map((ways) => {
    const first = ways[0]!
    return {
      role: first,
      target: targetOf(first),
      since: ways.map(sinceOf).sort()[0]!,
      until: latestEnd(ways.map(untilOf)),
      paths: ways,
      lostByEnding: lostByEnding(ways),
    }
  })
}

function targetOf(path: RolePathRow): HeldRole['target'] {
  if (path.page_id !== null) return { kind: 'page', id: path.page_id, name: path.page_name }
  if (path.project_id !== null) return { kind: 'project', id: path.project_id, name: path.project_name }
  if (path.workspace_id !== null)
    return { kind: 'workspace', id: path.workspace_id, name: path.workspace_slug }
  return { kind: 'organization', id: null, name: null }
}

/** A way through a group begins with the later of its two grants, and ends with the earlier. */
function sinceOf(path: RolePathRow): string {
  return path.membership_since !== null && path.membership_since > path.since
    ? path.membership_since
    : path.since
}

function untilOf(path: RolePathRow): string | null {
  if (path.until === null || path.membership_until === null) return path.until ?? path.membership_until
  return path.until < path.membership_until ? path.until : path.membership_until
}

function latestEnd(ends: readonly (string | null)[]): string | null {
  return ends.includes(null) ? null : (ends.toSorted().at(-1) ?? null)
}

/**
 * What has to end for all ways to be closed: the member's own grants of a role, and its memberships of the groups
 * that give it. The groups' own grants stay, so nobody else loses anything. Leaving out any one leaves its way open.
 */
export function lostByEnding(
  paths: readonly Pick<
    RolePathRow,
    'role_grant_id' | 'group_id' | 'group_kind' | 'membership_source' | 'membership_change'
  >[],
): EndingGrant[] {
  const byName = new Map<string, EndingGrant>()
  for (const path of paths) {
    if (path.group_id === null) {
      byName.set(path.role_grant_id, { grant: 'role', id: path.role_grant_id })
    } else {
      const source = path.membership_source!
      byName.set(`${path.group_id} ${source} ${path.membership_change}`, {
        grant: 'group_membership',
        groupId: path.group_id,
        groupKind: path.group_kind!,
        source,
      })
    }
  }
  return [...byName.values()]
}
