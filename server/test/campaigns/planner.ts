// `npm run campaign:planner [-- SEED]`: long random histories of organizations, each operation compared with the
// model. Ends after a time; a failure prints the seed and the shortest history that shows it.
import { test } from 'node:test'
import fc from 'fast-check'
import { freshDatabase } from '../harness.ts'
import { campaignSeconds, campaignSeed } from './campaign.ts'
import { history } from './operation-arbitrary.ts'
import { perform } from './operations.ts'
import { openWorld } from './world.ts'

const OPERATIONS_MAX = 60

test('long histories of organizations are what the rules say after every operation', async () => {
  const seed = campaignSeed()
  const { database } = await freshDatabase()
  let histories = 0
  let operations = 0
  await fc.assert(
    fc.asyncProperty(history(OPERATIONS_MAX), async (steps) => {
      histories++
      operations += steps.length
      const world = await openWorld(database, { groups: 3 })
      for (const step of steps) await perform(world, step)
    }),
    {
      seed,
      numRuns: 1_000_000,
      interruptAfterTimeLimit: campaignSeconds() * 1000,
      markInterruptAsFailure: false,
    },
  )
  console.log(`seed ${seed}: ${histories} histories, ${operations} operations`)
})
