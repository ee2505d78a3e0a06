import type { Context } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { holdMembers } from '../members/member.sql.ts'
import { listWorkspaceRoles } from '../workspaces/workspace-members.sql.ts'

/**
 * Requires members to be in a workspace, by a role of their own or of a group, and to stay there until COMMIT.
 *
 * @param field where the request names the member of an index
 * @throws {DirectoryError} workspace.not_member, naming the first who is not
 */
export async function requireInWorkspace(
  context: Context,
  workspaceId: string,
  memberIds: readonly string[],
  field: (index: number) => string,
): Promise<void> {
  const { db, organizationId } = context
  await holdMembers(db, organizationId, memberIds)
  const roles = await listWorkspaceRoles(db, organizationId, workspaceId, memberIds)
  const present = new Set(roles.map((role) => role.member_id))
  const index = memberIds.findIndex((id) => !present.has(id))
  if (index === -1) return
  throw new DirectoryError('workspace.not_member', `${field(index)} is not a member of this workspace.`, {
    field: field(index),
  })
}
