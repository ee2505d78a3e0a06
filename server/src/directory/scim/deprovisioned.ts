import type { ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { isDeprovisioned, isDeprovisionedAddress } from './users-of-members.sql.ts'

/**
 * Whom an identity provider has deactivated, nobody else makes active again.
 *
 * @throws {DirectoryError} member.deprovisioned
 */
export async function requireProvisioned(context: ReadContext, memberId: string): Promise<void> {
  if (!(await isDeprovisioned(context.db, context.organizationId, memberId))) return
  throw deprovisioned()
}

/**
 * Nor does anybody come back as a new member by an invitation, while the identity provider still has them as inactive.
 *
 * @param emailKey of somebody who is no member
 * @throws {DirectoryError} member.deprovisioned
 */
export async function requireNotDeprovisioned(context: ReadContext, emailKey: string): Promise<void> {
  if (await isDeprovisionedAddress(context.db, context.organizationId, emailKey)) throw deprovisioned()
}

function deprovisioned(): DirectoryError {
  return new DirectoryError(
    'member.deprovisioned',
    'The identity provider that provisions the member has deactivated it: activate it there.',
  )
}
