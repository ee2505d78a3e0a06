// `npm run campaign:containers`: the rules of workspaces and their invitations, attacked from all sides at once. Each
// ends after its rounds or its time; a failure prints the seed and what was done.
import { test } from 'node:test'
import fc from 'fast-check'
import type { Database } from '#src/platform/postgres/database.ts'
import { sql } from '#src/platform/postgres/sql.ts'
import { freshDatabase } from '../harness.ts'
import { campaignSeconds, campaignSeed } from './campaign.ts'
import { lastSeatsProperty } from './last-seats.ts'
import { pendingInvitationProperty } from './pending-invitations.ts'
import { soleAdminProperty } from './sole-admin.ts'

const ROUNDS = 1000

const seed = campaignSeed()

/** One rule, in a database of its own, for its rounds or a third of the time. */
async function campaign<Drawn>(
  propertyOf: (database: Database, counted: () => void) => fc.IAsyncProperty<Drawn>,
): Promise<void> {
  const { database } = await freshDatabase({ poolSize: 8 })
  let rounds = 0
  await fc.assert(
    propertyOf(database, () => rounds++),
    {
      seed,
      numRuns: ROUNDS,
      endOnFailure: true,
      interruptAfterTimeLimit: (campaignSeconds() * 1000) / 3,
      markInterruptAsFailure: false,
    },
  )
  console.log(
    `seed ${seed}: ${rounds} rounds, ${await deadlocks(database)} deadlocks that nobody was told of`,
  )
}

test('a project of a workspace keeps an admin, however its admins are taken away', () =>
  campaign(soleAdminProperty))

test('no more seats of a workspace are used than are bought, whoever comes through which door', () =>
  campaign(lastSeatsProperty))

test('an address has one pending invitation to a target, however it is invited', () =>
  campaign(pendingInvitationProperty))

/** Found by PostgreSQL so far in this database. */
async function deadlocks(database: Database): Promise<number> {
  const row = await database.row(sql<{ deadlocks: number }>`
    select deadlocks from pg_stat_database where datname = current_database()`)
  return row!.deadlocks
}
