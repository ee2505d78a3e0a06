import { createHash } from 'node:crypto'
import type { Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { sameDigest } from '../../platform/secret.ts'
import type { Actor } from '../access/permission.ts'
import { DirectoryError } from '../errors.ts'

export const IDEMPOTENCY_KEY_LENGTH_MAX = 255
/** The scope of requests that belong to no organization. */
export const SERVER_SCOPE = '00000000-0000-0000-0000-000000000000'

export interface IdempotentRequest {
  /** The organization, or SERVER_SCOPE. */
  readonly scope: string
  readonly key: string
  /** Of the request (`digestRequest`). */
  readonly digest: Buffer
}

export interface StoredAnswer {
  readonly status: number
  readonly body: string
}

/** What a repetition must equal: who asks, for what, with what. */
export function digestRequest(
  actor: Actor,
  method: string,
  url: string,
  ...parts: (string | Buffer)[]
): Buffer {
  const who = actor.kind === 'api_key' ? actor.id : actor.kind
  const hash = createHash('sha256').update(`${who} ${method} ${url}\n`)
  for (const part of parts) hash.update(part)
  return hash.digest()
}

interface IdempotencyRow {
  request_digest: Buffer
  status: number
  body: string | null
}

/**
 * Claims a key in the operation's own transaction: a second request with the key waits for the first to commit,
 * and a crash leaves both the operation and the key, or neither.
 *
 * @returns the stored answer, if the operation has been carried out already
 * @throws {DirectoryError} idempotency.key_reused for another request, idempotency.answer_withheld if the answer
 *   carried a secret
 */
export async function claimIdempotencyKey(
  tx: Transaction,
  request: IdempotentRequest,
): Promise<StoredAnswer | undefined> {
  const inserted = await tx.run(sql`
    insert into idempotency_key (scope, key, request_digest, created_at)
    values (${request.scope}, ${request.key}, ${request.digest}, now())
    on conflict do nothing`)
  if (inserted === 1) return undefined
  const row = await tx.row(sql<IdempotencyRow>`
    select request_digest, status, body from idempotency_key
    where scope = ${request.scope} and key = ${request.key}`)
  if (row === undefined) throw new DirectoryError('server.busy', 'The key is being forgotten: try again.')
  if (!sameDigest(row.request_digest, request.digest)) {
    throw new DirectoryError(
      'idempotency.key_reused',
      'This Idempotency-Key was used for another request: use a new key.',
      { field: 'Idempotency-Key' },
    )
  }
  if (row.body === null) {
    throw new DirectoryError(
      'idempotency.answer_withheld',
      'The request was carried out, and its answer carried a secret, which is shown once.',
    )
  }
  return { status: row.status, body: row.body }
}

/** Stores the answer with the operation. @param body null if it carries a secret */
export async function storeAnswer(
  tx: Transaction,
  request: IdempotentRequest,
  status: number,
  body: string | null,
): Promise<void> {
  await tx.run(sql`
    update idempotency_key set status = ${status}, body = ${body}
    where scope = ${request.scope} and key = ${request.key}`)
}
