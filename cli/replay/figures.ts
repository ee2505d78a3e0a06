import { countMissing } from './difference.ts'
import { readHistory } from './history.ts'
import type { ReplayReport } from './replay.ts'

/** What a history comes to, counted from the file alone. */
export interface Figures {
  readonly steps: number
  readonly syncs: number
  /** Syncs that change a group. */
  readonly effective: number
  readonly opened: number
  readonly ended: number
  readonly liveGroups: number
  readonly memberships: number
}

/** What the whole history beside the repository comes to, as it was published. */
export const WHOLE_HISTORY: Figures = {
  steps: 2_742,
  syncs: 6_802,
  effective: 6_794,
  opened: 14_479,
  ended: 8_111,
  liveGroups: 782,
  memberships: 6_368,
}

/** Counts what a history comes to, without any server. */
export async function readFigures(file: string, stepsMax?: number): Promise<Figures> {
  const groups = new Map<string, { members: ReadonlySet<string>; isGone: boolean }>()
  const figures = { steps: 0, syncs: 0, effective: 0, opened: 0, ended: 0 }
  for await (const step of readHistory(file, stepsMax)) {
    figures.steps++
    for (const { path, members, isGone } of step.groups) {
      const before = groups.get(path)?.members ?? new Set()
      const opened = countMissing(members, before)
      const ended = countMissing(before, members)
      figures.syncs++
      figures.opened += opened
      figures.ended += ended
      if (opened + ended > 0) figures.effective++
      groups.set(path, { members, isGone })
    }
  }
  const states = [...groups.values()]
  return {
    ...figures,
    liveGroups: states.filter(({ isGone }) => !isGone).length,
    memberships: states.reduce((sum, { members }) => sum + members.size, 0),
  }
}

/** Compares what a replay did on the server with what the history comes to; a sentence for each difference. */
export function compareFigures(expected: Figures, report: ReplayReport): string[] {
  const { steps, syncs, effective, liveGroups, audit } = report
  const found: Record<keyof Figures | 'syncChanges', number> = {
    steps,
    syncs,
    effective,
    liveGroups,
    opened: audit.opened,
    ended: audit.ended,
    memberships: audit.memberships,
    syncChanges: audit.syncChanges,
  }
  return Object.entries({ ...expected, syncChanges: expected.effective })
    .filter(([name, value]) => found[name as keyof Figures] !== value)
    .map(([name, value]) => `${name}: ${found[name as keyof Figures]} instead of ${value}`)
}
