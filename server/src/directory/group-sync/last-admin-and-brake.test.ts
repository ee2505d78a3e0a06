import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { change } from '../../../test/campaigns/world.ts'
import { type GroupSyncWorld, openGroupSyncWorld } from '../../../test/group-sync-world.ts'
import { freshDatabase, type TestDatabase } from '../../../test/harness.ts'
import { DirectoryError } from '../errors.ts'
import { updateOrganization } from '../organizations/organization.ts'
import { previewClaims } from './apply.ts'

let opened: TestDatabase
before(async () => {
  opened = await freshDatabase()
})
const open = (seats: number | null = null): Promise<GroupSyncWorld> =>
  openGroupSyncWorld(opened.database, seats)
const refusedAs = (code: string) => (error: unknown) => error instanceof DirectoryError && error.code === code

describe('the last admin', () => {
  test('of a project keeps the role, and stays in the workspace as what it is; and is told of', async () => {
    const world = await open()
    const [project, member] = [await world.project(), await world.member()]
    await world.configure({ autoRemove: true })
    await world.map('top', 'admin', project)
    await world.sync([[member, ['top']]])
    const before = await world.held(member)
    const { members, ended } = await world.sync([[member, []]])
    assert.deepEqual([ended, members[0]!.kept.map(({ reason }) => reason)], [0, ['last_admin', 'last_admin']])
    assert.deepEqual(await world.held(member), before)
    await world.give(await world.member(), 'admin', project)
    await world.reapply()
    assert.deepEqual(await world.held(member), [])
  })

  test('of a workspace is neither removed nor demoted; of several who lose it at once, one stays', async () => {
    const world = await open()
    const [a, b] = [await world.member(), await world.member()]
    await world.configure({ autoRemove: true })
    await world.map('top', 'admin')
    await world.map('staff', 'member')
    await world.sync([
      [a, ['top']],
      [b, ['top']],
    ])
    await world.sync([
      [a, ['staff']],
      [b, []],
    ])
    assert.deepEqual(await world.held(a), ['group_sync workspace admin'])
    assert.deepEqual(await world.held(b), [])
  })

  test('may go in the very run that makes another one', async () => {
    const world = await open()
    const [project, a, b] = [await world.project(), await world.member(), await world.member()]
    await world.configure({ autoRemove: true })
    await world.map('top', 'admin', project)
    await world.map('head', 'owner')
    await world.sync([[a, ['top', 'head']]])
    await world.sync([
      [a, []],
      [b, ['top', 'head']],
    ])
    assert.deepEqual(await world.held(a), [])
    assert.equal((await world.held(b)).length, 2)
  })
})

describe('the brake', () => {
  test('refuses a run that takes too much away, within its window, but to force', async () => {
    const world = await open()
    await world.configure({ autoRemove: true })
    const settings = {
      removal_brake: { group_sync: { max_removals: 2, max_share: null, window_seconds: 3600 } },
    }
    await change(world.world, (context) => updateOrganization(context, { settings }))
    await world.map('staff', 'member')
    await world.map('heads', await world.customRole('workspace'))
    const members = [await world.member(), await world.member(), await world.member()]
    await world.sync(members.map((id) => [id, ['staff']] as const))
    await world.sync(members.map((id) => [id, ['heads']] as const))
    const none = members.map((id) => [id, []] as const)
    await assert.rejects(world.sync(none), (error) => {
      assert.ok(refusedAs('group_sync.brake')(error))
      assert.deepEqual((error as DirectoryError).details.context, {
        ...{ removals: 3, max_removals: 2, max_share: null },
      })
      return true
    })
    assert.equal((await world.held(members[0]!)).length, 1)
    const claims = none.map(([memberId, groups]) => ({ memberId, groups }))
    const told = await previewClaims(world.world.directory, world.reading, world.workspaceId, claims, {
      origin: 'api',
    })
    assert.match(told.result.brake!, /It would make 3 removals within 3600 seconds; the limit is 2/)
    // Two go; a third within the window is one too many.
    await world.sync(none.slice(0, 2))
    await assert.rejects(world.sync(none.slice(2)), refusedAs('group_sync.brake'))
    assert.equal((await world.sync(none.slice(2), { force: true })).ended, 1)
    assert.match(String((await world.lastChange()).detail.brake), /3 removals/)
  })
})
