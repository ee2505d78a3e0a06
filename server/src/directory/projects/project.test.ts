import assert from 'node:assert/strict'
import { afterEach, before, describe, test } from 'node:test'
import { holdOpen, untilWaiting } from '../../../test/campaigns/pauses.ts'
import { change, openWorld, type World } from '../../../test/campaigns/world.ts'
import { freshDatabase, type TestDatabase } from '../../../test/harness.ts'
import { sql } from '../../platform/postgres/sql.ts'
import type { ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { createWorkspace } from '../workspaces/workspace.ts'
import {
  archiveProject,
  createProject,
  getProject,
  listProjects,
  type NewProject,
  requireActiveProject,
  requireActiveProjects,
  requireProject,
  unarchiveProject,
  updateProject,
} from './project.ts'

let opened: TestDatabase
let world: World
let other: World
before(async () => {
  opened = await freshDatabase({ poolSize: 24 })
  world = await openWorld(opened.database)
  other = await openWorld(opened.database)
})

const held: (() => Promise<void>)[] = []
// What a failed test leaves open would keep the process from ending.
afterEach(async () => {
  for (const release of held.splice(0)) await release()
})

const create = (more: Partial<NewProject> = {}, where = world) =>
  change(where, (context) =>
    createProject(context, { workspaceSlug: null, identifier: null, name: 'P', metadata: {}, ...more }),
  )
const archive = (id: string) => change(world, (context) => archiveProject(context, id))
const unarchive = (id: string) => change(world, (context) => unarchiveProject(context, id))
const reading = (where = world): ReadContext => ({
  db: opened.database,
  actor: where.root,
  organizationId: where.organizationId,
})
const refusedAs = (code: string) => (error: unknown) => error instanceof DirectoryError && error.code === code

/** The kinds of changes about a project, in the order of their numbers. */
async function kindsOf(id: string): Promise<string[]> {
  const rows = await opened.database.rows(sql<{ kind: string }>`
    select kind from change where detail ->> 'project' = ${id} order by seq`)
  return rows.map(({ kind }) => kind)
}

/** Lets operations come to wait behind somebody who has the project's row, then lets them all go. */
async function atOnce<T>(id: string, works: (() => Promise<T>)[]): Promise<PromiseSettledResult<T>[]> {
  const lock = await holdOpen(opened.connectionString)
  held.push(() => lock.rollback().catch(() => {}))
  await lock.query('select 1 from project where id = $1 for update', [id])
  const all = Promise.allSettled(works.map((work) => work()))
  await untilWaiting(opened.database, works.length)
  await lock.commit()
  return await all
}

describe('archiving', () => {
  test('at the same moment from everywhere is one change', async () => {
    const { id } = await create()
    const answers = await atOnce(
      id,
      Array.from({ length: 20 }, () => () => archive(id)),
    )
    const rows = answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : answer.reason))
    assert.deepEqual(new Set(rows.map(({ version }) => version)), new Set([2]))
    assert.deepEqual(await kindsOf(id), ['project.created', 'project.archived'])
  })

  test('lets no change of fields through after it: each is numbered before it or refused', async () => {
    const { id } = await create()
    const update = (n: number) =>
      change(world, (context) => updateProject(context, id, { name: `Name ${n}` }).then(({ name }) => name))
    const works = Array.from({ length: 16 }, (_, n) => () => update(n))
    works.splice(8, 0, () => archive(id).then(() => 'archived'))
    const answers = await atOnce(id, works)
    const refused = answers.filter((answer) => answer.status === 'rejected')
    for (const { reason } of refused) assert.equal(reason.code, 'project.archived', String(reason))
    const kinds = await kindsOf(id)
    assert.equal(kinds.at(-1), 'project.archived')
    assert.equal(kinds.filter((kind) => kind === 'project.updated').length, 16 - refused.length)
    const row = await getProject(reading(), id)
    assert.notEqual(row.archived_at, null)
    assert.equal(row.version, kinds.length)
  })

  // The limit ends a test whose operations wait for each other for ever.
  test('waits for whoever relies on the project being active, and is seen by who comes later', {
    timeout: 60_000,
  }, async () => {
    const { id } = await create()
    const relied = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    held.push(async () => release.resolve())
    const relying = change(world, async (context) => {
      await requireActiveProject(context, id)
      relied.resolve()
      await release.promise
    })
    await relied.promise
    // Others may rely on it as well, and its fields may change meanwhile.
    await change(world, (context) => requireActiveProject(context, id))
    await change(world, (context) => updateProject(context, id, { name: 'Renamed' }))
    const archived = archive(id)
    await untilWaiting(opened.database, 1)
    assert.equal((await getProject(reading(), id)).archived_at, null)
    release.resolve()
    await Promise.all([relying, archived])
    await assert.rejects(
      change(world, (context) => requireActiveProject(context, id)),
      refusedAs('project.archived'),
    )
    await unarchive(id)
    assert.equal((await change(world, (context) => requireActiveProject(context, id))).name, 'Renamed')
  })
})

describe('a project of another organization', () => {
  test('is as unknown as none, to every operation', async () => {
    const theirs = await create({ name: 'Theirs' }, other)
    const mine = await create()
    const unknown = '01990000-0000-7000-8000-00000000abcd'
    for (const id of [theirs.id, unknown]) {
      const none = refusedAs('project.not_found')
      await assert.rejects(getProject(reading(), id), none)
      await assert.rejects(requireProject(reading(), id), none)
      await assert.rejects(archive(id), none)
      await assert.rejects(unarchive(id), none)
      await assert.rejects(
        change(world, (context) => updateProject(context, id, { name: 'Mine' })),
        none,
      )
      await assert.rejects(
        change(world, (context) => requireActiveProjects(context, [mine.id, id])),
        none,
      )
    }
    const page = { afterId: null, limit: 100, includeArchived: true, workspaceSlug: null }
    const listed = await listProjects(reading(), page)
    assert.ok(listed.some(({ id }) => id === mine.id) && !listed.some(({ id }) => id === theirs.id))
    assert.deepEqual(await getProject(reading(other), theirs.id), theirs)
  })

  test('takes no identifier away', async () => {
    await create({ identifier: 'SHARED' })
    await create({ identifier: 'SHARED' }, other)
  })
})

describe('projects that are all required to be active', () => {
  test('are each found, however often they are named', async () => {
    const [first, second] = [await create(), await create()]
    const find = (ids: string[]) => change(world, (context) => requireActiveProjects(context, ids))
    const found = await find([second.id, first.id, second.id])
    assert.deepEqual(found, [first, second])
    assert.deepEqual(await find([]), [])
    await archive(second.id)
    await assert.rejects(find([first.id, second.id]), refusedAs('project.archived'))
  })
})

describe('an identifier that many want at the same moment', () => {
  test('is given to one of the organization’s own projects, and to one of a workspace', async () => {
    const { slug } = await change(world, (context) =>
      createWorkspace(context, { slug: `w${process.pid}`, name: 'W', metadata: {}, purchasedSeats: null }),
    )
    for (const workspaceSlug of [null, slug]) {
      const answers = await Promise.allSettled(
        Array.from({ length: 20 }, () => create({ workspaceSlug, identifier: 'RACE' })),
      )
      const refused = answers.filter((answer) => answer.status === 'rejected')
      assert.equal(refused.length, 19)
      for (const { reason } of refused) assert.equal(reason.code, 'project.identifier_taken', String(reason))
    }
  })
})
