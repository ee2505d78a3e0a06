import assert from 'node:assert/strict'
import { afterEach, before, describe, test } from 'node:test'
import { holdOpen, untilWaiting } from '../../../test/campaigns/pauses.ts'
import { change } from '../../../test/campaigns/world.ts'
import { databaseState } from '../../../test/database-state.ts'
import { freshDatabase, type TestDatabase } from '../../../test/harness.ts'
import { openProjectWorld, type ProjectWorld, UNKNOWN_ID } from '../../../test/project-world.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { previewChange } from '../changes/change.ts'
import { undoChange } from '../changes/undo.ts'
import { DirectoryError } from '../errors.ts'
import { archiveProject } from './project.ts'
import { setProjectRole } from './project-members.ts'

let opened: TestDatabase
let ours: ProjectWorld
before(async () => {
  opened = await freshDatabase({ poolSize: 24 })
  ours = await openProjectWorld(opened.database)
})

const held: (() => Promise<void>)[] = []
// What a failed test leaves open would keep the process from ending.
afterEach(async () => {
  for (const release of held.splice(0)) await release()
})

const refusedAs = (code: string) => (error: unknown) => error instanceof DirectoryError && error.code === code
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString()

/** Lets operations come to wait behind somebody who has the project's row, then lets them all go. */
async function atOnce(projectId: string, works: (() => Promise<unknown>)[]) {
  const lock = await holdOpen(opened.connectionString)
  held.push(() => lock.rollback().catch(() => {}))
  await lock.query('select 1 from project where id = $1 for update', [projectId])
  const all = Promise.allSettled(works.map((work) => work()))
  await untilWaiting(opened.database, works.length)
  await lock.commit()
  return await all
}

describe('the role that is set on a project', () => {
  test('replaces the predefined ones there in one change, and leaves everything else', async () => {
    for (const subject of [await ours.member(), await ours.group()]) {
      const [id, elsewhere] = [await ours.project(), await ours.project()]
      const custom = await ours.customRole(id)
      for (const key of ['admin', 'viewer', custom]) await ours.assign(id, subject, key)
      await ours.assign(elsewhere, subject, 'admin')
      const before = await ours.rolesOf(id, subject)
      await ours.set(id, subject, 'member')
      assert.deepEqual(await ours.rolesOf(id, subject), [before[0], 'member'])
      const { kind, opened: openedCount, ended } = await ours.lastChange()
      assert.deepEqual([kind, openedCount, ended], ['role.assigned', 1, 2])
      assert.deepEqual(await ours.rolesOf(elsewhere, subject), ['admin'])
    }
  })

  test('changes nothing if it is so already, from whatever source', async () => {
    const [id, subject] = [await ours.project(), await ours.member()]
    const key = await ours.roleId('member')
    await change(ours.world, (context) => setProjectRole(context, id, subject, key), ours.world.apiKey)
    const before = await databaseState(opened.database)
    await ours.set(id, subject, 'member')
    assert.deepEqual(await databaseState(opened.database), before)
  })

  test('takes what is too much away without giving anew what is there', async () => {
    const [id, subject] = [await ours.project(), await ours.member()]
    const { id: kept } = await ours.assign(id, subject, 'member')
    await ours.assign(id, subject, 'admin')
    await ours.set(id, subject, 'member')
    const { kind, opened: openedCount, ended } = await ours.lastChange()
    assert.deepEqual([kind, openedCount, ended], ['role.revoked', 0, 1])
    const row = await opened.database.row(sql<{ ended_change: string | null }>`
      select ended_change from role_grant where id = ${kept}`)
    assert.equal(row!.ended_change, null)
  })

  test('is for good, where the same role had an end or has expired unrecorded', async () => {
    for (const isExpired of [false, true]) {
      const [id, subject] = [await ours.project(), await ours.member()]
      const { id: ending } = await ours.assign(id, subject, 'member', inAnHour())
      if (isExpired) await ours.expire(ending)
      await ours.set(id, subject, 'member')
      const rows = await opened.database.rows(sql<{ expires_at: string | null }>`
        select expires_at from role_grant where project_id = ${id} and ended_change is null`)
      assert.deepEqual(rows, [{ expires_at: null }])
    }
  })

  test('is previewed, and undone as one', async () => {
    const [id, subject] = [await ours.project(), await ours.member()]
    for (const key of ['admin', 'viewer']) await ours.assign(id, subject, key)
    const before = await databaseState(opened.database)
    const scope = { organizationId: ours.world.organizationId, actor: ours.world.root }
    const { effects, record } = await previewChange(ours.world.directory, scope, async (context) =>
      setProjectRole(context, id, subject, await ours.roleId('member')),
    )
    assert.deepEqual([effects.opened, effects.ended, record?.kind], [1, 2, 'role.assigned'])
    const shown = effects.grants.map((grant) => [grant.effect, grant.role?.key]).sort()
    assert.deepEqual(shown, [
      ['ended', 'admin'],
      ['ended', 'viewer'],
      ['opened', 'member'],
    ])
    assert.deepEqual(await databaseState(opened.database), before)
    await ours.set(id, subject, 'member')
    const done = await ours.lastChange()
    await change(ours.world, (context) => undoChange(context, done.id))
    assert.deepEqual(await ours.rolesOf(id, subject), ['admin', 'viewer'])
  })

  test('is refused on an archived project, as any new role is, and can still be taken away', async () => {
    const [id, subject] = [await ours.project(), await ours.member()]
    await ours.assign(id, subject, 'viewer')
    await change(ours.world, (context) => archiveProject(context, id))
    const before = await databaseState(opened.database)
    await assert.rejects(ours.set(id, subject, 'admin'), refusedAs('project.archived'))
    await assert.rejects(ours.set(id, subject, 'viewer'), refusedAs('project.archived'))
    await assert.rejects(ours.assign(id, subject, 'admin'), refusedAs('project.archived'))
    assert.deepEqual(await databaseState(opened.database), before)
    await ours.off(id, subject)
    assert.deepEqual(await ours.rolesOf(id, subject), [])
  })

  test('is refused to who may not give it, to nobody, and to who is not on the project if so asked', async () => {
    const [id, subject, helper] = [await ours.project(), await ours.member(), await ours.member()]
    const before = await databaseState(opened.database)
    const away = ours.set(id, subject, 'member', ours.world.root, true)
    await assert.rejects(away, refusedAs('role_assignment.not_found'))
    for (const kind of ['member', 'group'] as const) {
      const nobody = ours.set(id, { kind, id: UNKNOWN_ID }, 'member')
      await assert.rejects(nobody, refusedAs(`${kind}.not_found`))
    }
    assert.deepEqual(await databaseState(opened.database), before)
    await ours.assign(id, helper, await ours.customRole(id, ['roles:write']))
    const beyond = ours.set(id, helper, 'admin', ours.keyOf(helper))
    await assert.rejects(beyond, refusedAs('role.permission_exceeded'))
  })

  test('by many at the same moment is one of theirs', async () => {
    for (const subject of [await ours.member(), await ours.group()]) {
      const id = await ours.project()
      await ours.assign(id, subject, 'viewer')
      const keys = Array.from({ length: 12 }, (_, n) => ['admin', 'member', 'viewer'][n % 3]!)
      const answers = await atOnce(
        id,
        keys.map((key) => () => ours.set(id, subject, key)),
      )
      assert.ok(answers.every((answer) => answer.status === 'fulfilled'))
      assert.equal((await ours.rolesOf(id, subject)).length, 1)
    }
  })

  test('meets a removal from the project wholly: set before it, or refused after it', async () => {
    for (let round = 0; round < 10; round++) {
      const [id, subject] = [await ours.project(), await ours.member()]
      await ours.assign(id, subject, 'viewer')
      const works = [() => ours.set(id, subject, 'admin', ours.world.root, true), () => ours.off(id, subject)]
      const answers = await atOnce(id, round % 2 === 1 ? works.reverse() : works)
      for (const answer of answers) {
        if (answer.status === 'rejected') assert.equal(answer.reason.code, 'role_assignment.not_found')
      }
      assert.deepEqual(await ours.rolesOf(id, subject), [], `round ${round}`)
    }
  })
})
