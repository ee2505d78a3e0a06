import type { FastifyRequest } from 'fastify'
import type { Actor } from '../../directory/access/permission.ts'
import type { Authentication } from '../../directory/api-keys/authentication.ts'
import type { Directory, ReadContext } from '../../directory/context.ts'
import { DirectoryError } from '../../directory/errors.ts'
import type { ProjectsShown } from '../../directory/projects/project-page.ts'
import { type EnteredWorkspace, enterWorkspace } from '../../directory/workspaces/workspace-access.ts'
import type { RouteRefusals } from './errors.ts'
import { DELETED_NOTE } from './project-notes.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The workspace of the path; set before the body is read. */
    entered: EnteredWorkspace
  }
  interface FastifyContextConfig {
    planeRefusals?: RouteRefusals
  }
}

export interface PlaneServices {
  readonly directory: Directory
  readonly authentication: Authentication
}

/**
 * The organization of the key is the scope of every call.
 *
 * @throws {DirectoryError} permission.denied for the root key, which belongs to no organization
 */
export function inOrganization(services: PlaneServices, actor: Actor): ReadContext {
  if (actor.kind !== 'api_key') {
    throw new DirectoryError(
      'permission.denied',
      'The root key belongs to no organization: use an API key of one.',
    )
  }
  return { db: services.directory.database, actor, organizationId: actor.organizationId }
}

/** Finds the workspace of the path, for who may enter it. @throws {DirectoryError} workspace.not_found, permission.denied */
export async function enterWorkspaceOf(services: PlaneServices, request: FastifyRequest): Promise<void> {
  const { slug } = request.params as { slug: string }
  const context = inOrganization(services, request.actor)
  // What no text column can hold names no workspace.
  if (slug.includes('\u0000')) {
    throw new DirectoryError('workspace.not_found', 'There is no workspace with this slug.')
  }
  request.entered = await enterWorkspace(context, slug)
}

/** The projects of the workspace that the caller is shown: not those deleted here. */
export function shownTo(request: FastifyRequest): ProjectsShown {
  return { entered: request.entered, hiddenBy: DELETED_NOTE }
}
