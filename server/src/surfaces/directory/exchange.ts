import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Authentication } from '../../directory/api-keys/authentication.ts'
import { applyChange, type Preview, previewChange } from '../../directory/changes/change.ts'
import type { ChangeDraft } from '../../directory/changes/change-draft.ts'
import type { Context, Directory, ReadContext } from '../../directory/context.ts'
import { DirectoryError } from '../../directory/errors.ts'
import {
  claimIdempotencyKey,
  digestRequest,
  IDEMPOTENCY_KEY_LENGTH_MAX,
  type IdempotentRequest,
  type StoredAnswer,
  storeAnswer,
} from '../../directory/idempotency/idempotency.ts'
import type { ResolvedOrganization } from '../../directory/organizations/organization.ts'
import type { ScimServiceProvider } from '../../directory/scim/service-provider.ts'
import { PROBLEM_TYPE, toProblem } from './errors.ts'
import { toDetail, toEffects, toId } from './wire.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The organization of the path, if the credential may see it. */
    organization: ResolvedOrganization
  }
}

export interface Services {
  readonly directory: Directory
  readonly authentication: Authentication
  readonly scim: Pick<ScimServiceProvider, 'authentication'>
}

/** Where a reading handler reads: outside of a transaction, each statement by itself. */
export function reading(services: Services, request: FastifyRequest): ReadContext {
  return {
    db: services.directory.database,
    actor: request.actor,
    organizationId: request.organization.id,
  }
}

const IDEMPOTENCY_KEY = /^[\x21-\x7e]+$/

/**
 * The request's Idempotency-Key, if it has one.
 *
 * @param body what stands for the body where the route read it itself
 * @throws {DirectoryError} request.invalid
 */
export function idempotency(
  request: FastifyRequest,
  scope: string,
  ...body: readonly (string | Buffer)[]
): IdempotentRequest | undefined {
  const key = request.headers['idempotency-key']
  if (key === undefined || request.method !== 'POST') return undefined
  if (typeof key !== 'string' || key.length > IDEMPOTENCY_KEY_LENGTH_MAX || !IDEMPOTENCY_KEY.test(key)) {
    throw new DirectoryError(
      'request.invalid',
      `Idempotency-Key must be 1 to ${IDEMPOTENCY_KEY_LENGTH_MAX} visible ASCII characters.`,
      { field: 'Idempotency-Key' },
    )
  }
  const parts = body.length === 0 ? [JSON.stringify(request.body ?? null)] : body
  return { scope, key, digest: digestRequest(request.actor, request.method, request.url, ...parts) }
}

/** The version an If-Match names. @throws {DirectoryError} request.invalid */
export function expectedVersion(request: FastifyRequest): number | undefined {
  const header = request.headers['if-match']
  if (header === undefined || header === '*') return undefined
  const match = /^"(\d{1,9})"$/.exec(header)
  if (match === null) {
    throw new DirectoryError('request.invalid', 'If-Match must be one ETag as we sent it, such as "3".', {
      field: 'If-Match',
    })
  }
  return Number(match[1])
}

export function setVersion(reply: FastifyReply, version: number): void {
  void reply.header('etag', `"${version}"`)
}

export interface WriteOptions<T> {
  readonly status: 200 | 201 | 202 | 204
  /** The body to answer; absent with status 204. */
  readonly render?: (result: T) => unknown
  /** A refusal that stands although the operation has had its effect, which stays. */
  readonly refusal?: (result: T) => DirectoryError | undefined
  /** The answer carries a secret: it is never stored. */
  readonly secret?: boolean
}

/** Sends an answer that was stored for an Idempotency-Key. */
export function replay(reply: FastifyReply, stored: StoredAnswer): FastifyReply {
  void reply.code(stored.status).header('idempotency-replayed', 'true')
  void reply.type(stored.status < 400 ? 'application/json' : PROBLEM_TYPE)
  return reply.send(stored.body)
}

/**
 * Runs one operation of a request: previewed, if the query says so; once per Idempotency-Key; else simply applied.
 * The answer names the change that it made in `Rollcall-Change`.
 */
export async function write<T>(
  services: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  options: WriteOptions<T>,
  work: (context: Context) => Promise<T>,
): Promise<unknown> {
  const { directory, authentication, scim } = services
  const organizationId = request.organization.id
  const scope = { organizationId, actor: request.actor }
  if ((request.query as { preview?: boolean }).preview === true) {
    return toPreview(await previewChange(directory, scope, work))
  }
  const idempotent = idempotency(request, organizationId)
  const made: { change?: ChangeDraft } = {}
  const outcome = await applyChange<{ result: T } | { stored: StoredAnswer }>(
    directory,
    scope,
    async (context) => {
      const stored = idempotent && (await claimIdempotencyKey(context.db, idempotent))
      return stored === undefined ? { result: await work(context) } : { stored }
    },
    async (tx, finished, change) => {
      if (change.record !== undefined) made.change = change
      if (idempotent === undefined || 'stored' in finished) return
      const refusal = options.refusal?.(finished.result)
      const problem = refusal === undefined ? undefined : toProblem(refusal, request.id)
      const body = JSON.stringify(problem ?? options.render?.(finished.result) ?? '')
      const status = problem?.status ?? options.status
      await storeAnswer(tx, idempotent, status, options.secret === true ? null : body)
    },
  )
  // What this very change took from a key must not work on from this process's cache.
  if (made.change?.ended || /^(member|api_key|organization|role)\./.test(made.change?.record?.kind ?? '')) {
    authentication.forget()
  }
  if (/^(scim_token|identity_provider|organization)\./.test(made.change?.record?.kind ?? '')) {
    scim.authentication.forget()
  }
  if ('stored' in outcome) return replay(reply, outcome.stored)
  const refusal = options.refusal?.(outcome.result)
  if (refusal !== undefined) throw refusal
  if (made.change !== undefined) void reply.header('rollcall-change', toId('change', made.change.id))
  void reply.code(options.status)
  return options.status === 204 ? reply.send() : options.render?.(outcome.result)
}

export function toPreview(found: Preview): unknown {
  const { record } = found
  const change = record === undefined ? null : { kind: record.kind, detail: toDetail(record.detail ?? {}) }
  return { object: 'preview', change, ...toEffects(found.effects) }
}
