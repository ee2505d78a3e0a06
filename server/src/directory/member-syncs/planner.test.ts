import { test } from 'node:test'
import fc from 'fast-check'
import { history } from '../../../test/campaigns/operation-arbitrary.ts'
import { perform } from '../../../test/campaigns/operations.ts'
import { openWorld } from '../../../test/campaigns/world.ts'
import { freshDatabase } from '../../../test/harness.ts'

test('whatever is done to an organization, it is what the rules say after every operation', async () => {
  const { database } = await freshDatabase()
  await fc.assert(
    fc.asyncProperty(history(25), async (operations) => {
      const world = await openWorld(database, { groups: 3 })
      for (const operation of operations) await perform(world, operation)
    }),
    { numRuns: Number(process.env.RUNS ?? 15) },
  )
})
