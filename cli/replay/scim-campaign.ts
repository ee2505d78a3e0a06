// `npm run campaign:scim-replay`: the whole history as an identity provider would provision it: users, then groups by
// PATCHes of a hundred members, deactivations and reactivations, on a server of its own.
import { parseArgs } from 'node:util'
import { defaultHistoryFile } from './history.ts'
import { HttpClient } from './http-client.ts'
import { OwnServer } from './own-server.ts'
import { replayThroughScim } from './scim-replay.ts'
import { describeMismatches } from './summary.ts'

const LINE_EVERY_STEPS = 250

const { values } = parseArgs({ options: { steps: { type: 'string', default: 'Infinity' } } })
const server = await OwnServer.start()
try {
  const report = await replayThroughScim({
    root: new HttpClient(server.url, server.rootKey),
    file: defaultHistoryFile(),
    stepsMax: Number(values.steps),
    comparesSteps: true,
    onStepDone({ number }) {
      if (number % LINE_EVERY_STEPS === 0) console.log(`step ${number}`)
    },
  })
  const { mismatches, ...figures } = report
  for (const [name, value] of Object.entries(figures)) {
    console.log(`${name.padEnd(18)}${Number(value.toFixed(1)).toLocaleString('en')}`)
  }
  if (mismatches.length > 0) {
    console.error(describeMismatches(mismatches))
    process.exitCode = 1
  } else console.log('Every group and every user is as the history says.')
} catch (error) {
  console.error(`The campaign ended early: ${(error as Error).message}`)
  process.exitCode = 1
} finally {
  await server.stop()
}
