import type { Logger } from 'pino'
import type { Config } from './config.ts'
import { openAuthentication } from './directory/api-keys/authentication.ts'
import type { Directory } from './directory/context.ts'
import { DOMAIN_CHECK_TASK, domainCheckHandler } from './directory/domains/domain.tasks.ts'
import { MEMBER_SYNC_TASK } from './directory/member-syncs/member-sync.sql.ts'
import { memberSyncHandler } from './directory/member-syncs/member-sync.tasks.ts'
import { scimGroupSyncHandler } from './directory/scim/group-sync.tasks.ts'
import { SCIM_GROUP_SYNC_TASK } from './directory/scim/group-sync.ts'
import { openScimServiceProvider } from './directory/scim/service-provider.ts'
import { SWEEP_TASK, sweepHandler } from './directory/sweep.tasks.ts'
import { createHttpServer } from './http-server.ts'
import { openMailQueue } from './mail-queue.ts'
import { openOutside } from './outside.ts'
import type { Database } from './platform/postgres/database.ts'
import { createTaskQueue, type TaskQueue } from './platform/tasks/queue.ts'
import { ensureTask } from './platform/tasks/task.sql.ts'

export interface AppDependencies {
  readonly config: Config
  readonly database: Database
  readonly log: Logger
}

export interface App {
  /** Answers the address it serves. */
  listen(): Promise<string>
  /** Takes no new requests and ends the running ones, then hands back the leases of tasks. */
  close(): Promise<void>
  /** The root key, when this start made it. */
  readonly rootKey?: string
}

/** Time for tasks under way at a shutdown; then their leases go back, and another worker runs them again. */
const TASK_GRACE_MILLIS = 10_000

/** The composition root. */
export async function createApp({ config, database, log }: AppDependencies): Promise<App> {
  const authentication = await openAuthentication(database, config.rootKey)
  const scim = openScimServiceProvider(database, log)
  const { smtpUrl, mailFrom } = config
  let address: string | undefined
  const outside = openOutside(config, database)
  const mailing = {
    publicUrl: () => config.publicUrl ?? address ?? `http://${config.host}:${config.port}`,
    encryption: outside.encryption,
    isDelivering: smtpUrl !== undefined,
  }
  const queues: TaskQueue[] = []
  const directory: Directory = {
    ...{ database, mailing },
    ...outside,
    wakeTasks() {
      for (const queue of queues) queue.wake()
    },
  }
  const tasks = createTaskQueue({
    database,
    log,
    handlers: {
      [MEMBER_SYNC_TASK]: memberSyncHandler(directory),
      [SWEEP_TASK]: sweepHandler(directory),
      [DOMAIN_CHECK_TASK]: domainCheckHandler(directory, log),
      [SCIM_GROUP_SYNC_TASK]: scimGroupSyncHandler(directory),
    },
  })
  queues.push(tasks)
  if (smtpUrl !== undefined) queues.push(openMailQueue(directory, { smtpUrl, mailFrom, log }))
  await ensureTask(database, SWEEP_TASK)
  await ensureTask(database, DOMAIN_CHECK_TASK)
  const http = await createHttpServer({ directory, authentication, scim, log })
  const { madeRootKey } = authentication
  return {
    ...(madeRootKey === undefined ? {} : { rootKey: madeRootKey }),
    async listen() {
      address = await http.listen({ host: config.host, port: config.port })
      for (const queue of queues) queue.start()
      return address
    },
    async close() {
      await http.close()
      await Promise.all(queues.map((queue) => queue.stop(TASK_GRACE_MILLIS)))
      await scim.close()
      await authentication.close()
    },
  }
}
