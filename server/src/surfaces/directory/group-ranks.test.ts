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

/** A group that gives a role on a target, with somebody in it. */
async function groupGiving(role: string, target = 'organization') {
  const group = await acme.group()
  await acme.post('/role_assignments', { role: roles[role], group: group.id, target })
  const { id: member } = await acme.member()
  await acme.add(group.id, member)
  return { id: group.id as string, member: member as string, added: (await acme.lastChange()).id as string }
}

const keyOf = async (member: string) => ({ key: await acme.key(['*'], { member_id: member }) })

/** A member who may do with groups and undo whatever there is, and ranks as a member. */
async function groupManager() {
  const permissions = ['groups:write', 'members:write', 'changes:write']
  const role = await acme.post('/roles', { name: `Groups ${process.hrtime.bigint()}`, permissions })
  const { id } = await acme.member()
  await acme.post('/role_assignments', { role: role.id, member: id })
  return await keyOf(id)
}

describe('a group that makes owners of the organization is emptied by owners only', () => {
  it('member by member, by its deletion, by an undo, by a member sync', async () => {
    const { id, member, added } = await groupGiving('organization owner')
    const actors = [await keyOf((await acme.member({ level: 'admin' })).id), await groupManager()]
    const before = await databaseState(app.database)
    const requests: [string, string, object?][] = [
      ['DELETE', `/groups/${id}/members/${member}`],
      ['DELETE', `/groups/${id}`],
      ['POST', `/changes/${added}/undo`],
      ['POST', `/groups/${id}/member_syncs`, { members: [{ external_reference_id: 'nobody' }] }],
    ]
    for (const as of actors) {
      for (const [method, tail, body] of requests) {
        const given = body === undefined ? as : { ...as, body }
        await acme.refused(method, tail, 'permission.denied', 403, given)
      }
    }
    assert.deepEqual(await databaseState(app.database), before)
    const asOwner = await keyOf((await acme.member({ level: 'owner' })).id)
    assert.equal((await acme.send('DELETE', `/groups/${id}/members/${member}`, asOwner)).status, 204)
    assert.equal((await acme.send('DELETE', `/groups/${id}`, asOwner)).status, 204)
  })

  it('while one that makes admins takes an admin, and any other one groups:write', async () => {
    const [admins, plain] = [
      await groupGiving('organization admin'),
      await groupGiving('organization member'),
    ]
    const manager = await groupManager()
    const tail = `/groups/${admins.id}/members/${admins.member}`
    await acme.refused('DELETE', tail, 'permission.denied', 403, manager)
    const asAdmin = await keyOf((await acme.member({ level: 'admin' })).id)
    assert.equal((await acme.send('DELETE', tail, asAdmin)).status, 204)
    assert.equal(
      (await acme.send('DELETE', `/groups/${plain.id}/members/${plain.member}`, manager)).status,
      204,
    )
    assert.equal((await acme.send('DELETE', `/groups/${plain.id}`, manager)).status, 204)
  })
})

describe('a group that makes owners of a workspace', () => {
  it('is emptied by who ranks as high there, as offboarding does for groups of more than the workspace', async () => {
    const { id } = await acme.post('/workspaces', { name: 'Space', slug: 'space' })
    const [owner, admin] = [await acme.member(), await acme.member()]
    const give = (member: string, role: string) =>
      acme.post('/role_assignments', { role: roles[role], member, target: id })
    await give(owner.id, 'workspace owner')
    await give(admin.id, 'workspace admin')
    const group = await groupGiving('workspace owner', id)
    const tail = `/groups/${group.id}/members/${group.member}`
    await acme.refused('DELETE', tail, 'member.outranks', 403, await groupManager())
    await acme.refused('DELETE', `/groups/${group.id}`, 'member.outranks', 403, await groupManager())

    const both = await groupGiving('organization admin')
    await acme.post('/role_assignments', { role: roles['workspace member'], group: both.id, target: id })
    const offboarding = `/workspaces/space/members/${both.member}`
    await acme.refused('DELETE', offboarding, 'permission.denied', 403, await keyOf(admin.id))
    assert.deepEqual(await acme.roster(both.id), [both.member])
    await acme.ok('DELETE', offboarding)
    assert.deepEqual(await acme.roster(both.id), [])
  })
})
