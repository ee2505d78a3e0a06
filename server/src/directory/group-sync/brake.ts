import { requirePermission } from '../access/permission.ts'
import type { Context } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { findOrganization } from '../organizations/organization.sql.ts'
import { brakeOf, brakeReason } from '../plans/brake.ts'
import { countGiven, sumRecentLosses } from './claim.sql.ts'

/**
 * Looks at what a run took away, with what others took within the window.
 *
 * @param options.onlyTold tells which limit is passed, and refuses nothing
 * @returns the sentence of the limit that was passed, where the run goes on all the same
 * @throws {DirectoryError} group_sync.brake; permission.denied (forced without `plans:write`)
 */
export async function requireBrake(
  context: Context,
  sourceId: string,
  removals: number,
  { force, onlyTold }: { readonly force?: boolean; readonly onlyTold?: boolean },
): Promise<string | null> {
  if (removals === 0) return null
  const organization = await findOrganization(context.db, context.organizationId)
  const brake = brakeOf(organization!.settings, 'group_sync')
  if (brake === undefined) return null
  const counts = { recent: sumRecentLosses, live: countGiven }
  const reason = await brakeReason(context, brake, sourceId, removals, counts)
  if (reason === undefined || onlyTold === true) return reason ?? null
  if (force !== true) {
    throw new DirectoryError(
      'group_sync.brake',
      `${reason} Nothing was applied: look at the preview, then force it.`,
      {
        context: { removals, max_removals: brake.max_removals, max_share: brake.max_share },
      },
    )
  }
  requirePermission(context.actor, 'plans:write')
  return reason
}
