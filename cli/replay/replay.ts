import { type Audit, auditTarget } from './audit.ts'
import { countMissing, describeDifference } from './difference.ts'
import type { SyncResult } from './group-client.ts'
import type { GroupState, Step } from './history.ts'
import { inParallel } from './parallel.ts'
import type { ReplayedGroup, ReplayTarget } from './target.ts'

/** What a replay did, as the answers of the member syncs say it. */
export interface ReplayCounts {
  steps: number
  syncs: number
  /** Member syncs that opened or ended something. */
  effective: number
  opened: number
  ended: number
}

export interface ReplayReport extends ReplayCounts {
  readonly audit: Audit
  /** Groups that the history's last state does not call gone. */
  readonly liveGroups: number
  readonly seconds: number
  /** Everything that is not as it should be, a sentence each. */
  readonly mismatches: readonly string[]
}

/** A member sync that the server has carried out. */
export interface FinishedSync {
  readonly group: ReplayedGroup
  /** Memberships that it had to open and end. */
  readonly due: { readonly opened: number; readonly ended: number }
}

export interface ReplayOptions {
  readonly target: ReplayTarget
  readonly steps: AsyncIterable<Step>
  readonly onStepStart?: (step: Step) => void
  /** After the step was carried out and compared. */
  readonly onStepDone?: (
    finished: readonly FinishedSync[],
    counts: Readonly<ReplayCounts>,
  ) => Promise<void> | void
}

/** Requests under way at once. */
const PARALLEL = 16

/**
 * Replays steps one after the other, the groups of each in parallel, and compares the server with the history
 * after each step and at the end.
 *
 * @returns what was done and everything that differs; the caller decides what that means
 */
export async function replay(options: ReplayOptions): Promise<ReplayReport> {
  const { target } = options
  const began = performance.now()
  const counts: ReplayCounts = { steps: 0, syncs: 0, effective: 0, opened: 0, ended: 0 }
  const mismatches: string[] = []
  const gone = new Map<string, boolean>()

  async function send(state: GroupState): Promise<FinishedSync> {
    const group = await target.group(state)
    const due = {
      opened: countMissing(state.members, group.wanted),
      ended: countMissing(group.wanted, state.members),
    }
    const result = await group.client.outcome(await group.client.submit(state.members))
    group.wanted = state.members
    gone.set(state.path, state.isGone)
    count(counts, result)
    mismatches.push(...describeResult(due, result).map((text) => `${state.path}: ${text}`))
    return { group, due }
  }

  for await (const step of options.steps) {
    options.onStepStart?.(step)
    const finished = await inParallel(step.groups, PARALLEL, send)
    const groups = finished.map(({ group }) => group)
    const differences = await compareGroups(groups)
    mismatches.push(...differences.map((text) => `after step ${step.number}: ${text}`))
    counts.steps++
    await options.onStepDone?.(finished, counts)
  }

  const groups = await target.groups()
  mismatches.push(...(await compareGroups(groups)).map((text) => `at the end: ${text}`))
  const audit = await auditTarget(target)
  mismatches.push(...audit.mismatches, ...compareCounts(counts, audit))
  return {
    ...counts,
    audit,
    liveGroups: [...gone.values()].filter((isGone) => !isGone).length,
    seconds: (performance.now() - began) / 1000,
    mismatches,
  }
}

/** Compares what the server says about groups with the history; a sentence for each one that differs. */
export async function compareGroups(groups: readonly ReplayedGroup[]): Promise<string[]> {
  const sentences = await inParallel(groups, PARALLEL, async ({ client, wanted }) => {
    const difference = describeDifference(wanted, await client.members())
    return difference === undefined ? [] : [`${client.path}: ${difference}`]
  })
  return sentences.flat()
}

function count(counts: ReplayCounts, { opened, ended }: SyncResult): void {
  counts.syncs++
  counts.opened += opened
  counts.ended += ended
  if (opened + ended > 0) counts.effective++
}

function describeResult(due: FinishedSync['due'], result: SyncResult): string[] {
  const { opened, ended } = result
  if (due.opened === opened && due.ended === ended) return [...result.failures]
  return [
    ...result.failures,
    `a sync opened ${opened} and ended ${ended} instead of ${due.opened} and ${due.ended}`,
  ]
}

/** What the answers of the syncs said against what the change feed holds. */
function compareCounts(counts: ReplayCounts, audit: Audit): string[] {
  const pairs = [
    ['memberships opened', counts.opened, audit.opened],
    ['memberships ended', counts.ended, audit.ended],
    ['syncs with an effect against changes', counts.effective, audit.syncChanges],
    ['syncs', counts.syncs, audit.syncs],
  ] as const
  return pairs
    .filter(([, answered, stored]) => answered !== stored)
    .map(([what, answered, stored]) => `${what}: ${answered} in the answers, ${stored} on the server`)
}
