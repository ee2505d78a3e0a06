import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { change } from '../../../test/campaigns/world.ts'
import { type GroupSyncWorld, openGroupSyncWorld } from '../../../test/group-sync-world.ts'
import { freshDatabase, type TestDatabase } from '../../../test/harness.ts'
import { undoChange } from '../changes/undo.ts'
import { previewClaims } from './apply.ts'

let opened: TestDatabase
before(async () => {
  opened = await freshDatabase()
})
const open = (seats: number | null = null): Promise<GroupSyncWorld> =>
  openGroupSyncWorld(opened.database, seats)
const skippedOf = ({ members }: { members: readonly { memberId: string; skipped: string | null }[] }) =>
  Object.fromEntries(members.map(({ memberId, skipped }) => [memberId, skipped]))

describe('a preview of a sync', () => {
  test('tells what then happens, for one person and for everybody, and writes nothing', async () => {
    const world = await open(1)
    const [project, a, b] = [await world.project(), await world.member(), await world.member()]
    await world.configure({ autoRemove: true })
    await world.map('staff', 'member')
    await world.map('devs', 'viewer', project)
    await world.sync([
      [a, ['staff', 'devs']],
      [b, ['staff']],
    ])
    const claims = [{ memberId: a, groups: [] }]
    const { directory } = world.world
    const one = await previewClaims(directory, world.reading, world.workspaceId, claims, { origin: 'api' })
    assert.deepEqual([one.effects.ended, one.effects.opened, one.record?.kind], [2, 0, 'group_sync.applied'])
    assert.equal((await world.held(a)).length, 2)
    const all = await previewClaims(directory, world.reading, world.workspaceId, null, { origin: 'api' })
    assert.deepEqual([all.effects.ended, all.record], [0, undefined])
    assert.equal(skippedOf(all.result)[b], 'no_seat')
    assert.deepEqual(await world.sync([[a, []]]), one.result)
  })
})

describe('the undo of a sync', () => {
  test('gives back and ends what it did, and the next sync asserts again', async () => {
    const world = await open()
    const member = await world.member()
    await world.configure({ autoRemove: true })
    await world.map('staff', 'member')
    await world.map('other', 'guest')
    await world.sync([[member, ['staff']]])
    await world.sync([[member, ['other']]])
    const { id } = await world.lastChange()
    await change(world.world, (context) => undoChange(context, id))
    assert.deepEqual(await world.held(member), ['group_sync workspace member'])
    await world.reapply()
    assert.deepEqual(await world.held(member), ['group_sync workspace guest'])
  })
})
