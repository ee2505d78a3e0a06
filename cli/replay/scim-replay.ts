import { type Figures, readFigures } from './figures.ts'
import { type GroupState, readHistory, type Step } from './history.ts'
import type { HttpClient } from './http-client.ts'
import { inParallel } from './parallel.ts'
import { type ScimCounts, ScimOrganization } from './scim-organization.ts'

/** Organizations changed, or groups compared, at once. */
const PARALLEL = 4

export interface ScimReport extends ScimCounts {
  readonly steps: number
  readonly requests: number
  readonly liveGroups: number
  readonly memberships: number
  readonly seconds: number
  /** Everything that is not as it should be, a sentence each. */
  readonly mismatches: readonly string[]
}

export interface ScimReplayOptions {
  /** A client with the root key, for organizations and their connections. */
  readonly root: HttpClient
  readonly file: string
  readonly stepsMax?: number
  /** Read each changed group after each step, too, not only at the end. */
  readonly comparesSteps?: boolean
  readonly onStepDone?: (step: Step) => void
}

/** Provisions a history as an identity provider would, and compares every group and every user with it. */
export async function replayThroughScim(options: ScimReplayOptions): Promise<ScimReport> {
  const { root, file, stepsMax } = options
  const organizations = new Map<string, ScimOrganization>()
  const last = new Map<string, GroupState>()
  const mismatches: string[] = []
  const began = performance.now()
  let steps = 0
  for await (const step of readHistory(file, stepsMax)) {
    const states = Map.groupBy(step.groups, ({ organization }) => organization)
    for (const name of states.keys()) {
      if (!organizations.has(name)) organizations.set(name, await ScimOrganization.open(root, name))
    }
    await inParallel([...states], PARALLEL, ([name, groups]) => organizations.get(name)!.apply(groups))
    if (options.comparesSteps) {
      const differences = await inParallel(step.groups, PARALLEL, (state) =>
        organizations.get(state.organization)!.compareGroup(state),
      )
      mismatches.push(...differences.flat().map((text) => `after step ${step.number}: ${text}`))
    }
    for (const state of step.groups) last.set(state.path, state)
    steps++
    options.onStepDone?.(step)
  }
  const seconds = (performance.now() - began) / 1000
  const states = [...last.values()]
  const differences = await inParallel(states, PARALLEL, (state) =>
    organizations.get(state.organization)!.compareGroup(state),
  )
  mismatches.push(...differences.flat().map((text) => `at the end: ${text}`))
  for (const organization of organizations.values()) {
    const own = states.filter((state) => state.organization === organization.name)
    mismatches.push(...(await organization.compareAll(own)))
  }
  const counts = sumOf([...organizations.values()].map((organization) => organization.counts))
  const live = states.filter(({ isGone }) => !isGone)
  const report = {
    ...counts,
    steps,
    requests: [...organizations.values()].reduce((sum, { requests }) => sum + requests, 0),
    liveGroups: live.length,
    memberships: live.reduce((sum, { members }) => sum + members.size, 0),
    seconds,
  }
  mismatches.push(...compareCounts(await readFigures(file, stepsMax), report))
  return { ...report, mismatches }
}

function sumOf(all: readonly ScimCounts[]): ScimCounts {
  const sum = (name: keyof ScimCounts) => all.reduce((total, counts) => total + counts[name], 0)
  return {
    ...{ users: sum('users'), deactivated: sum('deactivated'), reactivated: sum('reactivated') },
    ...{ groupsCreated: sum('groupsCreated'), groupsDeleted: sum('groupsDeleted') },
    ...{ added: sum('added'), removed: sum('removed'), endedByDeletion: sum('endedByDeletion') },
  }
}

/** What was sent against what the history comes to. */
function compareCounts(expected: Figures, report: Omit<ScimReport, 'mismatches'>): string[] {
  const pairs = [
    ['steps', report.steps, expected.steps],
    ['memberships opened', report.added, expected.opened],
    ['memberships ended', report.removed + report.endedByDeletion, expected.ended],
    ['groups', report.groupsCreated - report.groupsDeleted, expected.liveGroups],
    ['memberships', report.memberships, expected.memberships],
  ] as const
  return pairs
    .filter(([, found, wanted]) => found !== wanted)
    .map(([what, found, wanted]) => `${what}: ${found} instead of ${wanted}`)
}
