import type { FastifyPluginAsync } from 'fastify'
import type { Directory } from '../../directory/context.ts'
import { DirectoryError } from '../../directory/errors.ts'
import { sql } from '../../platform/postgres/sql.ts'

/** What operators and tools ask a server: whether it runs, whether it can work, and what it serves. */
export function operationsSurface(services: { directory: Directory }): FastifyPluginAsync {
  return async (app) => {
    app.get('/healthz', { schema: { hide: true } }, async () => ({ status: 'ok' }))

    app.get('/readyz', { schema: { hide: true } }, async () => {
      const row = await services.directory.database.row(sql<{ ready: boolean }>`select true as ready`)
      if (row?.ready !== true) throw new DirectoryError('server.busy', 'The database does not answer.')
      return { status: 'ready' }
    })

    app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
  }
}
