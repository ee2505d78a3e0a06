import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { DirectoryError } from '../../directory/errors.ts'
import { bearerSecret } from '../http/authenticate.ts'
import { takeJsonBodies } from '../http/json-bodies.ts'
import { toRefusal } from '../http/refusal.ts'
import { bulkRoutes } from './bulk.ts'
import { discoveryRoutes } from './discovery.ts'
import { toScimErrorBody } from './errors.ts'
import { groups } from './groups.ts'
import { meRoutes } from './me.ts'
import { methodsOf } from './methods.ts'
import { bulkBytesMax } from './protocol/discovery.ts'
import { ScimError } from './protocol/scim-error.ts'
import { resourceRoutes } from './resources.ts'
import { SCIM_PREFIX, SCIM_TYPE, type ScimServices, sendScim } from './scope.ts'
import { searchRoutes } from './search.ts'
import { users } from './users.ts'

const RETRY_AFTER_SECONDS = 1

/** Whether a URL is this surface's, also where it is too broken to be routed. */
export function isScimUrl(url: string): boolean {
  return url.startsWith(SCIM_PREFIX) && /^([/?]|$)/.test(url.slice(SCIM_PREFIX.length))
}

/**
 * The SCIM service provider (RFC 7644): one endpoint a connection, which sees and changes what it provisioned and
 * nothing else.
 */
export function scimSurface(services: ScimServices): FastifyPluginAsync {
  return async (app) => {
    await app.register(scope(services), { prefix: SCIM_PREFIX })
  }
}

function scope(services: ScimServices): FastifyPluginAsync {
  return async (app) => {
    for (const name of ['scimClient', 'endScimTurn', 'scimRefusal', 'scimCreatedId'] as const) {
      app.decorateRequest(name, null)
    }
    takeJsonBodies(app, { mediaTypes: [SCIM_TYPE, 'application/json'], bytesMax: bulkBytesMax })
    answerScimErrors(app)
    await app.register(connection(services), { prefix: '/:connection' })
  }
}

function connection(services: ScimServices): FastifyPluginAsync {
  const { authentication, limits, requestLog } = services.scim
  return async (app) => {
    answerScimErrors(app)
    app.addHook('onRequest', async (request) => {
      request.scimClient = await authentication.authenticate(bearerSecret(request), connectionIn(request))
      request.endScimTurn = await limits.admit(request.scimClient.connectionId)
      // Nobody would tell who reads the body that it never comes: the turn would not end.
      if (request.raw.destroyed) throw new ScimError(400, undefined, 'The client has hung up.')
    })
    // Once there is an answer, not once it is sent: a client that has hung up takes none.
    app.addHook('onSend', async (request, reply) => {
      request.endScimTurn?.()
      note(requestLog, request, reply)
    })
    await app.register(resourceRoutes(services, users))
    await app.register(resourceRoutes(services, groups))
    for (const routes of [bulkRoutes, searchRoutes, discoveryRoutes, meRoutes]) {
      await app.register(routes(services))
    }
  }
}

const connectionIn = ({ params }: FastifyRequest) => (params as { connection?: string }).connection ?? ''

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

function note(
  requestLog: ScimServices['scim']['requestLog'],
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const connectionId = connectionIn(request)
  // Nobody's connection: there is no log that it belongs to.
  if (!UUID.test(connectionId)) return
  const route = (request.routeOptions.url ?? '').replace(`${SCIM_PREFIX}/:connection`, '')
  const { id } = request.params as { id?: string }
  const about = id ?? request.scimCreatedId ?? undefined
  const refusal = request.scimRefusal
  requestLog.record({
    ...{ client: request.scimClient, connectionId, method: request.method, route, url: request.url },
    ...{ status: reply.statusCode, durationMillis: reply.elapsedTime, headers: request.headers },
    ...(refusal === null ? {} : refusal),
    ...(route.startsWith('/Users') ? { userId: about } : {}),
    ...(route.startsWith('/Groups') ? { groupId: about } : {}),
    requestBody: request.body,
  })
}

function answerScimErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => {
    const refusal = error instanceof ScimError ? error : toRefusal(error)
    if (refusal === undefined) request.log.error({ err: error }, 'request failed')
    return sendScimError(reply, refusal)
  })
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? ''
    const methods = methodsOf(path)
    if (methods !== undefined) {
      void reply.header('allow', methods.join(', '))
      throw new ScimError(405, undefined, `${request.method} is not possible here.`)
    }
    // Not the path: a value in it may be a secret.
    throw new DirectoryError('route.not_found', 'There is no such endpoint here.')
  })
}

/** Answers a refusal; undefined is a fault of ours. */
export function sendScimError(
  reply: FastifyReply,
  refusal: DirectoryError | ScimError | undefined,
): FastifyReply {
  const body = toScimErrorBody(refusal)
  const { scimType, detail } = body
  reply.request.scimRefusal = { ...(scimType === undefined ? {} : { scimType }), detail, responseBody: body }
  if (body.status === '401') void reply.header('www-authenticate', 'Bearer')
  const wait = refusal instanceof DirectoryError ? refusal.details.context?.retry_after_seconds : undefined
  if (body.status === '429' || body.status === '503') {
    void reply.header('retry-after', String(wait ?? RETRY_AFTER_SECONDS))
  }
  return sendScim(reply, Number(body.status), JSON.stringify(body))
}
