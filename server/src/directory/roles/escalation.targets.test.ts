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
import { assignOwner, ownerFrom } from '../../../test/campaigns/owners.ts'
import { digestRows } from '../../../test/campaigns/snapshot.ts'
import { change, desired, keyOf } from '../../../test/campaigns/world.ts'
import { freshDatabase, type TestDatabase } from '../../../test/harness.ts'
import { sql } from '../../platform/postgres/sql.ts'
import type { Actor } from '../access/permission.ts'
import { undoChange } from '../changes/undo.ts'
import { DirectoryError, type DirectoryErrorCode } from '../errors.ts'
import { createGroup } from '../groups/group.ts'
import { addGroupMember, removeGroupMember } from '../groups/membership.ts'
import { previewMemberSync, submitMemberSync } from '../member-syncs/member-sync.ts'
import { changeMemberLevel, createMember } from '../members/member.ts'
import { mergeMembers } from '../members/merge.ts'
import { assignRole, revokeAssignment } from './assignment.ts'

const GIVEN = 'invoices.approve'

let opened: TestDatabase
let places: Places
before(async () => {
  opened = await freshDatabase()
  places = await openPlaces(opened.database)
})

/** Refused by name, and nothing is written. */
async function refused(work: Work, actor: Actor, code: DirectoryErrorCode, what?: string): Promise<void> {
  const { world } = places
  const before = await digestRows(world)
  await assert.rejects(
    change(world, work, actor),
    (error) => error instanceof DirectoryError && error.code === code,
    what,
  )
  assert.equal(await digestRows(world), before)
}

async function newGroup(): Promise<string> {
  const fields = { name: 'Group', externalReferenceId: null, metadata: {} }
  return (await change(places.world, (context) => createGroup(context, fields))).id
}

type TargetName = keyof Places['targets']

/** Gives somebody the role on the project, as the actor. */
async function assigning(name: TargetName = 'project'): Promise<Work> {
  const { world, targets } = places
  const target = targets[name]
  const [roleId, subject] = [await newRole(world, target, [GIVEN]), member(await newMember(world))]
  return (context) => assignRole(context, { subject, roleId, target })
}

describe('a role on a project is given by who holds what it gives', () => {
  for (const name of ['workspace', 'project'] as const) {
    test(`on the ${name}, or by a group there`, async () => {
      const { world, targets } = places
      const work = await assigning()
      const own = await memberKey(world, ['roles:write'])
      await refused(work, own, 'role.permission_exceeded')
      await give(world, member(own.memberId), targets[name], [GIVEN])
      await change(world, work, own)
      const through = await memberKey(world, ['roles:write'])
      const groupId = await newGroup()
      await give(world, group(groupId), targets[name], [GIVEN])
      await change(world, (context) => addGroupMember(context, groupId, through.memberId, null))
      await change(world, await assigning(), through)
    })
  }

  test('and nowhere but where it is held: not beside it, not above it', async () => {
    const { world, targets } = places
    const actor = await memberKey(world, ['roles:write'])
    await give(world, member(actor.memberId), targets.project, [GIVEN])
    await change(world, await assigning('project'), actor)
    for (const name of ['workspace', 'another project', 'organization'] as const) {
      await refused(await assigning(name), actor, 'role.permission_exceeded', name)
    }
  })

  test('with the right to assign there too, and no more than the scopes of the key', async () => {
    const { world, targets } = places
    const id = await newMember(world)
    await give(world, member(id), targets.project, ['roles:write', GIVEN])
    const key = (scopes: readonly string[]) => keyOf(world, id, { level: 'member', permissions: [], scopes })
    await change(world, await assigning('project'), key(['*']))
    await change(world, await assigning('project'), key(['roles:write', GIVEN]))
    await refused(await assigning('project'), key(['roles:write']), 'role.permission_exceeded')
    await refused(await assigning('project'), key([GIVEN]), 'permission.denied')
    await refused(await assigning('another project'), key(['*']), 'permission.denied')
  })

  test('and not any more when it has expired or ended', async () => {
    const { world, targets } = places
    const actor = await memberKey(world, ['roles:write'])
    const { assignment } = await give(world, member(actor.memberId), targets.project, [GIVEN])
    await opened.database.run(sql`
      update role_grant set expires_at = now() where organization_id = ${world.organizationId} and id = ${assignment}`)
    await refused(await assigning(), actor, 'role.permission_exceeded')
    const again = await give(world, member(actor.memberId), targets.project, [GIVEN])
    await change(world, (context) => revokeAssignment(context, again.assignment))
    await refused(await assigning(), actor, 'role.permission_exceeded')
  })
})

describe('nobody gives to themselves what they do not hold', () => {
  test('by undoing what took it from them on a workspace or a project', async () => {
    const { world, targets } = places
    const actor = await memberKey(world, ['roles:write', 'changes:write'])
    for (const name of ['workspace', 'project'] as const) {
      const { assignment } = await give(world, member(actor.memberId), targets[name], [GIVEN])
      const undone = await changeOf(world, (context) => revokeAssignment(context, assignment))
      await refused((context) => undoChange(context, undone), actor, 'role.permission_exceeded', name)
    }
  })

  test('by undoing their removal from a group that has it', async () => {
    const { world, targets } = places
    const actor = await memberKey(world, ['groups:write', 'changes:write'])
    const groupId = await newGroup()
    await give(world, group(groupId), targets.project, [GIVEN])
    await change(world, (context) => addGroupMember(context, groupId, actor.memberId, null))
    const undone = await changeOf(world, (context) => removeGroupMember(context, groupId, actor.memberId))
    await refused((context) => undoChange(context, undone), actor, 'role.permission_exceeded')
  })

  test('by undoing what took it from a group they are in', async () => {
    const { world, targets } = places
    const actor = await memberKey(world, ['roles:write', 'changes:write'])
    const groupId = await newGroup()
    await change(world, (context) => addGroupMember(context, groupId, actor.memberId, null))
    const { assignment } = await give(world, group(groupId), targets.project, [GIVEN])
    const undone = await changeOf(world, (context) => revokeAssignment(context, assignment))
    await refused((context) => undoChange(context, undone), actor, 'role.permission_exceeded')
  })

  test('by merging who holds it into themselves', async () => {
    const { world, targets } = places
    const actor = await memberKey(world, ['members:write'])
    const from = await newMember(world)
    await give(world, member(from), targets.project, [GIVEN])
    await refused((context) => mergeMembers(context, actor.memberId, from), actor, 'role.permission_exceeded')
  })
})

/** Every path on which somebody becomes an owner. */
const OWNER_PATHS: Record<string, () => Promise<Work>> = {
  'assigning the role': async () => {
    const id = await newMember(places.world)
    return (context) => assignOwner(context, member(id))
  },
  'assigning it to a group': async () => {
    const id = await newGroup()
    return (context) => assignOwner(context, group(id))
  },
  'setting the level': async () => {
    const id = await newMember(places.world)
    return (context) => changeMemberLevel(context, id, 'owner')
  },
  'creating a member': async () => (context) =>
    createMember(context, { externalReferenceId: 'made', level: 'owner' }),
  'adding to a group of owners': async () => {
    const [id, groupId] = [await newMember(places.world), await groupOfOwners()]
    return (context) => addGroupMember(context, groupId, id, null)
  },
  'a member sync of a group of owners': async () => {
    const groupId = await groupOfOwners()
    return (context) => submitMemberSync(context, groupId, desired([{ ref: 'a' }]))
  },
  'the preview of a member sync': async () => {
    const groupId = await groupOfOwners()
    return (context) => previewMemberSync(places.world.directory, context, groupId, desired([{ ref: 'a' }]))
  },
  'undoing a revocation': async () => {
    const { world } = places
    const id = await newMember(world)
    await change(world, (context) => assignOwner(context, member(id)))
    const { assignment } = await ownerFrom(world, id)
    const undone = await changeOf(world, (context) => revokeAssignment(context, assignment))
    return (context) => undoChange(context, undone)
  },
}

async function groupOfOwners(): Promise<string> {
  const id = await newGroup()
  await change(places.world, (context) => assignOwner(context, group(id)))
  return id
}

describe('an owner is made', () => {
  for (const [path, prepare] of Object.entries(OWNER_PATHS)) {
    test(`by an owner only, by ${path}, and not beyond the scopes of a key`, async () => {
      const { world } = places
      const work = await prepare()
      const id = await newMember(world)
      const writes = ['members:write', 'groups:write', 'roles:write', 'changes:write']
      await refused(work, keyOf(world, id, { level: 'admin' }), 'permission.denied')
      await refused(work, keyOf(world, id, { scopes: writes }), 'role.permission_exceeded')
      await refused(work, organizationKey(world, writes), 'role.permission_exceeded')
      await change(world, work, keyOf(world, id))
    })
  }

  test('and unmade by an owner only', async () => {
    const { world } = places
    const id = await newMember(world)
    await change(world, (context) => assignOwner(context, member(id)))
    const { assignment, made } = await ownerFrom(world, id)
    const admin = keyOf(world, await newMember(world), { level: 'admin' })
    const works: Work[] = [
      (context) => revokeAssignment(context, assignment),
      (context) => undoChange(context, made),
      (context) => changeMemberLevel(context, id, 'member'),
      (context) => assignOwner(context, member(id), '2099-01-01T00:00:00Z'),
    ]
    for (const work of works) await refused(work, admin, 'permission.denied')
  })
})

test('the level of an admin is everything: it is given by who holds everything', async () => {
  const { world } = places
  const id = await newMember(world)
  const actors = [
    await memberKey(world, ['members:write', GIVEN]),
    keyOf(world, await newMember(world), { level: 'admin', scopes: ['members:write'] }),
    organizationKey(world, ['members:write']),
  ]
  for (const actor of actors) {
    await refused((context) => changeMemberLevel(context, id, 'admin'), actor, 'role.permission_exceeded')
    const made = { externalReferenceId: 'admin', level: 'admin' } as const
    await refused((context) => createMember(context, made), actor, 'role.permission_exceeded')
  }
})
