import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { databaseState } from '../../../test/database-state.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'
import { sweep } from '../../directory/sweep.tasks.ts'

let app: TestApp
let acme: DirectoryClient
let key: string
let ownerId: string
let project: { id: string }
const roles: Record<string, string> = {}
before(async () => {
  app = await startTestApp()
  const organization = await app.organization('acme')
  acme = directoryClient(app, organization.path)
  key = organization.key
  ownerId = organization.ownerId
  project = await acme.post('/projects', { name: 'One' })
  for (const role of (await acme.get('/roles')).data) roles[`${role.resource} ${role.key}`] = role.id
})

const assign = (body: object) => acme.post('/role_assignments', body)
const listed = async (query: string) =>
  (await acme.get(`/role_assignments?${query}`)).data.map((row: { id: string }) => row.id)

describe('a role assignment', () => {
  it('tells who holds what where, from which source, since and until when', async () => {
    const member = await acme.member({ display_name: 'Ada' })
    const role = roles['project member']!
    const body = { role, member: member.id, target: project.id, expires_at: '2999-01-01T00:00:00Z' }
    const answer = await acme.send('POST', '/role_assignments', { body, key })
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
    const { id, since, ...rest } = answer.body
    assert.match(id, /^rga_[\w-]{22}$/)
    assert.ok(Math.abs(Date.parse(since) - Date.now()) < 60_000)
    assert.deepEqual(rest, {
      object: 'role_assignment',
      role: { id: role, key: 'member', name: 'Member' },
      target: { type: 'project', id: project.id },
      member: { id: member.id, display_name: 'Ada', email: member.email },
      group: null,
      source: 'api',
      until: '2999-01-01T00:00:00.000000Z',
      change: answer.headers['rollcall-change'],
    })
    const change = await acme.get(`/changes/${rest.change}`)
    assert.deepEqual([change.kind, change.opened, change.member], ['role.assigned', 1, member.id])
    assert.deepEqual(change.detail, {
      role,
      role_name: 'Member',
      project: project.id,
      expires_at: '2999-01-01T00:00:00Z',
    })
    const read = await acme.get(`/role_assignments/${id}`)
    assert.deepEqual(read, { ...answer.body, since: change.at })
  })

  it('made again changes nothing; with another end it replaces the old one in the same change', async () => {
    const { id: member } = await acme.member()
    const given = { role: roles['project viewer'], member, target: project.id }
    const first = await assign(given)
    const before = await databaseState(app.database)
    assert.deepEqual((await assign(given)).id, first.id)
    assert.deepEqual(await databaseState(app.database), before)
    const second = await assign({ ...given, expires_at: '2999-01-01T00:00:00Z' })
    assert.notEqual(second.id, first.id)
    assert.deepEqual(await listed(`member=${member}`), [second.id])
    const { opened, ended } = await acme.lastChange()
    assert.deepEqual([opened, ended], [1, 1])
  })

  it('from one source stays when that of another ends', async () => {
    const { id: member } = await acme.member()
    const body = { role: roles['project viewer'], member, target: project.id }
    const byKey = (await acme.send('POST', '/role_assignments', { body, key })).body
    const byHand = await assign(body)
    assert.deepEqual([byKey.source, byHand.source], ['api', 'manual'])
    await acme.ok('DELETE', `/role_assignments/${byKey.id}`)
    assert.deepEqual(await listed(`member=${member}`), [byHand.id])
    await acme.refused('DELETE', `/role_assignments/${byKey.id}`, 'role_assignment.not_found', 404)
    await acme.refused('GET', `/role_assignments/${byKey.id}`, 'role_assignment.not_found', 404)
  })

  it('is gone from every read at its end, while nothing cleans up, and its end is a change later', async () => {
    const [{ id: member }, group] = [await acme.member(), await acme.group()]
    const end = new Date(Date.now() + 2000).toISOString()
    const role = roles['organization admin']!
    const own = await assign({ role, member, expires_at: end })
    await assign({ role: roles['project admin'], group: group.id, target: project.id, expires_at: end })
    await acme.add(group.id, member, { expires_at: '2999-01-01T00:00:00Z' })
    const memberKey = await acme.key(['*'], { member_id: member })
    const may = async (permission: string, target = 'organization') =>
      (await acme.post('/access/check', { member, permission, target })).allowed
    assert.deepEqual([await may('plans:write'), await may('projects:write', project.id)], [true, true])
    const write = () => acme.send('POST', '/groups', { key: memberKey, body: { name: 'By an admin' } })
    assert.equal((await write()).status, 201)
    while (Date.now() <= Date.parse(end)) await setTimeout(20)
    assert.deepEqual([await may('plans:write'), await may('projects:write', project.id)], [false, false])
    assert.equal((await acme.get(`/members/${member}`)).level, 'member')
    assert.equal((await write()).status, 403)
    assert.deepEqual((await acme.get(`/members/${member}/roles`)).data, [])
    assert.deepEqual((await acme.get(`/members/${member}/access`)).roles, [])
    assert.deepEqual(await listed(`member=${member}`), [])
    assert.deepEqual(await listed(`group=${group.id}`), [])
    assert.deepEqual((await acme.get(`/groups?target=${project.id}`)).data, [])
    await acme.refused('DELETE', `/role_assignments/${own.id}`, 'role_assignment.not_found', 404)
    await sweep(app.directory)
    const change = await acme.lastChange()
    assert.deepEqual([change.kind, change.ended], ['grants.expired', 2])
    assert.equal(Date.parse(change.effective_at), Date.parse(end))
  })

  it('is refused with an end in the past, a target or a subject that is none, or both subjects', async () => {
    const [{ id: member }, { id: group }] = [await acme.member(), await acme.group()]
    const role = roles['project viewer']
    const refuse = async (body: object, field: string) => {
      const refusal = await acme.refused('POST', '/role_assignments', 'request.invalid', 400, { body })
      assert.equal(refusal.field, field, JSON.stringify(body))
    }
    const before = await databaseState(app.database)
    await refuse({ role, member, target: project.id, expires_at: '2020-01-01T00:00:00Z' }, 'expires_at')
    await refuse({ role, member, target: 'everywhere' }, 'target')
    await refuse({ role, target: project.id }, 'member')
    await refuse({ role, member, group, target: project.id }, 'member')
    await refuse({ member }, 'role')
    const wrong = { body: { role, member } }
    await acme.refused('POST', '/role_assignments', 'role.wrong_target', 400, wrong)
    assert.deepEqual(await databaseState(app.database), before)
  })

  it('to a removed member or a deleted group is refused', async () => {
    const [{ id: member }, { id: group }] = [await acme.member(), await acme.group()]
    await acme.ok('DELETE', `/members/${member}`)
    await acme.ok('DELETE', `/groups/${group}`)
    const role = roles['organization member']
    const refuse = (body: object, code: string, status: number) =>
      acme.refused('POST', '/role_assignments', code, status, { body })
    await refuse({ role, member }, 'member.wrong_status', 409)
    await refuse({ role, group }, 'group.not_found', 404)
  })

  it('as of a past moment is as it was then, for ever', async () => {
    const { id: member } = await acme.member()
    const given = { role: roles['project viewer'], member, target: project.id }
    const { id } = await assign(given)
    const since = (await acme.get(`/role_assignments/${id}`)).since
    await acme.ok('DELETE', `/role_assignments/${id}`)
    const until = (await acme.lastChange()).at
    const then = async (moment: string) =>
      (await acme.get(`/role_assignments?member=${member}&as_of=${moment}`)).data
    const before = new Date(Date.parse(since) - 1).toISOString()
    assert.deepEqual(await then(before), [])
    const [held] = await then(since)
    assert.deepEqual([held.id, held.since, held.until], [id, since, until])
    assert.deepEqual(await then(until), [])
    assert.deepEqual(await listed(`member=${member}`), [])
    const future = `as_of=${new Date(Date.now() + 60_000).toISOString()}`
    await acme.refused('GET', `/role_assignments?${future}`, 'request.invalid', 400)
  })
})

describe('the owner role', () => {
  it('is taken from the last owner on no path, and gets no end there', async () => {
    const [owner] = (await acme.get(`/role_assignments?role=${roles['organization owner']}`)).data
    assert.equal(owner.member.id, ownerId)
    await acme.refused('DELETE', `/role_assignments/${owner.id}`, 'organization.last_owner', 409)
    const body = { role: roles['organization owner'], member: ownerId, expires_at: '2999-01-01T00:00:00Z' }
    const source = owner.source === 'manual' ? {} : { key }
    const given = { body, ...source }
    await acme.refused('POST', '/role_assignments', 'organization.last_owner', 409, given)
    const group = await acme.group()
    const { id: second } = await acme.member()
    await acme.add(group.id, second)
    await assign({ role: roles['organization owner'], group: group.id })
    assert.equal((await acme.get(`/members/${second}`)).level, 'owner', 'an owner through the group')
    await acme.refused('DELETE', `/role_assignments/${owner.id}`, 'organization.last_owner', 409)
    await assign({ role: roles['organization owner'], member: second })
    await acme.ok('DELETE', `/role_assignments/${owner.id}`)
    assert.equal((await acme.get(`/members/${ownerId}`)).level, 'member')
  })

  it('is given and taken by owners only', async () => {
    const admin = await acme.member({ level: 'admin' })
    const adminKey = await acme.key(['*'], { member_id: admin.id })
    const { id: member } = await acme.member()
    const body = { role: roles['organization owner'], member }
    const given = { body, key: adminKey }
    await acme.refused('POST', '/role_assignments', 'permission.denied', 403, given)
    const { id } = await assign(body)
    const asAdmin = { key: adminKey }
    await acme.refused('DELETE', `/role_assignments/${id}`, 'permission.denied', 403, asAdmin)
    await acme.ok('DELETE', `/role_assignments/${id}`)
  })
})

describe('a group with roles', () => {
  it('is filled only by who holds what the group gives', async () => {
    const group = await acme.group()
    const role = await acme.post('/roles', { name: 'Paymaster', permissions: ['payments.approve'] })
    await assign({ role: role.id, group: group.id })
    const { id: member } = await acme.member()
    const narrow = await acme.key(['groups:write', 'groups:read', 'members:write'])
    const path = `/groups/${group.id}/members`
    const given = { key: narrow, body: { member } }
    const refusal = await acme.refused('POST', path, 'role.permission_exceeded', 403, given)
    assert.deepEqual(refusal.context, { permissions: ['payments.approve'] })
    const rows = { key: narrow, body: { members: [] } }
    const syncs = `/groups/${group.id}/member_syncs`
    await acme.refused('POST', syncs, 'role.permission_exceeded', 403, rows)
    await acme.refused('POST', `${syncs}?preview=true`, 'role.permission_exceeded', 403, rows)
    const fitting = await acme.key(['groups:write', 'payments.approve'])
    assert.equal((await acme.send('POST', path, { key: fitting, body: { member } })).status, 201)
    const check = { member, permission: 'payments.approve' }
    assert.equal((await acme.post('/access/check', check)).allowed, true)
  })

  it('that is deleted takes its roles along, and the undo brings them back', async () => {
    const group = await acme.group()
    const { id: member } = await acme.member()
    await acme.add(group.id, member)
    await assign({ role: roles['project admin'], group: group.id, target: project.id })
    const check = { member, permission: 'projects:write', target: project.id }
    assert.equal((await acme.post('/access/check', check)).allowed, true)
    await acme.ok('DELETE', `/groups/${group.id}`)
    assert.equal((await acme.lastChange()).ended, 2)
    assert.equal((await acme.post('/access/check', check)).allowed, false)
    await acme.post(`/changes/${(await acme.lastChange()).id}/undo`)
    assert.equal((await acme.post('/access/check', check)).allowed, true)
  })
})

describe('lists filtered by what is held', () => {
  it('find members and groups by role, target and source, directly and through groups, in pages', async () => {
    const here = await acme.post('/projects', { name: 'Filtered' })
    const [own, via, other] = [await acme.member(), await acme.member(), await acme.member()]
    const [group, empty] = [await acme.group(), await acme.group()]
    await acme.add(group.id, via.id)
    const { project: _, ...viewer } = { project, role: roles['project viewer'], target: here.id }
    await acme.send('POST', '/role_assignments', { key, body: { ...viewer, member: own.id } })
    await assign({ ...viewer, group: group.id })
    await assign({ role: roles['project member'], group: empty.id, target: here.id })
    await assign({ role: roles['project member'], member: other.id, target: here.id })
    const ids = async (path: string) => (await acme.get(path)).data.map((row: { id: string }) => row.id)
    const role = roles['project viewer']
    assert.deepEqual(await ids(`/members?target=${here.id}&role=${role}`), [own.id, via.id])
    assert.deepEqual(await ids(`/members?target=${here.id}`), [own.id, via.id, other.id])
    assert.deepEqual(await ids(`/members?target=${here.id}&source=api`), [own.id])
    assert.deepEqual(await ids(`/members?target=${here.id}&source=manual`), [via.id, other.id])
    assert.deepEqual(await ids(`/groups?target=${here.id}`), [group.id, empty.id])
    assert.deepEqual(await ids(`/groups?target=${here.id}&role=${role}&source=manual`), [group.id])
    assert.deepEqual(await ids(`/groups?target=${here.id}&source=api`), [])
    const first = await acme.get(`/members?target=${here.id}&limit=2`)
    assert.deepEqual([first.data.length, first.has_more], [2, true])
    assert.deepEqual(await ids(`/members?target=${here.id}&limit=2&after=${first.next_cursor}`), [other.id])
    await acme.post(`/members/${own.id}/suspend`)
    assert.deepEqual(await ids(`/members?target=${here.id}&status=suspended`), [own.id])
    const synced = await acme.group()
    await acme.sync(synced.id, ['filtered-1'])
    assert.deepEqual(await ids('/groups?source=member_sync'), [synced.id])
    const [found] = (await acme.get('/members?source=member_sync')).data
    assert.equal(found.external_reference_id, 'filtered-1')
    const both = `/members?target=${here.id}&email=a@b.example`
    assert.equal((await acme.refused('GET', both, 'request.invalid', 400)).field, 'email')
  })
})
