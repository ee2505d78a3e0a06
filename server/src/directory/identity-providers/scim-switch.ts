import { requirePermission } from '../access/permission.ts'
import type { Context, Directory } from '../context.ts'
import { lockOwners } from '../grants/role-grant.sql.ts'
import { requireLockedIdentityProvider, updateIdentityProvider } from './identity-provider.ts'
import type { IdentityProviderInput } from './settings.ts'

/**
 * Changes settings, and says whether that has switched SCIM on, for callers who then make its token. Of several who
 * switch it on at once, one does.
 *
 * @throws {DirectoryError} what `updateIdentityProvider` throws
 */
export async function updateTellingScim(
  context: Context,
  tools: Pick<Directory, 'encryption' | 'outbound'>,
  id: string,
  input: IdentityProviderInput,
): Promise<{ id: string; isScimSwitchedOn: boolean }> {
  requirePermission(context.actor, 'identity_providers:write')
  // In the order of `updateIdentityProvider`: nobody waits in a circle.
  await lockOwners(context.db, context.organizationId)
  const { scim_enabled: wasOn } = await requireLockedIdentityProvider(context, id)
  const { scim_enabled: isOn } = await updateIdentityProvider(context, tools, id, input)
  return { id, isScimSwitchedOn: isOn && !wasOn }
}
