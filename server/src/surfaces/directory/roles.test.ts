import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'

let app: TestApp
let acme: DirectoryClient
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  acme = directoryClient(app, (await app.organization('acme')).path)
  await acme.post('/workspaces', { name: 'Space', slug: 'acme-space' })
})

let made = 0
const newRole = (more: object = {}) => {
  made += 1
  return acme.post('/roles', { name: `Role ${made}`, permissions: ['members:read'], ...more })
}
const namesOf = (list: { data: { key: string | null; name: string }[] }) => list.data.map((row) => row.name)

describe('the permission catalogue', () => {
  it('names each permission with what it is for', async () => {
    const { data } = await acme.get('/permissions')
    assert.ok(data.length >= 20)
    for (const one of data) assert.match(one.name, /^[a-z_]+:(read|write)$/)
    for (const one of data) assert.ok(one.description.length > 10, one.name)
  })
})

describe('predefined roles', () => {
  it('are there from the start on each kind of target, and cannot be changed or deleted', async () => {
    const fresh = directoryClient(app, (await app.organization('fresh')).path)
    const { data } = await fresh.get('/roles')
    const shown = data.map((row: { resource: string; key: string }) => `${row.resource} ${row.key}`)
    assert.deepEqual(shown, [
      ...['organization owner', 'organization admin', 'organization member'],
      ...['workspace owner', 'workspace admin', 'workspace member', 'workspace guest'],
      ...['project admin', 'project member', 'project commenter', 'project viewer', 'project guest'],
      ...['page editor', 'page commenter', 'page viewer'],
    ])
    const owner = data[0]
    assert.deepEqual([owner.permissions, owner.predefined], [['*'], true])
    for (const row of data) {
      await fresh.refused('PATCH', `/roles/${row.id}`, 'role.predefined', 409, { body: { name: 'Mine' } })
      await fresh.refused('DELETE', `/roles/${row.id}`, 'role.predefined', 409)
    }
  })
})

describe('a custom role', () => {
  it('holds permissions of the catalogue and of the application, each once', async () => {
    const permissions = ['groups:read', 'invoices.approve', 'api.model.request', 'groups:read']
    const role = await newRole({ permissions, description: 'For the books', metadata: { tier: 2 } })
    const { id, created_at, updated_at, name, ...rest } = role
    assert.match(id, /^role_[\w-]{22}$/)
    assert.deepEqual(rest, {
      object: 'role',
      key: null,
      description: 'For the books',
      predefined: false,
      resource: 'organization',
      of: { type: 'organization', id: null },
      permissions: ['groups:read', 'invoices.approve', 'api.model.request'],
      metadata: { tier: 2 },
    })
    assert.deepEqual(await acme.get(`/roles/${id}`), role)
    assert.deepEqual((await newRole({ permissions: [] })).permissions, [])
  })

  it('is refused with a permission that is none, by name', async () => {
    const inherited = ['toString', 'constructor', '__proto__', 'hasOwnProperty']
    const wrong = [
      'members:wriet',
      'everything',
      '*',
      '',
      'a b.c',
      'organization.',
      `${'x'.repeat(99)}.y`,
      ...inherited,
    ]
    for (const permission of wrong) {
      const body = { name: 'Wrong', permissions: ['groups:read', permission] }
      const refusal = await acme.refused('POST', '/roles', 'request.invalid', 400, { body })
      assert.equal(refusal.field, 'permissions[1]', permission)
    }
    const longest = `${'x'.repeat(98)}.y`
    assert.deepEqual((await newRole({ permissions: [longest] })).permissions, [longest])
    const many = Array.from({ length: 201 }, (_, index) => `app.p${index}`)
    await acme.refused('POST', '/roles', 'request.invalid', 400, {
      body: { name: 'Many', permissions: many },
    })
    assert.equal((await newRole({ permissions: many.slice(1) })).permissions.length, 200)
  })

  it('has a name of its own among roles of its kind, whatever the case', async () => {
    await newRole({ name: 'Auditor' })
    const refuse = (name: string) =>
      acme.refused('POST', '/roles', 'role.name_taken', 409, { body: { name, permissions: [] } })
    for (const name of ['auditor', 'AUDITOR', 'Owner']) assert.equal((await refuse(name)).field, 'name')
    await newRole({ name: 'Auditor', resource: 'project' })
    const other = await newRole()
    const given = { body: { name: 'aUDITOR' } }
    await acme.refused('PATCH', `/roles/${other.id}`, 'role.name_taken', 409, given)
  })

  it('gives its name free when it is deleted', async () => {
    const role = await newRole({ name: 'Short-lived' })
    await acme.ok('DELETE', `/roles/${role.id}`)
    await newRole({ name: 'Short-lived' })
    await acme.refused('GET', `/roles/${role.id}`, 'role.not_found', 404)
    await acme.refused('DELETE', `/roles/${role.id}`, 'role.not_found', 404)
  })

  it('may be one project’s or one workspace’s own, and is assigned nowhere else', async () => {
    const [one, two] = [
      await acme.post('/projects', { name: 'One' }),
      await acme.post('/projects', { name: 'Two' }),
    ]
    const own = await newRole({ name: 'Own', resource: 'project', of: one.id })
    const shared = await newRole({ name: 'Shared', resource: 'project' })
    assert.deepEqual(own.of, { type: 'project', id: one.id })
    assert.deepEqual(namesOf(await acme.get(`/roles?target=${one.id}`)).slice(-2), ['Own', 'Shared'])
    assert.deepEqual(namesOf(await acme.get(`/roles?target=${two.id}`)).slice(-1), ['Shared'])
    const { id: member } = await acme.member()
    const assign = { role: own.id, member, target: two.id }
    await acme.refused('POST', '/role_assignments', 'role.wrong_target', 400, { body: assign })
    for (const target of ['organization', (await acme.get('/workspaces/acme-space')).id]) {
      const body = { role: shared.id, member, target }
      await acme.refused('POST', '/role_assignments', 'role.wrong_target', 400, { body })
    }
    await acme.post('/role_assignments', { ...assign, target: one.id })
    const misfit = { name: 'Misfit', permissions: [], resource: 'organization', of: one.id }
    await acme.refused('POST', '/roles', 'request.invalid', 400, { body: misfit })
  })

  it('of a workspace is for the projects of that workspace', async () => {
    const workspace = await acme.get('/workspaces/acme-space')
    const inside = await acme.post('/workspaces/acme-space/projects', { name: 'In', identifier: 'IN' })
    const outside = await acme.post('/projects', { name: 'Out' })
    const role = await newRole({ resource: 'project', of: workspace.id })
    const { id: member } = await acme.member()
    await acme.post('/role_assignments', { role: role.id, member, target: inside.id })
    const body = { role: role.id, member, target: outside.id }
    await acme.refused('POST', '/role_assignments', 'role.wrong_target', 400, { body })
  })

  it('changes only if nobody changed it since', async () => {
    const role = await newRole()
    const read = await acme.send('GET', `/roles/${role.id}`)
    const headers = { 'if-match': String(read.headers.etag) }
    const changed = await acme.send('PATCH', `/roles/${role.id}`, { headers, body: { description: 'x' } })
    assert.deepEqual([changed.status, changed.body.description], [200, 'x'])
    const given = { headers, body: { description: 'y' } }
    await acme.refused('PATCH', `/roles/${role.id}`, 'version.mismatch', 412, given)
    await acme.refused('DELETE', `/roles/${role.id}`, 'version.mismatch', 412, { headers })
  })

  it('that loses a permission loses it for all holders at once, and the preview says how many', async () => {
    const role = await newRole({ permissions: ['invoices.read', 'invoices.approve'] })
    const { id: member } = await acme.member()
    await acme.post('/role_assignments', { role: role.id, member })
    const check = () => acme.post('/access/check', { member, permission: 'invoices.approve' })
    assert.equal((await check()).allowed, true)
    const before = (await acme.lastChange()).at
    const body = { permissions: ['invoices.read', 'invoices.write'] }
    const preview = await acme.ok('PATCH', `/roles/${role.id}?preview=true`, body)
    assert.deepEqual(preview.change, {
      kind: 'role.updated',
      detail: {
        role: role.id,
        fields: ['permissions'],
        permissions_added: ['invoices.write'],
        permissions_removed: ['invoices.approve'],
        holders: 1,
      },
    })
    assert.equal((await check()).allowed, true)
    await acme.ok('PATCH', `/roles/${role.id}`, body)
    assert.equal((await check()).allowed, false)
    const past = { member, permission: 'invoices.approve', as_of: before }
    assert.equal((await acme.post('/access/check', past)).allowed, true, 'the past stays as it was')
  })

  it('is deleted with all of its assignments, and the undo gives both back', async () => {
    const role = await newRole({ permissions: ['invoices.pay'] })
    const [{ id: member }, group] = [await acme.member(), await acme.group()]
    await acme.post('/role_assignments', { role: role.id, member, expires_at: '2999-01-01T00:00:00Z' })
    await acme.post('/role_assignments', { role: role.id, group: group.id })
    const preview = await acme.ok('DELETE', `/roles/${role.id}?preview=true`)
    assert.deepEqual([preview.ended, preview.grants.length], [2, 2])
    await acme.ok('DELETE', `/roles/${role.id}`)
    assert.deepEqual((await acme.get(`/members/${member}/roles`)).data, [])
    const undone = await acme.post(`/changes/${(await acme.lastChange()).id}/undo`)
    assert.deepEqual([undone.opened, undone.refused], [2, []])
    const { data } = await acme.get(`/role_assignments?role=${role.id}`)
    const ends = data.map((row: { until: string | null }) => row.until)
    assert.deepEqual(new Set(ends), new Set(['2999-01-01T00:00:00.000000Z', null]))
    assert.equal(ends.length, 2)
  })

  it('cannot be brought back under a name that is taken by now', async () => {
    const role = await newRole({ name: 'Phoenix' })
    await acme.ok('DELETE', `/roles/${role.id}`)
    const deletion = await acme.lastChange()
    await newRole({ name: 'phoenix' })
    await acme.refused('POST', `/changes/${deletion.id}/undo`, 'role.name_taken', 409)
  })
})

describe('a list of roles', () => {
  it('comes in pages, in the order of their creation', async () => {
    const globex = directoryClient(app, (await app.organization('globex')).path)
    for (let n = 0; n < 5; n++) await globex.post('/roles', { name: `R${n}`, permissions: [] })
    const whole = namesOf(await globex.get('/roles?resource=organization'))
    assert.deepEqual(whole, ['Owner', 'Admin', 'Member', 'R0', 'R1', 'R2', 'R3', 'R4'])
    const paged: string[] = []
    let cursor = ''
    for (;;) {
      const list = await globex.get(`/roles?resource=organization&limit=3${cursor}`)
      paged.push(...namesOf(list))
      if (!list.has_more) break
      cursor = `&after=${list.next_cursor}`
    }
    assert.deepEqual(paged, whole)
  })
})
