import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { startServerProcess } from '../../server/test/server-process.ts'
import { defaultHistoryFile } from './history.ts'
import { HttpClient } from './http-client.ts'
import { replayThroughScim } from './scim-replay.ts'

const STEPS = 60
const ROOT_KEY = 'root-key-of-the-replay'
const file = defaultHistoryFile()

test('real history, provisioned as an identity provider would, ends as the history is', async (t) => {
  if (!existsSync(file)) {
    t.skip(`no membership history at ${file}: put it there, or name it in ROLLCALL_HISTORY_FILE`)
    return
  }
  const server = await startServerProcess({ env: { ROLLCALL_ROOT_KEY: ROOT_KEY, LOG_LEVEL: 'error' } })
  const root = new HttpClient(server.url, ROOT_KEY)
  const report = await replayThroughScim({ root, file, stepsMax: STEPS })
  assert.deepEqual(report.mismatches, [])
  assert.equal(report.steps, STEPS)
  assert.ok(report.added > 1000 && report.removed > 0 && report.deactivated > 0, JSON.stringify(report))
})
