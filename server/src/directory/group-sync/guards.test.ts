import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { change, keyOf, openWorld } from '../../../test/campaigns/world.ts'
import { countStatements } from '../../../test/count-statements.ts'
import { type GroupSyncWorld, openGroupSyncWorld } from '../../../test/group-sync-world.ts'
import { freshDatabase, type TestDatabase } from '../../../test/harness.ts'
import { previewChange } from '../changes/change.ts'
import { undoChange } from '../changes/undo.ts'
import { DirectoryError } from '../errors.ts'
import { createMember } from '../members/member.ts'
import { updateOrganization } from '../organizations/organization.ts'
import { updateWorkspace } from '../workspaces/workspace.ts'
import { applyClaims, previewClaims, type SyncResult } from './apply.ts'

let opened: TestDatabase
before(async () => {
  opened = await freshDatabase()
})
const open = (seats: number | null = null): Promise<GroupSyncWorld> =>
  openGroupSyncWorld(opened.database, seats)
const refusedAs = (code: string) => (error: unknown) => error instanceof DirectoryError && error.code === code
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

test('a sync takes as many statements for one member as for many, whatever there is of mappings and projects', async () => {
  const world = await open(100)
  await world.configure({ autoRemove: true })
  await world.map('g0', 'member')
  await world.project()
  await world.map('g0', 'member', 'all')
  const members = []
  for (let n = 0; n < 6; n++) members.push(await world.member())
  const request = { organizationId: world.organizationId, actor: world.world.root }
  const count = (ids: readonly string[], groups: readonly string[]) =>
    countStatements(opened.database, () =>
      previewChange(world.world.directory, request, (context) =>
        applyClaims(
          context,
          world.workspaceId,
          ids.map((memberId) => ({ memberId, groups })),
          { origin: 'login' },
        ),
      ),
    )
  const few = await count(members.slice(0, 1), ['g0'])
  for (let n = 1; n < 5; n++) {
    await world.map(`g${n}`, 'member')
    await world.map(`g${n}`, 'viewer', await world.project())
  }
  assert.equal(await count(members, ['g0', 'g1', 'g2', 'g3', 'g4']), few)
  assert.ok(few <= 12, `${few} statements`)
})

test('a sync of hundreds does what one of each does, in as many statements as one of a hundred', async () => {
  const world = await open(150)
  await world.configure({ autoRemove: true })
  const project = await world.project()
  await world.map('staff', 'member')
  await world.map('devs', 'viewer', 'all')
  const rows = await opened.database.rows<{ id: string }>({
    name: '',
    text: `insert into member (organization_id, id, status, created_at, updated_at)
      select $1, uuid_v7(), 'active', now(), now() from generate_series(1, 200) returning id`,
    values: [world.organizationId],
  })
  const ids = rows.map(({ id }) => id).toSorted()
  const claims = ids.map((id, n) => [id, n % 2 === 0 ? ['staff', 'devs'] : ['devs']] as const)
  const hundred = await countStatements(opened.database, () => world.sync(claims.slice(0, 100)))
  let result: SyncResult | undefined
  const all = await countStatements(opened.database, async () => {
    result = await world.sync(claims)
  })
  assert.equal(all, hundred)
  const skipped = result!.members.filter((member) => member.skipped === 'no_seat')
  assert.deepEqual(
    skipped.map(({ memberId }) => memberId),
    ids.slice(150),
  )
  assert.equal(result!.opened, 100)
  const both = [`group_sync ${project} viewer`, 'group_sync workspace member'].toSorted()
  for (const id of [ids[0]!, ids[149]!]) assert.deepEqual(await world.held(id), both)
  await world.sync(claims.map(([id]) => [id, []] as const))
  assert.deepEqual(await world.held(ids[0]!), [])
})
