import assert from 'node:assert/strict'
import { afterEach, before, beforeEach, describe, test } from 'node:test'
import { closeLeftOpen, leaveOpen, untilWaiting } from '../../../test/campaigns/pauses.ts'
import { assertSound } from '../../../test/campaigns/snapshot.ts'
import { change } from '../../../test/campaigns/world.ts'
import { freshDatabase, type TestDatabase } from '../../../test/harness.ts'
import { openTeamspaceWorld, type TeamspaceWorld } from '../../../test/teamspace-world.ts'
import { undoChange } from '../changes/undo.ts'
import type { Context } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { removeMember } from '../members/lifecycle.ts'
import { archiveProject } from '../projects/project.ts'
import { removeFromWorkspace } from '../workspaces/offboarding.ts'
import { createTeamspace, deleteTeamspace, getTeamspace } from './teamspace.ts'
import { addTeamspaceMembers, listTeamspaceMembers, removeTeamspaceMembers } from './teamspace-members.ts'
import { linkProjects, listTeamspaceProjects } from './teamspace-projects.ts'

let opened: TestDatabase
let ours: TeamspaceWorld
let id: string
let members: string[]
let project: string
before(async () => {
  opened = await freshDatabase()
})
beforeEach(async () => {
  ours = await openTeamspaceWorld(opened.database)
  id = await ours.teamspace()
  members = await ours.members(3)
  project = await ours.project()
})
afterEach(async () => {
  closeLeftOpen()
  await assertSound(ours.world)
})

const refusedAs = (code: string) => (error: unknown) => error instanceof DirectoryError && error.code === code
const FIRST = { afterId: null, limit: 100 }
const add =
  (memberIds: string[], expiresAt: string | null = null) =>
  (context: Context) =>
    addTeamspaceMembers(context, ours.workspaceId, id, memberIds, expiresAt)
const link = (context: Context) => linkProjects(context, ours.workspaceId, id, [project])
const deletion = (context: Context) => deleteTeamspace(context, ours.workspaceId, id)
const found = () => listTeamspaceMembers(ours.reading(), ours.workspaceId, id, FIRST)
const projects = () => listTeamspaceProjects(ours.reading(), ours.workspaceId, id, FIRST)

/** Does the second while the first is done and not yet committed, and waits for it. */
async function meet<T>(
  first: (context: Context) => Promise<unknown>,
  second: (context: Context) => Promise<T>,
) {
  const commit = await leaveOpen(ours.world, first)
  const settled = Promise.allSettled([change(ours.world, second)])
  await untilWaiting(opened.database, 1)
  await commit()
  const [result] = await settled
  if (result.status === 'rejected') throw result.reason
  return result.value
}

describe('a teamspace', () => {
  test('to which two add the same members at once has each of them once', async () => {
    await meet(add(members.slice(0, 2)), add(members.toReversed()))
    assert.deepEqual(
      (await found()).map((row) => [row.id, row.grants.length]),
      members.map((member) => [member, 1]),
    )
  })

  test('to which two add a member until different moments has the later end', async () => {
    await meet(add(members, '2098-01-01T00:00:00Z'), add(members, '2099-01-01T00:00:00Z'))
    const ends = (await found()).map((row) => row.grants.map((grant) => grant.expires_at))
    assert.deepEqual(ends, Array(3).fill(['2099-01-01T00:00:00.000000Z']))
  })

  test('whose members are being added has none of those who are removed right after', async () => {
    await meet(add(members), (context) =>
      removeTeamspaceMembers(context, ours.workspaceId, id, members.slice(1)),
    )
    assert.deepEqual(
      (await found()).map((row) => row.id),
      members.slice(0, 1),
    )
  })

  test('that is being deleted takes no members and no projects', async () => {
    for (const work of [add(members), link]) {
      const other = await ours.teamspace()
      await assert.rejects(meet(deletion, work), refusedAs('teamspace.not_found'))
      id = other
    }
  })

  test('ends with its deletion what was being added', async () => {
    await meet(add(members), deletion)
    await assert.rejects(found(), refusedAs('teamspace.not_found'))
    id = await ours.teamspace()
    await meet(link, deletion)
    await assert.rejects(projects(), refusedAs('teamspace.not_found'))
  })

  test('takes nobody who is being removed, from the organization or from the workspace', async () => {
    const [first, second] = members as [string, string]
    const gone = meet((context) => removeMember(context, first), add(members))
    await assert.rejects(gone, refusedAs('workspace.not_member'))
    const options = { removeSeat: false }
    const left = meet(
      (context) => removeFromWorkspace(context, ours.workspaceId, second, options),
      add(members.slice(1)),
    )
    await assert.rejects(left, refusedAs('workspace.not_member'))
    assert.deepEqual(await found(), [])
  })

  test('loses who is removed from the workspace while being added', async () => {
    const options = { removeSeat: false }
    await meet(add(members), (context) =>
      removeFromWorkspace(context, ours.workspaceId, members[0]!, options),
    )
    assert.deepEqual(
      (await found()).map((row) => row.id),
      members.slice(1),
    )
  })

  test('is not linked to a project that is being archived', async () => {
    const met = meet((context) => archiveProject(context, project), link)
    await assert.rejects(met, refusedAs('project.archived'))
  })

  test('is not given a lead who is being removed, and neither waits for the other for ever', async () => {
    const input = { name: 'T', leadId: members[0]!, description: {}, logo: {} }
    const create = (context: Context) => createTeamspace(context, ours.workspaceId, input)
    const { id: made } = await change(ours.world, create)
    const met = meet((context) => removeMember(context, members[0]!), create)
    await assert.rejects(met, refusedAs('workspace.not_member'))
    assert.equal((await getTeamspace(ours.reading(), ours.workspaceId, made)).lead_id, null)
  })

  test('that is being restored takes members once it is back', async () => {
    await change(ours.world, add(members.slice(0, 1)))
    const deleted = await change(ours.world, async (context) => {
      await deletion(context)
      return context.change.id
    })
    await meet((context) => undoChange(context, deleted), add(members))
    assert.equal((await found()).length, 3)
  })
})
