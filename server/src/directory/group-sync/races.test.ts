import assert from 'node:assert/strict'
import { afterEach, before, describe, test } from 'node:test'
import { closeLeftOpen, leaveOpen, untilWaiting } from '../../../test/campaigns/pauses.ts'
import { change } from '../../../test/campaigns/world.ts'
import { type GroupSyncWorld, openGroupSyncWorld } from '../../../test/group-sync-world.ts'
import { freshDatabase, type TestDatabase } from '../../../test/harness.ts'
import { DirectoryError } from '../errors.ts'
import { removeMember, suspendMember } from '../members/lifecycle.ts'
import { archiveProject, createProject } from '../projects/project.ts'
import { removeFromWorkspace } from '../workspaces/offboarding.ts'
import { applyClaims } from './apply.ts'

let opened: TestDatabase
before(async () => {
  opened = await freshDatabase()
})
afterEach(closeLeftOpen)

const open = (seats: number | null = null): Promise<GroupSyncWorld> =>
  openGroupSyncWorld(opened.database, seats)
const refusedAs = (code: string) => (error: unknown) => error instanceof DirectoryError && error.code === code

/** A sync that has done everything but commit. */
function leaveSyncOpen(world: GroupSyncWorld, memberId: string, groups: readonly string[]) {
  return leaveOpen(world.world, (context) =>
    applyClaims(context, world.workspaceId, [{ memberId, groups }], { origin: 'login' }),
  )
}

describe('two syncs at the same time', () => {
  test('of one member come one after the other, and the later claim stands', async () => {
    const world = await open()
    const member = await world.member()
    await world.configure({ autoRemove: true })
    await world.map('low', 'guest')
    await world.map('top', 'member')
    const commit = await leaveSyncOpen(world, member, ['top'])
    const second = world.sync([[member, ['low']]])
    await untilWaiting(opened.database, 1)
    await commit()
    assert.deepEqual([(await second).opened, (await second).ended], [1, 1])
    assert.deepEqual(await world.held(member), ['group_sync workspace guest'])
  })

  test('of many members each, in any order, all go through', async () => {
    const world = await open()
    const members = []
    for (let n = 0; n < 6; n++) members.push(await world.member())
    await world.map('staff', 'member')
    const claims = members.map((id) => [id, ['staff']] as const)
    await Promise.all([
      world.sync(claims),
      world.sync(claims.toReversed()),
      world.reapply(),
      world.sync(claims),
    ])
    for (const id of members) assert.deepEqual(await world.held(id), ['group_sync workspace member'])
  })

  test('for the last seat: one has it, the other is told that there is none', async () => {
    const world = await open(1)
    const [a, b] = [await world.member(), await world.member()]
    await world.map('staff', 'member')
    const first = await leaveSyncOpen(world, a, ['staff'])
    assert.equal((await world.sync([[b, ['staff']]])).members[0]!.skipped, null)
    // It is done again when it finds at its end that the seat is taken.
    assert.equal((await first()).members[0]!.skipped, 'no_seat')
    assert.equal([...(await world.held(a)), ...(await world.held(b))].length, 1)
  })

  test('that take the last two admins away: one of them stays', async () => {
    for (let round = 0; round < 5; round++) {
      const world = await open()
      const [project, a, b] = [await world.project(), await world.member(), await world.member()]
      await world.configure({ autoRemove: true })
      await world.map('top', 'admin', project)
      await world.sync([
        [a, ['top']],
        [b, ['top']],
      ])
      const results = await Promise.all([world.sync([[a, []]]), world.sync([[b, []]])])
      const held = [...(await world.held(a)), ...(await world.held(b))]
      assert.deepEqual(held.filter((one) => one.endsWith('admin')).length, 1)
      assert.equal(results.flatMap(({ members }) => members[0]!.kept).length, 2)
    }
  })
})

describe('a sync', () => {
  test('and the removal of the other admin: the project keeps one, whichever is first', async () => {
    const setUp = async () => {
      const world = await open()
      const [project, synced, other] = [await world.project(), await world.member(), await world.member()]
      await world.configure({ autoRemove: true })
      await world.map('top', 'admin', project)
      await world.sync([[synced, ['top']]])
      await world.give(other, 'member')
      await world.give(other, 'admin', project)
      const remove = () =>
        change(world.world, (context) => removeFromWorkspace(context, world.workspaceId, other))
      return { world, project, synced, other, remove }
    }
    // Each has done its work before the other commits.
    const one = await setUp()
    const removal = await leaveOpen(one.world.world, (context) =>
      removeFromWorkspace(context, one.world.workspaceId, one.other),
    )
    assert.equal((await one.world.sync([[one.synced, []]])).ended, 2)
    await assert.rejects(removal(), refusedAs('project.sole_admin'))
    assert.deepEqual(await one.world.held(one.synced), [])

    const two = await setUp()
    const sync = await leaveSyncOpen(two.world, two.synced, [])
    await two.remove()
    const { members } = await sync()
    assert.deepEqual(
      members[0]!.kept.map(({ reason }) => reason),
      ['last_admin', 'last_admin'],
    )
    assert.ok((await two.world.held(two.synced)).includes(`group_sync ${two.project} admin`))
  })

  test('and the creation of a project: who is synced meanwhile is on it, whichever is first', async () => {
    const world = await open()
    const [a, b] = [await world.member(), await world.member()]
    await world.map('devs', 'viewer', 'all')
    const create = (identifier: string) => ({
      workspaceSlug: world.slug,
      identifier,
      name: 'P',
      metadata: {},
    })
    const commitSync = await leaveSyncOpen(world, a, ['devs'])
    const created = change(world.world, (context) => createProject(context, create('ONE')))
    await untilWaiting(opened.database, 1)
    await commitSync()
    const { id: one } = await created
    assert.ok((await world.held(a)).includes(`group_sync ${one} viewer`))

    const commitProject = await leaveOpen(world.world, (context) => createProject(context, create('TWO')))
    const synced = world.sync([[b, ['devs']]])
    await untilWaiting(opened.database, 1)
    const { id: two } = await commitProject()
    await synced
    assert.ok((await world.held(b)).includes(`group_sync ${two} viewer`))
  })

  test('gives nothing on a project that is archived, and to nobody who is removed, at that moment', async () => {
    const world = await open()
    const [project, a, b] = [await world.project(), await world.member(), await world.member()]
    await world.map('devs', 'viewer', project)
    const archived = await leaveOpen(world.world, (context) => archiveProject(context, project))
    const first = world.sync([[a, ['devs']]])
    await untilWaiting(opened.database, 1)
    await archived()
    await first
    assert.deepEqual(await world.held(a), ['group_sync workspace member'])
    const removed = await leaveOpen(world.world, (context) => removeMember(context, b))
    const second = world.sync([[b, ['devs']]])
    await untilWaiting(opened.database, 1)
    await removed()
    assert.equal((await second).members[0]!.skipped, 'not_active')
    assert.deepEqual(await world.held(b), [])
  })

  test('and the suspension of the other admin: the workspace keeps one', async () => {
    const world = await open()
    const [synced, other] = [await world.member(), await world.member()]
    await world.configure({ autoRemove: true })
    await world.map('top', 'admin')
    await world.sync([[synced, ['top']]])
    await world.give(other, 'admin')
    const sync = await leaveSyncOpen(world, synced, [])
    await change(world.world, (context) => suspendMember(context, other))
    assert.equal((await sync()).members[0]!.kept[0]!.reason, 'last_admin')
  })
})
