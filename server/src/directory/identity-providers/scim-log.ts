import { requirePermission } from '../access/permission.ts'
import type { ReadContext } from '../context.ts'

/**
 * Who may read the requests of SCIM clients: they hold what people's records held.
 *
 * @throws {DirectoryError} permission.denied
 */
export function requireScimLogAccess(context: ReadContext): void {
  requirePermission(context.actor, 'identity_providers:write')
}
