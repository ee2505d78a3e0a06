import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { databaseState } from '../../../test/database-state.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'

let app: TestApp
let acme: DirectoryClient
before(async () => {
  app = await startTestApp()
  acme = directoryClient(app, (await app.organization('acme')).path)
})

/** Somebody with a level, two groups by hand and one by member sync. */
async function somebody(reference: string) {
  const member = await acme.member({ external_reference_id: reference, level: 'admin' })
  const groups = [await acme.group(), await acme.group(), await acme.group()]
  for (const group of groups.slice(0, 2)) await acme.add(group.id, member.id)
  await acme.sync(groups[2].id, [reference, `${reference}-other`])
  return { id: member.id as string, groups: groups.map((group) => group.id as string) }
}

/** The same with a role. */
async function assigned(reference: string) {
  const one = await somebody(reference)
  const role = await acme.post('/roles', { name: reference, permissions: ['app.use', 'groups:write'] })
  const assignment = await acme.post('/role_assignments', { role: role.id, member: one.id })
  await acme.post('/role_assignments', { role: role.id, group: one.groups[0] })
  return { ...one, role, assignment }
}

/** A teamspace with two members on two projects, and another member of its workspace. */
async function teamspace(slug: string) {
  const { id: workspace } = await acme.post('/workspaces', { name: slug, slug })
  const { data: roles } = await acme.get('/roles')
  const role = (resource: string, key: string) =>
    roles.find((one: { resource: string; key: string }) => one.resource === resource && one.key === key).id
  const members: string[] = []
  const projects: string[] = []
  for (const identifier of ['A', 'B']) {
    const { id: member } = await acme.member()
    await acme.post('/role_assignments', { role: role('workspace', 'member'), member, target: workspace })
    members.push(member)
    projects.push((await acme.post(`/workspaces/${slug}/projects`, { name: slug, identifier })).id)
  }
  const tail = `/workspaces/${slug}/teamspaces`
  const { id } = await acme.post(tail, { name: 'Team' })
  await acme.post(`${tail}/${id}/members`, { members, expires_at: '2999-01-01T00:00:00Z' })
  await acme.post(`${tail}/${id}/projects`, { projects })
  return { tail: `${tail}/${id}`, members, projects, admin: role('project', 'admin') as string }
}

/** Everything that can take access away or give it back: how to ask for it. */
const OPERATIONS: Record<string, () => Promise<[method: string, tail: string, body?: object]>> = {
  'removing a member': async () => ['DELETE', `/members/${(await somebody('rm')).id}`],
  'removing a member from a group': async () => {
    const { id, groups } = await somebody('rmg')
    await acme.add(groups[2]!, id)
    return ['DELETE', `/groups/${groups[2]}/members/${id}`]
  },
  'deleting a group': async () => ['DELETE', `/groups/${(await somebody('dg')).groups[2]}`],
  'changing a level': async () => ['PUT', `/members/${(await somebody('lv')).id}/level`, { level: 'member' }],
  'suspending a member': async () => ['POST', `/members/${(await somebody('sp')).id}/suspend`],
  'reactivating a member': async () => {
    const { id } = await somebody('re')
    await acme.post(`/members/${id}/suspend`)
    return ['POST', `/members/${id}/reactivate`]
  },
  'restoring a member': async () => {
    const { id } = await somebody('rs')
    await acme.ok('DELETE', `/members/${id}`)
    return ['POST', `/members/${id}/restore`]
  },
  'merging two members': async () => {
    const [into, from] = [await somebody('mi'), await somebody('mf')]
    await acme.add(into.groups[0]!, from.id)
    return ['POST', `/members/${into.id}/merge`, { from: from.id }]
  },
  'adding a member to a group until sooner': async () => {
    const { id, groups } = await somebody('so')
    return ['POST', `/groups/${groups[0]}/members`, { member: id, expires_at: '2999-01-01T00:00:00Z' }]
  },
  'revoking a role assignment': async () => {
    const { assignment } = await assigned('rv')
    return ['DELETE', `/role_assignments/${assignment.id}`]
  },
  'assigning a role until sooner': async () => {
    const { role, id } = await assigned('ar')
    return ['POST', '/role_assignments', { role: role.id, member: id, expires_at: '2999-01-01T00:00:00Z' }]
  },
  'deleting a role': async () => ['DELETE', `/roles/${(await assigned('dr')).role.id}`],
  'taking a permission out of a role': async () => {
    const { role } = await assigned('pr')
    return ['PATCH', `/roles/${role.id}`, { permissions: [] }]
  },
  'revoking an API key': async () => {
    const { id } = await acme.post('/api_keys', { name: 'k', scopes: ['groups:read'] })
    return ['DELETE', `/api_keys/${id}`]
  },
  'adding members to a teamspace for longer': async () => {
    const { tail, members } = await teamspace('tsp-add')
    return ['POST', `${tail}/members`, { members }]
  },
  'removing members from a teamspace': async () => {
    const { tail, members } = await teamspace('tsp-remove')
    return ['DELETE', `${tail}/members`, { members }]
  },
  'linking projects to a teamspace with another role': async () => {
    const { tail, projects, admin } = await teamspace('tsp-link')
    return ['POST', `${tail}/projects`, { projects, role: admin }]
  },
  'taking a teamspace off projects': async () => {
    const { tail, projects } = await teamspace('tsp-unlink')
    return ['DELETE', `${tail}/projects`, { projects }]
  },
  'deleting a teamspace': async () => ['DELETE', (await teamspace('tsp-delete')).tail],
  'undoing a change': async () => {
    const { groups } = await somebody('un')
    await acme.ok('DELETE', `/groups/${groups[2]}`)
    return ['POST', `/changes/${(await acme.lastChange()).id}/undo`]
  },
}

describe('a preview', () => {
  for (const [name, prepare] of Object.entries(OPERATIONS)) {
    it(`of ${name} writes nothing and shows exactly what then happens`, async () => {
      const [method, tail, body] = await prepare()
      const given = body === undefined ? {} : { body }
      const before = await databaseState(app.database)
      const preview = await acme.send(method, `${tail}?preview=true`, given)
      assert.equal(preview.status, 200, JSON.stringify(preview.body))
      assert.deepEqual(await databaseState(app.database), before)
      assert.equal(preview.headers['rollcall-change'], undefined)
      const done = await acme.send(method, tail, given)
      assert.ok(done.status < 300, JSON.stringify(done.body))
      const made = await acme.get(`/changes/${done.headers['rollcall-change']}`)
      const { effects, opened, ended, kind, detail } = made
      assert.deepEqual(preview.body, { object: 'preview', change: { kind, detail }, ...effects })
      assert.deepEqual([preview.body.opened, preview.body.ended], [opened, ended])
    })
  }

  it('of a member sync writes nothing and shows exactly what then happens, refused rows too', async () => {
    const group = await acme.group()
    await acme.sync(group.id, ['ms-1', 'ms-2'])
    const members = [
      { external_reference_id: 'ms-2', first_name: 'Updated' },
      { external_reference_id: 'ms-3' },
      { external_reference_id: 'ms-4', email: 'none' },
    ]
    const before = await databaseState(app.database)
    const preview = await acme.post(`/groups/${group.id}/member_syncs?preview=true`, { members })
    assert.deepEqual(await databaseState(app.database), before)
    const { id } = await acme.post(`/groups/${group.id}/member_syncs`, { members })
    // The next one is carried out after it.
    await acme.sync(group.id, ['ms-2', 'ms-3'])
    const done = await acme.get(`/groups/${group.id}/member_syncs/${id}`)
    const { opened, ended, left, created_members, updated_members } = preview
    const { failures: _, ...result } = done.result
    assert.deepEqual({ opened, ended, left, created_members, updated_members }, pick(result))
    assert.deepEqual([opened, ended, left, created_members, updated_members], [1, 1, 1, 1, 1])
    assert.equal(preview.failures[0].external_reference_id, 'ms-4')
    const { effects } = await acme.get(`/changes/${done.change}`)
    const ended1 = (grants: { effect: string }[]) => grants.filter(({ effect }) => effect === 'ended')
    assert.deepEqual(ended1(preview.grants), ended1(effects.grants))
  })

  it('is refused as the operation itself would be, and asks for the same permission', async () => {
    const { id } = await acme.member()
    const key = await acme.key(['members:read'])
    await acme.refused('DELETE', `/members/${id}?preview=true`, 'permission.denied', 403, { key })
    await acme.refused('POST', `/members/${id}/reactivate?preview=true`, 'member.wrong_status', 409)
    await acme.refused('DELETE', '/members/mem_AAAAAAAAAAAAAAAAAAAAAA?preview=true', 'member.not_found', 404)
  })
})

function pick({ opened, ended, left, created_members, updated_members }: Record<string, number>) {
  return { opened, ended, left, created_members, updated_members }
}
