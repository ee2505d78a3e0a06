// `npm run replay -- <file>`: replays a membership history through a running server and compares after each step.
import { parseArgs } from 'node:util'
import { countSteps, defaultHistoryFile, readHistory, readLastState, type Step } from './history.ts'
import { HttpClient } from './http-client.ts'
import { Progress } from './progress.ts'
import { replay } from './replay.ts'
import { describeMismatches, summarize } from './summary.ts'
import { ReplayTarget } from './target.ts'

const USAGE = `npm run replay -- [file] [options]
  file            a gzipped membership history; default: ROLLCALL_HISTORY_FILE, or the one beside the repository
  --url           the server (default http://127.0.0.1:8484)
  --root-key      its root key (default: ROLLCALL_ROOT_KEY)
  --steps N       only the first N steps
  --last-state    only the last state of every group, which must change nothing
  --slug-prefix   put before the slugs of the organizations`

try {
  process.exitCode = await run()
} catch (error) {
  console.error(`The replay ended early: ${(error as Error).message}`)
  process.exitCode = 1
}

async function run(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      url: { type: 'string', default: 'http://127.0.0.1:8484' },
      'root-key': { type: 'string' },
      steps: { type: 'string' },
      'last-state': { type: 'boolean', default: false },
      'slug-prefix': { type: 'string', default: '' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(USAGE)
    return 0
  }
  const rootKey = values['root-key'] ?? process.env.ROLLCALL_ROOT_KEY
  if (rootKey === undefined || rootKey === '')
    throw new Error('name the root key with --root-key or ROLLCALL_ROOT_KEY')
  const stepsMax = values.steps === undefined ? Number.POSITIVE_INFINITY : Number(values.steps)
  if (!(stepsMax >= 1)) throw new Error('--steps must be a number from 1')
  const file = positionals[0] ?? defaultHistoryFile()

  const target = new ReplayTarget(new HttpClient(values.url, rootKey), values['slug-prefix'])
  const isLastState = values['last-state']
  const progress = new Progress(isLastState ? 1 : await countSteps(file, stepsMax))
  const report = await replay({
    target,
    steps: isLastState ? lastState(file, stepsMax) : readHistory(file, stepsMax),
    onStepDone: (_finished, counts) => progress.show(counts),
  }).finally(() => progress.end())
  const effect = report.opened + report.ended + report.audit.syncChanges
  const mismatches = [
    ...report.mismatches,
    ...(isLastState && effect > 0
      ? ['the last state was not there already: sending it changed something']
      : []),
  ]
  console.log(summarize({ ...report, mismatches }))
  if (mismatches.length > 0) console.error(describeMismatches(mismatches))
  return mismatches.length === 0 ? 0 : 1
}

async function* lastState(file: string, stepsMax: number): AsyncGenerator<Step> {
  yield await readLastState(file, stepsMax)
}
