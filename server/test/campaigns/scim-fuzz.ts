// `npm run campaign:scim-fuzz`: odd requests of several SCIM clients at once, a million by default
// (ROLLCALL_CAMPAIGN_REQUESTS), the same for the same seed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { campaignSeed } from './campaign.ts'
import { fuzzScim } from './scim-fuzzing.ts'

test('no request of a SCIM client is answered with a fault, reaches another organization, or stays in memory', async () => {
  const report = await fuzzScim({
    seed: campaignSeed(),
    requests: Number(process.env.ROLLCALL_CAMPAIGN_REQUESTS ?? 1_000_000),
    onSample: (done, megabytes) => console.log(`${done} requests, ${megabytes.toFixed(1)} MB in use`),
  })
  console.log(JSON.stringify(report.statuses), `peak ${report.peakMegabytes.toFixed(0)} MB`)
  assert.deepEqual(report.failures, [])
})
