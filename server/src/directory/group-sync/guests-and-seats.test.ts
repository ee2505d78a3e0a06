import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { change } from '../../../test/campaigns/world.ts'
import { type GroupSyncWorld, openGroupSyncWorld } from '../../../test/group-sync-world.ts'
import { freshDatabase, type TestDatabase } from '../../../test/harness.ts'
import { undoChange } from '../changes/undo.ts'
import { updateWorkspace } from '../workspaces/workspace.ts'

let opened: TestDatabase
before(async () => {
  opened = await freshDatabase()
})
const open = (seats: number | null = null): Promise<GroupSyncWorld> =>
  openGroupSyncWorld(opened.database, seats)
const skippedOf = ({ members }: { members: readonly { memberId: string; skipped: string | null }[] }) =>
  Object.fromEntries(members.map(({ memberId, skipped }) => [memberId, skipped]))

describe('a guest of the workspace', () => {
  test('gets on projects what guests may have at most, custom roles included', async () => {
    const world = await open()
    const [project, other, third, member] = [
      await world.project(),
      await world.project(),
      await world.project(),
      await world.member(),
    ]
    await world.map('staff', 'guest')
    await world.map('staff', 'admin', project)
    await world.map('staff', await world.customRole('project'), other)
    await world.map('staff', 'viewer', third)
    await world.sync([[member, ['staff']]])
    assert.deepEqual(
      await world.held(member),
      [
        ...[`group_sync ${project} commenter`, `group_sync ${other} commenter`, `group_sync ${third} viewer`],
        'group_sync workspace guest',
      ].toSorted(),
    )
    await world.give(member, 'member')
    await world.sync([[member, ['staff']]])
    assert.ok((await world.held(member)).includes(`group_sync ${project} admin`), 'no guest any more')
  })

  test('by becoming one loses what guests may not have, even without auto_remove', async () => {
    const world = await open()
    const [project, member] = [await world.project(), await world.member()]
    const byHand = await world.give(member, 'member')
    await world.map('staff', 'guest')
    await world.map('devs', 'member', project)
    await world.sync([[member, ['staff', 'devs']]])
    await change(world.world, (context) => undoChange(context, byHand.opened_change))
    await world.sync([[member, ['staff']]])
    assert.deepEqual(
      await world.held(member),
      [`group_sync ${project} commenter`, 'group_sync workspace guest'].toSorted(),
    )
  })

  test('who has more than that on a project by hand is given nothing, and is told of', async () => {
    const world = await open()
    const [project, other, member] = [await world.project(), await world.project(), await world.member()]
    await world.give(member, 'admin', project)
    await world.map('staff', 'guest')
    await world.map('staff', 'viewer', other)
    const result = await world.sync([[member, ['staff']]])
    assert.equal(skippedOf(result)[member], 'guest_limit')
    assert.deepEqual(await world.held(member), [`manual ${project} admin`])
  })
})

describe('seats', () => {
  test('go to the first by id; who gets none is left out whole, and the others are not', async () => {
    const world = await open(2)
    const [project, a, b, c, guest] = [
      await world.project(),
      await world.member(),
      await world.member(),
      await world.member(),
      await world.member(),
    ]
    await world.map('staff', 'member')
    await world.map('out', 'guest')
    await world.map('staff', 'viewer', project)
    const result = await world.sync([
      [c, ['staff']],
      [b, ['staff']],
      [guest, ['out']],
      [a, ['staff']],
    ])
    assert.deepEqual(skippedOf(result), { [a]: null, [b]: null, [c]: 'no_seat', [guest]: null })
    assert.deepEqual(await world.held(c), [])
    assert.equal((await world.held(b)).length, 2)
    // A guest who would need one now keeps what it is.
    assert.equal(skippedOf(await world.sync([[guest, ['staff']]]))[guest], 'no_seat')
    assert.deepEqual(await world.held(guest), ['group_sync workspace guest'])
  })

  test('that are freed by the same run are given in it, and who has one needs no other', async () => {
    const world = await open(1)
    const [first, second] = [await world.member(), await world.member()]
    await world.configure({ autoRemove: true })
    await world.map('staff', 'member')
    await world.map('heads', await world.customRole('workspace'))
    await world.sync([[first, ['staff']]])
    const swapped = await world.sync([
      [first, []],
      [second, ['staff']],
    ])
    assert.deepEqual(skippedOf(swapped), { [first]: 'no_match', [second]: null })
    assert.deepEqual(await world.held(second), ['group_sync workspace member'])
    assert.equal((await world.sync([[second, ['heads']]])).opened, 1)
  })

  test('that are short do not keep what no group stands for from ending', async () => {
    const world = await open(1)
    const [project, member] = [await world.project(), await world.member()]
    await world.configure({ autoRemove: true })
    await world.map('out', 'guest')
    await world.map('old', 'viewer', project)
    await world.map('staff', 'member')
    await world.sync([[member, ['out', 'old']]])
    await world.give(await world.member(), 'member')
    const result = await world.sync([[member, ['staff']]])
    assert.deepEqual([skippedOf(result)[member], result.ended], ['no_seat', 1])
    assert.deepEqual(await world.held(member), ['group_sync workspace guest'])
  })

  test('of which more are taken than bought: nothing is given on the workspace, the rest goes on', async () => {
    const world = await open(2)
    const [project, taker, guest, raised] = [
      await world.project(),
      await world.member(),
      await world.member(),
      await world.member(),
    ]
    await world.map('staff', 'member')
    await world.map('heads', 'admin')
    await world.map('out', 'guest')
    await world.map('devs', 'viewer', project)
    await world.sync([[raised, ['staff']]])
    await world.give(taker, 'member')
    await opened.database.run({
      name: '',
      text: 'update workspace set purchased_seats = 1 where id = $1',
      values: [world.workspaceId],
    })
    const result = await world.sync([
      [guest, ['out']],
      [raised, ['heads']],
      [taker, ['devs']],
    ])
    assert.deepEqual(skippedOf(result), { [guest]: 'no_seat', [raised]: 'no_seat', [taker]: null })
    await change(world.world, (context) => updateWorkspace(context, world.slug, { purchasedSeats: 2 }))
    assert.equal((await world.reapply()).opened, 2)
  })
})
