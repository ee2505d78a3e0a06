import assert from 'node:assert/strict'
import { afterEach, before, describe, test } from 'node:test'
import {
  type Attack,
  assignOwner,
  attackOn,
  attacks,
  type Making,
  makeOwner,
  type Owner,
} from '../../../test/campaigns/owners.ts'
import { closeLeftOpen, leaveOpen, untilWaiting } from '../../../test/campaigns/pauses.ts'
import { assertSound } from '../../../test/campaigns/snapshot.ts'
import { change, openWorld, type World } from '../../../test/campaigns/world.ts'
import { freshDatabase, type TestDatabase } from '../../../test/harness.ts'
import { DirectoryError } from '../errors.ts'
import { deleteGroup } from '../groups/group.ts'
import { addGroupMember, removeGroupMember } from '../groups/membership.ts'
import { removeMember, suspendMember } from './lifecycle.ts'
import { createMember } from './member.ts'
import { mergeMembers } from './merge.ts'

let opened: TestDatabase
before(async () => {
  opened = await freshDatabase()
})
afterEach(closeLeftOpen)

const refusedAs = (code: string) => (error: unknown) => error instanceof DirectoryError && error.code === code

/** A way to take an owner away, and how that owner was made: what is undone differs. */
interface Way {
  readonly attack: Attack
  readonly making: Making
}
const nameOf = ({ attack, making }: Way) =>
  attack === 'undo what made it' ? `undo of what made it an owner (${making})` : attack
const ways: readonly Way[] = [
  ...attacks
    .filter((attack) => attack !== 'undo what made it')
    .map((attack) => ({ attack, making: 'assigned' }) as const),
  ...(['level', 'assigned', 'reactivated', 'restored'] as const).map(
    (making) => ({ attack: 'undo what made it', making }) as const,
  ),
]

/** An organization with these owners and no other, and somebody suspended whom they may be merged into. */
async function withOwners<Makings extends readonly Making[]>(...makings: Makings) {
  const world = await openWorld(opened.database)
  const owners: Owner[] = []
  for (const [n, making] of makings.entries()) owners.push(await makeOwner(world, `o${n}@x.co`, making))
  const { id: idle } = await change(world, (context) => createMember(context, { email: 'idle@x.co' }))
  await change(world, (context) => suspendMember(context, idle))
  await change(world, (context) => removeMember(context, world.state.people[0]!.id))
  return { world, owners: owners as { [Place in keyof Makings]: Owner }, idle }
}

const on = (world: World, { attack }: Way, owner: Owner, into: string) =>
  attackOn(world, attack, { owner, into, actor: world.root })

describe('of two owners whom anything takes away at the same time', () => {
  for (const first of ways) {
    test(`one stays when the first to be done is: ${nameOf(first)}`, async () => {
      for (const second of ways) {
        const { world, owners, idle } = await withOwners(first.making, second.making)
        const one = on(world, first, owners[0], idle)
        const other = on(world, second, owners[1], idle)
        const commit = await leaveOpen(world, one.work, one.actor)
        const ended = change(world, other.work, other.actor)
        const refused = assert.rejects(ended, refusedAs('organization.last_owner'), nameOf(second))
        // It has come to where owners take turns, before it looks who is left.
        await untilWaiting(opened.database, 1)
        await commit()
        await refused
        await assertSound(world)
      }
    })
  }

  test('one stays when each is merged into the other', async () => {
    const { world, owners } = await withOwners('assigned', 'level')
    const [one, other] = [owners[0].id, owners[1].id]
    const commit = await leaveOpen(world, (context) => mergeMembers(context, one, other))
    const merged = change(world, (context) => mergeMembers(context, other, one))
    const refused = assert.rejects(merged, refusedAs('member.wrong_status'))
    await untilWaiting(opened.database, 1)
    await commit()
    await refused
    await assertSound(world)
  })
})

describe('an owner through a group', () => {
  for (const way of ways) {
    test(`does not count when the last one of its own is taken away: ${nameOf(way)}`, async () => {
      const { world, owners, idle } = await withOwners(way.making)
      const group = world.state.groups[0]!.id
      const { id } = await change(world, (context) => createMember(context, { email: 'through@x.co' }))
      await change(world, (context) => addGroupMember(context, group, id, null))
      await change(world, (context) => assignOwner(context, { kind: 'group', id: group }))
      const { work, actor } = on(world, way, owners[0], idle)
      await assert.rejects(change(world, work, actor), refusedAs('organization.last_owner'))
      await assertSound(world)
    })
  }

  test('is one no more when the group is emptied or deleted, and nobody has to stay in it', async () => {
    const { world, owners } = await withOwners('assigned')
    const group = world.state.groups[0]!.id
    await change(world, (context) => assignOwner(context, { kind: 'group', id: group }))
    await change(world, (context) => addGroupMember(context, group, owners[0].id, null))
    await change(world, (context) => removeGroupMember(context, group, owners[0].id))
    await change(world, (context) => deleteGroup(context, group))
    await assertSound(world)
  })
})
