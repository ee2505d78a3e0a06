// `npm run campaign:access`: random organizations with roles of every kind over time; who may do what, now and at
// moments of the past, is compared with the model. Ends after a time; a failure prints the seed and the history.
import { test } from 'node:test'
import fc from 'fast-check'
import { freshDatabase } from '../harness.ts'
import { accessProperty, newCounts } from './access-property.ts'
import { campaignSeconds, campaignSeed } from './campaign.ts'

const OPERATIONS_MAX = 50

test('who may do what, through what and since when is what the rules say, now and in the past', async () => {
  const seed = campaignSeed()
  const { database } = await freshDatabase()
  const counts = newCounts()
  await fc.assert(accessProperty(database, OPERATIONS_MAX, counts), {
    seed,
    numRuns: 1_000_000,
    interruptAfterTimeLimit: campaignSeconds() * 1000,
    markInterruptAsFailure: false,
  })
  const { worlds, operations, questions, endings } = counts
  console.log(
    `seed ${seed}: ${worlds} organizations, ${operations} operations, ${questions} questions, ${endings} accesses ended`,
  )
})
