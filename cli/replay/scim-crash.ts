// `npm run campaign:scim-crash`: bulk requests of a thousand operations whose server is killed with `kill -9`.
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { runScimCrashCampaign } from './scim-crash-campaign.ts'
import { describeMismatches } from './summary.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    operations: { type: 'string', default: '1000' },
  },
})
const seed = Number(values.seed)
console.log(`${values.kills} kills, seed ${seed} (repeat with --seed ${seed})`)
const report = await runScimCrashCampaign({
  ...{ kills: Number(values.kills), operations: Number(values.operations), seed },
  onKill: (what) => console.log(what),
})
const { kills, unanswered, survived, mismatches } = report
console.log(
  `${kills} kills, ${unanswered} of them before the answer; ${survived} operations were carried out`,
)
if (mismatches.length > 0) {
  console.error(describeMismatches(mismatches))
  process.exitCode = 1
} else console.log('Each operation was carried out whole or not at all, and none twice.')
