import Fastify, { type FastifyInstance, type FastifyReply, LogController } from 'fastify'
import type { Logger } from 'pino'
import type { z } from 'zod'
import type { Authentication } from './directory/api-keys/authentication.ts'
import type { Directory } from './directory/context.ts'
import { DirectoryError } from './directory/errors.ts'
import type { ScimServiceProvider } from './directory/scim/service-provider.ts'
import { uuidV7 } from './platform/uuid.ts'
import { acceptPageSurface } from './surfaces/accept-page/surface.ts'
import { sendProblem, toProblem } from './surfaces/directory/errors.ts'
import { answerProblems, DIRECTORY_PREFIX, directorySurface } from './surfaces/directory/surface.ts'
import { describeRoutes } from './surfaces/http/describe-routes.ts'
import { takeJsonBodies } from './surfaces/http/json-bodies.ts'
import { validateRequest } from './surfaces/http/refusal.ts'
import { isOpenaiUrl, openaiSurface, sendOpenaiError } from './surfaces/openai/surface.ts'
import { operationsSurface } from './surfaces/operations/surface.ts'
import { isPlaneUrl, planeSurface, sendPlaneError, singleSlashes } from './surfaces/plane/surface.ts'
import { isPosthogUrl, posthogSurface, sendPosthogError } from './surfaces/posthog/surface.ts'
import { withoutFlags } from './surfaces/scim/methods.ts'
import { isScimUrl, scimSurface, sendScimError } from './surfaces/scim/surface.ts'
import { isVitableUrl, sendVitableError, vitableSurface } from './surfaces/vitable/surface.ts'

const BODY_BYTES_MAX = 1024 * 1024
const PARAMETER_LENGTH_MAX = 512
/** Longest time a request may take to arrive whole: 64 MB in this time is 1 MB/s. */
const REQUEST_TIMEOUT_MILLIS = 60_000

export interface HttpServices {
  readonly directory: Directory
  readonly authentication: Authentication
  readonly scim: ScimServiceProvider
  readonly log: Logger
  /** Sees every answer with its schema, before it is sent; for tests. */
  readonly checkAnswer?: (schema: z.ZodType, body: unknown) => void
}

/** The HTTP server with every surface, not yet listening. */
export async function createHttpServer(services: HttpServices): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: services.log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => `req_${uuidV7()}`,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MILLIS,
    forceCloseConnections: 'idle',
    rewriteUrl: (request) => withoutFlags(singleSlashes(request.url ?? '/')),
    routerOptions: {
      ignoreTrailingSlash: true,
      ignoreDuplicateSlashes: true,
      maxParamLength: PARAMETER_LENGTH_MAX,
    },
    frameworkErrors: (_error, request, reply: FastifyReply) => {
      const refusal = new DirectoryError('request.invalid', 'The URL is not valid.')
      if (isVitableUrl(request.url)) return sendVitableError(reply, refusal, request.id)
      if (isPosthogUrl(request.url)) return sendPosthogError(reply, refusal)
      if (isOpenaiUrl(request.url)) return sendOpenaiError(reply, refusal, request.id)
      if (isPlaneUrl(request.url)) return sendPlaneError(reply, refusal)
      if (isScimUrl(request.url)) return sendScimError(reply, refusal)
      return sendProblem(reply, toProblem(refusal, request.id))
    },
  }) as unknown as FastifyInstance

  app.setValidatorCompiler(validateRequest)
  // Native JSON.stringify beats every schema serializer; the handlers map each field by hand, so nothing leaks.
  app.setSerializerCompiler(({ schema }) => (body) => {
    services.checkAnswer?.(schema as unknown as z.ZodType, body)
    return JSON.stringify(body)
  })
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('x-request-id', request.id)
  })
  app.addHook('onResponse', async (request, reply) => {
    // The route's pattern, not the URL: values in it may be secrets or personal.
    const { method, routeOptions } = request
    request.log.info(
      {
        method,
        route: routeOptions.url ?? null,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
      },
      'request',
    )
  })
  takeJsonBodies(app)
  answerProblems(app)
  await describeRoutes(app)
  await app.register(operationsSurface(services))
  await app.register(directorySurface(services), { prefix: DIRECTORY_PREFIX })
  await app.register(acceptPageSurface())
  await app.register(vitableSurface(services))
  await app.register(openaiSurface(services))
  await app.register(planeSurface(services))
  await app.register(posthogSurface(services))
  await app.register(scimSurface(services))
  return app
}
