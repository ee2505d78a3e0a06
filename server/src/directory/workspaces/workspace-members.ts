import { requirePermissionOn } from '../access/authority.ts'
import { actorRank } from '../access/rank.ts'
import type { Context, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { findMember, type MemberRow } from '../members/member.sql.ts'
import { listMembersWithRole } from '../members/member-filter.sql.ts'
import { rankOf } from '../roles/predefined.ts'
import { targetColumns } from '../roles/target.ts'
import { findWorkspace, type WorkspaceRow } from './workspace.sql.ts'
import { listWorkspaceRoles, type WorkspaceRoleRow } from './workspace-members.sql.ts'

/** A member of a workspace: who has a role on it, its own or a group's. Being in a workspace is nothing else. */
export interface WorkspaceMember {
  readonly member: MemberRow
  /** The highest of its roles there. */
  readonly role: Pick<WorkspaceRoleRow, 'role_id' | 'role_key' | 'role_name'>
  readonly rank: number
  readonly since: string
}

/** @throws {DirectoryError} workspace.not_found */
export async function requireWorkspace(context: ReadContext, slug: string): Promise<WorkspaceRow> {
  const row = await findWorkspace(context.db, context.organizationId, slug)
  if (row === undefined) {
    throw new DirectoryError('workspace.not_found', 'There is no workspace with this slug.')
  }
  return row
}

const notMember = () =>
  new DirectoryError('workspace.not_member', 'The member is not in this workspace.', { field: 'member' })

/** The highest role of some members on a workspace, by member. */
async function highestWorkspaceRoles(
  context: ReadContext,
  workspaceId: string,
  memberIds: readonly string[],
): Promise<Map<string, Omit<WorkspaceMember, 'member'>>> {
  const rows = await listWorkspaceRoles(context.db, context.organizationId, workspaceId, memberIds)
  const highest = new Map<string, Omit<WorkspaceMember, 'member'>>()
  for (const row of rows) {
    const rank = rankOf({ resource: 'workspace', key: row.role_key })
    const known = highest.get(row.member_id)
    if (known === undefined || rank > known.rank) {
      const since = known?.since ?? row.since
      highest.set(row.member_id, { role: row, rank, since })
    }
  }
  return highest
}

/**
 * One page of the members of a workspace, in the order of their creation.
 *
 * @throws {DirectoryError} permission.denied
 */
export async function listWorkspaceMembers(
  context: ReadContext,
  workspaceId: string,
  page: { afterId: string | null; limit: number },
): Promise<WorkspaceMember[]> {
  const target = { kind: 'workspace', id: workspaceId } as const
  await requirePermissionOn(context, 'members:read', target)
  const filter = { roleId: null, place: targetColumns(target), sourceKind: null }
  const rows = await listMembersWithRole(context.db, context.organizationId, filter, {
    ...page,
    status: null,
  })
  const ids = rows.map((row) => row.id)
  const roles = await highestWorkspaceRoles(context, workspaceId, ids)
  return rows.flatMap((member) => {
    const held = roles.get(member.id)
    return held === undefined ? [] : [{ member, ...held }]
  })
}

/** One of them. @throws {DirectoryError} workspace.not_member */
export async function requireWorkspaceMember(
  context: ReadContext,
  workspaceId: string,
  memberId: string,
): Promise<WorkspaceMember> {
  const member = await findMember(context.db, context.organizationId, memberId)
  const held = (await highestWorkspaceRoles(context, workspaceId, [memberId])).get(memberId)
  if (member === undefined || held === undefined) throw notMember()
  return { member, ...held }
}

/** Nobody takes anything from who ranks above them. @throws {DirectoryError} member.outranks */
export async function requireOutranked(
  context: Context,
  workspaceId: string,
  target: WorkspaceMember,
): Promise<void> {
  if (target.rank <= (await actorRank(context, workspaceId))) return
  throw new DirectoryError('member.outranks', 'The member has a higher role in the workspace than yours.')
}
