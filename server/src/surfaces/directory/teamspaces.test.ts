import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { databaseState } from '../../../test/database-state.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'
import { encodeId } from '../http/prefixed-id.ts'

const SPACES = '/workspaces/acme-space/teamspaces'

let app: TestApp
let acme: DirectoryClient
const roles: Record<string, string> = {}
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  acme = directoryClient(app, (await app.organization('acme')).path)
  for (const role of (await acme.get('/roles')).data) roles[`${role.resource} ${role.key}`] = role.id
  await acme.post('/workspaces', { name: 'Space', slug: 'acme-space' })
  await acme.post('/workspaces', { name: 'Other', slug: 'acme-other' })
})

/** A member of the workspace. */
async function colleague(key = 'member'): Promise<string> {
  const { id } = await acme.member()
  const target = (await acme.get('/workspaces/acme-space')).id
  await acme.post('/role_assignments', { role: roles[`workspace ${key}`], member: id, target })
  return id
}
let made = 0
const space = (more: object = {}) => acme.post(SPACES, { name: `Team ${++made}`, ...more })
const project = (workspace = 'acme-space') =>
  acme.post(`/workspaces/${workspace}/projects`, { name: 'P', identifier: `P${++made}` })
const idsOf = async (tail: string) => {
  const { data } = await acme.get(`${SPACES}/${tail}?limit=1000`)
  return data.map((row: { id: string }) => row.id) as string[]
}

/** Does something and answers the change that it was; undefined: none. */
async function changeOf(method: string, tail: string, body?: object): Promise<string | undefined> {
  const answer = await acme.send(method, tail, body === undefined ? {} : { body })
  assert.ok(answer.status < 300, `${method} ${tail} ${JSON.stringify(answer.body)}`)
  return answer.headers['rollcall-change'] as string | undefined
}

describe('a teamspace', () => {
  it('is created, read, listed in order, changed by its version, and is none of the groups', async () => {
    const groups = (await acme.get('/groups')).data.length
    const lead = await colleague()
    const description = { html: '<p>Hi</p>', stripped: 'Hi', json: { type: 'doc', content: [] } }
    const created = await space({ name: 'Core', lead, description, logo: { emoji: '🚀' } })
    const { id, created_at, updated_at, workspace, ...shown } = created
    assert.deepEqual(shown, {
      ...{ object: 'teamspace', name: 'Core', lead, description, logo: { emoji: '🚀' } },
    })
    assert.match(id, /^tsp_/)
    assert.deepEqual([typeof created_at, created_at], ['string', updated_at])
    assert.equal(workspace, (await acme.get('/workspaces/acme-space')).id)
    const second = await space()
    assert.deepEqual([second.lead, second.description, second.logo], [null, {}, {}])
    const read = await acme.send('GET', `${SPACES}/${id}`)
    assert.deepEqual(read.body, created)
    const listed = await acme.get(`${SPACES}?limit=1`)
    const rest = await acme.get(`${SPACES}?limit=1000&after=${listed.next_cursor}`)
    assert.deepEqual(
      [...listed.data, ...rest.data].map((row) => row.id),
      [id, second.id],
    )
    const version = { 'if-match': String(read.headers.etag) }
    const update = { name: 'Kernel', lead: null }
    const changed = await acme.send('PATCH', `${SPACES}/${id}`, { body: update, headers: version })
    assert.deepEqual([changed.body.name, changed.body.lead], ['Kernel', null])
    assert.deepEqual(changed.body.description, description)
    assert.deepEqual((await acme.lastChange()).detail, { teamspace: id, workspace, fields: ['name', 'lead'] })
    const again = { body: { name: 'Late' }, headers: version }
    await acme.refused('PATCH', `${SPACES}/${id}`, 'version.mismatch', 412, again)
    assert.equal(await changeOf('PATCH', `${SPACES}/${id}`, { name: 'Kernel' }), undefined)
    assert.equal((await acme.get('/groups')).data.length, groups)
    await acme.refused('GET', `/groups/${id.replace('tsp_', 'grp_')}`, 'group.not_found', 404)
    await acme.refused('GET', `/workspaces/acme-other/teamspaces/${id}`, 'teamspace.not_found', 404)
  })

  it('refuses a lead who is not in the workspace, and shows none who has left it', async () => {
    const outsider = (await acme.member()).id
    const body = { name: 'T', lead: outsider }
    const refusal = await acme.refused('POST', SPACES, 'workspace.not_member', 404, { body })
    assert.equal(refusal.field, 'lead')
    const lead = await colleague()
    const { id } = await space({ lead })
    const patch = { body: { lead: outsider } }
    await acme.refused('PATCH', `${SPACES}/${id}`, 'workspace.not_member', 404, patch)
    const removal = await changeOf('DELETE', `/members/${lead}`)
    assert.equal((await acme.get(`${SPACES}/${id}`)).lead, null)
    await acme.post(`/changes/${removal}/undo`)
    assert.equal((await acme.get(`${SPACES}/${id}`)).lead, lead)
  })

  it('takes descriptions that can be stored, of a bounded size', async () => {
    const refuse = async (description: unknown) => {
      const body = { name: 'T', description }
      const refusal = await acme.refused('POST', SPACES, 'request.invalid', 400, { body })
      assert.equal(refusal.field, 'description')
    }
    await refuse({ html: 'a\u0000b' })
    await refuse({ deep: [{ 'k\u0000': 1 }] })
    await refuse({ html: 'x'.repeat(100_001) })
    await refuse(['no object'])
    const raw = `{"name":"T","description":{"deep":${'['.repeat(5000)}${']'.repeat(5000)}}}`
    await acme.refused('POST', SPACES, 'request.invalid', 400, { raw })
    await space({ description: { html: 'x'.repeat(99_000) } })
  })
})

describe('the members of a teamspace', () => {
  it('are added and removed together, each once, whoever is there or not there already', async () => {
    const { id } = await space()
    const [one, two, three] = [await colleague(), await colleague('guest'), await colleague()]
    const tail = `${SPACES}/${id}/members`
    const add = (members: (string | undefined)[]) => acme.post(tail, { members })
    assert.deepEqual(await add([one, two, one]), {
      ...{ object: 'teamspace_members', teamspace: id, members: [one, two, one], opened: 2 },
    })
    assert.equal((await add([two, three])).opened, 1)
    assert.equal(await changeOf('POST', tail, { members: [one, two] }), undefined)
    assert.deepEqual(await idsOf(`${id}/members`), [one, two, three])
    const [row] = (await acme.get(`${tail}?limit=1`)).data
    assert.deepEqual([row.object, row.grants[0].source], ['group_member', 'manual'])
    assert.deepEqual((await acme.get(`/members/${one}/groups`)).data, [], 'it is none of the groups')
    await acme.ok('DELETE', `${tail}?member=${two}&member=${(await acme.member()).id}`)
    assert.deepEqual(await idsOf(`${id}/members`), [one, three])
    await acme.ok('DELETE', tail, { members: [one, two, three] })
    assert.deepEqual(await idsOf(`${id}/members`), [])
    assert.equal(await changeOf('DELETE', tail, { members: [one] }), undefined)
    await acme.refused('DELETE', tail, 'request.invalid', 400)
  })

  it('are in the workspace: the first who is not is named, and nobody is added', async () => {
    const { id } = await space()
    const [member, outsider, removed] = [await colleague(), (await acme.member()).id, await colleague()]
    await acme.ok('DELETE', `/members/${removed}`)
    const group = await acme.group()
    const target = (await acme.get('/workspaces/acme-space')).id
    await acme.post('/role_assignments', { role: roles['workspace member'], group: group.id, target })
    const through = (await acme.member()).id
    await acme.add(group.id, through)
    for (const stranger of [outsider, removed, encodeId('mem_', '01990000-0000-7000-8000-00000000abcd')]) {
      const body = { members: [member, through, stranger, outsider] }
      const refusal = await acme.refused(
        ...(['POST', `${SPACES}/${id}/members`, 'workspace.not_member', 404, { body }] as const),
      )
      assert.equal(refusal.field, 'members[2]')
    }
    assert.deepEqual(await idsOf(`${id}/members`), [])
    await acme.post(`${SPACES}/${id}/members`, { members: [member, through] })
    assert.equal((await idsOf(`${id}/members`)).length, 2)
  })

  it('leave at the moment they were added until, and stay where another end is set', async () => {
    const { id } = await space()
    const [brief, kept] = [await colleague(), await colleague()]
    const tail = `${SPACES}/${id}/members`
    await acme.post(tail, { members: [brief, kept], expires_at: '2999-01-01T00:00:00Z' })
    assert.equal((await acme.post(tail, { members: [kept] })).opened, 1)
    await app.database.run({
      ...{ name: '', values: [] },
      text: 'update group_membership set expires_at = now() where expires_at is not null',
    })
    assert.deepEqual(await idsOf(`${id}/members`), [kept])
    const body = { members: [kept], expires_at: '2001-01-01T00:00:00Z' }
    await acme.refused('POST', tail, 'request.invalid', 400, { body })
    assert.equal((await acme.post(tail, { members: [brief] })).opened, 1, 'added anew after the end')
  })

  it('have the roles of its projects, as checks and explanations say, until they leave', async () => {
    const { id } = await space({ name: 'Builders' })
    const member = await colleague()
    const role = await acme.post('/roles', {
      ...{ name: 'Deployer', permissions: ['app.deploy'], resource: 'project' },
    })
    const { id: target } = await project()
    await acme.post(`${SPACES}/${id}/projects`, { projects: [target], role: role.id })
    await acme.post(`${SPACES}/${id}/members`, { members: [member] })
    const check = () => acme.post('/access/check', { member, permission: 'app.deploy', target })
    const { allowed, through, lost_by_ending: lost } = await check()
    assert.deepEqual(
      [allowed, through.length, through[0].group.name, through[0].group.id],
      [true, 1, 'Builders', id],
    )
    assert.deepEqual(lost, [{ grant: 'group_membership', assignment: null, group: id, source: 'manual' }])
    const { roles: held, grants } = await acme.get(`/members/${member}/access`)
    const way = held.find((one: { target: { id: string } }) => one.target.id === target)
    assert.deepEqual([way.role.name, way.through[0].group.id], ['Deployer', id])
    assert.ok(grants.some((grant: { group: { id: string } | null }) => grant.group?.id === id))
    const preview = await acme.ok('DELETE', `${SPACES}/${id}/members?member=${member}&preview=true`)
    assert.deepEqual([preview.ended, preview.grants[0].group.id], [1, id])
    assert.equal((await check()).allowed, true)
    const removal = await changeOf('DELETE', `${SPACES}/${id}/members`, { members: [member] })
    assert.equal((await check()).allowed, false)
    await acme.post(`/changes/${removal}/undo`)
    assert.equal((await check()).allowed, true)
  })
})

describe('the projects of a teamspace', () => {
  it('are linked with one role each, which another replaces, and unlinked together', async () => {
    const { id } = await space()
    const [one, two] = [(await project()).id, (await project()).id]
    const tail = `${SPACES}/${id}/projects`
    const link = (projects: string[], more: object = {}) => acme.post(tail, { projects, ...more })
    assert.equal((await link([one, two, one])).opened, 2)
    assert.equal(await changeOf('POST', tail, { projects: [two] }), undefined)
    const keys = async () => {
      const { data } = await acme.get(tail)
      return data.map((row: { id: string; roles: { key: string }[] }) => [
        row.id,
        row.roles.map((r) => r.key),
      ])
    }
    assert.deepEqual(await keys(), [
      [one, ['member']],
      [two, ['member']],
    ])
    const replaced = await changeOf('POST', tail, { projects: [one], role: roles['project admin'] })
    assert.deepEqual((await keys())[0], [one, ['admin']])
    await acme.post(`/changes/${replaced}/undo`)
    assert.deepEqual((await keys())[0], [one, ['member']])
    await acme.ok('DELETE', `${tail}?project=${one}`)
    await acme.ok('DELETE', tail, { projects: [one, two] })
    assert.deepEqual(await keys(), [])
  })

  it('are active ones of the workspace, with a role for projects', async () => {
    const { id } = await space()
    const archived = (await acme.post('/projects', { name: 'Own' })).id
    const elsewhere = (await project('acme-other')).id
    const mine = (await project()).id
    const refuse = (code: string, status: number, body: object) =>
      acme.refused('POST', `${SPACES}/${id}/projects`, code, status, { body })
    await refuse('project.not_found', 404, { projects: [mine, archived] })
    await refuse('project.not_found', 404, { projects: [mine, elsewhere] })
    await refuse('role.wrong_target', 400, { projects: [mine], role: roles['workspace member'] })
    const home = await acme.post('/roles', {
      ...{ name: 'Home', permissions: [], resource: 'project', of: elsewhere },
    })
    await refuse('role.wrong_target', 400, { projects: [mine], role: home.id })
    await acme.post(`${SPACES}/${id}/projects`, { projects: [mine] })
    await acme.post(`/projects/${mine}/archive`)
    await refuse('project.archived', 409, { projects: [mine] })
    assert.deepEqual(await idsOf(`${id}/projects`), [])
  })
})

describe('deleting a teamspace', () => {
  it('ends its memberships and roles, as its preview says, and is undone whole', async () => {
    const { id } = await space({ lead: await colleague() })
    const members = [await colleague(), await colleague()]
    const projects = [(await project()).id]
    await acme.post(`${SPACES}/${id}/members`, { members })
    await acme.post(`${SPACES}/${id}/projects`, { projects })
    const before = await acme.get(`${SPACES}/${id}`)
    const state = await databaseState(app.database)
    const preview = await acme.ok('DELETE', `${SPACES}/${id}?preview=true`)
    assert.deepEqual(await databaseState(app.database), state)
    const deletion = await acme.get(`/changes/${await changeOf('DELETE', `${SPACES}/${id}`)}`)
    assert.deepEqual([deletion.kind, deletion.ended, preview.ended], ['teamspace.deleted', 3, 3])
    await acme.refused('GET', `${SPACES}/${id}`, 'teamspace.not_found', 404)
    await acme.refused('GET', `${SPACES}/${id}/members`, 'teamspace.not_found', 404)
    await acme.refused('DELETE', `${SPACES}/${id}`, 'teamspace.not_found', 404)
    assert.equal((await idsOf('')).includes(id), false)
    const outcome = await acme.post(`/changes/${deletion.id}/undo`)
    assert.deepEqual([outcome.opened, outcome.ended, outcome.refused], [3, 0, []])
    const { updated_at: _, ...restored } = await acme.get(`${SPACES}/${id}`)
    assert.deepEqual({ ...restored, updated_at: before.updated_at }, before)
    assert.deepEqual(await idsOf(`${id}/members`), members)
    assert.deepEqual(await idsOf(`${id}/projects`), projects)
  })

  it('refuses the undo of what it ended before, by name, and leaves the lists of groups alone', async () => {
    const { id } = await space()
    const member = await colleague()
    await acme.post(`${SPACES}/${id}/members`, { members: [member] })
    const removal = await changeOf('DELETE', `${SPACES}/${id}/members`, { members: [member] })
    const counts = () =>
      app.database.row({ name: '', text: 'select group_count, group_moves from change_counter', values: [] })
    const before = await counts()
    await acme.ok('DELETE', `${SPACES}/${id}`)
    assert.deepEqual(await counts(), before)
    const refusal = await acme.send('POST', `/changes/${removal}/undo`)
    assert.deepEqual([refusal.status, refusal.body.context.refused[0].reason], [409, 'group_deleted'])
    assert.equal(refusal.body.context.refused[0].group, id)
  })
})
