import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import { submit } from '../../test/campaigns/operations.ts'
import { closeLeftOpen, holdOpen, leaveOpen, untilWaiting } from '../../test/campaigns/pauses.ts'
import { assertSound } from '../../test/campaigns/snapshot.ts'
import type { Row } from '../../test/campaigns/sync-model.ts'
import { change, openWorld, runNextSync, type World } from '../../test/campaigns/world.ts'
import { freshDatabase } from '../../test/harness.ts'
import { sql } from '../platform/postgres/sql.ts'
import { DirectoryError } from './errors.ts'
import { deleteGroup } from './groups/group.ts'
import { addGroupMember, listGroupMembers } from './groups/membership.ts'
import { getMemberSync } from './member-syncs/member-sync.ts'
import { classifyPeople, updatePeople } from './member-syncs/people.sql.ts'
import { removeMember } from './members/lifecycle.ts'
import { changeMemberLevel, createMember } from './members/member.ts'
import { approvePlan, listPlans } from './plans/plan.ts'

const BRAKE = { removal_brake: { member_sync: { max_removals: 0, max_share: null, window_seconds: 60 } } }

async function openTestWorld(settings = {}) {
  const { database, connectionString } = await freshDatabase()
  const world = await openWorld(database, { settings })
  const group = world.state.groups[0]!.id
  const reading = { db: database, actor: world.root, organizationId: world.organizationId }
  const sync = async (rows: Row[]) => {
    const id = await submit(world, { kind: 'sync', group, rows })
    return { id, read: () => getMemberSync(reading, group, id) }
  }
  const members = async () => {
    const page = { afterMemberId: null, limit: 100, asOf: null }
    const list = await listGroupMembers(reading, group, page)
    return list.map((one) => one.external_reference_id)
  }
  return { database, connectionString, world, group, reading, sync, members }
}

afterEach(closeLeftOpen)

async function memberId({ database, organizationId }: World, ref: string): Promise<string> {
  const row = await database.row(sql<{ id: string }>`
    select id from member where organization_id = ${organizationId} and external_reference_id = ${ref}`)
  return row!.id
}

const refusedAs = (code: string) => (error: unknown) => error instanceof DirectoryError && error.code === code

describe('an operation that meets another half-way', () => {
  test('a submission accepted while its group is being deleted is cancelled', async () => {
    const { world, group, sync } = await openTestWorld()
    const commit = await leaveOpen(world, (context) => deleteGroup(context, group))
    const accepted = sync([{ ref: 'a' }])
    await untilWaiting(world.database, 1)
    await commit()
    const submitted = await accepted
    assert.equal(await runNextSync(world), true)
    assert.equal((await submitted.read()).status, 'cancelled')
    await assertSound(world)
  })

  test('a member removed while a sync settles other people is restored by the sync', async () => {
    const { world, connectionString, sync, members } = await openTestWorld()
    await sync([{ ref: 'a' }])
    await runNextSync(world)
    const id = await memberId(world, 'a')
    const held = await holdOpen(connectionString)
    await held.query(
      `insert into member (organization_id, id, external_reference_id, created_at, updated_at)
        values ($1, gen_random_uuid(), 'b', now(), now())`,
      [world.organizationId],
    )
    const { read } = await sync([{ ref: 'a' }, { ref: 'b' }])
    const running = runNextSync(world)
    await untilWaiting(world.database, 1)
    await change(world, (context) => removeMember(context, id))
    await held.rollback()
    await running
    const { status, updated_members, created_members, opened_count } = await read()
    assert.deepEqual([status, updated_members, created_members, opened_count], ['completed', 1, 1, 2])
    assert.deepEqual((await members()).sort(), ['a', 'b'])
    await assertSound(world)
  })

  test('who is found by an email and removed a moment later is not brought back', async () => {
    const { database, world, sync } = await openTestWorld()
    const { organizationId } = world
    const email = 'found@x.co'
    const found = await change(world, (context) => createMember(context, { email }))
    const { id: syncId } = await sync([{ ref: 'new', email }])
    const people = { syncId, size: 'small', now: new Date(), protectedLevels: [] } as const
    const updated = await database.transaction(async (tx) => {
      await classifyPeople(tx, organizationId, people)
      await change(world, (context) => removeMember(context, found.id))
      return await updatePeople(tx, organizationId, people)
    })
    assert.equal(updated, 0)
    const row = await database.row(sql<{ status: string }>`
      select status from member where organization_id = ${organizationId} and id = ${found.id}`)
    assert.equal(row!.status, 'removed')
  })

  test('an approved plan whose member is being removed restores the member', async () => {
    const { world, sync, members, reading } = await openTestWorld(BRAKE)
    await sync([{ ref: 'a' }, { ref: 'b' }])
    await runNextSync(world)
    await change(world, (context) => createMember(context, { externalReferenceId: 'c' }))
    await sync([{ ref: 'a' }, { ref: 'c' }])
    await runNextSync(world)
    const [plan] = await listPlans(reading, { beforeId: null, status: 'held', groupId: null, limit: 1 })
    const id = await memberId(world, 'c')
    const commit = await leaveOpen(world, (context) => removeMember(context, id))
    const approved = change(world, (context) => approvePlan(context, plan!.id))
    await untilWaiting(world.database, 1)
    await commit()
    assert.equal((await approved).status, 'applied')
    assert.deepEqual((await members()).sort(), ['a', 'c'])
    await assertSound(world)
  })

  test('a member who is being removed is added to no group', async () => {
    const { world, group } = await openTestWorld()
    const { id } = await change(world, (context) => createMember(context, { externalReferenceId: 'a' }))
    const commit = await leaveOpen(world, (context) => removeMember(context, id))
    const added = change(world, (context) => addGroupMember(context, group, id, null))
    const refused = assert.rejects(added, refusedAs('member.wrong_status'))
    await untilWaiting(world.database, 1)
    await commit()
    await refused
    await assertSound(world)
  })

  test('a group that is being deleted takes no member', async () => {
    const { world, group } = await openTestWorld()
    const { id } = await change(world, (context) => createMember(context, { externalReferenceId: 'a' }))
    const commit = await leaveOpen(world, (context) => deleteGroup(context, group))
    const added = change(world, (context) => addGroupMember(context, group, id, null))
    const refused = assert.rejects(added, refusedAs('group.not_found'))
    await untilWaiting(world.database, 1)
    await commit()
    await refused
    await assertSound(world)
  })

  test('of two owners who are ended at the same time one stays', async () => {
    const { world } = await openTestWorld()
    const first = world.state.people[0]!.id
    const { id } = await change(world, (context) =>
      createMember(context, { email: 'b@x.co', level: 'owner' }),
    )
    const commit = await leaveOpen(world, (context) => removeMember(context, first))
    const demoted = change(world, (context) => changeMemberLevel(context, id, 'member'))
    const refused = assert.rejects(demoted, refusedAs('organization.last_owner'))
    await untilWaiting(world.database, 1)
    await commit()
    await refused
    await assertSound(world)
  })

  test('a held plan names the people it would create and counts them, and leaves nobody behind', async () => {
    const { world, sync, reading } = await openTestWorld(BRAKE)
    await sync([{ ref: 'a' }])
    await runNextSync(world)
    await sync([{ ref: 'b' }, { ref: 'c' }])
    await runNextSync(world)
    const [plan] = await listPlans(reading, { beforeId: null, status: 'held', groupId: null, limit: 1 })
    assert.deepEqual([plan!.open_count, plan!.end_count, plan!.new_member_count], [2, 1, 2])
    const entries = await world.database.rows(sql<{ effect: string; reference_id: string; known: boolean }>`
      select effect, reference_id, member_id is not null as known from plan_entry order by ordinal`)
    assert.deepEqual(entries, [
      { effect: 'end', reference_id: 'a', known: true },
      { effect: 'open', reference_id: 'b', known: false },
      { effect: 'open', reference_id: 'c', known: false },
    ])
    await assertSound(world)
  })
})
