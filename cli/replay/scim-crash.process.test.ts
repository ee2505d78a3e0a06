import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runScimCrashCampaign } from './scim-crash-campaign.ts'

test('a bulk request whose server is killed leaves each operation whole or absent, and can be sent again', async () => {
  const report = await runScimCrashCampaign({ kills: 2, seed: 7644, operations: 150 })
  assert.deepEqual(report.mismatches, [])
  assert.equal(report.kills, 2)
  assert.ok(report.unanswered > 0 && report.survived > 0, JSON.stringify(report))
})
