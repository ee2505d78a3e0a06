import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { change } from '../../../test/campaigns/world.ts'
import { countStatements } from '../../../test/count-statements.ts'
import { freshDatabase, type TestDatabase } from '../../../test/harness.ts'
import { openProjectWorld, type ProjectWorld, UNKNOWN_ID } from '../../../test/project-world.ts'
import { sql } from '../../platform/postgres/sql.ts'
import type { Actor } from '../access/permission.ts'
import { DirectoryError } from '../errors.ts'
import { addGroupMember } from '../groups/membership.ts'
import { removeMember } from '../members/lifecycle.ts'
import {
  getProjectGroup,
  getProjectMember,
  listProjectGroups,
  listProjectMembers,
} from './project-members.ts'

let opened: TestDatabase
let ours: ProjectWorld
let theirs: ProjectWorld
before(async () => {
  opened = await freshDatabase()
  ours = await openProjectWorld(opened.database)
  theirs = await openProjectWorld(opened.database)
})

const refusedAs = (code: string) => (error: unknown) => error instanceof DirectoryError && error.code === code
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString()
const FIRST = { afterId: null, limit: 100, order: 'asc' } as const

describe('the members of a project', () => {
  test('are those with a role of their own there, with the highest predefined one and since the first', async () => {
    const id = await ours.project()
    const [all, viewer, custom, outsider] = [
      await ours.member(),
      await ours.member(),
      await ours.member(),
      await ours.member(),
    ]
    const first = await ours.assign(id, all, 'viewer')
    for (const key of ['admin', 'member', await ours.customRole(id)]) await ours.assign(id, all, key)
    await ours.assign(id, viewer, 'viewer')
    await ours.assign(id, custom, await ours.customRole(id))
    const inGroup = await ours.group()
    await ours.assign(id, inGroup, 'admin')
    await change(ours.world, (context) => addGroupMember(context, inGroup.id, outsider.id, null))
    const rows = await listProjectMembers(ours.reading(), id, FIRST)
    const shown = rows.map((row) => [row.id, row.role_key, row.status])
    assert.deepEqual(shown, [
      [all.id, 'admin', 'active'],
      [viewer.id, 'viewer', 'active'],
      [custom.id, null, 'active'],
    ])
    const { since } = (await opened.database.row(sql<{ since: string }>`
      select at as since from change where id = ${first.opened_change}`))!
    assert.equal(rows[0]!.since, since)
    for (const row of rows) assert.deepEqual(await getProjectMember(ours.reading(), id, row.id), row)
    await assert.rejects(
      getProjectMember(ours.reading(), id, outsider.id),
      refusedAs('role_assignment.not_found'),
    )
  })

  test('and its groups are read page by page in both orders, each once, with as many statements', async () => {
    const id = await ours.project()
    const subjects = { members: [] as string[], groups: [] as string[] }
    for (let n = 0; n < 5; n++) {
      for (const [kind, subject] of [
        ['members', await ours.member()],
        ['groups', await ours.group()],
      ] as const) {
        await ours.assign(id, subject, 'viewer')
        await ours.assign(id, subject, 'member')
        subjects[kind].push(subject.id)
      }
    }
    for (const [kind, list] of [
      ['members', listProjectMembers],
      ['groups', listProjectGroups],
    ] as const) {
      for (const order of ['asc', 'desc'] as const) {
        const expected = order === 'asc' ? subjects[kind] : subjects[kind].toReversed()
        const found: string[] = []
        for (let rows: { id: string }[] = [{ id: '' }]; rows.length > 0; ) {
          const afterId = found.at(-1) ?? null
          rows = await list(ours.reading(), id, { afterId, limit: 2, order })
          found.push(...rows.map((row) => row.id))
        }
        assert.deepEqual(found, expected, `${kind} ${order}`)
      }
      const count = (limit: number) =>
        countStatements(opened.database, () => list(ours.reading(), id, { ...FIRST, limit }))
      assert.equal(await count(1), await count(5))
      const after = list(ours.reading(), id, { ...FIRST, afterId: (await theirs.member()).id })
      await assert.rejects(after, refusedAs('request.invalid'))
    }
  })

  test('no longer are members when the grant expires, is revoked, or the member is removed', async () => {
    const id = await ours.project()
    const [expired, gone, removed, stays] = [
      await ours.member(),
      await ours.member(),
      await ours.member(),
      await ours.group(),
    ]
    await ours.expire((await ours.assign(id, expired, 'admin', inAnHour())).id)
    for (const subject of [gone, removed, stays]) await ours.assign(id, subject, 'member')
    await ours.off(id, gone)
    await change(ours.world, (context) => removeMember(context, removed.id))
    await ours.expire((await ours.assign(id, stays, 'admin', inAnHour())).id)
    assert.deepEqual(await listProjectMembers(ours.reading(), id, FIRST), [])
    for (const { id: subject } of [expired, gone, removed]) {
      await assert.rejects(
        getProjectMember(ours.reading(), id, subject),
        refusedAs('role_assignment.not_found'),
      )
    }
    const [row] = await listProjectGroups(ours.reading(), id, FIRST)
    assert.deepEqual([row!.id, row!.role_key, row!.managed_by], [stays.id, 'member', null])
    assert.deepEqual(await getProjectGroup(ours.reading(), id, stays.id), row)
  })

  test('are seen by who may read roles on this very project, and by nobody else', async () => {
    const [mine, another] = [await ours.project(), await ours.project()]
    const reader = await ours.member()
    await ours.assign(mine, reader, 'admin')
    const key = ours.keyOf(reader)
    await ours.set(mine, reader, 'admin', key)
    await assert.rejects(ours.set(another, reader, 'admin', key), refusedAs('permission.denied'))
    const scoped: Actor = { ...key, scopes: ['projects:read'] } as Actor
    const context = ours.reading(scoped)
    for (const read of [
      () => listProjectMembers(context, mine, FIRST),
      () => listProjectGroups(context, mine, FIRST),
      () => getProjectMember(context, mine, reader.id),
      () => getProjectGroup(context, mine, reader.id),
      () => ours.set(mine, reader, 'admin', scoped),
    ]) {
      await assert.rejects(read(), refusedAs('permission.denied'))
    }
  })
})

describe('a project of another organization', () => {
  test('is as unknown as none, and shows nobody', async () => {
    const [mine, subject, stranger] = [await ours.project(), await ours.member(), await theirs.member()]
    for (const id of [await theirs.project(), UNKNOWN_ID]) {
      const none = refusedAs('project.not_found')
      await assert.rejects(listProjectMembers(ours.reading(), id, FIRST), none)
      await assert.rejects(listProjectGroups(ours.reading(), id, FIRST), none)
      await assert.rejects(getProjectMember(ours.reading(), id, subject.id), none)
      await assert.rejects(getProjectGroup(ours.reading(), id, subject.id), none)
      await assert.rejects(ours.set(id, subject, 'member'), none)
    }
    await assert.rejects(ours.set(mine, stranger, 'member'), refusedAs('member.not_found'))
    const role = await theirs.roleId('member')
    await assert.rejects(ours.assign(mine, subject, role), refusedAs('role.not_found'))
    await assert.rejects(
      getProjectMember(ours.reading(), mine, stranger.id),
      refusedAs('role_assignment.not_found'),
    )
  })
})
