// `npm run campaign:races`: random operations done at the same time, and the last owner attacked from all sides.
// Ends after a time; a failure prints the seed and what was done.
import { test } from 'node:test'
import fc from 'fast-check'
import { freshDatabase } from '../harness.ts'
import { campaignSeconds, campaignSeed } from './campaign.ts'
import { raceProperty } from './race-property.ts'

const seed = campaignSeed()

test('operations done at the same time are as if one had come after the other', async () => {
  const { database } = await freshDatabase({ poolSize: 8 })
  let rounds = 0
  await fc.assert(
    raceProperty(database, () => rounds++),
    {
      seed,
      numRuns: 1_000_000,
      endOnFailure: true,
      interruptAfterTimeLimit: (campaignSeconds() * 1000) / 2,
      markInterruptAsFailure: false,
    },
  )
  console.log(`seed ${seed}: ${rounds} races`)
})
