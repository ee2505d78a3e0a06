import type { ListedSync } from './group-client.ts'
import { type Change, type OrganizationClient, SYNC_CHANGE } from './organization-client.ts'
import { inParallel } from './parallel.ts'
import type { ReplayedGroup, ReplayTarget } from './target.ts'

/** What the server itself holds of a replay, read after it: its change feed and its member syncs. */
export interface Audit {
  /** Changes that member syncs recorded. */
  readonly syncChanges: number
  /** Memberships opened and ended by those changes. */
  readonly opened: number
  readonly ended: number
  /** Member syncs that the groups list. */
  readonly syncs: number
  readonly memberships: number
  readonly mismatches: readonly string[]
}

const PARALLEL = 8

/**
 * Reads the change feeds and every group's member syncs, and checks that they tell one story: numbers without
 * gaps, times that rise, no sync lost, none carried out twice, one change for each sync with an effect.
 */
export async function auditTarget(target: ReplayTarget): Promise<Audit> {
  const mismatches: string[] = []
  const changes = new Map<string, Change>()
  for (const organization of await target.organizations()) {
    const feed = await organization.changesAfter(organization.baseline)
    mismatches.push(...checkFeed(organization, feed))
    for (const change of feed) if (change.kind === SYNC_CHANGE) changes.set(change.id, change)
  }
  const unexplained = new Set(changes.keys())
  const groups = await target.groups()
  const counts = await inParallel(groups, PARALLEL, async (group) => {
    const syncs = await group.client.syncs()
    const found = checkSyncs(group, syncs, changes, unexplained)
    mismatches.push(...found.map((text) => `${group.client.path}: ${text}`))
    return syncs.length
  })
  for (const id of unexplained) mismatches.push(`change ${id} belongs to no member sync of the replay`)
  const all = [...changes.values()]
  return {
    syncChanges: all.length,
    opened: sum(all.map(({ opened }) => opened)),
    ended: sum(all.map(({ ended }) => ended)),
    syncs: sum(counts),
    memberships: sum(groups.map(({ wanted }) => wanted.size)),
    mismatches,
  }
}

function checkFeed({ name, baseline }: OrganizationClient, feed: readonly Change[]): string[] {
  const found: string[] = []
  for (const [index, { number, at }] of feed.entries()) {
    const due = baseline + 1 + index
    if (number !== due)
      return [...found, `${name}: change ${due} is missing, the feed goes on with ${number}`]
    // RFC 3339 in UTC with microseconds: texts in the order of times.
    const before = feed[index - 1]?.at
    if (before !== undefined && before >= at)
      found.push(`${name}: change ${number} is not later than ${number - 1}`)
  }
  return found
}

/** Each sync with an effect takes its change out of `unexplained`. */
function checkSyncs(
  { client }: ReplayedGroup,
  syncs: readonly ListedSync[],
  changes: ReadonlyMap<string, Change>,
  unexplained: Set<string>,
): string[] {
  const found: string[] = []
  if (syncs.length !== client.accepted)
    found.push(`${client.accepted} syncs accepted, ${syncs.length} listed`)
  let lastNumber = 0
  for (const [index, sync] of syncs.entries()) {
    const { position, status, result, change: id } = sync
    const due = client.basePosition + 1 + index
    if (position !== due) found.push(`position ${due} is missing, ${position} follows`)
    if (status !== 'completed') found.push(`sync ${position} is ${status}`)
    const effect = (result?.opened ?? 0) + (result?.ended ?? 0)
    if (id === null) {
      if (effect > 0) found.push(`sync ${position} had an effect and no change`)
      continue
    }
    const change = changes.get(id)
    if (change === undefined || !unexplained.delete(id)) {
      found.push(`sync ${position} names change ${id}, which is not its own`)
      continue
    }
    if (effect === 0) found.push(`sync ${position} had no effect and a change`)
    if (change.opened !== result?.opened || change.ended !== result?.ended) {
      found.push(`sync ${position} and its change count differently`)
    }
    if (change.cause?.id !== sync.id) found.push(`change ${change.number} is not caused by sync ${position}`)
    if (change.number <= lastNumber) found.push(`sync ${position} was carried out out of turn`)
    lastNumber = change.number
  }
  return found
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)
