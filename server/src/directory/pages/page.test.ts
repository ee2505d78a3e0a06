import assert from 'node:assert/strict'
import { afterEach, before, beforeEach, describe, test } from 'node:test'
import { closeLeftOpen, leaveOpen, untilWaiting } from '../../../test/campaigns/pauses.ts'
import { assertSound, digestRows } from '../../../test/campaigns/snapshot.ts'
import { change } from '../../../test/campaigns/world.ts'
import { freshDatabase, type TestDatabase } from '../../../test/harness.ts'
import { openTeamspaceWorld, type TeamspaceWorld } from '../../../test/teamspace-world.ts'
import type { Context } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { assignRole, listAssignments, revokeRole, type Subject } from '../roles/assignment.ts'
import type { Target } from '../roles/target.ts'
import { createPage, deletePage, getPage, listPages, updatePage } from './page.ts'

let opened: TestDatabase
let ours: TeamspaceWorld
let subject: Subject
let viewer: string
before(async () => {
  opened = await freshDatabase()
})
beforeEach(async () => {
  ours = await openTeamspaceWorld(opened.database)
  subject = { kind: 'member', id: await ours.outsider() }
  viewer = await ours.roleId('page', 'viewer')
})
afterEach(async () => {
  closeLeftOpen()
  await assertSound(ours.world)
})

const refusedAs = (code: string) => (error: unknown) => error instanceof DirectoryError && error.code === code
const NEW = { name: 'Page', projectId: null, externalReferenceId: null }
const FIRST = { afterId: null, limit: 10, projectId: null, externalReferenceId: null }

async function register(world = ours): Promise<Target & { kind: 'page' }> {
  const { id } = await change(world.world, (context) => createPage(context, world.workspaceId, NEW))
  return { kind: 'page', id }
}
const share = (target: Target) => (context: Context) =>
  assignRole(context, { subject, roleId: viewer, target })
const deletion = (id: string) => (context: Context) => deletePage(context, ours.workspaceId, id)
const sharesOf = async (target: Target) => {
  const filter = { afterId: null, limit: 10, memberId: null, groupId: null, roleId: null, sourceKind: null }
  return (await listAssignments(ours.reading(), { ...filter, target, asOf: null })).length
}

describe('a page', () => {
  test('is no longer shared with somebody, who keeps what is shared of other pages', async () => {
    const [one, other] = [await register(), await register()]
    for (const target of [one, other]) await change(ours.world, share(target))
    await change(ours.world, (context) => revokeRole(context, { subject, roleId: viewer, target: one }))
    assert.deepEqual([await sharesOf(one), await sharesOf(other)], [0, 1])
  })

  test('that is being deleted is not shared any more', async () => {
    const target = await register()
    const commit = await leaveOpen(ours.world, deletion(target.id))
    const settled = Promise.allSettled([change(ours.world, share(target))])
    await untilWaiting(opened.database, 1)
    await commit()
    const [result] = await settled
    assert.ok(result.status === 'rejected' && refusedAs('page.not_found')(result.reason))
  })

  test('that is being shared ends that with its deletion', async () => {
    const target = await register()
    const commit = await leaveOpen(ours.world, share(target))
    const deleted = change(ours.world, deletion(target.id))
    await untilWaiting(opened.database, 1)
    await commit()
    await deleted
    await assert.rejects(sharesOf(target), refusedAs('page.not_found'))
  })

  test('of another organization is unknown, and so are its projects', async () => {
    const theirs = await openTeamspaceWorld(opened.database)
    const foreign = await register(theirs)
    const projectId = await theirs.project()
    const digests = async () => [await digestRows(ours.world), await digestRows(theirs.world)]
    const mine = await register()
    const before = await digests()
    const unknown = (work: (context: Context, workspaceId: string) => Promise<unknown>, code: string) =>
      assert.rejects(
        change(ours.world, (context) => work(context, ours.workspaceId)),
        refusedAs(code),
      )
    await unknown((context, id) => getPage(context, id, foreign.id), 'page.not_found')
    await unknown((context) => getPage(context, theirs.workspaceId, foreign.id), 'page.not_found')
    await unknown((context, id) => updatePage(context, id, foreign.id, { name: 'X' }), 'page.not_found')
    await unknown((context, id) => deletePage(context, id, foreign.id), 'page.not_found')
    await unknown((context, id) => createPage(context, id, { ...NEW, projectId }), 'project.not_found')
    await unknown((context, id) => updatePage(context, id, mine.id, { projectId }), 'project.not_found')
    await unknown(share(foreign), 'page.not_found')
    assert.deepEqual(await listPages(ours.reading(), theirs.workspaceId, FIRST), [])
    assert.deepEqual(await digests(), before)
  })
})
