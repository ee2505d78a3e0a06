import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { change, keyOf, openWorld } from '../../../test/campaigns/world.ts'
import { type GroupSyncWorld, openGroupSyncWorld } from '../../../test/group-sync-world.ts'
import { freshDatabase, type TestDatabase } from '../../../test/harness.ts'
import { DirectoryError } from '../errors.ts'
import { createMember } from '../members/member.ts'
import { applyClaims } from './apply.ts'

let opened: TestDatabase
before(async () => {
  opened = await freshDatabase()
})
const open = (seats: number | null = null): Promise<GroupSyncWorld> =>
  openGroupSyncWorld(opened.database, seats)
const refusedAs = (code: string) => (error: unknown) => error instanceof DirectoryError && error.code === code

describe('who runs a sync', () => {
  test('gives nothing that it does not hold itself', async () => {
    const world = await open()
    const { id } = await change(world.world, (context) => createMember(context, { email: 'runner@x.co' }))
    await world.give(id, 'member')
    await world.map('top', 'admin')
    const weak = keyOf(world.world, id, {
      ...{
        level: 'member',
        permissions: ['group_sync:write'],
        scopes: ['group_sync:write', 'workspaces:read'],
      },
    })
    const run = (groups: string[]) =>
      change(
        world.world,
        (context) =>
          applyClaims(context, world.workspaceId, [{ memberId: id, groups }], { origin: 'api', force: true }),
        weak,
      )
    await assert.rejects(run(['top']), refusedAs('role.permission_exceeded'))
    assert.deepEqual(await world.held(id), ['manual workspace member'])
    const nothing = keyOf(world.world, id, { level: 'member', scopes: ['*'] })
    const denied = change(
      world.world,
      (context) => applyClaims(context, world.workspaceId, [], { origin: 'api' }),
      nothing,
    )
    await assert.rejects(denied, refusedAs('permission.denied'))
  })

  test('finds members and workspaces of its own organization only, and each member once', async () => {
    const [ours, theirs] = [await open(), await open()]
    const stranger = await theirs.member()
    await assert.rejects(ours.sync([[stranger, ['staff']]]), refusedAs('member.not_found'))
    const foreign = change(ours.world, (context) =>
      applyClaims(context, theirs.workspaceId, [], { origin: 'api' }),
    )
    await assert.rejects(foreign, refusedAs('workspace.not_found'))
    const member = await ours.member()
    const twice = ours.sync([
      [member, []],
      [member, ['staff']],
    ])
    await assert.rejects(twice, refusedAs('request.invalid'))
    const elsewhere = await openWorld(opened.database)
    const unknown = change(elsewhere, (context) =>
      applyClaims(context, ours.workspaceId, [], { origin: 'api' }),
    )
    await assert.rejects(unknown, refusedAs('workspace.not_found'))
  })
})
