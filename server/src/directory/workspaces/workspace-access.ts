import { actorRank } from '../access/rank.ts'
import type { ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { rankOf } from '../roles/predefined.ts'
import type { WorkspaceRow } from './workspace.sql.ts'
import { requireWorkspace } from './workspace-members.ts'

/** A workspace, and how high who asks ranks in it. */
export interface EnteredWorkspace {
  readonly workspace: WorkspaceRow
  /** Among the roles of workspaces; above them all: the organization's own keys, its owners and admins. */
  readonly rank: number
}

/**
 * The workspace that a request is about, for dialects whose every call is one of a member of it: who acts as a member
 * that has no role there is turned away, whatever the organization gives.
 *
 * @throws {DirectoryError} workspace.not_found, permission.denied
 */
export async function enterWorkspace(context: ReadContext, slug: string): Promise<EnteredWorkspace> {
  const workspace = await requireWorkspace(context, slug)
  const rank = await actorRank(context, workspace.id)
  if (rank === 0) throw new DirectoryError('permission.denied', 'You are not a member of this workspace.')
  return { workspace, rank }
}

const ADMIN_RANK = rankOf({ resource: 'workspace', key: 'admin' })

/** Whether somebody of this rank administers the workspace: its owners and admins, and who ranks above them. */
export function administersWorkspace(rank: number): boolean {
  return rank >= ADMIN_RANK
}
