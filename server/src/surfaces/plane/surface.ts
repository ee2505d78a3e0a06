import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { DirectoryError } from '../../directory/errors.ts'
import { answerRefusals } from '../http/answer-refusals.ts'
import { apiKeySecret, authenticateRequest, bearerSecret } from '../http/authenticate.ts'
import { describeRefusals } from '../http/describe-routes.ts'
import { planeError, toPlaneError } from './errors.ts'
import { featureRoutes } from './features.ts'
import { groupSyncRoutes } from './group-sync.ts'
import { invitationRoutes } from './invitations.ts'
import { mappingRoutes } from './mappings.ts'
import { memberRoutes } from './members.ts'
import { projectArchiveRoutes } from './project-archive.ts'
import { projectMemberRoutes } from './project-members.ts'
import { projectRoutes } from './projects.ts'
import { removeMemberRoutes } from './remove-member.ts'
import { roleRoutes } from './roles.ts'
import { enterWorkspaceOf, type PlaneServices } from './scope.ts'
import { teamspaceSetRoutes } from './teamspace-sets.ts'
import { teamspaceRoutes } from './teamspaces.ts'
import { userRoutes } from './users.ts'

const PLANE_PREFIX = '/api/v1'
/** Clients join a base URL that ends in a slash with a path that begins with one. */
const PLANE_URL = /^\/+api\/+v1(?=[/?]|$)/
const RETRY_AFTER_SECONDS = '1'

/** Whether a URL is this dialect's, also where it is too broken to be routed. */
export function isPlaneUrl(url: string): boolean {
  return PLANE_URL.test(url)
}

/** The same URL with single slashes before this dialect's paths; any other as it is. */
export function singleSlashes(url: string): string {
  return url.replace(PLANE_URL, PLANE_PREFIX)
}

/** Plane's dialect of the directory: members, projects, teamspaces and group sync of workspaces. */
export function planeSurface(services: PlaneServices): FastifyPluginAsync {
  return async (app) => {
    await app.register(scope(services), { prefix: PLANE_PREFIX })
  }
}

function scope(services: PlaneServices): FastifyPluginAsync {
  return async (app) => {
    answerRefusals(app, sendPlaneError, 'Page not found.')
    describeRefusals(app, planeError)
    app.decorateRequest('actor')
    app.addHook('onRequest', (request, reply) => authenticate(services, request, reply))
    await app.register(userRoutes(services))
    await app.register(
      async (workspace) => {
        workspace.decorateRequest('entered')
        // Before the body is looked at: who may not enter the workspace hears that first.
        workspace.addHook('onRequest', (request) => enterWorkspaceOf(services, request))
        await workspace.register(memberRoutes(services))
        await workspace.register(removeMemberRoutes(services))
        await workspace.register(invitationRoutes(services))
        await workspace.register(projectRoutes(services))
        await workspace.register(projectArchiveRoutes(services))
        await workspace.register(projectMemberRoutes(services))
        await workspace.register(featureRoutes(services))
        await workspace.register(roleRoutes(services))
        await workspace.register(teamspaceRoutes(services))
        await workspace.register(teamspaceSetRoutes(services))
        await workspace.register(groupSyncRoutes(services))
        await workspace.register(mappingRoutes(services))
      },
      { prefix: '/workspaces/:slug' },
    )
  }
}

async function authenticate(
  services: PlaneServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const secret = apiKeySecret(request) ?? bearerSecret(request)
  try {
    await authenticateRequest(services.authentication, request, reply, secret)
  } finally {
    const reset = reply.getHeader('x-ratelimit-reset')
    // Here it is the moment itself, in epoch seconds.
    if (typeof reset === 'number')
      void reply.header('x-ratelimit-reset', Math.ceil(Date.now() / 1000) + reset)
  }
}

/** Answers a refusal in one of the dialect's shapes; undefined is a fault of ours. */
export function sendPlaneError(reply: FastifyReply, refusal: DirectoryError | undefined): FastifyReply {
  const { status, body } = toPlaneError(refusal, reply.request.routeOptions?.config?.planeRefusals)
  if (status === 401) void reply.header('www-authenticate', 'Bearer')
  if (refusal?.code === 'server.busy') void reply.header('retry-after', RETRY_AFTER_SECONDS)
  return reply.code(status).type('application/json; charset=utf-8').send(JSON.stringify(body))
}
