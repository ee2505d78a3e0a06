import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { databaseState } from '../../../test/database-state.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'

let app: TestApp
let acme: DirectoryClient
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  acme = directoryClient(app, (await app.organization('acme')).path)
  await acme.post('/workspaces', { name: 'One', slug: 'acme-one' })
  await acme.post('/workspaces', { name: 'Two', slug: 'acme-two' })
})

const idsOf = async (tail: string) => (await acme.get(tail)).data.map((row: { id: string }) => row.id)

describe('a project', () => {
  it('of the organization needs no identifier, one of a workspace does', async () => {
    const own = await acme.post('/projects', { name: 'Own', metadata: { team: 'a' } })
    assert.deepEqual(
      [own.object, own.workspace, own.identifier, own.name, own.metadata, own.archived_at],
      ['project', null, null, 'Own', { team: 'a' }, null],
    )
    assert.deepEqual(await acme.get(`/projects/${own.id}`), own)
    await acme.post('/projects', { name: 'Own', workspace: null, identifier: null })

    const refusal = await acme.refused('POST', '/projects', 'request.invalid', 400, {
      body: { name: 'P', workspace: 'acme-one' },
    })
    assert.equal(refusal.field, 'identifier')
    const placed = await acme.post('/projects', { name: 'P', workspace: 'acme-one', identifier: 'need' })
    assert.equal(placed.identifier, 'NEED')
    assert.deepEqual(await acme.get(`/workspaces/acme-one/projects/${placed.id}`), placed)
  })

  it('has an identifier of its own in its workspace, and among the organization’s own', async () => {
    const body = { name: 'P', identifier: 'SAME' }
    for (const place of [{}, { workspace: 'acme-one' }, { workspace: 'acme-two' }]) {
      await acme.post('/projects', { ...body, ...place })
      for (const identifier of ['SAME', 'same']) {
        const again = { body: { ...body, identifier, ...place } }
        const refusal = await acme.refused('POST', '/projects', 'project.identifier_taken', 409, again)
        assert.equal(refusal.field, 'identifier')
      }
    }
    await acme.refused('POST', '/workspaces/acme-one/projects', 'project.identifier_taken', 409, { body })
  })

  it('is found below its own workspace only, and by its id from the organization', async () => {
    const own = await acme.post('/projects', { name: 'Own' })
    const one = await acme.post('/workspaces/acme-one/projects', { name: 'P', identifier: 'ONLY' })
    for (const tail of [
      `/workspaces/acme-two/projects/${one.id}`,
      `/workspaces/acme-one/projects/${own.id}`,
      '/projects/prj_x',
    ]) {
      await acme.refused('GET', tail, 'project.not_found', 404)
      await acme.refused('PATCH', tail, 'project.not_found', 404, { body: { name: 'Q' } })
    }
    await acme.refused('GET', `/workspaces/none/projects/${one.id}`, 'workspace.not_found', 404)
    await acme.refused('GET', '/projects?workspace=none', 'workspace.not_found', 404)
    const body = { name: 'P', identifier: 'P', workspace: 'none' }
    await acme.refused('POST', '/projects', 'workspace.not_found', 404, { body })
    assert.equal((await acme.ok('PATCH', `/projects/${one.id}`, { name: 'Q' })).name, 'Q')
  })

  it('has a name of 1 to 255 characters and an identifier of 1 to 12 letters and digits', async () => {
    const good = { name: 'n'.repeat(255), identifier: 'A12345678901' }
    const { id } = await acme.post('/projects', good)
    const before = await databaseState(app.database)
    for (const [field, value] of [
      ...[undefined, null, '', 'n'.repeat(256), 'a\u0000b'].map((name) => ['name', name] as const),
      ...['', 'A123456789012', '1A', 'A-B', 'Ä'].map((identifier) => ['identifier', identifier] as const),
      ...['', 'One', 'a--b'].map((slug) => ['workspace', slug] as const),
      ['metadata', []],
      ['archived_at', null],
    ] as const) {
      const body = { ...good, identifier: 'OTHER', [field]: value }
      await acme.refused('POST', '/projects', 'request.invalid', 400, { body })
    }
    for (const body of [
      { name: '' },
      { name: 'n'.repeat(256) },
      { identifier: 'X' },
      { workspace: 'acme-one' },
    ]) {
      await acme.refused('PATCH', `/projects/${id}`, 'request.invalid', 400, { body })
    }
    await acme.refused('GET', '/projects?include_archived=1', 'request.invalid', 400)
    assert.deepEqual(await databaseState(app.database), before)
  })
})

describe('an archived project', () => {
  it('is listed on request only, is read as before, and comes back as it was', async () => {
    const made = await acme.post('/workspaces/acme-one/projects', { name: 'A', identifier: 'ARCH' })
    const lists = ['/projects', '/projects?workspace=acme-one', '/workspaces/acme-one/projects']
    for (const tail of lists) assert.ok((await idsOf(tail)).includes(made.id))

    const archived = await acme.post(`/projects/${made.id}/archive`)
    assert.ok(archived.archived_at >= made.created_at)
    const about = await acme.lastChange()
    assert.equal(about.kind, 'project.archived')
    assert.deepEqual(about.detail, { project: made.id, workspace: made.workspace })
    for (const tail of lists) assert.ok(!(await idsOf(tail)).includes(made.id))
    for (const query of ['', '&workspace=acme-one']) {
      assert.ok((await idsOf(`/projects?include_archived=true${query}`)).includes(made.id))
    }
    assert.ok(!(await idsOf('/projects?include_archived=true&workspace=acme-two')).includes(made.id))
    for (const tail of [`/projects/${made.id}`, `/workspaces/acme-one/projects/${made.id}`]) {
      assert.deepEqual(await acme.get(tail), archived)
    }

    const back = await acme.post(`/projects/${made.id}/unarchive`)
    assert.deepEqual({ ...back, updated_at: '' }, { ...made, updated_at: '' })
    assert.equal((await acme.lastChange()).kind, 'project.unarchived')
    for (const tail of lists) assert.ok((await idsOf(tail)).includes(made.id))
  })

  it('keeps its identifier and refuses every change of its fields, on both paths', async () => {
    const { id } = await acme.post('/workspaces/acme-one/projects', { name: 'K', identifier: 'KEPT' })
    await acme.post(`/projects/${id}/archive`)
    const before = await databaseState(app.database)
    for (const tail of [`/projects/${id}`, `/workspaces/acme-one/projects/${id}`]) {
      for (const body of [{ name: 'L' }, { name: 'K' }, {}]) {
        await acme.refused('PATCH', tail, 'project.archived', 409, { body })
      }
    }
    const body = { name: 'K', identifier: 'KEPT' }
    await acme.refused('POST', '/workspaces/acme-one/projects', 'project.identifier_taken', 409, { body })
    assert.deepEqual(await databaseState(app.database), before)
  })

  it('is archived and brought back once: asked again, nothing changes', async () => {
    const { id } = await acme.post('/projects', { name: 'Twice' })
    const headers: Record<string, unknown>[] = []
    for (const name of ['unarchive', 'archive', 'unarchive']) {
      const first = await acme.send('POST', `/projects/${id}/${name}`)
      const before = await databaseState(app.database)
      const again = await acme.send('POST', `/projects/${id}/${name}`)
      assert.deepEqual([again.status, again.body, again.headers.etag], [200, first.body, first.headers.etag])
      assert.equal(again.headers['rollcall-change'], undefined)
      assert.deepEqual(await databaseState(app.database), before)
      headers.push(first.headers)
    }
    assert.deepEqual(
      headers.map((header) => [header.etag, header['rollcall-change'] !== undefined]),
      [
        ['"1"', false],
        ['"2"', true],
        ['"3"', true],
      ],
    )
  })

  it('is archived at the version that If-Match names, or not at all', async () => {
    const { id } = await acme.post('/projects', { name: 'Guarded' })
    for (const name of ['archive', 'unarchive']) {
      const headers = { 'if-match': '"9"' }
      await acme.refused('POST', `/projects/${id}/${name}`, 'version.mismatch', 412, { headers })
    }
    const headers = { 'if-match': '"1"' }
    assert.equal((await acme.send('POST', `/projects/${id}/archive`, { headers })).status, 200)
  })

  it('needs projects:write to be archived, brought back or changed, projects:read to be read', async () => {
    const { id } = await acme.post('/projects', { name: 'Scoped' })
    const [reads, writes] = [await acme.key(['projects:read']), await acme.key(['projects:write'])]
    for (const tail of [`/projects/${id}/archive`, `/projects/${id}/unarchive`]) {
      await acme.refused('POST', tail, 'permission.denied', 403, { key: reads })
      assert.equal((await acme.send('POST', tail, { key: writes })).status, 200)
    }
    for (const tail of ['/projects', `/projects/${id}`]) {
      await acme.refused('GET', tail, 'permission.denied', 403, { key: writes })
      assert.equal((await acme.send('GET', tail, { key: reads })).status, 200)
    }
    await acme.refused('POST', '/projects', 'permission.denied', 403, { key: reads, body: { name: 'x' } })
    const body = { name: 'x' }
    await acme.refused('PATCH', `/projects/${id}`, 'permission.denied', 403, { key: reads, body })
  })
})
