import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Authentication } from '../../directory/api-keys/authentication.ts'
import { applyChange } from '../../directory/changes/change.ts'
import type { ChangeDraft, ChangeRecord } from '../../directory/changes/change-draft.ts'
import { commitPrepared, type PreparedChange } from '../../directory/changes/prepared-change.ts'
import type { Context, Directory, ReadContext } from '../../directory/context.ts'
import type { ScimClient } from '../../directory/scim/authentication.ts'
import type { ScimServiceProvider } from '../../directory/scim/service-provider.ts'
import type { ScimErrorBody } from './errors.ts'

export interface ScimServices {
  readonly directory: Directory
  /** Of API keys: those of whom SCIM deprovisions die here at once. */
  readonly authentication: Pick<Authentication, 'forget'>
  readonly scim: ScimServiceProvider
}

export const SCIM_PREFIX = '/scim/v2'
export const SCIM_TYPE = 'application/scim+json'

/** The connection that asks, as every operation needs it. */
export class ScimScope {
  readonly baseUrl: string
  readonly #directory: Directory
  readonly #authentication: ScimServices['authentication']
  readonly #commits: ScimServiceProvider['commits']
  readonly #client: ScimClient

  constructor({ directory, authentication, scim }: ScimServices, client: ScimClient) {
    this.#directory = directory
    this.#authentication = authentication
    this.#commits = scim.commits
    this.#client = client
    this.baseUrl = `${directory.mailing.publicUrl()}${SCIM_PREFIX}/${client.connectionId}`
  }

  get reading(): ReadContext {
    return { db: this.#directory.database, ...this.#request }
  }

  /**
   * Runs one operation, whole or not at all.
   *
   * @param prepare makes of it what most often is all there is to do, without a transaction of its own; undefined: it
   *   takes one
   */
  async write<T>(
    work: (context: Context) => Promise<T>,
    prepare?: (context: ReadContext) => Promise<PreparedChange<T> | undefined>,
  ): Promise<T> {
    const prepared = await prepare?.(this.reading)
    if (prepared === undefined) return await this.#carryOut(work)
    const committed = await commitPrepared(this.#commits, this.reading, prepared)
    if (committed === undefined) return await this.#carryOut(work)
    if (prepared.write !== undefined && takesAccess(prepared.write.record)) this.#authentication.forget()
    return committed.result
  }

  async #carryOut<T>(work: (context: Context) => Promise<T>): Promise<T> {
    let change: ChangeDraft | undefined
    const result = await applyChange(this.#directory, this.#request, async (context) => {
      change = context.change
      return await work(context)
    })
    // What this very change took from a key must not work on from this process's cache.
    if (change !== undefined && endsAccess(change)) this.#authentication.forget()
    if (change?.requestsTask === true) this.#directory.wakeTasks()
    return result
  }

  get #request() {
    const { organizationId, connectionId } = this.#client
    return { organizationId, actor: { kind: 'scim_connection', id: connectionId } as const }
  }
}

function endsAccess({ ended, record }: ChangeDraft): boolean {
  return ended > 0 || (record !== undefined && takesAccess(record))
}

function takesAccess({ kind }: ChangeRecord): boolean {
  return kind === 'member.suspended' || kind === 'member.removed'
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose SCIM client asks; null before it is known. */
    scimClient: ScimClient | null
    /** Ends the request's turn among those of its connection. */
    endScimTurn: (() => void) | null
    /** What the answer says of a refusal. */
    scimRefusal: {
      readonly scimType?: string
      readonly detail: string
      readonly responseBody: ScimErrorBody
    } | null
    /** The id of what the request created. */
    scimCreatedId: string | null
  }
}

/** The scope of a request that is let in. */
export function scopeOf(services: ScimServices, request: FastifyRequest): ScimScope {
  if (request.scimClient === null) throw new Error('a SCIM request without its client')
  return new ScimScope(services, request.scimClient)
}

/** What is JSON text already is sent as it is: the framework would add a charset to the media type, which some clients compare whole. */
const asItIs = (json: unknown) => json as string

/** JSON text, or its bytes in memory of their own, which is given back when they are sent. */
export type ScimJson = string | Buffer<ArrayBuffer>

/** Answers a resource, or a list, that is JSON text already. */
export function sendScim(reply: FastifyReply, status: number, json: ScimJson): FastifyReply {
  // Megabytes for a large group: the garbage collector would let tens of them come together before it looks.
  if (typeof json !== 'string') reply.raw.once('finish', () => json.buffer.transfer(0))
  return reply.code(status).header('content-type', SCIM_TYPE).serializer(asItIs).send(json)
}
