// `npm run campaign:crash`: a replay whose server is killed with `kill -9` at random moments.
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { runCrashCampaign } from './crash-campaign.ts'
import { countSteps, defaultHistoryFile } from './history.ts'
import { duration, Progress } from './progress.ts'
import { describeMismatches, summarize } from './summary.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    steps: { type: 'string', default: 'Infinity' },
  },
})
const file = positionals[0] ?? defaultHistoryFile()
const seed = Number(values.seed)
const kills = Number(values.kills)
const steps = await countSteps(file, Number(values.steps))
const began = performance.now()
const progress = new Progress(steps)
console.log(`${kills} kills in ${steps} steps, seed ${seed} (repeat with --seed ${seed})`)

const outcome = await runCrashCampaign({
  file,
  steps,
  kills,
  seed,
  onKill: (what) => console.log(`${duration((performance.now() - began) / 1000)} ${what}`),
  onStepDone: (counts) => progress.show(counts),
})
  .catch((error: Error) => {
    console.error(`The campaign ended early: ${error.message}`)
    process.exit(1)
  })
  .finally(() => progress.end())
console.log(summarize(outcome.report))
const { accepted, resent } = outcome.unanswered
console.log(`kills                 ${outcome.kills}
unanswered submits    ${accepted} were accepted all the same, ${resent} were sent once more
asked about the past  ${outcome.questions}`)
if (outcome.mismatches.length > 0) {
  console.error(describeMismatches(outcome.mismatches))
  process.exitCode = 1
} else {
  console.log('No sync was lost, none was carried out twice, and the past is as it was.')
}
