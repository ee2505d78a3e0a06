import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import type { DirectoryError } from '../../directory/errors.ts'
import { answerRefusals } from '../http/answer-refusals.ts'
import { authenticateRequest, bearerSecret } from '../http/authenticate.ts'
import { describeRefusals } from '../http/describe-routes.ts'
import type { KeyScopeServices } from '../http/key-scope.ts'
import { accessTokenRoutes } from './access-tokens.ts'
import { toVitableError, vitableError, vitableStatus } from './errors.ts'
import { groupRoutes } from './groups.ts'
import { memberSyncRoutes } from './member-syncs.ts'

const RETRY_AFTER_SECONDS = '1'

/** Everything of the dialect lives below one of these. */
const GROUPS_PREFIX = '/v1/groups'
const AUTH_PREFIX = '/v1/auth'

/** Whether a URL is this dialect's, also where it is too broken to be routed. */
export function isVitableUrl(url: string): boolean {
  return [GROUPS_PREFIX, AUTH_PREFIX].some(
    (prefix) => url.startsWith(prefix) && /^([/?]|$)/.test(url.slice(prefix.length)),
  )
}

/** Vitable's dialect of the directory: groups and group member sync. */
export function vitableSurface(services: KeyScopeServices): FastifyPluginAsync {
  return async (app) => {
    await app.register(scope(services, groupRoutes(services), memberSyncRoutes(services)), {
      prefix: GROUPS_PREFIX,
    })
    await app.register(scope(services, accessTokenRoutes(services)), { prefix: AUTH_PREFIX })
  }
}

function scope(services: KeyScopeServices, ...routes: FastifyPluginAsync[]): FastifyPluginAsync {
  return async (app) => {
    answerRefusals(app, (reply, refusal) => sendVitableError(reply, refusal, reply.request.id))
    describeRefusals(app, vitableError)
    app.decorateRequest('actor')
    app.addHook('onRequest', async (request, reply) => {
      await authenticateRequest(services.authentication, request, reply, bearerSecret(request))
    })
    for (const route of routes) await app.register(route)
  }
}

/** Answers a refusal in the dialect's shape; undefined is a fault of ours. */
export function sendVitableError(
  reply: FastifyReply,
  refusal: DirectoryError | undefined,
  traceId: string,
): FastifyReply {
  const status = refusal === undefined ? 500 : vitableStatus[refusal.code]
  // The Stainless generation retries 409 unless told that a conflict will stay one.
  if (status === 409) void reply.header('x-should-retry', 'false')
  if (refusal?.code === 'server.busy') void reply.header('retry-after', RETRY_AFTER_SECONDS)
  const message = refusal?.message ?? 'Something went wrong here.'
  return reply.code(status).send(toVitableError(message, refusal?.code ?? null, traceId))
}
