import { requirePermissionOn } from '../access/authority.ts'
import type { Context } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { parseEmail } from '../members/email.ts'
import { findOnRoster } from '../roles/roster.ts'
import { removeFromWorkspace } from './offboarding.ts'

/**
 * Takes whoever has an address out of a workspace.
 *
 * @throws {DirectoryError} request.invalid (no address), workspace.not_member (nobody in the workspace has it; also
 *   who is suspended), what `removeFromWorkspace` throws
 */
export async function removeEmailFromWorkspace(
  context: Context,
  workspaceId: string,
  email: string,
  options: { removeSeat: boolean },
): Promise<void> {
  const target = { kind: 'workspace', id: workspaceId } as const
  await requirePermissionOn(context, 'members:write', target)
  const parsed = parseEmail(email)
  if ('problem' in parsed) {
    throw new DirectoryError('request.invalid', `email ${parsed.problem}.`, { field: 'email' })
  }
  const found = await findOnRoster(context, target, { emailKey: parsed.key })
  if (found === undefined || found.status !== 'active') {
    throw new DirectoryError('workspace.not_member', 'Nobody in the workspace has this email.')
  }
  await removeFromWorkspace(context, workspaceId, found.id, options)
}
