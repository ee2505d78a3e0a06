import assert from 'node:assert/strict'
import { it } from 'node:test'
import { fuzzScim } from '../../../test/campaigns/scim-fuzzing.ts'

const SEED = 7643
const REQUESTS = 3000

it('answers odd requests without a fault, and shows and changes nothing of another organization', async () => {
  const { failures, statuses, requests } = await fuzzScim({ seed: SEED, requests: REQUESTS })
  assert.deepEqual(failures, [])
  assert.equal(requests, REQUESTS)
  // Enough of them are carried out: requests that are all refused would find nothing.
  assert.ok((statuses[200] ?? 0) > 200 && (statuses[201] ?? 0) > 20, JSON.stringify(statuses))
})
