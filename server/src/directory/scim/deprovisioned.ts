import type { ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { isDeprovisioned } from './user.sql.ts'

/**
 * Whom an identity provider has deactivated, nobody else makes active again.
 *
 * @throws {DirectoryError} member.deprovisioned
 */
export async function requireProvisioned(context: ReadContext, memberId: string): Promise<void> {
  if (!(await isDeprovisioned(context.db, context.organizationId, memberId))) return
  throw new DirectoryError(
    'member.deprovisioned',
    'The identity provider that provisions the member has deactivated it: activate it there.',
  )
}
