import { requirePermission } from '../access/permission.ts'
import type { ReadContext } from '../context.ts'
import { requireIdentityProvider } from '../identity-providers/identity-provider.ts'
import { adviceFor } from './advice.ts'
import { readScimTraffic } from './health.sql.ts'
import { countProvisioned } from './provisioned.sql.ts'

/** How a connection is doing. Times are RFC 3339; null: never, among the requests that are kept. */
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

/** What a connection has provisioned. */
export interface Provisioned {
  readonly users: { readonly active: number; readonly inactive: number }
  readonly groups: number
  /** Memberships in groups where what is asserted and what is given are not the same. */
  readonly drift: {
    /** Asserted and not given. */
    readonly missing: number
    /** Given and not asserted any more: held until somebody has decided on it. */
    readonly held: number
  }
}

/**
 * How a connection is doing, and what it has provisioned.
 *
 * @throws {DirectoryError} identity_provider.not_found, permission.denied
 */
export async function scimHealth(
  context: ReadContext,
  connectionId: string,
): Promise<ScimHealth & { readonly provisioned: Provisioned }> {
  requirePermission(context.actor, 'identity_providers:read')
  await requireIdentityProvider(context, connectionId)
  const health = await healthOf(context, [connectionId])
  const counted = await countProvisioned(context.db, context.organizationId, connectionId)
  return {
    ...health.get(connectionId)!,
    provisioned: {
      users: { active: counted.active_users, inactive: counted.inactive_users },
      groups: counted.groups,
      drift: { missing: counted.missing, held: counted.held },
    },
  }
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
