import type { Actor } from '../../directory/access/permission.ts'
import type { Authentication } from '../../directory/api-keys/authentication.ts'
import type { Directory, ReadContext } from '../../directory/context.ts'
import { DirectoryError } from '../../directory/errors.ts'

/** What a dialect runs on whose keys name the organization. */
export interface KeyScopeServices {
  readonly directory: Directory
  readonly authentication: Authentication
}

/**
 * The organization of the key is the scope of every call.
 *
 * @throws {DirectoryError} permission.denied for the root key, which belongs to no organization
 */
export function inOrganization(services: KeyScopeServices, actor: Actor): ReadContext {
  if (actor.kind !== 'api_key') {
    throw new DirectoryError(
      'permission.denied',
      'The root key belongs to no organization: use an API key of one.',
    )
  }
  return { db: services.directory.database, actor, organizationId: actor.organizationId }
}
