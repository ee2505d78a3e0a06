import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import type { DirectoryError } from '../../directory/errors.ts'
import { answerRefusals } from '../http/answer-refusals.ts'
import { authenticateRequest, bearerSecret } from '../http/authenticate.ts'
import { describeRefusals } from '../http/describe-routes.ts'
import type { KeyScopeServices } from '../http/key-scope.ts'
import { domainScimRoutes } from './domain-scim.ts'
import { domainRoutes } from './domains.ts'
import { posthogError, posthogErrors, ruleCodes, toAttr, toPosthogError } from './errors.ts'
import { identityProviderConfigRoutes } from './identity-provider-configs.ts'
import { integrationRoutes } from './integrations.ts'
import { inviteRoutes } from './invites.ts'
import { memberRoutes } from './members.ts'
import { organizationRoutes } from './organizations.ts'
import { roleMembershipRoutes } from './role-memberships.ts'
import { roleRoutes } from './roles.ts'

const RETRY_AFTER_SECONDS = '1'

/** Everything of the dialect lives below it. */
const PREFIX = '/api/organizations'

/** Whether a URL is this dialect's, also where it is too broken to be routed. */
export function isPosthogUrl(url: string): boolean {
  return url.startsWith(PREFIX) && /^([/?]|$)/.test(url.slice(PREFIX.length))
}

/** PostHog's dialect of the directory: organizations, their domains, identity providers, invites, members and roles. */
export function posthogSurface(services: KeyScopeServices): FastifyPluginAsync {
  return async (app) => {
    await app.register(scope(services), { prefix: PREFIX })
  }
}

function scope(services: KeyScopeServices): FastifyPluginAsync {
  const routes = [
    organizationRoutes,
    domainRoutes,
    domainScimRoutes,
    identityProviderConfigRoutes,
    inviteRoutes,
    integrationRoutes,
    memberRoutes,
    roleRoutes,
    roleMembershipRoutes,
  ]
  return async (app) => {
    answerRefusals(app, sendPosthogError)
    describeRefusals(app, posthogError)
    app.decorateRequest('actor')
    app.addHook('onRequest', async (request, reply) => {
      await authenticateRequest(services.authentication, request, reply, bearerSecret(request))
    })
    for (const route of routes) await app.register(route(services))
  }
}

/** Answers a refusal in the dialect's shape; undefined is a fault of ours. */
export function sendPosthogError(reply: FastifyReply, refusal: DirectoryError | undefined): FastifyReply {
  if (refusal === undefined) {
    const fault = { status: 500, code: 'error' }
    return reply.code(500).send(toPosthogError(fault, 'Something went wrong here.', null))
  }
  const answer = answerOf(refusal)
  if (answer.status === 401) void reply.header('www-authenticate', 'Bearer')
  if (refusal.code === 'server.busy') void reply.header('retry-after', RETRY_AFTER_SECONDS)
  return reply.code(answer.status).send(toPosthogError(answer, refusal.message, answer.attr))
}

function answerOf({ code: ours, details }: DirectoryError): {
  status: number
  code: string
  attr: string | null
} {
  const [status, code] = posthogErrors[ours]
  const attr = details.field === undefined ? null : toAttr(details.field)
  if (details.rule !== undefined) return { status, code: ruleCodes[details.rule], attr }
  // What the path names is not found; what a field names and is not there makes the field wrong.
  return status === 404 && attr !== null
    ? { status: 400, code: 'invalid_input', attr }
    : { status, code, attr }
}
