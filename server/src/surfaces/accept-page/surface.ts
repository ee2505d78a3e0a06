import type { FastifyPluginAsync } from 'fastify'
import { ACCEPT_PATH } from '../../directory/invitations/send.ts'
import { PAGE, PAGE_HEADERS } from './page.ts'

/** Where people accept invitations. The page asks the Directory API, with the token behind the # of its address. */
export function acceptPageSurface(): FastifyPluginAsync {
  return async (app) => {
    app.get(ACCEPT_PATH, { schema: { hide: true } }, async (_request, reply) =>
      // The media type is not JSON: it is sent as it is.
      reply.headers(PAGE_HEADERS).send(PAGE),
    )
  }
}
