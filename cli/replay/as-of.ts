import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { describeDifference } from './difference.ts'
import { UnexpectedAnswer } from './http-client.ts'
import { fromMicros, toMicros } from './instant.ts'
import { inParallel } from './parallel.ts'
import { PastModel } from './past-model.ts'
import type { FinishedSync } from './replay.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { ReplayedGroup, ReplayTarget } from './target.ts'

/** An answer that the server has given about the past: it stands for ever. */
interface Answered {
  readonly group: ReplayedGroup
  readonly asOf: string
  readonly fingerprint: string
}

const PARALLEL = 8
const READ_TIMES_EVERY_STEPS = 25
const PAUSE_MILLIS = 10
/** Moments asked for while writers run lie this far back at most. */
const RECENT_MICROS = 30_000

/**
 * Asks who was in a group at past moments, and compares with a model of the past that is kept beside the replay.
 * Answers given while writers run are compared once the model knows their moment, and every question is asked
 * again later: its answer must be the same for ever.
 */
export class AsOfCheck {
  readonly mismatches: string[] = []
  readonly #random: SeededRandom
  readonly #model: PastModel
  readonly #answered: Answered[] = []
  #current: readonly ReplayedGroup[] = []
  #steps = 0
  #asking: Promise<void> | undefined
  #isStopping = false

  constructor(target: ReplayTarget, random: SeededRandom) {
    this.#model = new PastModel(target)
    this.#random = random
  }

  /** Questions that were answered. */
  get questions(): number {
    return this.#answered.length
  }

  /** Follows the replay; to be called after each step. */
  async stepDone(finished: readonly FinishedSync[]): Promise<void> {
    this.#model.add(finished)
    this.#current = finished.map(({ group }) => group)
    this.#steps++
    if (this.#steps % READ_TIMES_EVERY_STEPS === 1) await this.#model.readTimes()
  }

  /** Asks while the replay writes, until `settle`. */
  start(): void {
    this.#asking = this.#askMeanwhile()
    // A failure is seen by whoever settles.
    this.#asking.catch(() => {})
  }

  /** Ends the questions asked meanwhile and compares their answers with what the model knows by now. */
  async settle(): Promise<void> {
    this.#isStopping = true
    await this.#asking
    await this.#model.readTimes()
    if (!this.#model.isComplete)
      this.mismatches.push('as of: syncs with an effect are missing in the change feed')
    for (const { group, asOf, fingerprint } of this.#answered) {
      if (fingerprint === fingerprintOf(this.#model.membersAt(group, toMicros(asOf)))) continue
      this.mismatches.push(`${group.client.path} as of ${asOf}: answered wrongly while writers ran`)
    }
  }

  /** Asks questions that are easily answered wrong and compares each answer. */
  async askEdges(count: number): Promise<void> {
    const questions = Array.from({ length: count }, () => this.#model.question(this.#random))
    await inParallel(questions, PARALLEL, async (question) => {
      if (question === undefined) return
      const { group, asOf } = question
      const found = await this.#ask(group, asOf)
      const difference = found && describeDifference(this.#model.membersAt(group, toMicros(asOf)), found)
      if (difference !== undefined) this.mismatches.push(`${group.client.path} as of ${asOf}: ${difference}`)
    })
  }

  /** Asks what was answered before, up to `countMax` of it: nothing may differ. */
  async askAgain(countMax = Number.POSITIVE_INFINITY): Promise<number> {
    const every = Math.max(1, Math.ceil(this.#answered.length / countMax))
    const chosen = this.#answered.filter((_, index) => index % every === 0)
    await inParallel(chosen, PARALLEL, async ({ group, asOf, fingerprint }) => {
      if (fingerprintOf(await group.client.members(asOf)) === fingerprint) return
      this.mismatches.push(`${group.client.path} as of ${asOf}: the same question got another answer`)
    })
    return chosen.length
  }

  async #askMeanwhile(): Promise<void> {
    while (!this.#isStopping) {
      const question = this.#random.next() < 0.5 ? this.#recentQuestion() : this.#model.question(this.#random)
      if (question !== undefined) await this.#ask(question.group, question.asOf)
      await sleep(PAUSE_MILLIS)
    }
  }

  /** About this very moment or just before it, when changes may be between their time and their commit. */
  #recentQuestion(): { group: ReplayedGroup; asOf: string } | undefined {
    const isCurrent = this.#current.length > 0 && this.#random.next() < 0.7
    const group = isCurrent ? this.#random.pick(this.#current) : this.#model.someGroup(this.#random)
    if (group === undefined) return undefined
    const ago = this.#random.next() < 0.3 ? 0 : this.#random.below(RECENT_MICROS)
    return { group, asOf: fromMicros(Date.now() * 1000 - ago) }
  }

  async #ask(group: ReplayedGroup, asOf: string): Promise<Set<string> | undefined> {
    try {
      const members = await group.client.members(asOf)
      this.#answered.push({ group, asOf, fingerprint: fingerprintOf(members) })
      return members
    } catch (error) {
      // The server's clock is behind ours: the moment is in its future.
      if (error instanceof UnexpectedAnswer && error.status === 400) return undefined
      throw error
    }
  }
}

function fingerprintOf(members: ReadonlySet<string>): string {
  return createHash('sha256')
    .update([...members].sort().join())
    .digest('base64url')
}
