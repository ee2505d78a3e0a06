import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { databaseState } from '../../../test/database-state.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'

const PAGES = '/workspaces/acme-space/pages'

let app: TestApp
let acme: DirectoryClient
let workspace: string
const roles: Record<string, string> = {}
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  acme = directoryClient(app, (await app.organization('acme')).path)
  for (const role of (await acme.get('/roles')).data) roles[`${role.resource} ${role.key}`] = role.id
  workspace = (await acme.post('/workspaces', { name: 'Space', slug: 'acme-space' })).id
  await acme.post('/workspaces', { name: 'Other', slug: 'acme-other' })
})

let made = 0
const register = (more: object = {}) => acme.post(PAGES, { name: `Page ${++made}`, ...more })
const project = (slug = 'acme-space') =>
  acme.post(`/workspaces/${slug}/projects`, { name: 'P', identifier: `P${++made}` })
const share = (target: string, role: string, subject: object) =>
  acme.post('/role_assignments', { role: roles[`page ${role}`], target, ...subject })
const allows = async (member: string, permission: string, target: string) =>
  (await acme.post('/access/check', { member, permission, target })).allowed

/** Does something and answers the change that it was; undefined: none. */
async function changeOf(method: string, tail: string, body?: object): Promise<string | undefined> {
  const answer = await acme.send(method, tail, body === undefined ? {} : { body })
  assert.ok(answer.status < 300, `${method} ${tail} ${JSON.stringify(answer.body)}`)
  return answer.headers['rollcall-change'] as string | undefined
}

describe('a page', () => {
  it('is registered, read, listed by project and reference, and changed by its version', async () => {
    const inside = (await project()).id
    const created = await register({ name: 'Plan', project: inside, external_reference_id: 'doc-1' })
    const { id, created_at, updated_at, ...shown } = created
    assert.deepEqual(shown, {
      ...{ object: 'page', workspace, project: inside, name: 'Plan', external_reference_id: 'doc-1' },
    })
    assert.match(id, /^pag_/)
    assert.deepEqual([typeof created_at, created_at], ['string', updated_at])
    const second = await register()
    assert.deepEqual([second.project, second.external_reference_id], [null, null])
    const read = await acme.send('GET', `${PAGES}/${id}`)
    assert.deepEqual(read.body, created)
    const list = async (query: string) =>
      (await acme.get(`${PAGES}?${query}`)).data.map((row: { id: string }) => row.id)
    assert.deepEqual(await list(''), [id, second.id])
    assert.deepEqual(await list(`project=${inside}`), [id])
    assert.deepEqual(await list('external_reference_id=doc-1'), [id])
    assert.deepEqual(await list('external_reference_id=doc-2'), [])
    const version = { 'if-match': String(read.headers.etag) }
    const body = { name: 'Plan B', project: null }
    const changed = await acme.send('PATCH', `${PAGES}/${id}`, { body, headers: version })
    assert.deepEqual([changed.body.name, changed.body.project], ['Plan B', null])
    assert.equal(changed.body.external_reference_id, 'doc-1')
    const change = await acme.lastChange()
    assert.deepEqual(
      [change.kind, change.detail],
      ['page.updated', { page: id, workspace, fields: ['name', 'project'] }],
    )
    await acme.refused('PATCH', `${PAGES}/${id}`, 'version.mismatch', 412, { body, headers: version })
    assert.equal(await changeOf('PATCH', `${PAGES}/${id}`, body), undefined)
    await acme.refused('GET', `/workspaces/acme-other/pages/${id}`, 'page.not_found', 404)
  })

  it('is in a project of the same workspace that is not archived', async () => {
    const elsewhere = (await project('acme-other')).id
    const { id } = await register()
    const refuse = async (projectId: string, code: string, status: number) => {
      const body = { name: 'P', project: projectId }
      await acme.refused('POST', PAGES, code, status, { body })
      await acme.refused('PATCH', `${PAGES}/${id}`, code, status, { body })
    }
    await refuse(elsewhere, 'project.not_found', 404)
    const archived = (await project()).id
    await acme.post(`/projects/${archived}/archive`)
    await refuse(archived, 'project.archived', 409)
  })

  it('is reached from its project and workspace, and by sharing it alone', async () => {
    const [inside, other] = [(await project()).id, (await project()).id]
    const { id } = await register({ project: inside })
    const holder = async (role: string, target: string) => {
      const { id: member } = await acme.member()
      await acme.post('/role_assignments', { role: roles[role], member, target })
      return await allows(member, 'app.open', id)
    }
    const reached = await Promise.all([
      holder('workspace admin', workspace),
      holder('project admin', inside),
      holder('project admin', other),
    ])
    assert.deepEqual(reached, [true, true, false])
    const { id: viewer } = await acme.member()
    const { id: editor } = await acme.member()
    const group = await acme.group()
    await acme.add(group.id, editor)
    await share(id, 'viewer', { member: viewer })
    await share(id, 'editor', { group: group.id })
    const may = async (member: string) =>
      Promise.all(['pages:read', 'pages:write'].map((name) => allows(member, name, id)))
    assert.deepEqual(await may(viewer), [true, false])
    assert.deepEqual(await may(editor), [true, true])
    assert.equal(await allows(editor, 'pages:read', (await register()).id), false)
    const custom = { name: 'Reviewer', permissions: ['docs.review'], resource: 'page' }
    const { id: role } = await acme.post('/roles', custom)
    await acme.post('/role_assignments', { role, target: id, member: viewer })
    assert.equal(await allows(viewer, 'docs.review', id), true)
    await acme.ok(
      'DELETE',
      `/role_assignments/${(await acme.get(`/role_assignments?role=${role}`)).data[0].id}`,
    )
    const { data } = await acme.get(`/role_assignments?target=${id}`)
    assert.deepEqual(
      data.map((row: { role: { key: string }; target: object }) => [row.role.key, row.target]),
      ['viewer', 'editor'].map((key) => [key, { type: 'page', id }]),
    )
  })

  it('is read by whom it is shared with and renamed by its editors, who do not move, share or delete it', async () => {
    const { id } = await register()
    const secret = async (role: string) => {
      const { id: member } = await acme.member()
      await share(id, role, { member })
      return await acme.key(['*'], { member_id: member })
    }
    const [viewer, editor] = [await secret('viewer'), await secret('editor')]
    const send = (method: string, tail: string, key: string, body?: object) =>
      acme.send(method, tail, { key, ...(body === undefined ? {} : { body }) })
    const one = `${PAGES}/${id}`
    assert.equal((await send('GET', one, viewer)).status, 200)
    assert.equal((await send('PATCH', one, viewer, { name: 'N' })).status, 403)
    assert.equal((await send('PATCH', one, editor, { name: 'N' })).status, 200)
    assert.equal((await send('PATCH', one, editor, { project: null })).status, 403)
    assert.equal((await send('DELETE', one, editor)).status, 403)
    assert.equal((await send('GET', PAGES, editor)).status, 403)
    assert.equal((await send('GET', `${PAGES}/${(await register()).id}`, editor)).status, 403)
    const given = { role: roles['page viewer'], target: id, member: (await acme.member()).id }
    assert.equal((await send('POST', '/role_assignments', editor, given)).status, 403)
    const role = { name: 'Mine', permissions: [], resource: 'page', of: id }
    await acme.refused('POST', '/roles', 'request.invalid', 400, { body: role })
  })
})

describe('deleting a page', () => {
  it('ends every role on it, as its preview says, and is undone with them', async () => {
    const { id } = await register()
    const { id: member } = await acme.member()
    await share(id, 'viewer', { member })
    await share(id, 'editor', { group: (await acme.group()).id })
    const before = await acme.get(`${PAGES}/${id}`)
    const state = await databaseState(app.database)
    const preview = await acme.ok('DELETE', `${PAGES}/${id}?preview=true`)
    assert.deepEqual(await databaseState(app.database), state)
    const deletion = await acme.get(`/changes/${await changeOf('DELETE', `${PAGES}/${id}`)}`)
    assert.deepEqual([deletion.kind, deletion.ended, preview.ended], ['page.deleted', 2, 2])
    await acme.refused('GET', `${PAGES}/${id}`, 'page.not_found', 404)
    await acme.refused('DELETE', `${PAGES}/${id}`, 'page.not_found', 404)
    const asked = { body: { member, permission: 'pages:read', target: id } }
    await acme.refused('POST', '/access/check', 'page.not_found', 404, asked)
    const given = { body: { role: roles['page viewer'], member, target: id } }
    await acme.refused('POST', '/role_assignments', 'page.not_found', 404, given)
    assert.deepEqual((await acme.get(`/members/${member}/access`)).roles, [])
    const outcome = await acme.post(`/changes/${deletion.id}/undo`)
    assert.deepEqual([outcome.opened, outcome.refused], [2, []])
    const { updated_at: _, ...restored } = await acme.get(`${PAGES}/${id}`)
    assert.deepEqual({ ...restored, updated_at: before.updated_at }, before)
    assert.equal(await allows(member, 'pages:read', id), true)
  })

  it('leaves its past to be asked about', async () => {
    const { id } = await register()
    const { id: member } = await acme.member()
    await share(id, 'viewer', { member })
    const then = (await acme.lastChange()).at
    await acme.ok('DELETE', `${PAGES}/${id}`)
    const { data } = await acme.get(`/role_assignments?target=${id}&as_of=${then}`)
    assert.equal(data.length, 1)
    const asked = { member, permission: 'pages:read', target: id, as_of: then }
    assert.equal((await acme.post('/access/check', asked)).allowed, true)
  })

  it('keeps an undo from giving back what was shared before, which says so by name', async () => {
    const [gone, kept] = [await register(), await register()]
    const { id: member } = await acme.member()
    for (const { id } of [gone, kept]) await share(id, 'viewer', { member })
    const removal = await changeOf('DELETE', `/members/${member}`)
    await acme.ok('DELETE', `${PAGES}/${gone.id}`)
    const outcome = await acme.post(`/changes/${removal}/undo`)
    assert.deepEqual([outcome.opened, outcome.refused.length], [1, 1])
    assert.deepEqual([outcome.refused[0].role, outcome.refused[0].reason], ['Viewer', 'page_deleted'])
  })
})
