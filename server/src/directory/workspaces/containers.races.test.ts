import { test } from 'node:test'
import fc from 'fast-check'
import { lastSeatsProperty } from '../../../test/campaigns/last-seats.ts'
import { pendingInvitationProperty } from '../../../test/campaigns/pending-invitations.ts'
import { soleAdminProperty } from '../../../test/campaigns/sole-admin.ts'
import { freshDatabase } from '../../../test/harness.ts'
import type { Database } from '../../platform/postgres/database.ts'

/** Few, to be quick: `npm run campaign:containers` does a thousand of each, with another seed every time. */
const ROUNDS = { seed: 20_261_122, numRuns: 20, endOnFailure: true }

async function hold<Drawn>(propertyOf: (database: Database) => fc.IAsyncProperty<Drawn>): Promise<void> {
  const { database } = await freshDatabase({ poolSize: 8 })
  await fc.assert(propertyOf(database), ROUNDS)
}

test('a project of a workspace keeps an admin, however its admins are taken away at the same time', () =>
  hold(soleAdminProperty))

test('no more seats are used than are bought, and none stays empty, whoever comes through which door', () =>
  hold(lastSeatsProperty))

test('an address has one pending invitation to a target, however it is invited at the same time', () =>
  hold(pendingInvitationProperty))
