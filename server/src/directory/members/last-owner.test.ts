import { test } from 'node:test'
import fc from 'fast-check'
import { lastOwnerProperty } from '../../../test/campaigns/last-owner.ts'
import { freshDatabase } from '../../../test/harness.ts'

test('an organization keeps an active owner, however its owners are ended at the same time', async () => {
  const { database } = await freshDatabase({ poolSize: 8 })
  await fc.assert(lastOwnerProperty(database), { numRuns: 30, endOnFailure: true })
})
