import type { FastifyInstance, FastifyReply } from 'fastify'
import { DirectoryError } from '../../directory/errors.ts'
import { toRefusal } from './refusal.ts'

/** Not the path: a value in it may be a secret. */
const UNKNOWN_PATH = 'There is no such endpoint here.'

/**
 * Makes a scope answer what it refuses in its own shape, for unknown paths too. Faults of ours are logged.
 *
 * @param send answers a refusal; undefined is a fault of ours
 * @param unknownPath what is said of a path that is none
 */
export function answerRefusals(
  app: FastifyInstance,
  send: (reply: FastifyReply, refusal: DirectoryError | undefined) => FastifyReply,
  unknownPath: string = UNKNOWN_PATH,
): void {
  app.setErrorHandler((error, request, reply) => {
    const refusal = toRefusal(error)
    if (refusal === undefined) request.log.error({ err: error }, 'request failed')
    return send(reply, refusal)
  })
  app.setNotFoundHandler(() => {
    throw new DirectoryError('route.not_found', unknownPath)
  })
}
