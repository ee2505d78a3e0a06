import Fastify from 'fastify'
import type { Logger } from 'pino'
import type { Config } from './config.ts'
import type { Database } from './platform/postgres/database.ts'

export interface AppDependencies {
  readonly config: Config
  readonly database: Database
  readonly log: Logger
}

export interface App {
  /** Answers the address it serves. */
  listen(): Promise<string>
  /** Takes no new requests and ends the running ones. */
  close(): Promise<void>
  /** The root key, when this start made it. */
  readonly rootKey?: string
}

/** The composition root. */
export async function createApp({ config, log }: AppDependencies): Promise<App> {
  const http = Fastify({ loggerInstance: log })
  http.get('/healthz', async () => ({ status: 'ok' }))
  return {
    listen: () => http.listen({ host: config.host, port: config.port }),
    close: () => http.close(),
  }
}
