import { setTimeout as sleep } from 'node:timers/promises'
import { AsOfCheck } from './as-of.ts'
import { compareFigures, readFigures } from './figures.ts'
import { readHistory } from './history.ts'
import { HttpClient } from './http-client.ts'
import { OwnServer } from './own-server.ts'
import { type ReplayCounts, type ReplayReport, replay } from './replay.ts'
import { seededRandom } from './seeded-random.ts'
import { ReplayTarget } from './target.ts'

/** A moment at which the server is killed. */
export interface Kill {
  readonly step: number
  /** After the step's start. */
  readonly delayMillis: number
  /** Killed once more, so long after it was started again. */
  readonly againMillis: number | undefined
}

export interface CrashOptions {
  readonly file: string
  readonly steps: number
  readonly kills: number
  readonly seed: number
  readonly onKill?: (what: string) => void
  readonly onStepDone?: (counts: Readonly<ReplayCounts>) => void
}

export interface CrashReport {
  readonly report: ReplayReport
  readonly kills: number
  /** Submits that a kill left unanswered: found accepted, and sent once more. */
  readonly unanswered: { readonly accepted: number; readonly resent: number }
  /** Questions about the past, all compared. */
  readonly questions: number
  readonly mismatches: readonly string[]
}

/** A step takes about 40 ms; at its start the submits are under way, and half of the kills are to meet them. */
const DELAY_MILLIS_MAX = 60
const SUBMIT_MILLIS = 12
const AGAIN_SHARE = 0.25
/** A start takes about 1.5 s, with recovery. */
const AGAIN_MILLIS_MAX = 2_000
const EDGE_QUESTIONS = 300

/** Chooses the moments of `kills` kills; a seed chooses the same again. */
export function planKills(seed: number, kills: number, steps: number): Kill[] {
  const random = seededRandom(seed)
  const plan = new Map<number, Kill>()
  for (let left = Math.min(kills, steps); left > 0; ) {
    const step = 1 + random.below(steps)
    if (plan.has(step)) continue
    const isDouble = left > 1 && random.next() < AGAIN_SHARE
    const againMillis = isDouble ? random.below(AGAIN_MILLIS_MAX) : undefined
    const delayMillis = random.below(random.next() < 0.5 ? SUBMIT_MILLIS : DELAY_MILLIS_MAX)
    plan.set(step, { step, delayMillis, againMillis })
    left -= isDouble ? 2 : 1
  }
  return [...plan.values()].sort((left, right) => left.step - right.step)
}

/**
 * Replays a history into a server that is killed with `kill -9` again and again, and compares the end with what
 * the history comes to: no sync lost, none carried out twice, the past as it was.
 */
export async function runCrashCampaign(options: CrashOptions): Promise<CrashReport> {
  const { file, steps, seed } = options
  const expected = await readFigures(file, steps)
  const plan = new Map(planKills(seed, options.kills, expected.steps).map((kill) => [kill.step, kill]))
  const server = await OwnServer.start()
  let kills = 0
  // One after the other: a kill must not meet the start that another one made necessary.
  let crashes = Promise.resolve()
  const failed = Promise.withResolvers<never>()

  async function crash({ step, delayMillis, againMillis }: Kill): Promise<void> {
    await sleep(delayMillis)
    await server.kill()
    kills++
    options.onKill?.(`killed ${delayMillis} ms into step ${step}`)
    if (againMillis !== undefined) {
      await server.startAgain(againMillis)
      kills++
      options.onKill?.(`killed again ${againMillis} ms after its start`)
    }
    await server.startAgain()
  }

  try {
    const target = new ReplayTarget(new HttpClient(server.url, server.rootKey), '')
    const asOf = new AsOfCheck(target, seededRandom(seed))
    asOf.start()
    const replayed = replay({
      target,
      steps: readHistory(file, steps),
      onStepStart({ number }) {
        const kill = plan.get(number)
        if (kill !== undefined) crashes = crashes.then(() => crash(kill)).catch(failed.reject)
      },
      async onStepDone(finished, counts) {
        await asOf.stepDone(finished)
        options.onStepDone?.(counts)
      },
    })
    const report = await Promise.race([replayed, failed.promise])
    await Promise.race([crashes, failed.promise])
    await asOf.settle()
    await asOf.askEdges(EDGE_QUESTIONS)
    await asOf.askAgain()
    const mismatches = [...report.mismatches, ...compareFigures(expected, report), ...asOf.mismatches]
    const groups = (await target.groups()).map(({ client }) => client.unanswered)
    const unanswered = {
      accepted: groups.reduce((sum, { accepted }) => sum + accepted, 0),
      resent: groups.reduce((sum, { resent }) => sum + resent, 0),
    }
    return { report, kills, unanswered, questions: asOf.questions, mismatches }
  } finally {
    await server.stop()
  }
}
