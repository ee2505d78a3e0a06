import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { countStatements } from '../../../test/count-statements.ts'
import { openScim, type ScimTestClient } from '../../../test/scim-client.ts'
import { syncDue } from '../../directory/scim/group-sync.tasks.ts'
import { decodeId, idPrefixes } from '../http/prefixed-id.ts'

let app: TestApp
before(async () => {
  app = await startTestApp({ withoutTasks: true })
})

/** An organization with a workspace whose group sync follows SCIM groups, and one whose does not. */
async function open(
  slug: string,
  config: object = { is_enabled: true, sync_offline: true, auto_remove: true },
) {
  const scim: ScimTestClient = await openScim(app, slug)
  const acme = scim.directory
  const organizationId = decodeId(idPrefixes.organization, (await acme.get('')).id)!
  const { data } = await acme.get('/roles?limit=1000')
  const role = (resource: string, key: string) =>
    data.find((one: { resource: string; key: string }) => one.resource === resource && one.key === key).id
  const make = async (name: string, settings: object) => {
    const space = await acme.post('/workspaces', { name, slug: `${slug}-${name}` })
    const project = await acme.post(`/workspaces/${slug}-${name}/projects`, { name: 'P', identifier: 'ENG' })
    const path = `/workspaces/${slug}-${name}/group_sync`
    await acme.ok('PATCH', path, settings)
    await acme.post(`${path}/workspace_mappings`, {
      idp_group_name: 'Engineers',
      role: role('workspace', 'member'),
    })
    const onProject = { idp_group_name: 'Engineers', role: role('project', 'member'), project: project.id }
    await acme.post(`${path}/project_mappings`, onProject)
    return { id: space.id as string, path, members: `/workspaces/${slug}-${name}/members` }
  }
  const followed = await make('followed', config)
  const login = await make('login', { is_enabled: true, sync_offline: false })
  const membersOf = async (path: string): Promise<string[]> =>
    (await acme.get(`${path}?limit=1000`)).data.map(({ id }: { id: string }) => id).toSorted()
  return {
    ...{ scim, acme, organizationId, followed, login },
    sync: () => syncDue(app.directory, organizationId),
    inFollowed: () => membersOf(followed.members),
    inLogin: () => membersOf(login.members),
    async person(): Promise<{ id: string; memberId: string }> {
      const { id, userName } = await scim.user()
      return { id, memberId: (await acme.get(`/members?email=${userName}`)).data[0].id }
    },
  }
}
const add = (id: string) => ({ op: 'add', path: 'members', value: [{ value: id }] })
const remove = (id: string) => ({ op: 'remove', path: `members[value eq "${id}"]` })

describe('the group sync of a workspace that follows SCIM groups', () => {
  it('gives roles of the workspace and its projects as people join, and takes them as they leave', async () => {
    const world = await open('joins')
    const [ann, bob] = [await world.person(), await world.person()]
    const group = await world.scim.group('Engineers', [ann.id])
    await world.sync()
    assert.deepEqual(await world.inFollowed(), [ann.memberId])
    assert.deepEqual(await world.inLogin(), [], 'which follows logins only')
    const change = await world.acme.lastChange()
    assert.deepEqual(
      [change.kind, change.detail.origin, change.opened, change.actor.kind],
      ['group_sync.applied', 'scim', 2, 'system'],
    )
    await world.scim.patch(`/Groups/${group.id}`, add(bob.id), remove(ann.id))
    await world.sync()
    assert.deepEqual(await world.inFollowed(), [bob.memberId])
  })

  it('follows the name of a group, its deletion and that of a user', async () => {
    const world = await open('names')
    const [ann, bob] = [await world.person(), await world.person()]
    const group = await world.scim.group('Others', [ann.id, bob.id])
    await world.sync()
    assert.deepEqual(await world.inFollowed(), [])
    const rename = (value: string) =>
      world.scim.patch(`/Groups/${group.id}`, { op: 'replace', path: 'displayName', value })
    await rename('Engineers')
    await world.sync()
    assert.equal((await world.inFollowed()).length, 2)
    await world.scim.expect(204, 'DELETE', `/Users/${ann.id}`)
    await world.sync()
    assert.deepEqual(await world.inFollowed(), [bob.memberId])
    await world.scim.expect(204, 'DELETE', `/Groups/${group.id}`)
    await world.sync()
    assert.deepEqual(await world.inFollowed(), [])
  })

  it('follows the groups of a merged member into the one who stands in for it', async () => {
    const world = await open('merged')
    const ann = await world.person()
    await world.scim.group('Others', [ann.id])
    await world.scim.group('Engineers', [ann.id])
    await world.sync()
    const { id } = await world.acme.member()
    await world.acme.post(`/members/${id}/merge`, { from: ann.memberId })
    await world.acme.ok('DELETE', `${world.followed.members}/${id}`)
    await world.sync()
    assert.deepEqual(await world.inFollowed(), [id], 'asserted anew, whatever was taken in between')
  })

  it('gives nothing of old groups to whom a DELETE removed and a POST brings back', async () => {
    const world = await open('stale')
    const { id, userName } = await world.scim.user()
    await world.scim.group('Engineers', [id])
    await world.sync()
    await world.scim.expect(204, 'DELETE', `/Users/${id}`)
    await world.sync()
    await world.scim.user({ userName })
    await world.sync()
    await world.acme.post(`${world.followed.path}/runs`, {})
    assert.deepEqual(await world.inFollowed(), [])
  })

  it('notes nobody where no workspace follows, and everybody once one begins to', async () => {
    const world = await open('begins', { is_enabled: true, auto_remove: true })
    const ann = await world.person()
    await world.scim.group('Engineers', [ann.id])
    const noted = async () =>
      (await app.database.row<{ count: number }>({
        name: '',
        text: 'select count(*) as count from scim_group_sync_due where organization_id = $1',
        values: [world.organizationId],
      }))!.count
    assert.equal(await noted(), 0)
    await world.sync()
    assert.deepEqual(await world.inFollowed(), [])
    await world.acme.ok('PATCH', world.followed.path, { sync_offline: true })
    assert.equal(await noted(), 1)
    await world.sync()
    assert.deepEqual(await world.inFollowed(), [ann.memberId])
    assert.equal(await noted(), 0)
  })

  it('tries again what its brake refuses, behind everybody else', async () => {
    const world = await open('brake')
    const people = [await world.person(), await world.person(), await world.person()]
    const group = await world.scim.group(
      'Engineers',
      people.map(({ id }) => id),
    )
    await world.sync()
    const brake = (max_removals: number) =>
      world.acme.ok('PATCH', '', { settings: { removal_brake: { group_sync: { max_removals } } } })
    await brake(0)
    await world.scim.expect(200, 'PUT', `/Groups/${group.id}`, { displayName: 'Engineers', members: [] })
    await world.sync()
    assert.equal((await world.inFollowed()).length, 3)
    const late = await world.person()
    await world.scim.patch(`/Groups/${group.id}`, add(late.id))
    await world.sync()
    assert.equal((await world.inFollowed()).length, 4, 'who joins is not kept waiting by those')
    await brake(100)
    await app.database.run({ name: '', text: 'update scim_group_sync_due set due_at = now()', values: [] })
    await world.sync()
    assert.deepEqual(await world.inFollowed(), [late.memberId])
  })

  it('takes the same number of statements for one person and for thirty', async () => {
    const world = await open('bounded')
    const ids: string[] = []
    for (let n = 0; n < 31; n++) ids.push((await world.person()).id)
    const group = await world.scim.group('Engineers', ids.slice(0, 1))
    await world.sync()
    const joining = async (some: string[]) => {
      await world.scim.patch(`/Groups/${group.id}`, ...some.map(add))
      return await countStatements(app.database, world.sync)
    }
    const [one, many] = [await joining(ids.slice(1, 2)), await joining(ids.slice(2))]
    assert.equal((await world.inFollowed()).length, 31)
    assert.equal(many, one)
  })

  it('runs by itself after a change, through the task queue', async () => {
    const running = await startTestApp({ beside: app })
    const world = await open('tasks')
    const ann = await world.person()
    await world.scim.group('Engineers', [ann.id])
    running.directory.wakeTasks()
    for (let tries = 0; tries < 1000 && (await world.inFollowed()).length === 0; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    assert.deepEqual(await world.inFollowed(), [ann.memberId])
  })
})

describe('the seats of a workspace', () => {
  it('refuse an activation or an addition that would overdraw them, and nothing is written', async () => {
    const scim = await openScim(app, 'seats')
    const acme = scim.directory
    const space = await acme.post('/workspaces', { name: 'S', slug: 'seats-space', purchased_seats: 2 })
    const { data } = await acme.get('/roles?resource=workspace')
    const role = data.find(({ key }: { key: string }) => key === 'member').id
    const users = [await scim.user(), await scim.user(), await scim.user()]
    const group = await scim.group(
      'Seated',
      users.slice(0, 2).map(({ id }) => id),
    )
    const managed = (await acme.get('/groups')).data.find(({ name }: { name: string }) => name === 'Seated')
    await acme.post('/role_assignments', { role, group: managed.id, target: space.id })
    const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'
    const third = { schemas: [PATCH], Operations: [add(users[2].id)] }
    assert.match(await scim.refused(400, undefined, 'PATCH', `/Groups/${group.id}`, third), /has 2 seats/)
    assert.equal((await scim.memberIdsOf(group.id)).length, 2)
    await scim.patch(`/Users/${users[0].id}`, { op: 'replace', path: 'active', value: false })
    await scim.expect(200, 'PATCH', `/Groups/${group.id}`, third)
    const back = { schemas: [PATCH], Operations: [{ op: 'replace', path: 'active', value: true }] }
    assert.match(await scim.refused(400, undefined, 'PATCH', `/Users/${users[0].id}`, back), /has 2 seats/)
    assert.equal((await scim.expect(200, 'GET', `/Users/${users[0].id}`)).active, false)
  })
})
