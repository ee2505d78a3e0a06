// `npm run campaign:scim-filters`: random users, groups and filters; what PostgreSQL finds is compared with what the
// words of RFC 7644 say of the resources. Ends after a time; a failure prints the seed and the counterexample.
import { test } from 'node:test'
import fc from 'fast-check'
import { openScratch } from '../scim-scratch.ts'
import { campaignSeconds, campaignSeed } from './campaign.ts'
import { newFilterCounts, scimFilterProperty } from './scim-filter-property.ts'

test('filters find what the words of RFC 7644 say of the resources, and sort them so', async () => {
  const seed = campaignSeed()
  const counts = newFilterCounts()
  await fc.assert(scimFilterProperty(await openScratch(), counts), {
    seed,
    numRuns: 1_000_000,
    interruptAfterTimeLimit: campaignSeconds() * 1000,
    markInterruptAsFailure: false,
  })
  const { questions, pairs, found, orders } = counts
  console.log(`seed ${seed}: ${questions} filters, ${pairs} pairs, ${found} found, ${orders} orders`)
})
