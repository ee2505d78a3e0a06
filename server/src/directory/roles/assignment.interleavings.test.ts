import assert from 'node:assert/strict'
import { afterEach, before, beforeEach, describe, test } from 'node:test'
import { closeLeftOpen, leaveOpen, untilWaiting } from '../../../test/campaigns/pauses.ts'
import { assertSound } from '../../../test/campaigns/snapshot.ts'
import { change, openWorld, type World } from '../../../test/campaigns/world.ts'
import { freshDatabase, type TestDatabase } from '../../../test/harness.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { undoChange } from '../changes/undo.ts'
import type { Context } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { deleteGroup } from '../groups/group.ts'
import { addGroupMember, listGroupMembers, removeGroupMember } from '../groups/membership.ts'
import { removeMember } from '../members/lifecycle.ts'
import { createMember } from '../members/member.ts'
import { mergeMembers } from '../members/merge.ts'
import { sweep } from '../sweep.tasks.ts'
import { createWorkspace } from '../workspaces/workspace.ts'
import {
  assignRole,
  listAssignments,
  type RoleAssignmentRow,
  revokeAssignment,
  revokeRole,
  revokeRolesOn,
  type Subject,
} from './assignment.ts'
import { createRole, deleteRole, requirePredefinedRole } from './role.ts'
import { ORGANIZATION } from './target.ts'

const SOON = '2098-01-01T00:00:00.000000Z'
const LATER = '2099-01-01T00:00:00.000000Z'

let opened: TestDatabase
let world: World
let group: string
let member: string
let roleId: string
before(async () => {
  opened = await freshDatabase()
})
beforeEach(async () => {
  world = await openWorld(opened.database)
  group = world.state.groups[0]!.id
  member = (await change(world, (context) => createMember(context, { externalReferenceId: 'm' }))).id
  roleId = (
    await change(world, (context) =>
      createRole(context, {
        ...{ name: 'Approver', description: null, permissions: ['invoices.approve'], metadata: {} },
        ...{ resource: 'organization', of: ORGANIZATION },
      }),
    )
  ).id
})
afterEach(async () => {
  closeLeftOpen()
  await assertSound(world)
})

const toMember = (id = member): Subject => ({ kind: 'member', id })
const assign =
  (expiresAt: string | null = null, subject: Subject = toMember()) =>
  (context: Context) =>
    assignRole(context, { subject, roleId, target: ORGANIZATION }, expiresAt)
const revoke = (context: Context) =>
  revokeRole(context, { subject: toMember(), roleId, target: ORGANIZATION })
const toGroup = (): Subject => ({ kind: 'group', id: group })

const refusedAs = (code: string) => (error: unknown) => error instanceof DirectoryError && error.code === code

/** What is given now, of the role and to the member or the group of the test. */
async function given(): Promise<RoleAssignmentRow[]> {
  const { database, root, organizationId } = world
  return await listAssignments(
    { db: database, actor: root, organizationId },
    {
      ...{ afterId: null, limit: 100, memberId: null, groupId: null, roleId, target: null },
      ...{ sourceKind: null, asOf: null },
    },
  )
}
const ends = async () => (await given()).map((row) => row.until)

/** Does the second while the first is done and not yet committed, and waits for it. */
async function meet<T>(
  first: (context: Context) => Promise<unknown>,
  second: (context: Context) => Promise<T>,
) {
  const commit = await leaveOpen(world, first)
  const settled = Promise.allSettled([change(world, second)])
  await untilWaiting(world.database, 1)
  await commit()
  const [result] = await settled
  if (result.status === 'rejected') throw result.reason
  return result.value
}

describe('a role', () => {
  test('is not given to a member who is being removed', async () => {
    const met = meet((context) => removeMember(context, member), assign())
    await assert.rejects(met, refusedAs('member.wrong_status'))
    assert.deepEqual(await given(), [])
  })

  test('that is being given to a member is ended by the removal of the member', async () => {
    await meet(assign(), (context) => removeMember(context, member))
    assert.deepEqual(await given(), [])
  })

  test('is not given to a group that is being deleted', async () => {
    const met = meet((context) => deleteGroup(context, group), assign(null, toGroup()))
    await assert.rejects(met, refusedAs('group.not_found'))
    assert.deepEqual(await given(), [])
  })

  test('that is being given to a group is ended by the deletion of the group', async () => {
    await meet(assign(null, toGroup()), (context) => deleteGroup(context, group))
    assert.deepEqual(await given(), [])
  })

  test('that is being deleted is given to nobody', async () => {
    const met = meet((context) => deleteRole(context, roleId), assign())
    await assert.rejects(met, refusedAs('role.not_found'))
    assert.deepEqual(await given(), [])
  })

  test('that is being given is ended by its deletion', async () => {
    await meet(assign(), (context) => deleteRole(context, roleId))
    assert.deepEqual(await given(), [])
  })

  test('given twice at once by one source is one grant, and both are told of it', async () => {
    const commit = await leaveOpen(world, assign())
    const second = change(world, assign())
    await untilWaiting(world.database, 1)
    const { id } = await commit()
    assert.equal((await second).id, id)
    assert.deepEqual(
      (await given()).map((row) => row.id),
      [id],
    )
  })

  test('given twice at once with different ends is one grant, with the end of the later', async () => {
    await meet(assign(SOON), assign(LATER))
    assert.deepEqual(await ends(), [LATER])
  })

  test('given again while it is being revoked is there', async () => {
    const { id } = await change(world, assign())
    const again = await meet((context) => revokeAssignment(context, id), assign())
    assert.deepEqual(
      (await given()).map((row) => row.id),
      [again.id],
    )
    assert.notEqual(again.id, id)
  })

  test('whose end is being changed is gone when it is revoked', async () => {
    await change(world, assign(SOON))
    await meet(assign(LATER), revoke)
    assert.deepEqual(await given(), [])
  })

  test('that expired is given anew while the sweep ends it', async () => {
    const { id } = await change(world, assign(SOON))
    const { organizationId, database, directory } = world
    await database.run(sql`
      update role_grant set expires_at = now() where organization_id = ${organizationId} and id = ${id}`)
    const commit = await leaveOpen(world, assign())
    const swept = sweep(directory)
    await untilWaiting(database, 1)
    await commit()
    await swept
    assert.deepEqual(await ends(), [null])
  })

  test('that is being deleted is not given back by an undo', async () => {
    const { id } = await change(world, assign())
    const revoked = await change(world, async (context) => {
      await revokeAssignment(context, id)
      return context.change.id
    })
    const met = meet(
      (context) => deleteRole(context, roleId),
      (context) => undoChange(context, revoked),
    )
    await assert.rejects(met, refusedAs('change.not_undoable'))
    assert.deepEqual(await given(), [])
  })

  test('that is being given anew is not given back by an undo, which names it', async () => {
    const slug = `w-${world.organizationId}`
    const { id } = await change(world, (context) =>
      createWorkspace(context, { name: slug, slug, metadata: {}, purchasedSeats: null }),
    )
    const workspace = { kind: 'workspace', id } as const
    const assignThere = (key: string) => async (context: Context) => {
      const role = await requirePredefinedRole(context, 'workspace', key)
      return await assignRole(context, { subject: toMember(), roleId: role.id, target: workspace })
    }
    for (const key of ['member', 'guest']) await change(world, assignThere(key))
    const revoked = await change(world, async (context) => {
      await revokeRolesOn(context, toMember(), workspace)
      return context.change.id
    })
    const undone = await meet(assignThere('guest'), (context) => undoChange(context, revoked))
    assert.deepEqual([undone.opened, undone.refused.map(({ reason }) => reason)], [1, ['changed_since']])
  })

  test('is not given to a member who is being merged away', async () => {
    const into = await change(world, (context) => createMember(context, { externalReferenceId: 'into' }))
    const met = meet((context) => mergeMembers(context, into.id, member), assign())
    await assert.rejects(met, refusedAs('member.wrong_status'))
    assert.deepEqual(await given(), [])
  })

  test('that is being given to a member goes with a merge', async () => {
    const into = await change(world, (context) => createMember(context, { externalReferenceId: 'into' }))
    await meet(assign(), (context) => mergeMembers(context, into.id, member))
    assert.deepEqual(
      (await given()).map((row) => row.member_id),
      [into.id],
    )
  })

  test('that is being revoked is not copied by a merge', async () => {
    const { id } = await change(world, assign())
    const into = await change(world, (context) => createMember(context, { externalReferenceId: 'into' }))
    await meet(
      (context) => revokeAssignment(context, id),
      (context) => mergeMembers(context, into.id, member),
    )
    assert.deepEqual(await given(), [])
  })
})

describe('a membership of a group', () => {
  test('whose end is being changed is gone when the member is removed from the group', async () => {
    await change(world, (context) => addGroupMember(context, group, member, SOON))
    await meet(
      (context) => addGroupMember(context, group, member, LATER),
      (context) => removeGroupMember(context, group, member),
    )
    const { database, root, organizationId } = world
    const reading = { db: database, actor: root, organizationId }
    const page = { afterMemberId: null, limit: 10, asOf: null }
    assert.deepEqual(await listGroupMembers(reading, group, page), [])
  })
})
