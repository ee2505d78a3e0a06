import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { describe, test } from 'node:test'
import { planKills, runCrashCampaign } from './crash-campaign.ts'
import { defaultHistoryFile } from './history.ts'

const SEED = 33
const KILLS = 3
const STEPS = 120
const file = defaultHistoryFile()

describe('a replay into a server that is killed', () => {
  test('is planned by its seed', () => {
    const plan = planKills(SEED, 20, 2742)
    assert.deepEqual(plan, planKills(SEED, 20, 2742))
    assert.notDeepEqual(plan, planKills(SEED + 1, 20, 2742))
    assert.equal(
      plan.reduce((sum, { againMillis }) => sum + (againMillis === undefined ? 1 : 2), 0),
      20,
    )
  })

  test('loses no sync, carries none out twice, and keeps its past', async (t) => {
    if (!existsSync(file)) {
      t.skip(`no membership history at ${file}: put it there, or name it in ROLLCALL_HISTORY_FILE`)
      return
    }
    const outcome = await runCrashCampaign({ file, steps: STEPS, kills: KILLS, seed: SEED })
    assert.deepEqual(outcome.mismatches, [])
    assert.equal(outcome.kills, KILLS)
    assert.ok(outcome.questions > 300)
  })
})
