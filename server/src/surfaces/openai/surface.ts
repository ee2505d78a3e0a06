import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import type { DirectoryError, DirectoryErrorCode } from '../../directory/errors.ts'
import { answerRefusals } from '../http/answer-refusals.ts'
import { authenticateRequest, bearerSecret } from '../http/authenticate.ts'
import { describeRefusals } from '../http/describe-routes.ts'
import type { KeyScopeServices } from '../http/key-scope.ts'
import { openaiError, openaiErrors, toOpenaiError } from './errors.ts'
import { groupUserRoutes } from './group-users.ts'
import { groupRoutes } from './groups.ts'
import { inviteRoutes } from './invites.ts'
import { projectGroupRoutes } from './project-groups.ts'
import { projectRoleRoutes } from './project-roles.ts'
import { projectUserRoutes } from './project-users.ts'
import { projectRoutes } from './projects.ts'
import { organizationGroupRoles, organizationUserRoles } from './role-holder-kinds.ts'
import { roleHolderRoutes } from './role-holders.ts'
import { organizationRoleRoutes } from './roles.ts'
import { userRoutes } from './users.ts'

/** When a server that cannot reach its database is worth asking again. */
const BUSY_RETRY_MILLIS = 1000

/** Everything of the dialect lives below one of these. */
const ORGANIZATION_PREFIX = '/v1/organization'
const PROJECTS_PREFIX = '/v1/projects'

/** Refusals that stay what they are, however often they are asked for again. */
const LASTING: ReadonlySet<DirectoryErrorCode> = new Set(['group.managed'])

/** Whether a URL is this dialect's, also where it is too broken to be routed. */
export function isOpenaiUrl(url: string): boolean {
  return [ORGANIZATION_PREFIX, PROJECTS_PREFIX].some(
    (prefix) => url.startsWith(prefix) && /^([/?]|$)/.test(url.slice(prefix.length)),
  )
}

/** OpenAI's dialect of the directory: the organization's groups, users, roles, projects and invites. */
export function openaiSurface(services: KeyScopeServices): FastifyPluginAsync {
  return async (app) => {
    await app.register(scope(services, organizationRoutes(services)), { prefix: ORGANIZATION_PREFIX })
    await app.register(scope(services, [projectRoleRoutes(services)]), { prefix: PROJECTS_PREFIX })
  }
}

function organizationRoutes(services: KeyScopeServices): FastifyPluginAsync[] {
  return [
    groupRoutes(services),
    groupUserRoutes(services),
    organizationRoleRoutes(services),
    userRoutes(services),
    async (app) => {
      roleHolderRoutes(app, services, organizationGroupRoles)
      roleHolderRoutes(app, services, organizationUserRoles)
    },
    projectRoutes(services),
    projectGroupRoutes(services),
    projectUserRoutes(services),
    inviteRoutes(services),
  ]
}

function scope(services: KeyScopeServices, routes: readonly FastifyPluginAsync[]): FastifyPluginAsync {
  return async (app) => {
    answerRefusals(app, (reply, refusal) => sendOpenaiError(reply, refusal, reply.request.id))
    describeRefusals(app, openaiError)
    app.decorateRequest('actor')
    app.addHook('onRequest', async (request, reply) => {
      await authenticateRequest(services.authentication, request, reply, bearerSecret(request))
    })
    for (const route of routes) await app.register(route)
  }
}

/** Answers a refusal in the dialect's shape; undefined is a fault of ours. */
export function sendOpenaiError(
  reply: FastifyReply,
  refusal: DirectoryError | undefined,
  requestId: string,
): FastifyReply {
  const [status, code] = refusal === undefined ? [500, 'server_error'] : openaiErrors[refusal.code]
  // Nothing has set it yet where the URL could not even be routed.
  void reply.header('x-request-id', requestId)
  // The SDKs ask again after every 409 unless told that it will stay one.
  if (status === 409 || (refusal !== undefined && LASTING.has(refusal.code))) {
    void reply.header('x-should-retry', 'false')
  }
  if (status === 401) void reply.header('www-authenticate', 'Bearer')
  if (refusal?.code === 'server.busy') {
    void reply.headers({
      'retry-after': Math.ceil(BUSY_RETRY_MILLIS / 1000),
      'retry-after-ms': BUSY_RETRY_MILLIS,
    })
  }
  const message = refusal?.message ?? 'Something went wrong here.'
  return reply.code(status).send(toOpenaiError({ status, code }, message, refusal?.details.field ?? null))
}
