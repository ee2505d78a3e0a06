import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { startServerProcess } from '../../server/test/server-process.ts'
import { AsOfCheck } from './as-of.ts'
import { compareFigures, readFigures } from './figures.ts'
import { defaultHistoryFile, readHistory, readLastState, type Step } from './history.ts'
import { HttpClient } from './http-client.ts'
import { compareGroups, replay } from './replay.ts'
import { seededRandom } from './seeded-random.ts'
import { ReplayTarget } from './target.ts'

const STEPS = 150
const ROOT_KEY = 'root-key-of-the-replay'
const file = defaultHistoryFile()

async function* lastState(): AsyncGenerator<Step> {
  yield await readLastState(file, STEPS)
}

test('a replay of real history', async (t) => {
  if (!existsSync(file)) {
    t.skip(`no membership history at ${file}: put it there, or name it in ROLLCALL_HISTORY_FILE`)
    return
  }
  const server = await startServerProcess({ env: { ROLLCALL_ROOT_KEY: ROOT_KEY, LOG_LEVEL: 'error' } })
  const root = new HttpClient(server.url, ROOT_KEY)
  const target = new ReplayTarget(root, '')
  const asOf = new AsOfCheck(target, seededRandom(2018))

  await t.test('leaves the server as the history is, after each step and at the end', async () => {
    asOf.start()
    const report = await replay({
      target,
      steps: readHistory(file, STEPS),
      onStepDone: (finished) => asOf.stepDone(finished),
    })
    assert.deepEqual(report.mismatches, [])
    assert.deepEqual(compareFigures(await readFigures(file, STEPS), report), [])
  })

  await t.test('can be asked about any past moment, also while it was running', async () => {
    await asOf.settle()
    const meanwhile = asOf.questions
    assert.ok(meanwhile > 50, `only ${meanwhile} questions were answered while it ran`)
    await asOf.askEdges(400)
    assert.ok(asOf.questions > meanwhile + 350)
    assert.deepEqual(asOf.mismatches, [])
  })

  await t.test('and its last state once more changes nothing', async () => {
    const again = await replay({ target: new ReplayTarget(root, ''), steps: lastState() })
    assert.deepEqual(again.mismatches, [])
    const { opened, ended, effective, audit } = again
    assert.deepEqual({ opened, ended, effective }, { opened: 0, ended: 0, effective: 0 })
    assert.deepEqual([audit.syncChanges, audit.syncs], [0, again.syncs])
    assert.ok(again.syncs > 400)
  })

  await t.test('names each group that is not as the history says', async () => {
    const group = (await target.groups()).find(({ wanted }) => wanted.size > 5)!
    const { organization, directoryId, path } = group.client
    const members = `${organization.path}/groups/${directoryId}/members`
    const [first] = (await organization.http.send('GET', `${members}?limit=1`, [200])).body.data
    await organization.http.send('DELETE', `${members}/${first.id}`, [204])
    const differences = await compareGroups(await target.groups())
    assert.equal(differences.length, 1)
    assert.ok(differences[0]!.startsWith(`${path}: `))
    assert.ok(differences[0]!.includes(`1 missing (${first.external_reference_id})`))
    const repaired = await replay({ target: new ReplayTarget(root, ''), steps: lastState() })
    assert.deepEqual([repaired.opened, repaired.audit.syncChanges], [1, 1])
  })

  await t.test('keeps the answers about its past, whatever happens later', async () => {
    assert.equal(await asOf.askAgain(), asOf.questions)
    assert.deepEqual(asOf.mismatches, [])
  })
})
