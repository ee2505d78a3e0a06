import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'

let app: TestApp
before(async () => {
  app = await startTestApp()
})

/** An organization with one workspace, its group sync never looked at. */
async function open(slug: string) {
  const { path } = await app.organization(slug)
  const client = directoryClient(app, path)
  const workspace = await client.post('/workspaces', { name: 'Space', slug: `${slug}-space` })
  const base = `/workspaces/${slug}-space/group_sync`
  const project = await client.post(`/workspaces/${slug}-space/projects`, { name: 'P', identifier: 'ENG' })
  return { client, base, workspace, project, roles: await rolesOf(client) }
}

async function rolesOf(client: DirectoryClient): Promise<Record<string, string>> {
  const { data } = await client.get('/roles?limit=1000')
  return Object.fromEntries(
    data.map((role: { resource: string; key: string; id: string }) => [
      `${role.resource} ${role.key}`,
      role.id,
    ]),
  )
}

describe('the config of group sync', () => {
  it('has its defaults on the first read, which is no change, and is changed field by field', async () => {
    const { client, base, roles } = await open('configured')
    const last = await client.lastChange()
    const { created_at: _, updated_at: __, ...first } = await client.get(base)
    assert.deepEqual(first, {
      object: 'group_sync_config',
      ...{ is_enabled: false, sync_on_login: true, auto_remove: false, sync_offline: false },
      ...{ group_attribute_key: 'groups', default_workspace_role: null },
    })
    assert.deepEqual(await client.lastChange(), last)
    await client.ok('PATCH', base, { auto_remove: true, group_attribute_key: 'custom:groups' })
    const role = roles['workspace guest']
    const changed = await client.ok('PATCH', base, { default_workspace_role: role })
    assert.equal(changed.default_workspace_role.key, 'guest')
    assert.deepEqual([changed.auto_remove, changed.group_attribute_key], [true, 'custom:groups'])
    const { kind, detail } = await client.lastChange()
    assert.deepEqual([kind, detail.what, detail.role], ['group_sync.configured', 'config', role])
    const before = await client.lastChange()
    await client.ok('PATCH', base, {})
    await client.ok('PATCH', base, { auto_remove: true })
    assert.deepEqual(await client.lastChange(), before, 'what is so already is no change')
    assert.equal(
      (await client.ok('PATCH', base, { default_workspace_role: null })).default_workspace_role,
      null,
    )
  })

  it('refuses a role of another kind, a version that is over, and a key that is too long', async () => {
    const { client, base, roles } = await open('refusing')
    const body = { default_workspace_role: roles['project member'] }
    const refused = await client.refused('PATCH', base, 'role.wrong_target', 400, { body })
    assert.equal(refused.field, 'default_workspace_role')
    await client.refused('PATCH', base, 'version.mismatch', 412, {
      body: { auto_remove: true },
      headers: { 'if-match': '"7"' },
    })
    await client.refused('PATCH', base, 'request.invalid', 400, {
      body: { group_attribute_key: 'k'.repeat(256) },
    })
  })
})

describe('mappings', () => {
  it('of the workspace are created, read, listed, changed and deleted', async () => {
    const { client, base, roles } = await open('mapped')
    const path = `${base}/workspace_mappings`
    const made = await client.post(path, { idp_group_name: 'Staff', role: roles['workspace member'] })
    assert.deepEqual([made.idp_group_name, made.role.key], ['Staff', 'member'])
    assert.deepEqual(await client.get(`${path}/${made.id}`), made)
    const other = await client.post(path, { idp_group_name: 'staff', role: roles['workspace guest'] })
    const body = { idp_group_name: 'Staff', role: roles['workspace admin'] }
    await client.refused('POST', path, 'group_sync_mapping.taken', 409, { body })
    await client.refused('PATCH', `${path}/${other.id}`, 'group_sync_mapping.taken', 409, { body })
    const changed = await client.ok('PATCH', `${path}/${made.id}`, { role: roles['workspace admin'] })
    assert.deepEqual([changed.role.key, changed.idp_group_name], ['admin', 'Staff'])
    const ids = (rows: { data: { id: string }[] }) => rows.data.map(({ id }) => id)
    assert.deepEqual(ids(await client.get(path)), [made.id, other.id])
    const first = await client.get(`${path}?limit=1`)
    assert.deepEqual(ids(await client.get(`${path}?limit=1&after=${first.next_cursor}`)), [other.id])
    await client.ok('DELETE', `${path}/${made.id}`)
    await client.refused('GET', `${path}/${made.id}`, 'group_sync_mapping.not_found', 404)
    await client.refused('GET', `${base}/project_mappings/${other.id}`, 'group_sync_mapping.not_found', 404)
  })

  it('of projects are for one or for all, one of a group each, and listed of one project', async () => {
    const { client, base, roles, project } = await open('placed')
    const path = `${base}/project_mappings`
    const role = roles['project member']
    const given = { idp_group_name: 'devs', role }
    for (const more of [{}, { project: project.id, all_projects: true }, { project: null }]) {
      await client.refused('POST', path, 'request.invalid', 400, { body: { ...given, ...more } })
    }
    const one = await client.post(path, { ...given, project: project.id })
    assert.deepEqual([one.project, one.all_projects], [{ id: project.id, identifier: 'ENG' }, false])
    const all = await client.post(path, { ...given, all_projects: true })
    assert.deepEqual([all.project, all.all_projects], [null, true])
    for (const more of [{ project: project.id }, { all_projects: true }]) {
      await client.refused('POST', path, 'group_sync_mapping.taken', 409, { body: { ...given, ...more } })
    }
    const { data } = await client.get(`${path}?project=${project.id}`)
    assert.deepEqual(data, [one])
    assert.equal((await client.get(path)).data.length, 2)
    await client.post('/workspaces', { name: 'Other', slug: 'placed-other' })
    const elsewhere = await client.post('/workspaces/placed-other/projects', { name: 'O', identifier: 'OTH' })
    const foreign = { ...given, project: elsewhere.id }
    await client.refused('POST', path, 'project.not_found', 404, { body: foreign })
    await client.refused('GET', `${path}?project=${elsewhere.id}`, 'project.not_found', 404)
    const wrong = { idp_group_name: 'x', role: roles['workspace member'], all_projects: true }
    await client.refused('POST', path, 'role.wrong_target', 400, { body: wrong })
  })

  it('are made by who may and holds the role: on all projects, in the whole workspace', async () => {
    const { client, base, roles, project, workspace } = await open('holding')
    const member = await client.member()
    const role = await client.post('/roles', {
      ...{ name: 'Mapper', resource: 'workspace', permissions: ['group_sync:read', 'group_sync:write'] },
    })
    await client.post('/role_assignments', { role: role.id, member: member.id, target: workspace.id })
    await client.post('/role_assignments', {
      ...{ role: roles['project admin'], member: member.id, target: project.id },
    })
    const key = await client.key(['*'], { member_id: member.id })
    const path = `${base}/project_mappings`
    const given = { idp_group_name: 'leads', role: roles['project admin'] }
    const send = (body: object) => client.send('POST', path, { key, body })
    assert.equal((await send({ ...given, project: project.id })).status, 201)
    const refused = await send({ ...given, all_projects: true })
    assert.deepEqual([refused.status, refused.body.code], [403, 'role.permission_exceeded'])
    const onWorkspace = { key, body: { idp_group_name: 'x', role: roles['workspace admin'] } }
    await client.refused('POST', `${base}/workspace_mappings`, 'role.permission_exceeded', 403, onWorkspace)
    // Who has no such role there may not even look.
    const stranger = await client.key(['*'], { member_id: (await client.member()).id })
    await client.refused('GET', base, 'permission.denied', 403, { key: stranger })
    const run = { key: stranger, body: {} }
    await client.refused('POST', `${base}/runs`, 'permission.denied', 403, run)
  })
})

describe('a run', () => {
  it('applies claims, tells each member what came of it, is shown by a preview first, and can be undone', async () => {
    const { client, base, roles, project } = await open('running')
    await client.ok('PATCH', base, { is_enabled: true, auto_remove: true })
    await client.post(`${base}/workspace_mappings`, {
      idp_group_name: 'staff',
      role: roles['workspace member'],
    })
    await client.post(`${base}/project_mappings`, {
      ...{ idp_group_name: 'devs', role: roles['project viewer'], all_projects: true },
    })
    const [one, other] = [await client.member(), await client.member()]
    const claims = [
      { member: one.id, groups: ['staff', 'devs'] },
      { member: other.id, groups: null },
    ]
    const before = await client.lastChange()
    const shown = await client.post(`${base}/runs?preview=true`, { claims })
    assert.deepEqual([shown.object, shown.opened, shown.change.kind], ['preview', 2, 'group_sync.applied'])
    assert.deepEqual(await client.lastChange(), before)
    const done = await client.post(`${base}/runs`, { claims })
    assert.deepEqual(done, {
      ...{ object: 'group_sync_run', enabled: true, opened: 2, ended: 0, removals: 0, brake: null },
      members: [
        { member: one.id, opened: 2, ended: 0, kept: [], skipped: null },
        { member: other.id, opened: 0, ended: 0, kept: [], skipped: 'claim_missing' },
      ],
      members_complete: true,
    })
    const { object: _, ...run } = done
    assert.deepEqual(shown.run, run)
    const change = await client.lastChange()
    assert.deepEqual([change.kind, change.cause.kind], ['group_sync.applied', 'group_sync'])
    const { data } = await client.get(`/role_assignments?target=${project.id}`)
    assert.deepEqual([data[0].member.id, data[0].source], [one.id, 'group_sync'])
    await client.post(`/changes/${change.id}/undo`)
    assert.equal((await client.get(`/role_assignments?target=${project.id}`)).data.length, 0)
    assert.equal((await client.post(`${base}/runs`, {})).opened, 2, 'the next run asserts again')
  })

  it('that takes too much away is refused with the figures, and forced by who may approve plans', async () => {
    const { client, base, roles } = await open('braked')
    await client.ok('PATCH', base, { is_enabled: true, auto_remove: true })
    await client.ok('PATCH', '', { settings: { removal_brake: { group_sync: { max_share: 0.5 } } } })
    await client.post(`${base}/workspace_mappings`, {
      idp_group_name: 'staff',
      role: roles['workspace member'],
    })
    const claims = [{ member: (await client.member()).id, groups: ['staff'] }]
    await client.post(`${base}/runs`, { claims })
    const none = { claims: [{ ...claims[0], groups: [] }] }
    const refused = await client.refused('POST', `${base}/runs`, 'group_sync.brake', 409, { body: none })
    assert.deepEqual(refused.context, { removals: 1, max_removals: null, max_share: 0.5 })
    assert.match((await client.post(`${base}/runs?preview=true`, none)).run.brake, /100 %/)
    const force = { ...none, force: true }
    const key = await client.key(['group_sync:write'])
    await client.refused('POST', `${base}/runs`, 'permission.denied', 403, { key, body: force })
    assert.equal((await client.post(`${base}/runs`, force)).ended, 1)
  })

  it('refuses a member twice and unknown ones, naming the claim', async () => {
    const { client, base } = await open('claiming')
    const { id } = await client.member()
    const run = (...members: string[]) => ({
      body: { claims: members.map((member) => ({ member, groups: [] })) },
    })
    const twice = await client.refused('POST', `${base}/runs`, 'request.invalid', 400, run(id, id))
    assert.equal(twice.field, 'claims[1].member')
    const unknown = `mem_${Buffer.alloc(16).toString('base64url')}`
    const refused = await client.refused('POST', `${base}/runs`, 'member.not_found', 404, run(id, unknown))
    assert.equal(refused.field, 'claims[1].member')
    assert.equal((await client.post(`${base}/runs`, run(id).body)).enabled, false)
  })
})
