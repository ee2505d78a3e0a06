import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { change } from '../../../test/campaigns/world.ts'
import { type GroupSyncWorld, openGroupSyncWorld } from '../../../test/group-sync-world.ts'
import { freshDatabase, type TestDatabase } from '../../../test/harness.ts'
import { removeMember, suspendMember } from '../members/lifecycle.ts'
import { archiveProject } from '../projects/project.ts'
import { deleteRole } from '../roles/role.ts'
import { removeMapping } from './mappings.ts'

let opened: TestDatabase
before(async () => {
  opened = await freshDatabase()
})
const open = (seats: number | null = null): Promise<GroupSyncWorld> =>
  openGroupSyncWorld(opened.database, seats)

describe('who matches', () => {
  test('a mapping of the workspace is added with its role, and has the roles on projects', async () => {
    const world = await open()
    const [project, other, member] = [await world.project(), await world.project(), await world.member()]
    await world.map('staff', 'admin')
    await world.map('devs', 'commenter', project)
    const { members } = await world.sync([[member, ['staff', 'devs', 'unmapped']]])
    assert.deepEqual(members, [{ memberId: member, opened: 2, ended: 0, kept: [], skipped: null }])
    assert.deepEqual(
      await world.held(member),
      [`group_sync ${project} commenter`, 'group_sync workspace admin'].toSorted(),
    )
    assert.ok(!(await world.held(member)).some((held) => held.includes(other)))
    const { id: _id, ...last } = await world.lastChange()
    assert.deepEqual(last, {
      ...{ kind: 'group_sync.applied', cause_kind: 'group_sync', opened: 2, ended: 0, member_id: member },
      detail: {
        ...{ workspace: world.workspaceId, origin: 'login', members: 1, removals: 0, kept: 0, skipped: {} },
      },
    })
  })

  test('mappings of projects only is added with the default role, or as a member where there is none', async () => {
    const world = await open()
    const [project, first, second, third] = [
      await world.project(),
      await world.member(),
      await world.member(),
      await world.member(),
    ]
    await world.map('devs', 'viewer', project)
    await world.sync([[first, ['devs']]])
    assert.ok((await world.held(first)).includes('group_sync workspace member'))
    await world.configure({ defaultWorkspaceRoleId: await world.roleId('workspace', 'guest') })
    await world.sync([[second, ['devs']]])
    assert.ok((await world.held(second)).includes('group_sync workspace guest'))
    const custom = await world.customRole('workspace')
    await world.configure({ defaultWorkspaceRoleId: custom })
    await change(world.world, (context) => deleteRole(context, custom))
    await world.sync([[third, ['devs']]])
    assert.ok((await world.held(third)).includes('group_sync workspace member'), 'a deleted role is none')
  })

  test('mappings of projects only and is in the workspace already keeps the role it has there', async () => {
    const world = await open()
    const [project, member] = [await world.project(), await world.member()]
    await world.give(member, 'guest')
    await world.map('devs', 'viewer', project)
    await world.sync([[member, ['devs']]])
    assert.deepEqual(
      await world.held(member),
      [`group_sync ${project} viewer`, 'manual workspace guest'].toSorted(),
    )
  })

  test('nothing is not added, and a group name in another case is another group', async () => {
    const world = await open()
    const member = await world.member()
    await world.map('Staff', 'member')
    for (const groups of [[], ['staff'], ['Staff ']]) {
      const { members } = await world.sync([[member, groups]])
      assert.equal(members[0]!.skipped, 'no_match')
      assert.deepEqual(await world.held(member), [])
    }
    assert.notEqual((await world.lastChange()).kind, 'group_sync.applied')
  })

  test('several groups of one place has the highest role, of specific and of all projects alike', async () => {
    const world = await open()
    const [low, high] = [await world.project(), await world.project()]
    const member = await world.member()
    await world.map('a', 'guest')
    await world.map('b', 'owner')
    await world.map('c', 'member')
    await world.map('a', 'viewer', low)
    await world.map('b', 'member', 'all')
    await world.map('c', 'admin', high)
    await world.sync([[member, ['a', 'b', 'c']]])
    assert.deepEqual(
      await world.held(member),
      [`group_sync ${low} member`, `group_sync ${high} admin`, 'group_sync workspace owner'].toSorted(),
    )
  })

  test('but is not active, or whose claim is missing, is left as it is', async () => {
    const world = await open()
    const [away, gone, unknown] = [await world.member(), await world.member(), await world.member()]
    await world.map('staff', 'member')
    await world.configure({ autoRemove: true })
    await world.sync([[unknown, ['staff']]])
    await change(world.world, (context) => suspendMember(context, away))
    await change(world.world, (context) => removeMember(context, gone))
    const { members } = await world.sync([
      [away, ['staff']],
      [gone, ['staff']],
      [unknown, null],
    ])
    const reasons = members.map(({ memberId, skipped }) => [memberId, skipped])
    assert.deepEqual(reasons, [
      [away, 'not_active'],
      [gone, 'not_active'],
      [unknown, 'claim_missing'],
    ])
    assert.deepEqual(await world.held(unknown), ['group_sync workspace member'])
    assert.deepEqual([...(await world.held(away)), ...(await world.held(gone))], [])
  })

  test('a mapping whose role is deleted matches nothing', async () => {
    const world = await open()
    const [member, custom] = [await world.member(), await world.customRole('workspace')]
    await world.map('staff', custom)
    await change(world.world, (context) => deleteRole(context, custom))
    assert.equal((await world.sync([[member, ['staff']]])).members[0]!.skipped, 'no_match')
    assert.equal((await world.map('staff', 'member')).role_key, 'member', 'its place is free again')
  })
})

describe('a sync that is switched off', () => {
  test('does nothing, and keeps nothing of what it was told', async () => {
    const world = await open()
    const member = await world.member()
    await world.map('staff', 'member')
    await world.configure({ isEnabled: false })
    assert.deepEqual(await world.sync([[member, ['staff']]]), {
      ...{ enabled: false, members: [], opened: 0, ended: 0, removals: 0, brake: null },
    })
    await world.configure({ isEnabled: true })
    assert.deepEqual((await world.reapply()).members, [])
    assert.deepEqual(await world.held(member), [])
  })
})

describe('without auto_remove', () => {
  test('roles are raised and added, never lowered or ended', async () => {
    const world = await open()
    const [project, member] = [await world.project(), await world.member()]
    for (const [group, role] of [
      ['low', 'viewer'],
      ['mid', 'member'],
      ['top', 'admin'],
    ] as const) {
      await world.map(group, role, project)
    }
    await world.sync([[member, ['mid']]])
    const lower = await world.sync([[member, ['low']]])
    assert.deepEqual(lower.members[0]!.kept, [
      { reason: 'auto_remove_off', project_id: project, role_ids: [await world.roleId('project', 'member')] },
    ])
    assert.ok((await world.held(member)).includes(`group_sync ${project} member`))
    await world.sync([[member, ['low', 'top']]])
    assert.deepEqual(
      await world.held(member),
      [`group_sync ${project} admin`, 'group_sync workspace member'].toSorted(),
    )
    const none = await world.sync([[member, []]])
    assert.deepEqual([none.opened, none.ended, none.members[0]!.kept.length], [0, 0, 2])
    assert.equal((await world.held(member)).length, 2)
  })
})

describe('with auto_remove', () => {
  test('roles are lowered, and end without a match; the workspace is left only without any', async () => {
    const world = await open()
    const [project, other, member] = [await world.project(), await world.project(), await world.member()]
    await world.configure({ autoRemove: true })
    await world.map('staff', 'admin')
    await world.map('low', 'viewer', project)
    await world.map('top', 'admin', project)
    await world.map('other', 'member', other)
    // Somebody else administers both.
    const lead = await world.member()
    await world.give(lead, 'admin')
    await world.give(lead, 'admin', project)
    await world.sync([[member, ['staff', 'top', 'other']]])
    const { removals } = await world.sync([[member, ['low']]])
    assert.equal(removals, 3)
    assert.deepEqual(
      await world.held(member),
      [`group_sync ${project} viewer`, 'group_sync workspace member'].toSorted(),
    )
    await world.sync([[member, []]])
    assert.deepEqual(await world.held(member), [])
  })

  test('nothing that somebody gave by hand is touched', async () => {
    const world = await open()
    const [project, member] = [await world.project(), await world.member()]
    await world.configure({ autoRemove: true })
    await world.map('staff', 'member')
    await world.map('top', 'admin', project)
    await world.give(member, 'member')
    await world.give(member, 'viewer', project)
    await world.sync([[member, ['staff', 'top']]])
    const byHand = ['manual workspace member', `manual ${project} viewer`]
    const synced = ['group_sync workspace member', `group_sync ${project} admin`]
    assert.deepEqual(await world.held(member), [...byHand, ...synced].toSorted())
    await world.give(await world.member(), 'admin', project)
    await world.sync([[member, []]])
    assert.deepEqual(await world.held(member), byHand.toSorted())
  })

  test('deleting a mapping ends nothing by itself; the next sync of everybody does', async () => {
    const world = await open()
    const member = await world.member()
    const { id } = await world.map('staff', 'member')
    await world.configure({ autoRemove: true })
    await world.sync([[member, ['staff']]])
    await change(world.world, (context) => removeMapping(context, world.workspaceId, 'workspace', id))
    assert.deepEqual(await world.held(member), ['group_sync workspace member'])
    await world.reapply()
    assert.deepEqual(await world.held(member), [])
  })
})

describe('a mapping of all projects', () => {
  test('covers projects created later, for who is in the workspace, as part of their creation', async () => {
    const world = await open()
    const [member, stranger] = [await world.member(), await world.member()]
    await world.map('devs', 'member', 'all')
    await world.sync([
      [member, ['devs']],
      [stranger, ['others']],
    ])
    const project = await world.project()
    const { kind, opened: count } = await world.lastChange()
    assert.deepEqual([kind, count], ['project.created', 1])
    assert.ok((await world.held(member)).includes(`group_sync ${project} member`))
    assert.deepEqual(await world.held(stranger), [])
    assert.equal((await world.sync([[member, ['devs']]])).opened, 0, 'the next sync finds it as it is')
    await world.configure({ isEnabled: false })
    const later = await world.project()
    assert.ok(!(await world.held(member)).includes(`group_sync ${later} member`))
  })

  test('gives nothing on archived projects, and what is there ends without a match', async () => {
    const world = await open()
    const [archived, member] = [await world.project(), await world.member()]
    await world.configure({ autoRemove: true })
    await world.map('devs', 'member', 'all')
    await change(world.world, (context) => archiveProject(context, archived))
    await world.sync([[member, ['devs']]])
    assert.deepEqual(await world.held(member), ['group_sync workspace member'])
    const later = await world.project()
    await change(world.world, (context) => archiveProject(context, later))
    assert.equal((await world.sync([[member, ['devs']]])).ended, 0)
    await world.sync([[member, []]])
    assert.deepEqual(await world.held(member), [])
  })
})
