import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import type OpenAI from 'openai'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { databaseState } from '../../../test/database-state.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'
import { assertRefused, openaiClient } from '../../../test/openai-client.ts'

let app: TestApp
let directory: DirectoryClient
let projects: OpenAI['admin']['organization']['projects']
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  const { key, path } = await app.organization('acme')
  directory = directoryClient(app, path)
  projects = (await openaiClient(app, key)).organization.projects
})

const NOW = () => Math.floor(Date.now() / 1000)
const UNKNOWN = 'proj_AZkAAAAAcACAAAAAAACrzQ'

describe('projects of the vendor’s client', () => {
  it('are created, retrieved, renamed and archived, with exactly the documented fields', async () => {
    const made = await projects.create({ name: 'Apollo' })
    assert.match(made.id, /^proj_[A-Za-z0-9_-]{22}$/)
    assert.ok(Math.abs(made.created_at - NOW()) < 60)
    const expected = {
      id: made.id,
      object: 'organization.project',
      name: 'Apollo',
      created_at: made.created_at,
      archived_at: null,
      status: 'active',
      external_key_id: null,
      residency: 'GLOBAL',
    }
    assert.deepEqual({ ...made }, expected)
    assert.deepEqual({ ...(await projects.retrieve(made.id)) }, expected)
    const renamed = { ...expected, name: 'Artemis' }
    assert.deepEqual({ ...(await projects.update(made.id, { name: 'Artemis' })) }, renamed)
    const archived = await projects.archive(made.id)
    assert.ok(archived.archived_at! >= made.created_at)
    const { archived_at } = archived
    assert.deepEqual({ ...archived }, { ...renamed, status: 'archived', archived_at })
    assert.deepEqual({ ...(await projects.archive(made.id)) }, { ...archived })
    assert.deepEqual({ ...(await projects.retrieve(made.id)) }, { ...archived })
  })

  it('belong to the organization itself, and are called by the Directory API’s ids as well', async () => {
    const { id } = await projects.create({ name: 'Own' })
    const { data } = await directory.get('/projects?limit=1000')
    const own = data.find((row: { name: string }) => row.name === 'Own')
    assert.deepEqual([own.workspace, own.identifier, own.metadata], [null, null, {}])
    assert.equal(own.id.slice(4), id.slice(5))
    assert.equal((await projects.retrieve(own.id)).id, own.id)
  })

  it('keep the vendor’s labels in their metadata, beside what else is there', async () => {
    const made = await projects.create({
      ...{ name: 'Labels', external_key_id: 'key_1', residency: 'EU_STORAGE_PROCESSING' },
    })
    assert.deepEqual([made.external_key_id, made.residency], ['key_1', 'EU_STORAGE_PROCESSING'])
    const tail = `/projects/prj_${made.id.slice(5)}`
    const labels = { external_key_id: 'key_1', residency: 'EU_STORAGE_PROCESSING' }
    assert.deepEqual((await directory.get(tail)).metadata, labels)
    await directory.ok('PATCH', tail, { metadata: { ...labels, cost_center: 7 } })
    const changed = await projects.update(made.id, { external_key_id: 'key_2', geography: 'eu' })
    assert.deepEqual([changed.name, changed.external_key_id], ['Labels', 'key_2'])
    const cleared = await projects.update(made.id, { external_key_id: null, name: null })
    assert.deepEqual(
      [cleared.name, cleared.external_key_id, cleared.residency],
      ['Labels', null, labels.residency],
    )
    const { metadata } = await directory.get(tail)
    assert.deepEqual(metadata, { residency: labels.residency, geography: 'eu', cost_center: 7 })
    await directory.ok('PATCH', tail, { metadata: { external_key_id: 3, residency: false } })
    const odd = await projects.retrieve(made.id)
    assert.deepEqual([odd.external_key_id, odd.residency], [null, 'GLOBAL'])
  })

  it('lose no label to an update at the same moment', async () => {
    const { id } = await projects.create({ name: 'Race' })
    const updates = [{ external_key_id: 'k' }, { geography: 'eu' }, { name: 'Raced' }]
    await Promise.all(updates.map((update) => projects.update(id, update)))
    const { name, metadata } = await directory.get(`/projects/prj_${id.slice(5)}`)
    assert.deepEqual([name, metadata], ['Raced', { external_key_id: 'k', geography: 'eu' }])
  })

  it('that are archived are refused every update with 400, and nothing changes', async () => {
    const { id } = await projects.create({ name: 'Old' })
    await projects.archive(id)
    const before = await databaseState(app.database)
    for (const update of [{ name: 'New' }, { external_key_id: 'k' }, {}]) {
      await assertRefused(projects.update(id, update), 400, 'project_archived')
    }
    assert.deepEqual(await databaseState(app.database), before)
  })

  it('that are unknown answer 404', async () => {
    for (const id of [UNKNOWN, 'proj_x', 'x', `${UNKNOWN}0`, `prj_${UNKNOWN}`]) {
      await assertRefused(projects.retrieve(id), 404, 'not_found')
      await assertRefused(projects.update(id, { name: 'x' }), 404, 'not_found')
      await assertRefused(projects.archive(id), 404, 'not_found')
    }
  })
})

describe('the list of projects', () => {
  it('is read through by the client in the order of creation, archived ones on request', async () => {
    const { key } = await app.organization('lists')
    const client = (await openaiClient(app, key)).organization.projects
    const empty = await app.call('GET', '/v1/organization/projects', { key })
    const none = { object: 'list', data: [], has_more: false, first_id: null, last_id: null }
    assert.deepEqual(empty.body, none)
    const made = []
    for (let n = 0; n < 5; n++) made.push({ ...(await client.create({ name: `P ${n}` })) })
    const gone = { ...(await client.archive(made[1]!.id)) }
    const read = async (query: OpenAI.Admin.Organization.ProjectListParams) => {
      const found = []
      for await (const project of client.list(query)) found.push({ ...project })
      return found
    }
    const active = made.filter(({ id }) => id !== gone.id)
    assert.deepEqual(await read({ limit: 2 }), active)
    assert.deepEqual(await read({ limit: 4 }), active)
    assert.deepEqual(await read({ include_archived: false }), active)
    assert.deepEqual(await read({ limit: 2, include_archived: true }), [made[0], gone, ...made.slice(2)])
    const { body } = await app.call('GET', '/v1/organization/projects?limit=2', { key })
    const [first, , third] = made
    const page = {
      object: 'list',
      data: [first, third],
      has_more: true,
      first_id: first!.id,
      last_id: third!.id,
    }
    assert.deepEqual(body, page)
    // A project that is archived between two pages keeps its place.
    await client.archive(third!.id)
    assert.deepEqual(await read({ limit: 2, after: third!.id }), made.slice(3))
  })

  it('refuses a limit or a place that is none', async () => {
    for (const limit of [0, 101, -1, 1.5]) {
      await assertRefused(projects.list({ limit }), 400, 'invalid_value', 'limit')
    }
    for (const after of [UNKNOWN, 'proj_x', 'user-x', 'null']) {
      await assertRefused(projects.list({ after }), 400, 'invalid_value', 'after')
    }
    const query = { include_archived: 'maybe' as never }
    await assertRefused(projects.list(query), 400, 'invalid_value', 'include_archived')
  })
})

describe('a body of a project that breaks a rule', () => {
  it('is refused with 400 that names the field, and makes nothing', async () => {
    const before = await databaseState(app.database)
    const cases: [Record<string, unknown>, string][] = [
      [{}, 'name'],
      [{ name: '' }, 'name'],
      [{ name: null }, 'name'],
      [{ name: 7 }, 'name'],
      [{ name: 'x'.repeat(256) }, 'name'],
      [{ name: 'a\u0000' }, 'name'],
      [{ name: '\ud800' }, 'name'],
      [{ name: 'x', external_key_id: '' }, 'external_key_id'],
      [{ name: 'x', external_key_id: 'x'.repeat(256) }, 'external_key_id'],
      [{ name: 'x', external_key_id: {} }, 'external_key_id'],
      [{ name: 'x', residency: 'eu' }, 'residency'],
      [{ name: 'x', residency: 'X'.repeat(65) }, 'residency'],
      [{ name: 'x', geography: 'eu', residency: 'EU_STORAGE_PROCESSING' }, 'geography'],
    ]
    for (const [body, param] of cases) {
      await assertRefused(projects.create(body as never), 400, 'invalid_value', param)
    }
    assert.deepEqual(await databaseState(app.database), before)
    const whole = {
      name: 'x'.repeat(255),
      external_key_id: 'x'.repeat(255),
      residency: null,
      geography: null,
    }
    assert.equal((await projects.create(whole)).name, whole.name)
  })
})
