import type { Context } from '../context.ts'
import { countLiveMemberships } from '../grants/group-membership.sql.ts'
import { lockSource } from '../grants/source.ts'
import type { OrganizationSettings, RemovalBrake } from '../organizations/settings.ts'
import { sumRecentRemovals } from './plan.sql.ts'

/** The brake that member syncs of the organization run under; undefined where none is set. */
export function memberSyncBrake(settings: OrganizationSettings): RemovalBrake | undefined {
  return brakeOf(settings, 'member_sync')
}

/** The brake that syncs of a kind run under; undefined where none is set. */
export function brakeOf(
  settings: OrganizationSettings,
  kind: 'member_sync' | 'group_sync' | 'scim',
): RemovalBrake | undefined {
  const brake = settings.removal_brake?.[kind]
  if (brake === undefined || (brake.max_removals === null && brake.max_share === null)) return undefined
  return brake
}

/** How the removals of a source are counted, and what it gives. */
interface RemovalCounts {
  readonly recent: typeof sumRecentRemovals
  readonly live: typeof countLiveMemberships
}
const MEMBERSHIPS: RemovalCounts = { recent: sumRecentRemovals, live: countLiveMemberships }

/**
 * Whether removals just made by the open transaction, with those recorded within the window, pass a limit. Takes
 * the source's lock, so that parallel changes of one source are counted one after the other.
 *
 * @returns the sentence that says which limit was passed, or undefined
 */
export async function brakeReason(
  context: Context,
  brake: RemovalBrake,
  sourceId: string,
  endedNow: number,
  counts: RemovalCounts = MEMBERSHIPS,
): Promise<string | undefined> {
  if (endedNow === 0) return undefined
  const { db, organizationId } = context
  await lockSource(db, organizationId, sourceId)
  const before = await counts.recent(db, organizationId, sourceId, brake.window_seconds)
  const removals = before + endedNow
  const within = `within ${brake.window_seconds} seconds`
  if (brake.max_removals !== null && removals > brake.max_removals) {
    return `It would make ${removals} removals ${within}; the limit is ${brake.max_removals}.`
  }
  if (brake.max_share === null) return undefined
  const liveNow = await counts.live(db, organizationId, sourceId)
  const share = removals / (liveNow + removals)
  if (share <= brake.max_share) return undefined
  const percent = (value: number) => `${Math.round(value * 1000) / 10} %`
  return `It would remove ${percent(share)} of what the source gives ${within}; the limit is ${percent(brake.max_share)}.`
}
