import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import {
  organizationNotFound,
  requireNotDeleted,
  resolveOrganization,
} from '../../directory/organizations/organization.ts'
import { answerRefusals } from '../http/answer-refusals.ts'
import { apiKeySecret, authenticateRequest, bearerSecret } from '../http/authenticate.ts'
import { describeRefusals } from '../http/describe-routes.ts'
import { decodeId, idPrefixes } from '../http/prefixed-id.ts'
import { accessCheckRoutes } from './access-checks.ts'
import { apiKeyRoutes } from './api-keys.ts'
import { changeRoutes } from './changes.ts'
import { domainRoutes } from './domains.ts'
import { faultProblem, problem, sendProblem, toProblem } from './errors.ts'
import type { Services } from './exchange.ts'
import { groupMemberRoutes } from './group-members.ts'
import { groupSyncRoutes } from './group-sync.ts'
import { groupSyncMappingRoutes } from './group-sync-mappings.ts'
import { groupRoutes } from './groups.ts'
import { identityProviderRoutes } from './identity-providers.ts'
import { integrationRoutes } from './integrations.ts'
import { invitationAcceptanceRoutes } from './invitation-acceptances.ts'
import { invitationRoutes } from './invitations.ts'
import { mailRoutes } from './mails.ts'
import { memberAccessRoutes } from './member-access.ts'
import { memberLifecycleRoutes } from './member-lifecycle.ts'
import { memberSyncRoutes } from './member-syncs.ts'
import { memberRoutes } from './members.ts'
import { organizationProjectRoutes } from './organization-projects.ts'
import { organizationRoutes, serverRoutes } from './organizations.ts'
import { pageRoutes } from './pages.ts'
import { planRoutes } from './plans.ts'
import { projectRoutes } from './projects.ts'
import { roleAssignmentRoutes } from './role-assignments.ts'
import { roleRoutes } from './roles.ts'
import { scimConnectionRoutes } from './scim-connections.ts'
import { scimRequestRoutes } from './scim-requests.ts'
import { scimTokenRoutes } from './scim-tokens.ts'
import { teamspaceMemberRoutes } from './teamspace-members.ts'
import { teamspaceProjectRoutes } from './teamspace-projects.ts'
import { teamspaceRoutes } from './teamspaces.ts'
import { workspaceMemberRoutes } from './workspace-members.ts'
import { workspaceRoutes } from './workspaces.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route works on a deleted organization. */
    takesDeleted?: boolean
    /** The route takes something else than a credential, such as the token of an invitation. */
    withoutCredential?: boolean
  }
}

export const DIRECTORY_PREFIX = '/directory/v1'

/** Makes a scope answer refusals and faults as problem documents (RFC 9457), for unknown paths too. */
export function answerProblems(app: FastifyInstance): void {
  answerRefusals(app, (reply, refusal) => {
    const { id } = reply.request
    return sendProblem(reply, refusal === undefined ? faultProblem(id) : toProblem(refusal, id))
  })
}

/** Our own REST API. */
export function directorySurface(services: Services): FastifyPluginAsync {
  const { directory, authentication } = services
  return async (app) => {
    answerProblems(app)
    describeRefusals(app, problem)
    app.decorateRequest('actor')
    app.addHook('onRequest', async (request, reply) => {
      if (request.routeOptions.config.withoutCredential === true) return
      const secret = bearerSecret(request) ?? apiKeySecret(request)
      await authenticateRequest(authentication, request, reply, secret)
    })
    await app.register(serverRoutes(services))
    await app.register(invitationAcceptanceRoutes(services))
    await app.register(
      async (scope) => {
        scope.decorateRequest('organization')
        // Before the body is read: who may not see the organization need not send one.
        scope.addHook('onRequest', async (request) => {
          const { org } = request.params as { org: string }
          // What no text column can hold names no organization.
          if (org.includes('\u0000')) throw organizationNotFound()
          const id = decodeId(idPrefixes.organization, org)
          const selector = id === undefined ? { slug: org } : { id }
          request.organization = await resolveOrganization(directory, request.actor, selector)
          if (request.organization.deleted_at !== null && request.actor.kind !== 'root') {
            throw organizationNotFound()
          }
          const reads = request.method === 'GET' || request.method === 'HEAD'
          if (!reads && request.routeOptions.config.takesDeleted !== true) {
            requireNotDeleted(request.organization)
          }
        })
        await scope.register(organizationRoutes(services))
        await scope.register(memberRoutes(services))
        await scope.register(memberLifecycleRoutes(services))
        await scope.register(memberAccessRoutes(services))
        await scope.register(roleRoutes(services))
        await scope.register(roleAssignmentRoutes(services))
        await scope.register(accessCheckRoutes(services))
        await scope.register(groupRoutes(services))
        await scope.register(groupMemberRoutes(services))
        await scope.register(memberSyncRoutes(services))
        await scope.register(workspaceRoutes(services))
        await scope.register(workspaceMemberRoutes(services))
        await scope.register(projectRoutes(services))
        await scope.register(groupSyncRoutes(services))
        await scope.register(groupSyncMappingRoutes(services))
        await scope.register(teamspaceRoutes(services))
        await scope.register(teamspaceMemberRoutes(services))
        await scope.register(teamspaceProjectRoutes(services))
        await scope.register(pageRoutes(services))
        await scope.register(organizationProjectRoutes(services))
        await scope.register(domainRoutes(services))
        await scope.register(identityProviderRoutes(services))
        await scope.register(scimTokenRoutes(services))
        await scope.register(scimConnectionRoutes(services))
        await scope.register(scimRequestRoutes(services))
        await scope.register(integrationRoutes(services))
        await scope.register(invitationRoutes(services))
        await scope.register(mailRoutes(services))
        await scope.register(planRoutes(services))
        await scope.register(changeRoutes(services))
        await scope.register(apiKeyRoutes(services))
      },
      { prefix: '/organizations/:org' },
    )
  }
}
