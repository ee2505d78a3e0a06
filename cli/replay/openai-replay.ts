import { type Figures, readFigures } from './figures.ts'
import { type GroupState, readHistory, type Step } from './history.ts'
import type { HttpClient } from './http-client.ts'
import { type OpenaiCounts, OpenaiOrganization } from './openai-organization.ts'
import { inParallel } from './parallel.ts'

/** Groups changed at once. */
const PARALLEL = 4

export interface OpenaiReport extends OpenaiCounts {
  readonly steps: number
  readonly users: number
  /** After the last step, by the history: the dialect is compared with it. */
  readonly liveGroups: number
  readonly memberships: number
  readonly requests: number
  readonly refused: number
  /** From the first step to the last, without the making of the people. */
  readonly seconds: number
  /** Everything that is not as it should be, a sentence each. */
  readonly mismatches: readonly string[]
}

export interface OpenaiReplayOptions {
  /** A client with the root key, for what the dialect cannot do: organizations, keys and people. */
  readonly root: HttpClient
  readonly url: string
  readonly file: string
  readonly stepsMax: number
  readonly onStepDone?: (step: Step) => void
}

/**
 * Replays the first steps of a history through OpenAI's dialect alone, compares the changed groups after each step,
 * and every group at the end.
 */
export async function replayThroughOpenai(options: OpenaiReplayOptions): Promise<OpenaiReport> {
  const { file, stepsMax } = options
  const organizations = await openOrganizations(options)
  const organizationOf = (state: GroupState) => organizations.get(state.organization)!
  const mismatches: string[] = []
  const last = new Map<string, GroupState>()
  const began = performance.now()
  let steps = 0
  for await (const step of readHistory(file, stepsMax)) {
    const differences = await inParallel(step.groups, PARALLEL, async (state) => {
      await organizationOf(state).apply(state)
      return await organizationOf(state).compare(state)
    })
    mismatches.push(...differences.flat().map((text) => `after step ${step.number}: ${text}`))
    for (const state of step.groups) last.set(state.path, state)
    steps++
    options.onStepDone?.(step)
  }
  const seconds = (performance.now() - began) / 1000
  const live = [...last.values()].filter((state) => !state.isGone)
  const differences = await inParallel([...last.values()], PARALLEL, (state) =>
    organizationOf(state).compare(state),
  )
  mismatches.push(...differences.flat().map((text) => `at the end: ${text}`))
  for (const organization of organizations.values()) {
    mismatches.push(...(await compareNames(organization, live)))
  }
  const all = [...organizations.values()]
  const sum = (count: (organization: OpenaiOrganization) => number) =>
    all.reduce((total, organization) => total + count(organization), 0)
  const report = {
    steps,
    users: sum(({ users }) => users),
    groupsCreated: sum(({ counts }) => counts.groupsCreated),
    groupsDeleted: sum(({ counts }) => counts.groupsDeleted),
    added: sum(({ counts }) => counts.added),
    removed: sum(({ counts }) => counts.removed),
    endedByDeletion: sum(({ counts }) => counts.endedByDeletion),
    liveGroups: live.length,
    memberships: live.reduce((total, { members }) => total + members.size, 0),
    requests: sum(({ traffic }) => traffic.requests),
    refused: sum(({ traffic }) => traffic.refused),
    seconds,
  }
  mismatches.push(...compareCounts(await readFigures(file, stepsMax), report))
  return { ...report, mismatches }
}

/** What the answers said against what the history comes to. */
function compareCounts(expected: Figures, report: Omit<OpenaiReport, 'mismatches'>): string[] {
  const pairs = [
    ['steps', report.steps, expected.steps],
    ['memberships opened', report.added, expected.opened],
    ['memberships ended', report.removed + report.endedByDeletion, expected.ended],
    ['groups', report.groupsCreated - report.groupsDeleted, expected.liveGroups],
    ['memberships', report.memberships, expected.memberships],
    ['requests that were refused', report.refused, 0],
  ] as const
  return pairs
    .filter(([, found, wanted]) => found !== wanted)
    .map(([what, found, wanted]) => `${what}: ${found} instead of ${wanted}`)
}

/** Opens every organization that the steps name, with everybody who is ever in a group of it. */
async function openOrganizations(options: OpenaiReplayOptions): Promise<Map<string, OpenaiOrganization>> {
  const people = new Map<string, Set<string>>()
  for await (const { groups } of readHistory(options.file, options.stepsMax)) {
    for (const { organization, members } of groups) {
      const known = people.get(organization) ?? new Set()
      for (const pseudonym of members) known.add(pseudonym)
      people.set(organization, known)
    }
  }
  const opened = new Map<string, OpenaiOrganization>()
  for (const [name, pseudonyms] of people) {
    const organization = await OpenaiOrganization.open(options.root, options.url, name)
    await organization.addPeople([...pseudonyms])
    opened.set(name, organization)
  }
  return opened
}

/** The dialect lists each group that the history has, and no other. */
async function compareNames(
  organization: OpenaiOrganization,
  live: readonly GroupState[],
): Promise<string[]> {
  const listed = (await organization.groupNames()).toSorted()
  const wanted = live.filter((state) => state.organization === organization.name)
  const names = wanted.map((state) => state.reference).toSorted()
  if (JSON.stringify(listed) === JSON.stringify(names)) return []
  return [`at the end: ${organization.name} lists ${listed.length} groups instead of ${names.length}`]
}
