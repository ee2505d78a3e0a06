// `npm run campaign:openai-replay`: the first steps of the history through OpenAI's dialect alone, with the vendor's own
// client: groups and their users are created and deleted one by one, on a server of its own, and compared after each
// step. The dialect has no call that creates users: they come from the Directory API, with the root key.
import { parseArgs } from 'node:util'
import { defaultHistoryFile } from './history.ts'
import { HttpClient } from './http-client.ts'
import { type OpenaiReport, replayThroughOpenai } from './openai-replay.ts'
import { OwnServer } from './own-server.ts'
import { describeMismatches } from './summary.ts'

const LINE_EVERY_STEPS = 50

const { values } = parseArgs({ options: { steps: { type: 'string', default: '300' } } })
const stepsMax = Number(values.steps)
const server = await OwnServer.start()
try {
  const report = await replayThroughOpenai({
    root: new HttpClient(server.url, server.rootKey),
    url: server.url,
    file: defaultHistoryFile(),
    stepsMax,
    onStepDone({ number }) {
      if (number % LINE_EVERY_STEPS === 0) console.log(`step ${number} of ${stepsMax}`)
    },
  })
  console.log(summarize(report))
  if (report.mismatches.length > 0) {
    console.error(describeMismatches(report.mismatches))
    process.exitCode = 1
  } else console.log('Everything is as the history says.')
} catch (error) {
  console.error(`The campaign ended early: ${(error as Error).message}`)
  process.exitCode = 1
} finally {
  await server.stop()
}

function summarize(report: OpenaiReport): string {
  const { steps, requests, seconds } = report
  const rows = [
    ['steps', `${steps} in ${seconds.toFixed(1)} s`],
    ['requests', `${requests} (${(requests / seconds).toFixed(0)}/s), ${report.refused} refused`],
    ['users', `${report.users}, made through the Directory API`],
    ['groups', `${report.groupsCreated} created, ${report.groupsDeleted} deleted`],
    ['group users', `${report.added} added, ${report.removed} removed`],
    ['ended by a deletion', String(report.endedByDeletion)],
    ['live groups', String(report.liveGroups)],
    ['live memberships', String(report.memberships)],
    ['failures', String(report.mismatches.length)],
  ] as const
  return rows.map(([name, value]) => `${name.padEnd(22)}${value}`).join('\n')
}
