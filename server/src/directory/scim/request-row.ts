import { uuidMillis, uuidV7 } from '../../platform/uuid.ts'
import type { ScimClient } from '../identity-providers/scim-token.ts'
import { isUuid, MASK } from './masked-expression.ts'
import { createMasking, type Masking } from './masking.ts'

/** One request of a SCIM client, as it was sent and answered: nothing of it is masked yet. */
export interface ScimRequestEntry {
  /** Null: its credential was refused. */
  readonly client: ScimClient | null
  /** As the path names it. */
  readonly connectionId: string
  readonly method: string
  /** The pattern of the path, such as `/Users/:id`. */
  readonly route: string
  /** The path with its query. */
  readonly url: string
  readonly status: number
  readonly durationMillis: number
  readonly scimType?: string | undefined
  /** Why it was refused, as the client was told. */
  readonly detail?: string | undefined
  /** The SCIM ids of what it was about. */
  readonly userId?: string | undefined
  readonly groupId?: string | undefined
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** As they were parsed; a text where they could not be. */
  readonly requestBody?: unknown
  readonly responseBody?: unknown
}

/** The row of a request: no secret and no personal value is in it. */
export interface ScimRequestRow {
  readonly organization_id: string | null
  readonly id: string
  readonly connection_id: string
  readonly token_id: string | null
  readonly token_hint: string | null
  readonly method: string
  readonly route: string
  readonly path: string
  readonly status: number
  readonly duration_ms: number
  readonly scim_type: string | null
  readonly reason: string | null
  readonly user_id: string | null
  readonly group_id: string | null
  readonly headers: Record<string, string>
  readonly request_body: unknown
  readonly response_body: unknown
  readonly times: number
  readonly created_at: string
}

const METHOD = /^[A-Z]{1,10}$/
const SCIM_TYPE = /^[a-zA-Z]{1,30}$/
const DURATION_MAX = 2 ** 31 - 1

/** @throws {TypeError} for a connection that is no id: no row could belong to it */
export function toRequestRow(entry: ScimRequestEntry): ScimRequestRow {
  if (!isUuid(entry.connectionId)) throw new TypeError('The connection is not a UUID.')
  const masking = createMasking({ knowsAgain: entry.detail !== undefined })
  const path = masking.url(entry.url)
  const requestBody = entry.client === null ? undefined : masking.body(entry.requestBody)
  const reason = entry.detail === undefined ? null : masking.sentence(entry.detail)
  const id = uuidV7()
  return {
    organization_id: entry.client?.organizationId ?? null,
    id,
    connection_id: entry.connectionId,
    token_id: entry.client?.tokenId ?? null,
    token_hint: entry.client?.tokenHint ?? null,
    method: METHOD.test(entry.method) ? entry.method : MASK,
    route: entry.route,
    path,
    status: entry.status,
    duration_ms: Math.min(Math.max(Math.round(entry.durationMillis), 0), DURATION_MAX),
    scim_type: entry.scimType !== undefined && SCIM_TYPE.test(entry.scimType) ? entry.scimType : null,
    reason,
    user_id: uuidOrNull(entry.userId),
    group_id: uuidOrNull(entry.groupId),
    headers: maskHeaders(entry.headers),
    request_body: requestBody ?? null,
    response_body: answer(masking, entry, reason) ?? null,
    times: 1,
    // The same moment as in the id, so that a time is a place in the list.
    created_at: new Date(uuidMillis(id)).toISOString(),
  }
}

function uuidOrNull(id: string | undefined): string | null {
  return id !== undefined && isUuid(id) ? id : null
}

/** The body of an answer; of a refusal with its sentence. */
function answer(masking: Masking, entry: ScimRequestEntry, reason: string | null): unknown {
  const body = masking.body(entry.responseBody)
  const isRefusal = entry.status >= 400 && typeof body === 'object' && body !== null && 'detail' in body
  return isRefusal && reason !== null ? { ...body, detail: reason } : body
}

/** Headers that are kept, and what their values may be. */
const HEADERS: Readonly<Record<string, RegExp>> = {
  accept: /^[\w+*/.;=, -]{1,200}$/,
  'content-type': /^[\w+/.;= -]{1,100}$/,
  'content-length': /^\d{1,15}$/,
  'user-agent': /^[\w/.;:(),+ -]{1,200}$/,
}

function maskHeaders(headers: ScimRequestEntry['headers']): Record<string, string> {
  const masked: Record<string, string> = headers.authorization === undefined ? {} : { authorization: MASK }
  for (const [name, values] of Object.entries(HEADERS)) {
    const value = headers[name]
    if (typeof value === 'string') masked[name] = values.test(value) ? value : MASK
  }
  return masked
}
