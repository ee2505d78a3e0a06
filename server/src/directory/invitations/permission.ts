import { requirePermissionOnAll } from '../access/authority.ts'
import { holdsPermission, type Level, type Permission } from '../access/permission.ts'
import type { ReadContext } from '../context.ts'
import { listWorkspacesOfProjects } from '../projects/project.sql.ts'
import { ORGANIZATION, type Target } from '../roles/target.ts'
import type { InvitationRow } from './invitation.sql.ts'
import { toOffer } from './offer.ts'

/** What an invitation is to, and what it offers. */
interface Inviting {
  readonly level: Level
  readonly workspaceId?: string | null | undefined
  readonly grants: readonly { readonly workspaceId?: string | null; readonly projectId?: string | null }[]
}

export function toInviting(row: InvitationRow): Inviting {
  return { ...toOffer(row), workspaceId: row.workspace_id }
}

/**
 * Where a permission is asked for: on the workspace that an invitation is to, if all it offers is on the workspace or on
 * its projects; on the organization otherwise.
 */
function placeOf(
  { level, workspaceId = null, grants }: Inviting,
  workspaces: ReadonlyMap<string, string | null>,
): Target {
  if (workspaceId === null || level !== 'member') return ORGANIZATION
  const isWithin = grants.every((grant) => {
    const projectId = grant.projectId ?? null
    const of = projectId === null ? grant.workspaceId : workspaces.get(projectId)
    return of === workspaceId
  })
  return isWithin ? { kind: 'workspace', id: workspaceId } : ORGANIZATION
}

/**
 * Inviting to a workspace is for who may invite there; what reaches beyond it, for who may in the organization. The
 * same goes for reading, changing and revoking an invitation. Two statements, however many there are.
 *
 * @throws {DirectoryError} permission.denied
 */
export async function requireForInvitations(
  context: ReadContext,
  permission: Extract<Permission, `invitations:${string}`>,
  invitations: readonly Inviting[],
): Promise<void> {
  if (holdsPermission(context.actor, permission)) return
  const ids = invitations.flatMap(({ grants }) => grants.flatMap(({ projectId }) => projectId ?? []))
  const rows = await listWorkspacesOfProjects(context.db, context.organizationId, [...new Set(ids)])
  const workspaces = new Map(rows.map((row) => [row.id, row.workspace_id]))
  await requirePermissionOnAll(
    context,
    permission,
    invitations.map((one) => placeOf(one, workspaces)),
  )
}
