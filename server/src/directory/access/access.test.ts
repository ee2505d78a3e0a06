import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import fc from 'fast-check'
import { accessProperty, newCounts } from '../../../test/campaigns/access-property.ts'
import { change, openWorld, type World } from '../../../test/campaigns/world.ts'
import { freshDatabase, type TestDatabase } from '../../../test/harness.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { createMember } from '../members/member.ts'
import { mergeMembers } from '../members/merge.ts'
import { explainAccess } from './member-access.ts'

const WORLDS = Number(process.env.ROLLCALL_TEST_RUNS ?? 12)
const OPERATIONS_MAX = 30

let opened: TestDatabase
let world: World
before(async () => {
  opened = await freshDatabase()
  world = await openWorld(opened.database)
})

test('who may do what, through what and since when is what the rules say, now and in the past', async () => {
  await fc.assert(accessProperty(opened.database, OPERATIONS_MAX, newCounts()), {
    numRuns: WORLDS,
    endOnFailure: true,
  })
})

/** The moment just before the latest change, and that change's own. */
async function aroundLatestChange(): Promise<{ before: string; at: string }> {
  const row = await opened.database.row(sql<{ before: string; at: string }>`
    select at, at - interval '1 microsecond' as before from change
    where organization_id = ${world.organizationId} order by seq desc limit 1`)
  return row!
}

async function statusOf(memberId: string, asOf: string): Promise<string> {
  const { organizationId, root } = world
  const reading = { db: opened.database, actor: root, organizationId }
  return (await explainAccess(reading, memberId, asOf)).status
}

describe('the status of the past', () => {
  test('begins and ends at the moments of changes, not when their transactions began', async () => {
    const create = (externalReferenceId: string) =>
      change(world, (context) => createMember(context, { externalReferenceId }))
    const into = await create('into')
    const created = await aroundLatestChange()
    assert.deepEqual(
      [await statusOf(into.id, created.before), await statusOf(into.id, created.at)],
      ['removed', 'active'],
    )
    const from = await create('from')
    await change(world, (context) => mergeMembers(context, into.id, from.id))
    const merged = await aroundLatestChange()
    assert.deepEqual(
      [await statusOf(from.id, merged.before), await statusOf(from.id, merged.at)],
      ['active', 'removed'],
    )
  })
})
