import assert from 'node:assert/strict'
import { undoChange } from '#src/directory/changes/undo.ts'
import { DirectoryError } from '#src/directory/errors.ts'
import { deleteGroup } from '#src/directory/groups/group.ts'
import { addGroupMember, removeGroupMember } from '#src/directory/groups/membership.ts'
import {
  getMemberSync,
  previewMemberSync,
  submitMemberSync,
} from '#src/directory/member-syncs/member-sync.ts'
import {
  reactivateMember,
  removeMember,
  restoreMember,
  suspendMember,
} from '#src/directory/members/lifecycle.ts'
import { createMember, updateMember } from '#src/directory/members/member.ts'
import { mergeMembers } from '#src/directory/members/merge.ts'
import { sweep } from '#src/directory/sweep.tasks.ts'
import { sql } from '#src/platform/postgres/sql.ts'
import { type Action, foretell, type Outcome, resolve } from './actions.ts'
import type { Fields } from './member-model.ts'
import type { Operation } from './operation-arbitrary.ts'
import { assertSame, digestRows, readSnapshot } from './snapshot.ts'
import type { SyncResult } from './sync-model.ts'
import { change, desired, runNextSync, type World } from './world.ts'

const LATER = '2099-01-01T00:00:00Z'

type SyncAction = Action & { kind: 'sync' }

function reading({ database, root, organizationId }: World) {
  return { db: database, actor: root, organizationId }
}

/** Submits and carries out, after a preview that has to say the same and to write nothing. */
async function syncOnDatabase(world: World, { group, rows }: SyncAction): Promise<SyncResult> {
  const context = reading(world)
  const before = await digestRows(world)
  const preview = await previewMemberSync(world.directory, context, group, desired(rows))
  assert.equal(await digestRows(world), before, 'a preview wrote something')
  const accepted = await submitMemberSync(context, group, desired(rows))
  assert.ok(await runNextSync(world))
  const { recorded, ...counts } = await readSyncResult(world, group, accepted.id)
  const { opened, ended, left, createdMembers, updatedMembers } = preview.applied
  const failed = preview.failures!.map((one) => one.reference_id)
  const previewed = { opened, ended, left, createdMembers, updatedMembers, failed }
  assert.deepEqual(previewed, counts, 'the preview is not what then happened')
  assert.deepEqual([preview.effects.opened, preview.effects.ended], [opened, ended])
  return { ...counts, recorded }
}

export async function readSyncResult(world: World, group: string, id: string): Promise<SyncResult> {
  const done = await getMemberSync(reading(world), group, id)
  assert.equal(done.status, 'completed')
  return {
    opened: done.opened_count!,
    ended: done.ended_count!,
    left: done.left_count!,
    createdMembers: done.created_members!,
    updatedMembers: done.updated_members!,
    failed: done.failures!.map((one) => one.reference_id),
    recorded: done.change_id !== null,
  }
}

export async function submit(world: World, { group, rows }: SyncAction): Promise<string> {
  return (await submitMemberSync(reading(world), group, desired(rows))).id
}

const LIFECYCLE = {
  suspend: suspendMember,
  reactivate: reactivateMember,
  remove: removeMember,
  restore: restoreMember,
}

async function run(world: World, action: Action): Promise<unknown> {
  switch (action.kind) {
    case 'sync':
      return await syncOnDatabase(world, action)
    case 'create':
      return await change(world, async (context) => void (await createMember(context, input(action.fields))))
    case 'update':
      return await change(
        world,
        async (context) => void (await updateMember(context, action.member, input(action.fields))),
      )
    case 'suspend':
    case 'reactivate':
    case 'remove':
    case 'restore':
      return await change(
        world,
        async (context) => void (await LIFECYCLE[action.kind](context, action.member)),
      )
    case 'merge':
      return await change(
        world,
        async (context) => void (await mergeMembers(context, action.into, action.from)),
      )
    case 'add': {
      const end = action.expiry === 'later' ? LATER : null
      const actor = action.byKey ? world.apiKey : world.root
      return await change(
        world,
        (context) => addGroupMember(context, action.group, action.member, end),
        actor,
      )
    }
    case 'removeFromGroup':
      return await change(world, (context) => removeGroupMember(context, action.group, action.member))
    case 'deleteGroup':
      return await change(world, (context) => deleteGroup(context, action.group))
    case 'undo':
      return await change(world, async (context) => {
        const undone = await undoChange(context, await changeId(world, action.seq))
        return { refused: undone.refused.length }
      })
    case 'passTime':
      return await passTime(world)
    case 'sweep':
      return await sweep(world.directory)
  }
}

function input({ ref, ...fields }: Fields) {
  return { ...fields, ...(ref === undefined ? {} : { externalReferenceId: ref }) }
}

async function changeId({ database, organizationId }: World, seq: number): Promise<string> {
  const row = await database.row(sql<{ id: string }>`
    select id from change where organization_id = ${organizationId} and seq = ${seq}`)
  return row!.id
}

async function passTime({ database, organizationId }: World): Promise<void> {
  for (const table of ['group_membership', 'group_membership_past']) {
    await database.run({
      name: `pass_time_${table}`,
      text: `update ${table} set expires_at = '2020-01-01' where organization_id = $1 and expires_at is not null`,
      values: [organizationId],
    })
  }
}

/** Does an action in the database: its result, or the code that refused it. Every other error is thrown. */
export async function attempt(world: World, action: Action): Promise<Outcome> {
  try {
    return { result: await run(world, action) }
  } catch (error) {
    if (error instanceof DirectoryError) return { refused: error.code }
    throw error
  }
}

/** Does one operation on the model and on the database, and compares answers and then everything. */
export async function perform(world: World, operation: Operation): Promise<void> {
  const action = resolve(world.state, operation)
  if (action === undefined) return
  const { outcome, next } = foretell(world.state, action)
  assert.deepEqual(await attempt(world, action), outcome, JSON.stringify(action))
  world.state = next
  assertSame(world.state, await readSnapshot(world))
}
