import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { type Logger, pino } from 'pino'
import { readConfig } from '#src/config.ts'
import { openAuthentication } from '#src/directory/api-keys/authentication.ts'
import type { Directory } from '#src/directory/context.ts'
import { MEMBER_SYNC_TASK } from '#src/directory/member-syncs/member-sync.sql.ts'
import { memberSyncHandler } from '#src/directory/member-syncs/member-sync.tasks.ts'
import { scimGroupSyncHandler } from '#src/directory/scim/group-sync.tasks.ts'
import { SCIM_GROUP_SYNC_TASK } from '#src/directory/scim/group-sync.ts'
import { openScimServiceProvider, type ScimServiceProvider } from '#src/directory/scim/service-provider.ts'
import { createHttpServer } from '#src/http-server.ts'
import { openMailQueue } from '#src/mail-queue.ts'
import { openOutside } from '#src/outside.ts'
import { type Database, openDatabase } from '#src/platform/postgres/database.ts'
import { createTaskQueue, type TaskQueue } from '#src/platform/tasks/queue.ts'
import { beforeDatabasesDrop, freshDatabase } from './harness.ts'
import { testMailing } from './mailing.ts'

export const ROOT_KEY = 'root-key-of-the-tests'
const ENCRYPTION_KEY = 'encryption-key-of-the-tests'

export interface Answer {
  readonly status: number
  readonly headers: Record<string, unknown>
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers of every shape and assert what they read
  readonly body: any
}

export interface Call {
  /** A secret; absent: the root key; null: none. */
  readonly key?: string | null
  readonly body?: unknown
  /** A body sent as it is. */
  readonly raw?: string | Buffer
  readonly headers?: Record<string, string>
}

/** A whole server in this process, on a database of its own, with its task queue running. */
export interface TestApp {
  readonly http: FastifyInstance
  readonly directory: Directory
  readonly scim: ScimServiceProvider
  readonly database: Database
  readonly connectionString: string
  /** Sends a request through the router, without a network. */
  call(method: string, path: string, call?: Call): Promise<Answer>
  /** Creates an organization and a key of it that may do everything. */
  organization(
    slug: string,
  ): Promise<{ id: string; slug: string; path: string; key: string; ownerId: string }>
  /** Waits until a member sync of Vitable's dialect is over. */
  syncOver(key: string, groupId: string, requestId: string): Promise<Answer['body']>
  /** Needs no call: it is closed after the file's tests at the latest. */
  close(): Promise<void>
}

export interface TestAppOptions {
  readonly log?: Logger
  /** Without a queue, member syncs wait: tests of what happens before one starts. */
  readonly withoutTasks?: boolean
  readonly poolSize?: number
  /** Another process of a server that runs already: its database is shared. */
  readonly beside?: TestApp
  /** Settings of the environment. */
  readonly settings?: Readonly<Record<string, string>>
  /** Where mails go; absent: they stay in the outbox. */
  readonly smtpUrl?: string
  /** Where people reach it; absent: an address that is none. */
  readonly publicUrl?: () => string
}

async function openDatabaseFor({ beside, poolSize = 10 }: TestAppOptions) {
  if (beside === undefined) return await freshDatabase({ poolSize })
  const { connectionString } = beside
  const database = openDatabase({ connectionString, poolSize })
  return { database, connectionString, drop: () => database.close() }
}

export async function startTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const log = options.log ?? pino({ level: 'silent' })
  const { database, connectionString, drop } = await openDatabaseFor(options)
  const authentication = await openAuthentication(database, ROOT_KEY)
  const scim = openScimServiceProvider(database, log)
  const { smtpUrl, publicUrl } = options
  const config = readConfig({ ROLLCALL_ENCRYPTION_KEY: ENCRYPTION_KEY, ...options.settings })
  const outside = openOutside(config)
  const mailing = testMailing({
    encryption: outside.encryption,
    isDelivering: smtpUrl !== undefined,
    ...(publicUrl === undefined ? {} : { publicUrl }),
  })
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
      [SCIM_GROUP_SYNC_TASK]: scimGroupSyncHandler(directory),
    },
  })
  if (options.withoutTasks !== true) {
    queues.push(tasks)
    if (smtpUrl !== undefined) queues.push(openMailQueue(directory, { smtpUrl, mailFrom: undefined, log }))
    for (const queue of queues) queue.start()
  }
  const http = await createHttpServer({
    directory,
    ...{ authentication, scim, log },
    // An answer that its schema does not describe fails the request, and with it the test.
    checkAnswer: (schema, body) => void schema.parse(body),
  })
  await http.ready()

  async function call(method: string, path: string, given: Call = {}): Promise<Answer> {
    const key = given.key === undefined ? ROOT_KEY : given.key
    const response = await http.inject({
      method: method as 'GET',
      url: path,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(given.body === undefined && given.raw === undefined
          ? {}
          : { 'content-type': 'application/json' }),
        ...given.headers,
      },
      ...(given.raw === undefined ? {} : { payload: given.raw }),
      ...(given.body === undefined ? {} : { payload: JSON.stringify(given.body) }),
    })
    const isJson = String(response.headers['content-type'] ?? '').includes('json')
    return {
      status: response.statusCode,
      headers: response.headers,
      body: isJson && response.body !== '' ? JSON.parse(response.body) : response.body,
    }
  }

  let closed: Promise<void> | undefined
  async function close(): Promise<void> {
    await http.close()
    for (const queue of queues) await queue.stop(5000)
    await scim.close()
    await authentication.close()
    await drop()
  }
  const closeOnce = () => {
    closed ??= close()
    return closed
  }
  beforeDatabasesDrop(closeOnce)

  return {
    http,
    directory,
    scim,
    database,
    connectionString,
    call,
    async organization(slug) {
      const owner = { email: `owner@${slug}.example`, display_name: 'Owner' }
      const created = await call('POST', '/directory/v1/organizations', { body: { name: slug, slug, owner } })
      assert.equal(created.status, 201, JSON.stringify(created.body))
      const path = `/directory/v1/organizations/${slug}`
      const made = await call('POST', `${path}/api_keys`, { body: { name: 'all', scopes: ['*'] } })
      assert.equal(made.status, 201, JSON.stringify(made.body))
      return { id: created.body.id, slug, path, key: made.body.key, ownerId: created.body.owner.id }
    },
    async syncOver(key, groupId, requestId) {
      for (let tries = 0; tries < 3000; tries++) {
        const { status, body } = await call('GET', `/v1/groups/${groupId}/members/sync/${requestId}`, { key })
        assert.equal(status, 200, JSON.stringify(body))
        if (body.data.completed_at !== null) return body.data
        await setTimeout(10)
      }
      throw new Error(`member sync ${requestId} does not end`)
    },
    close: closeOnce,
  }
}
