// `npm run campaign:races`: random operations done at the same time, and the last owner attacked from all sides.
// Each ends after a time; a failure prints the seed and what was done.
import { test } from 'node:test'
import fc from 'fast-check'
import { freshDatabase } from '../harness.ts'
import { campaignSeconds, campaignSeed } from './campaign.ts'
import { lastOwnerProperty } from './last-owner.ts'
import { raceProperty } from './race-property.ts'

const OWNER_ROUNDS = 1000

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

test('an organization keeps an active owner, however its owners are ended at the same time', async () => {
  const { database } = await freshDatabase({ poolSize: 8 })
  let rounds = 0
  await fc.assert(
    lastOwnerProperty(database, () => rounds++),
    {
      seed,
      numRuns: OWNER_ROUNDS,
      endOnFailure: true,
      interruptAfterTimeLimit: (campaignSeconds() * 1000) / 2,
      markInterruptAsFailure: false,
    },
  )
  console.log(`seed ${seed}: ${rounds} attacks on the owners`)
})
