import { fromMicros, type Micros, toMicros } from './instant.ts'
import { SYNC_CHANGE } from './organization-client.ts'
import type { FinishedSync } from './replay.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { ReplayedGroup, ReplayTarget } from './target.ts'

/** Who was in a group from a moment on. */
interface Period {
  readonly from: Micros
  readonly members: ReadonlySet<string>
}

interface GroupPast {
  readonly group: ReplayedGroup
  readonly periods: Period[]
  /** Effective syncs whose change has not been read yet. */
  readonly untimed: ReadonlySet<string>[]
}

const NOBODY: ReadonlySet<string> = new Set()
const FEED_PAGE_LIMIT = 100

/**
 * A replay's past, kept apart from the server: the members come from the history, and only the times of the
 * changes are the server's.
 */
export class PastModel {
  readonly #target: ReplayTarget
  readonly #groups = new Map<string, GroupPast>()
  readonly #changed: GroupPast[] = []
  /** The last change read, by organization. */
  readonly #numbers = new Map<string, number>()

  constructor(target: ReplayTarget) {
    this.#target = target
  }

  /** Takes note of carried out syncs. */
  add(finished: readonly FinishedSync[]): void {
    for (const { group, due } of finished) {
      // What was in a group before the replay has no time here.
      if (group.client.basePosition > 0 || due.opened + due.ended === 0) continue
      let past = this.#groups.get(group.client.directoryId)
      if (past === undefined) {
        past = { group, periods: [], untimed: [] }
        this.#groups.set(group.client.directoryId, past)
      }
      past.untimed.push(group.wanted)
    }
  }

  /** Reads from the change feeds when the syncs noted so far took effect; call it while none is under way. */
  async readTimes(): Promise<void> {
    for (const organization of await this.#target.organizations()) {
      const last = this.#numbers.get(organization.slug) ?? organization.baseline
      for (const change of await organization.changesAfter(last, FEED_PAGE_LIMIT)) {
        this.#numbers.set(organization.slug, change.number)
        const past = change.kind === SYNC_CHANGE ? this.#groups.get(change.group ?? '') : undefined
        const members = past?.untimed.shift()
        if (past === undefined || members === undefined) continue
        if (past.periods.length === 0) this.#changed.push(past)
        past.periods.push({ from: toMicros(change.at), members })
      }
    }
  }

  /** Whether every effective sync has found its change. */
  get isComplete(): boolean {
    return [...this.#groups.values()].every(({ untimed }) => untimed.length === 0)
  }

  /** Who was in a group at a moment, if the model covers it. */
  membersAt({ client }: ReplayedGroup, moment: Micros): ReadonlySet<string> {
    const periods = this.#groups.get(client.directoryId)?.periods ?? []
    return periods.findLast(({ from }) => from <= moment)?.members ?? NOBODY
  }

  /** A question that is easily answered wrong: at a change, right beside it, between two, before the first. */
  question(random: SeededRandom): { group: ReplayedGroup; asOf: string } | undefined {
    if (this.#changed.length === 0) return undefined
    const { group, periods } = random.pick(this.#changed)
    const index = random.below(periods.length)
    const { from } = periods[index]!
    const until = periods[index + 1]?.from ?? from + 2
    const moments = [
      from,
      from - 1,
      from + 1,
      Math.floor((from + until) / 2),
      until - 1,
      periods[0]!.from - 1_000_000,
    ]
    return { group, asOf: fromMicros(random.pick(moments)) }
  }

  /** Some group that has changed. */
  someGroup(random: SeededRandom): ReplayedGroup | undefined {
    return this.#changed.length === 0 ? undefined : random.pick(this.#changed).group
  }
}
