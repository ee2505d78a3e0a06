import { requirePermission } from '../access/permission.ts'
import type { ReadContext } from '../context.ts'
import { requireIdentityProvider } from '../identity-providers/identity-provider.ts'
import { adviceFor } from './advice.ts'
import { readScimTraffic } from './health.sql.ts'

/** How a connection is doing. Times are RFC 3339; null: never in the last 30 days. */
export interface ScimHealth {
  readonly lastRequestAt: string | null
  readonly lastSuccessAt: string | null
  readonly lastError: {
    readonly at: string
    readonly status: number
    readonly scimType: string | null
    /** Without the values of the request. */
    readonly reason: string | null
    /** What to do about it. */
    readonly advice: string
  } | null
  /** Requests of the last 24 hours. */
  readonly requests: { readonly succeeded: number; readonly refused: number; readonly failed: number }
}

const DAY_MILLIS = 86_400_000

/** @throws {DirectoryError} identity_provider.not_found, permission.denied */
export async function scimHealth(context: ReadContext, connectionId: string): Promise<ScimHealth> {
  requirePermission(context.actor, 'identity_providers:read')
  await requireIdentityProvider(context, connectionId)
  return (await healthOf(context, [connectionId])).get(connectionId)!
}

/** Of several connections, by their ids; asks for no permission. */
export async function healthOf(
  { db, organizationId }: ReadContext,
  connectionIds: readonly string[],
): Promise<Map<string, ScimHealth>> {
  const since = new Date(Date.now() - DAY_MILLIS)
  const rows = await readScimTraffic(db, organizationId, connectionIds, since)
  return new Map(
    rows.map(({ last_error: error, answers, ...row }) => [
      row.connection_id,
      {
        lastRequestAt: row.last_request_at,
        lastSuccessAt: row.last_success_at,
        lastError: error && {
          ...{ at: error.at, status: error.status, scimType: error.scim_type, reason: error.reason },
          advice: adviceFor(error),
        },
        requests: {
          succeeded: (answers['2'] ?? 0) + (answers['3'] ?? 0),
          refused: answers['4'] ?? 0,
          failed: answers['5'] ?? 0,
        },
      },
    ]),
  )
}
