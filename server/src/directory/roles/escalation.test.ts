import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import {
  changeOf,
  give,
  group,
  member,
  memberKey,
  newMember,
  newRole,
  openPlaces,
  organizationKey,
  type Places,
  type Work,
} from '../../../test/campaigns/authority.ts'
import { drainSyncs } from '../../../test/campaigns/race.ts'
import { digestRows } from '../../../test/campaigns/snapshot.ts'
import { change, desired, keyOf, type World } from '../../../test/campaigns/world.ts'
import { freshDatabase, type TestDatabase } from '../../../test/harness.ts'
import type { Actor } from '../access/permission.ts'
import { undoChange } from '../changes/undo.ts'
import type { Context } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { deleteGroup } from '../groups/group.ts'
import { addGroupMember, removeGroupMember } from '../groups/membership.ts'
import { previewMemberSync, submitMemberSync } from '../member-syncs/member-sync.ts'
import { removeMember, restoreMember } from '../members/lifecycle.ts'
import { mergeMembers } from '../members/merge.ts'
import { approvePlan, listPlans } from '../plans/plan.ts'
import { assignRole, revokeAssignment } from './assignment.ts'
import { createRole, deleteRole, updateRole } from './role.ts'
import { ORGANIZATION } from './target.ts'

/** What is given on every path, and what the paths themselves ask for. */
const GIVEN = 'invoices.approve'
const WRITES = ['members:write', 'groups:write', 'roles:write', 'plans:write', 'changes:write'] as const
const BRAKE = { removal_brake: { member_sync: { max_removals: 0, max_share: null, window_seconds: 60 } } }

let opened: TestDatabase
before(async () => {
  opened = await freshDatabase()
})

const refusedAs = (code: string) => (error: unknown) => error instanceof DirectoryError && error.code === code

/** Every path on which a permission is given to somebody: prepared with the root key, then done by an actor. */
const PATHS: Record<string, (places: Places) => Promise<Work>> = {
  'creating a role with it': async () => (context) =>
    createRole(context, {
      ...{ name: 'New', description: null, permissions: [GIVEN], metadata: {} },
      ...{ resource: 'organization', of: ORGANIZATION },
    }),
  'adding it to a role': async ({ world }) => {
    const roleId = await newRole(world, ORGANIZATION, ['invoices.read'])
    return (context) => updateRole(context, roleId, { permissions: ['invoices.read', GIVEN] })
  },
  ...Object.fromEntries(
    (['organization', 'workspace', 'project'] as const).flatMap((kind) =>
      [member, group].map((subjectOf) => [
        `assigning a role on the ${kind} to a ${subjectOf.name}`,
        async ({ world, targets, group: groupId }: Places) => {
          const roleId = await newRole(world, targets[kind], [GIVEN])
          const subject = subjectOf(subjectOf === group ? groupId : await newMember(world))
          return (context: Context) => assignRole(context, { subject, roleId, target: targets[kind] })
        },
      ]),
    ),
  ),
  'adding somebody to a group that has it': async ({ world, targets, group: id }) => {
    await give(world, group(id), targets.project, [GIVEN])
    const memberId = await newMember(world)
    return (context) => addGroupMember(context, id, memberId, null)
  },
  'a member sync of a group that has it': async ({ world, group: id }) => {
    await give(world, group(id), ORGANIZATION, [GIVEN])
    return (context) => submitMemberSync(context, id, desired([{ ref: 'a' }]))
  },
  'the preview of a member sync': async ({ world, group: id }) => {
    await give(world, group(id), ORGANIZATION, [GIVEN])
    return (context) => previewMemberSync(world.directory, context, id, desired([{ ref: 'a' }]))
  },
  'approving a plan of a group that has it': async ({ world, group: id }) => {
    const reading = { db: world.database, actor: world.root, organizationId: world.organizationId }
    for (const ref of ['a', 'b']) {
      await submitMemberSync(reading, id, desired([{ ref }]))
      await drainSyncs(world)
    }
    const [plan] = await listPlans(reading, { beforeId: null, status: 'held', groupId: id, limit: 1 })
    await give(world, group(id), ORGANIZATION, [GIVEN])
    return (context) => approvePlan(context, plan!.id)
  },
  'undo of the removal from a group that has it': async ({ world, group: id }) => {
    await give(world, group(id), ORGANIZATION, [GIVEN])
    const memberId = await newMember(world)
    await change(world, (context) => addGroupMember(context, id, memberId, null))
    const undone = await changeOf(world, (context) => removeGroupMember(context, id, memberId))
    return (context) => undoChange(context, undone)
  },
  'undo of a revocation': async ({ world, targets }) => {
    const { assignment } = await give(world, member(await newMember(world)), targets.workspace, [GIVEN])
    const undone = await changeOf(world, (context) => revokeAssignment(context, assignment))
    return (context) => undoChange(context, undone)
  },
  'undo of the deletion of a role': async ({ world, targets }) => {
    const { roleId } = await give(world, member(await newMember(world)), targets.project, [GIVEN])
    const undone = await changeOf(world, (context) => deleteRole(context, roleId))
    return (context) => undoChange(context, undone)
  },
  'undo of the deletion of a group that had it': async ({ world, group: id }) => {
    await give(world, group(id), ORGANIZATION, [GIVEN])
    const undone = await changeOf(world, (context) => deleteGroup(context, id))
    return (context) => undoChange(context, undone)
  },
  'restoring a member who had it': async ({ world, targets }) => {
    const id = await newMember(world)
    await give(world, member(id), targets.project, [GIVEN])
    await change(world, (context) => removeMember(context, id))
    return (context) => restoreMember(context, id)
  },
  'merging a member who has it into another': async ({ world, targets }) => {
    const [into, from] = [await newMember(world), await newMember(world)]
    await give(world, member(from), targets.workspace, [GIVEN])
    return (context) => mergeMembers(context, into, from)
  },
  'merging a member of a group that has it into another': async ({ world, group: id }) => {
    const [into, from] = [await newMember(world), await newMember(world)]
    await give(world, group(id), ORGANIZATION, [GIVEN])
    await change(world, (context) => addGroupMember(context, id, from, null))
    return (context) => mergeMembers(context, into, from)
  },
}

/** Those who may do everything but give it, and those who hold it. */
const LACKING: Record<string, (world: World) => Promise<Actor>> = {
  'a member whose roles lack it': (world) => memberKey(world, WRITES),
  'a member who holds it, with a key whose scopes lack it': (world) =>
    memberKey(world, [...WRITES, GIVEN], WRITES),
  'an owner with a key whose scopes lack it': async (world) =>
    keyOf(world, await newMember(world), { scopes: WRITES }),
  "the organization's key with scopes that lack it": async (world) => organizationKey(world, WRITES),
}
const HOLDING: Record<string, (world: World) => Promise<Actor>> = {
  'a member whose roles give it': (world) => memberKey(world, [...WRITES, GIVEN]),
  'an admin': async (world) => keyOf(world, await newMember(world), { level: 'admin' }),
  "the organization's key with scopes that have it": async (world) =>
    organizationKey(world, [...WRITES, GIVEN]),
}

describe('nobody gives what they do not hold', () => {
  for (const [path, prepare] of Object.entries(PATHS)) {
    test(`by ${path}`, async () => {
      const places = await openPlaces(opened.database, BRAKE)
      const work = await prepare(places)
      const { world } = places
      for (const [who, actorOf] of Object.entries(LACKING)) {
        const actor = await actorOf(world)
        const before = await digestRows(world)
        await assert.rejects(change(world, work, actor), refusedAs('role.permission_exceeded'), who)
        assert.equal(await digestRows(world), before, `${who} wrote something`)
      }
    })

    test(`and who holds it may give it by ${path}`, async () => {
      for (const actorOf of Object.values(HOLDING)) {
        const places = await openPlaces(opened.database, BRAKE)
        const work = await prepare(places)
        await change(places.world, work, await actorOf(places.world))
      }
    })
  }
})
