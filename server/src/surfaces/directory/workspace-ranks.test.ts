import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { databaseState } from '../../../test/database-state.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'

let app: TestApp
let acme: DirectoryClient
const roles: Record<string, string> = {}
before(async () => {
  app = await startTestApp()
  acme = directoryClient(app, (await app.organization('acme')).path)
  for (const role of (await acme.get('/roles')).data) roles[`${role.resource} ${role.key}`] = role.id
})

const give = async (member: string, role: string, target: string): Promise<string> =>
  (await acme.post('/role_assignments', { role: roles[role], member, target })).id

let made = 0
/** A workspace with an owner and an admin, and what the admin's own key sends. */
async function workspace() {
  made += 1
  const slug = `acme-${made}`
  const { id } = await acme.post('/workspaces', { name: `Space ${made}`, slug })
  const [owner, admin] = [await acme.member(), await acme.member()]
  const owning = await give(owner.id, 'workspace owner', id)
  const administering = await give(admin.id, 'workspace admin', id)
  const as = async (member: string) => ({ key: await acme.key(['*'], { member_id: member }) })
  return {
    ...{ id: id as string, slug, path: `/workspaces/${slug}` },
    ...{ owner: owner.id as string, owning, admin: admin.id as string, administering },
    asOwner: await as(owner.id),
    asAdmin: await as(admin.id),
  }
}

/** Somebody with a role of their own making on the organization. */
async function manager(permissions: string[]): Promise<{ key: string }> {
  made += 1
  const role = await acme.post('/roles', { name: `Manager ${made}`, permissions })
  const { id } = await acme.member()
  await acme.post('/role_assignments', { role: role.id, member: id })
  return { key: await acme.key(['*'], { member_id: id }) }
}

const revoke = (assignment: string) => `/role_assignments/${assignment}`

describe('nobody takes a role from who ranks above them', () => {
  it('on a workspace, whether the role is what makes them an owner or another one', async () => {
    const { id, owner, owning, asAdmin, asOwner } = await workspace()
    const guest = await give(owner, 'workspace guest', id)
    const before = await databaseState(app.database)
    for (const assignment of [owning, guest]) {
      await acme.refused('DELETE', revoke(assignment), 'member.outranks', 403, asAdmin)
      await acme.refused('DELETE', `${revoke(assignment)}?preview=true`, 'member.outranks', 403, asAdmin)
    }
    assert.deepEqual(await databaseState(app.database), before)
    assert.equal((await acme.send('DELETE', revoke(guest), asOwner)).status, 204)
  })

  it('on a workspace, from a group that makes its owners', async () => {
    const { id, asAdmin, asOwner } = await workspace()
    const group = await acme.group()
    const assign = (role: string) =>
      acme.post('/role_assignments', { role: roles[role], group: group.id, target: id })
    const [owning, guest] = [await assign('workspace owner'), await assign('workspace guest')]
    await acme.refused('DELETE', revoke(owning.id), 'member.outranks', 403, asAdmin)
    assert.equal((await acme.send('DELETE', revoke(guest.id), asAdmin)).status, 204)
    assert.equal((await acme.send('DELETE', revoke(owning.id), asOwner)).status, 204)
  })

  it('but from who ranks as high or lower', async () => {
    const { id, owning, administering, asAdmin, asOwner } = await workspace()
    const other = await acme.member()
    const [second, member] = [
      await give(other.id, 'workspace admin', id),
      await give(other.id, 'workspace member', id),
    ]
    for (const assignment of [second, member, administering]) {
      assert.equal((await acme.send('DELETE', revoke(assignment), asAdmin)).status, 204)
    }
    await give((await acme.member()).id, 'workspace owner', id)
    assert.equal((await acme.send('DELETE', revoke(owning), asOwner)).status, 204)
  })

  it('by roles:write on the organization, which reaches members and guests of every workspace', async () => {
    const { id, owning, administering } = await workspace()
    const as = await manager(['roles:write'])
    const guest = await give((await acme.member()).id, 'workspace guest', id)
    for (const assignment of [owning, administering]) {
      await acme.refused('DELETE', revoke(assignment), 'member.outranks', 403, as)
    }
    assert.equal((await acme.send('DELETE', revoke(guest), as)).status, 204)
    const admin = await give((await acme.member()).id, 'organization admin', 'organization')
    await acme.refused('DELETE', revoke(admin), 'permission.denied', 403, as)
  })

  it('nor anything in another organization', async () => {
    const { owning } = await workspace()
    const other = directoryClient(app, (await app.organization('other')).path)
    await other.refused('DELETE', revoke(owning), 'role_assignment.not_found', 404)
  })
})

describe('an undo gives and takes no more than whoever undoes might', () => {
  const UNDOING = ['members', 'groups', 'roles', 'teamspaces', 'pages', 'group_sync'].map(
    (noun) => `${noun}:write`,
  )

  /** The change that a request makes. */
  async function changeOf(method: string, tail: string, body?: object): Promise<string> {
    const answer = await acme.send(method, tail, body === undefined ? {} : { body })
    assert.ok(answer.status < 300, JSON.stringify(answer.body))
    return String(answer.headers['rollcall-change'])
  }

  it('on a workspace: its admins neither bring back nor unmake its owners', async () => {
    const { id, path, owning, admin, asOwner } = await workspace()
    const role = await acme.post('/roles', { name: 'Undoing', permissions: ['changes:write', ...UNDOING] })
    await acme.post('/role_assignments', { role: role.id, member: admin })
    const asAdmin = { key: await acme.key(['*'], { member_id: admin }) }
    const second = await acme.member()
    const body = { role: roles['workspace owner'], member: second.id, target: id }
    const made = await changeOf('POST', '/role_assignments', body)
    const ended = await changeOf('DELETE', revoke(owning))
    const offboarded = await changeOf('DELETE', `${path}/members/${admin}`)
    await acme.post(`/changes/${offboarded}/undo`)
    for (const change of [made, ended]) {
      await acme.refused('POST', `/changes/${change}/undo`, 'member.outranks', 403, asAdmin)
      await acme.refused('POST', `/changes/${change}/undo?preview=true`, 'member.outranks', 403, asAdmin)
    }
    // Who was an owner a moment ago has become somebody else.
    await acme.refused('POST', `/changes/${ended}/undo`, 'permission.denied', 403, asOwner)
    await acme.post(`/changes/${ended}/undo`)
    await acme.post('/role_assignments', { role: role.id, member: second.id })
    const asSecond = { key: await acme.key(['*'], { member_id: second.id }) }
    const undone = await acme.send('POST', `/changes/${made}/undo`, asSecond)
    assert.equal(undone.status, 200, JSON.stringify(undone.body))
  })

  it('of an undo takes every permission that an undo may need, that of group sync too', async () => {
    const { id } = await workspace()
    const { id: member } = await acme.member()
    // What is given back takes holding it as well; here the undo of the undo gives a role that gives nothing.
    const { id: role } = await acme.post('/roles', {
      name: 'Nothing',
      resource: 'workspace',
      permissions: [],
    })
    const body = { role, member, target: id }
    const undo = await changeOf('POST', `/changes/${await changeOf('POST', '/role_assignments', body)}/undo`)
    for (const lacking of UNDOING) {
      const key = await acme.key(['changes:write', ...UNDOING.filter((name) => name !== lacking)])
      const refusal = await acme.refused('POST', `/changes/${undo}/undo`, 'permission.denied', 403, { key })
      assert.equal(refusal.context.permission, lacking)
    }
    await acme.post(`/changes/${undo}/undo`)
  })
})

describe('group sync gives and takes no more than whoever sets it up or runs it might', () => {
  it('by mappings and the default role: only owners of the workspace map to its owners', async () => {
    const { path, asAdmin, asOwner } = await workspace()
    const base = `${path}/group_sync`
    const mappings = `${base}/workspace_mappings`
    const map = (role: string, idp_group_name: string) => ({
      idp_group_name,
      role: roles[`workspace ${role}`],
    })
    const send = async (method: string, tail: string, as: { key: string }, body?: object) => {
      const answer = await acme.send(method, tail, body === undefined ? as : { ...as, body })
      assert.ok(answer.status < 300, JSON.stringify(answer.body))
      return answer.body
    }
    const refused = (method: string, tail: string, body?: object) =>
      acme.refused(method, tail, 'member.outranks', 403, body === undefined ? asAdmin : { ...asAdmin, body })
    await refused('POST', mappings, map('owner', 'bosses'))
    await refused('PATCH', base, { default_workspace_role: roles['workspace owner'] })
    const own = `${mappings}/${(await send('POST', mappings, asAdmin, map('admin', 'leads'))).id}`
    await refused('PATCH', own, { role: roles['workspace owner'] })
    const theirs = `${mappings}/${(await send('POST', mappings, asOwner, map('owner', 'bosses'))).id}`
    for (const body of [{ idp_group_name: 'mine' }, { role: roles['workspace guest'] }]) {
      await refused('PATCH', theirs, body)
    }
    await refused('DELETE', theirs)
    await send('PATCH', base, asOwner, { default_workspace_role: roles['workspace owner'] })
    await refused('PATCH', base, { default_workspace_role: null })
    await send('PATCH', own, asAdmin, { role: roles['workspace member'] })
    await send('DELETE', own, asAdmin)
    await send('DELETE', theirs, asOwner)
  })

  it('by a run: no admin of the workspace becomes its owner by it, or unmakes one', async () => {
    const { path, admin, asAdmin, asOwner } = await workspace()
    const base = `${path}/group_sync`
    await acme.ok('PATCH', base, { is_enabled: true, auto_remove: true })
    const mapping = { idp_group_name: 'bosses', role: roles['workspace owner'] }
    await acme.post(`${base}/workspace_mappings`, mapping)
    await acme.post(`${base}/workspace_mappings`, {
      ...mapping,
      idp_group_name: 'staff',
      role: roles['workspace member'],
    })
    const { id: boss } = await acme.member()
    const run = (member: string, ...groups: string[]) => ({
      body: { claims: [{ member, groups }], force: true },
    })
    await acme.post(`${base}/runs`, run(boss, 'bosses').body)
    const before = await databaseState(app.database)
    for (const given of [run(admin, 'bosses'), run(boss, 'staff'), run(boss)]) {
      for (const tail of ['', '?preview=true']) {
        await acme.refused('POST', `${base}/runs${tail}`, 'member.outranks', 403, { ...asAdmin, ...given })
      }
    }
    assert.deepEqual(await databaseState(app.database), before)
    const done = await acme.send('POST', `${base}/runs`, { ...asAdmin, ...run(admin, 'staff') })
    assert.deepEqual([done.status, done.body.opened], [200, 1])
    const unmade = await acme.send('POST', `${base}/runs`, { ...asOwner, ...run(boss) })
    assert.deepEqual([unmade.status, unmade.body.ended], [200, 1])
  })
})
