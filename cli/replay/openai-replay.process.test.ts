import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { startServerProcess } from '../../server/test/server-process.ts'
import { defaultHistoryFile } from './history.ts'
import { HttpClient } from './http-client.ts'
import { replayThroughOpenai } from './openai-replay.ts'

const STEPS = 10
const ROOT_KEY = 'root-key-of-the-replay'
const file = defaultHistoryFile()

test('real history through OpenAI’s dialect leaves groups and their users as the history is', async (t) => {
  if (!existsSync(file)) {
    t.skip(`no membership history at ${file}: put it there, or name it in ROLLCALL_HISTORY_FILE`)
    return
  }
  const server = await startServerProcess({ env: { ROLLCALL_ROOT_KEY: ROOT_KEY, LOG_LEVEL: 'error' } })
  const root = new HttpClient(server.url, ROOT_KEY)
  const report = await replayThroughOpenai({ root, url: server.url, file, stepsMax: STEPS })
  assert.deepEqual(report.mismatches, [])
  assert.equal(report.steps, STEPS)
  assert.ok(report.added > 1000 && report.removed > 0 && report.groupsCreated > 10)
})
