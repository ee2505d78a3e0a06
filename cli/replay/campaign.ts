// `npm run campaign:replay`: the whole history through a server of its own, the past of it, and the last state
// once more; every figure is compared with what the history comes to.
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { AsOfCheck } from './as-of.ts'
import { compareFigures, readFigures, WHOLE_HISTORY } from './figures.ts'
import { defaultHistoryFile, readHistory, readLastState, type Step } from './history.ts'
import { HttpClient } from './http-client.ts'
import { OwnServer } from './own-server.ts'
import { Progress } from './progress.ts'
import { replay } from './replay.ts'
import { seededRandom } from './seeded-random.ts'
import { describeMismatches, summarize } from './summary.ts'
import { ReplayTarget } from './target.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    questions: { type: 'string', default: '3000' },
  },
})
const file = defaultHistoryFile()
const seed = Number(values.seed)
const expected = await readFigures(file)
const mismatches = Object.entries(WHOLE_HISTORY)
  .filter(([name, value]) => expected[name as keyof typeof expected] !== value)
  .map(([name, value]) => `the file itself: ${name} is not ${value}`)
const server = await OwnServer.start()
try {
  const target = new ReplayTarget(new HttpClient(server.url, server.rootKey), '')
  const asOf = new AsOfCheck(target, seededRandom(seed))
  const progress = new Progress(expected.steps)
  console.log(`Replaying ${expected.steps} steps; questions about the past with seed ${seed}`)
  asOf.start()
  const whole = await replay({
    target,
    steps: readHistory(file),
    async onStepDone(finished, counts) {
      await asOf.stepDone(finished)
      progress.show(counts)
    },
  }).finally(() => progress.end())
  console.log(summarize(whole))
  mismatches.push(...whole.mismatches, ...compareFigures(expected, whole))

  const meanwhile = await timed(() => asOf.settle())
  console.log(`\nas of: ${asOf.questions} questions while it ran`)
  const edges = await timed(() => asOf.askEdges(Number(values.questions)))
  console.log(`as of: ${asOf.questions} questions in all, ${edges} for the edges after ${meanwhile}`)

  console.log('\nThe last state once more:')
  const again = new ReplayTarget(new HttpClient(server.url, server.rootKey), '')
  const last = await replay({ target: again, steps: lastState() })
  console.log(summarize(last))
  const effect = last.opened + last.ended + last.audit.syncChanges
  if (effect > 0) mismatches.push('the last state was not there already: sending it changed something')
  mismatches.push(...last.mismatches)

  await server.kill()
  await server.startAgain()
  const repeated = await asOf.askAgain()
  console.log(`\nas of: ${repeated} questions asked again, after more writes and a kill of the server`)
  mismatches.push(...asOf.mismatches)
} catch (error) {
  mismatches.push(`the campaign ended early: ${(error as Error).message}`)
} finally {
  await server.stop()
}
if (mismatches.length > 0) console.error(describeMismatches(mismatches))
else console.log('Everything is as the history says.')
process.exitCode = mismatches.length === 0 ? 0 : 1

async function* lastState(): AsyncGenerator<Step> {
  yield await readLastState(file)
}

async function timed(work: () => Promise<unknown>): Promise<string> {
  const began = performance.now()
  await work()
  return `${((performance.now() - began) / 1000).toFixed(1)} s`
}
