import assert from 'node:assert/strict'
import { before, beforeEach, describe, test } from 'node:test'
import {
  changeOf,
  member,
  newMember,
  newRole,
  openPlaces,
  type Places,
} from '../../../test/campaigns/authority.ts'
import { drainSyncs } from '../../../test/campaigns/race.ts'
import { assertSound } from '../../../test/campaigns/snapshot.ts'
import { change, desired } from '../../../test/campaigns/world.ts'
import { freshDatabase, type TestDatabase } from '../../../test/harness.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { explainAccess, type MemberAccess } from '../access/member-access.ts'
import type { Actor } from '../access/permission.ts'
import { DirectoryError } from '../errors.ts'
import { createGroup, deleteGroup } from '../groups/group.ts'
import { addGroupMember } from '../groups/membership.ts'
import { submitMemberSync } from '../member-syncs/member-sync.ts'
import { removeMember } from '../members/lifecycle.ts'
import { assignRole, revokeAssignment, revokeRolesOn } from '../roles/assignment.ts'
import { deleteRole, requirePredefinedRole } from '../roles/role.ts'
import { readEffects } from './effects.ts'
import { undoChange } from './undo.ts'

const SOON = '2098-01-01T00:00:00.000000Z'
const LATER = '2099-01-01T00:00:00.000000Z'
const ENDS = [null, SOON, LATER]

let opened: TestDatabase
let places: Places
let leaver: string
before(async () => {
  opened = await freshDatabase()
})
beforeEach(async () => {
  places = await openPlaces(opened.database)
  leaver = await newMember(places.world)
})

const reading = () => {
  const { database, root, organizationId } = places.world
  return { db: database, actor: root, organizationId }
}
const refusedAs = (code: string) => (error: unknown) => error instanceof DirectoryError && error.code === code

async function newGroup(name: string): Promise<string> {
  const fields = { name, externalReferenceId: null, metadata: {} }
  return (await change(places.world, (context) => createGroup(context, fields))).id
}

const join = (
  group: string,
  { expiresAt = null as string | null, actor = places.world.root as Actor } = {},
) => change(places.world, (context) => addGroupMember(context, group, leaver, expiresAt), actor)

async function referenceOf(id: string): Promise<string> {
  const row = await opened.database.row(sql<{ ref: string }>`
    select external_reference_id as ref from member
    where organization_id = ${places.world.organizationId} and id = ${id}`)
  return row!.ref
}

/** Fifty grants of the leaver: of every source, on every kind of target, some with an end. */
async function grantFifty(): Promise<void> {
  const { world, targets } = places
  for (let n = 0; n < 10; n++) {
    const group = await newGroup(`Group ${n}`)
    await join(group, { expiresAt: ENDS[n % 3]! })
    await join(group, { expiresAt: ENDS[(n + 1) % 3]!, actor: world.apiKey })
    await submitMemberSync(reading(), group, desired([{ ref: await referenceOf(leaver) }]))
    await drainSyncs(world)
  }
  for (let n = 0; n < 5; n++) {
    for (const [place, target] of Object.values(targets).entries()) {
      const roleId = await newRole(world, target, [`invoices.approve_${n}`])
      await assign(roleId, target, ENDS[(n + place) % 3]!, n % 2 === 0 ? world.root : world.apiKey)
    }
  }
}

const assign = (
  roleId: string,
  target: Places['targets'][keyof Places['targets']],
  expiresAt: string | null = null,
  actor: Actor = places.world.root,
) =>
  change(
    places.world,
    (context) => assignRole(context, { subject: member(leaver), roleId, target }, expiresAt),
    actor,
  )

const removal = () => changeOf(places.world, (context) => removeMember(context, leaver))
const undo = (id: string) =>
  change(places.world, async (context) => ({
    ...(await undoChange(context, id)),
    id: context.change.id,
  }))

const explain = () => explainAccess(reading(), leaver, null)

/** What is held, by everything but the moments and changes that gave it. */
function held({ status, grants, roles }: MemberAccess) {
  return {
    status,
    grants: grants
      .map(({ group_id, role_id, workspace_id, project_id, source_kind, until, expires_at }) =>
        [group_id, role_id, workspace_id, project_id, source_kind, until, expires_at].join(' '),
      )
      .sort(),
    roles: roles.map(({ role, target, until, paths }) => ({
      ...{ role: role.role_id, target, until },
      paths: paths.map((path) => ({ source: path.source_kind, until: path.until, group: path.group_id })),
    })),
  }
}

describe('the undo of an offboarding', () => {
  test('gives back all fifty grants as they were, and is the cause of each', async () => {
    await grantFifty()
    const before = await explain()
    assert.equal(before.grants.length, 50)
    const removed = await removal()
    assert.deepEqual((await explain()).grants, [])
    const undone = await undo(removed)
    assert.deepEqual([undone.opened, undone.ended, undone.refused], [50, 0, []])
    const after = await explain()
    assert.deepEqual(held(after), held(before))
    for (const grant of after.grants) {
      const { opened_change, cause, cause_kind, cause_id } = grant
      assert.deepEqual(
        { opened_change, cause, cause_kind, cause_id },
        { opened_change: undone.id, cause: 'change.undone', cause_kind: 'change', cause_id: removed },
      )
    }
    const effects = await readEffects(opened.database, places.world.organizationId, undone.id)
    assert.deepEqual([effects.opened, effects.ended, effects.grants.length], [50, 0, 50])
    assert.ok(effects.grants.every((grant) => grant.effect === 'opened' && grant.memberId === leaver))
    await assert.rejects(undo(removed), refusedAs('change.already_undone'))
    assert.deepEqual(held(await explain()), held(before))
    await assertSound(places.world)
  })

  test('names what cannot come back, with the reason, and gives back the rest', async () => {
    const { world, targets } = places
    const groups = { expired: await newGroup('Expired'), deleted: await newGroup('Deleted') }
    const kept = await newGroup('Kept')
    for (const group of [groups.deleted, kept]) await join(group)
    await join(groups.expired, { expiresAt: SOON })
    const gone = await newRole(world, targets.project, ['invoices.approve'])
    const lapsed = await newRole(world, targets.workspace, ['invoices.approve'])
    const plain = await change(world, (context) => requirePredefinedRole(context, 'workspace', 'member'))
    await assign(gone, targets.project)
    await assign(lapsed, targets.workspace, SOON)
    await assign(plain.id, targets.workspace, LATER)
    const removed = await removal()
    const { organizationId } = world
    for (const table of ['group_membership_past', 'role_grant']) {
      await opened.database.run({
        name: `expire_${table}`,
        text: `update ${table} set expires_at = now() where organization_id = $1 and expires_at = $2`,
        values: [organizationId, SOON],
      })
    }
    await change(world, (context) => deleteGroup(context, groups.deleted))
    await change(world, (context) => deleteRole(context, gone))
    const { opened: given, refused } = await undo(removed)
    const name = await roleNames()
    const inGroup = { grant: 'group_membership', group_kind: 'group' } as const
    const nothing = { member_id: leaver, group_id: null, group_kind: null, role: null }
    assert.deepEqual(
      new Set(refused),
      new Set([
        { ...nothing, ...inGroup, group_id: groups.expired, reason: 'expired' },
        { ...nothing, ...inGroup, group_id: groups.deleted, reason: 'group_deleted' },
        { ...nothing, grant: 'role', role: name.get(gone), reason: 'role_deleted' },
        { ...nothing, grant: 'role', role: name.get(lapsed), reason: 'expired' },
      ]),
    )
    assert.equal(given, 2)
    const { grants } = await explain()
    assert.deepEqual(
      new Set(grants.map((grant) => grant.group_id ?? grant.role_id)),
      new Set([kept, plain.id]),
    )
    await assertSound(world)
  })

  test('is refused whole when a submission has brought the member back: somebody set the status since', async () => {
    const group = await newGroup('Group')
    await join(group)
    const removed = await removal()
    await submitMemberSync(reading(), group, desired([{ ref: await referenceOf(leaver) }]))
    await drainSyncs(places.world)
    const before = held(await explain())
    await assert.rejects(undo(removed), refusedAs('change.not_undoable'))
    assert.deepEqual(held(await explain()), before)
  })

  test('from one project leaves alone what was given anew meanwhile, and names it', async () => {
    const { world, targets } = places
    const { project } = targets
    const [again, back] = [
      await newRole(world, project, ['invoices.approve']),
      await newRole(world, project, ['invoices.read']),
    ]
    for (const actor of [world.root, world.apiKey]) {
      for (const role of [again, back]) await assign(role, project, LATER, actor)
    }
    const taken = await changeOf(world, (context) => revokeRolesOn(context, member(leaver), project))
    await assign(again, project)
    const undone = await undo(taken)
    assert.equal(undone.opened, 3)
    const role = (await roleNames()).get(again)
    assert.deepEqual(undone.refused, [
      { grant: 'role', member_id: leaver, group_id: null, group_kind: null, role, reason: 'changed_since' },
    ])
    const { grants } = await explain()
    assert.deepEqual(
      new Set(grants.map((grant) => `${grant.role_id} ${grant.source_kind} ${grant.until}`)),
      new Set([
        `${again} manual null`,
        `${again} api ${LATER}`,
        `${back} manual ${LATER}`,
        `${back} api ${LATER}`,
      ]),
    )
    await assertSound(world)
  })
})

test('an undo does not give back a role that was given and taken again since', async () => {
  const { world, targets } = places
  const role = await newRole(world, targets.project, ['invoices.approve'])
  const revoked = async () => {
    const { id } = await assign(role, targets.project)
    return await changeOf(world, (context) => revokeAssignment(context, id))
  }
  const [first, last] = [await revoked(), await revoked()]
  await assert.rejects(undo(first), refusedAs('change.not_undoable'))
  assert.equal((await undo(last)).opened, 1)
  await assertSound(world)
})

async function roleNames(): Promise<Map<string, string>> {
  const rows = await opened.database.rows(sql<{ id: string; name: string }>`
    select id, name from role where organization_id = ${places.world.organizationId}`)
  return new Map(rows.map(({ id, name }) => [id, name]))
}
