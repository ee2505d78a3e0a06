import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'

let app: TestApp
let acme: DirectoryClient
let roleId: string
const predefined: Record<string, string> = {}
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  acme = directoryClient(app, (await app.organization('acme')).path)
  for (const role of (await acme.get('/roles')).data) predefined[`${role.resource} ${role.key}`] = role.id
  roleId = (await acme.post('/roles', { name: 'Clerk', permissions: ['invoices.read'] })).id
  await acme.post('/workspaces', { name: 'Space', slug: 'acme-space' })
})

const check = (member: string, permission: string, target?: string, asOf?: string) =>
  acme.post('/access/check', {
    member,
    permission,
    ...(target === undefined ? {} : { target }),
    ...(asOf === undefined ? {} : { as_of: asOf }),
  })

describe('an access check', () => {
  it('says through which grants, and what would have to end', async () => {
    const [{ id: member }, group] = [await acme.member(), await acme.group({ name: 'Clerks' })]
    await acme.add(group.id, member)
    const own = await acme.post('/role_assignments', { role: roleId, member })
    const shared = await acme.post('/role_assignments', { role: roleId, group: group.id })
    const role = { id: roleId, key: null, name: 'Clerk' }
    const target = { type: 'organization', id: null }
    assert.deepEqual(await check(member, 'invoices.read'), {
      object: 'access_decision',
      allowed: true,
      member_status: 'active',
      through: [
        { role, target, assignment: own.id, source: 'manual', until: null, group: null },
        {
          role,
          target,
          assignment: shared.id,
          source: 'manual',
          until: null,
          group: { id: group.id, name: 'Clerks', source: 'manual', until: null },
        },
      ],
      lost_by_ending: [
        { grant: 'role', assignment: own.id, group: null, source: null },
        { grant: 'group_membership', assignment: null, group: group.id, source: 'manual' },
      ],
    })
    await acme.ok('DELETE', `/role_assignments/${own.id}`)
    assert.equal((await check(member, 'invoices.read')).allowed, true, 'the group still gives it')
    await acme.ok('DELETE', `/groups/${group.id}/members/${member}`)
    const lost = await check(member, 'invoices.read')
    assert.deepEqual([lost.allowed, lost.through, lost.lost_by_ending], [false, [], []])
  })

  it('of what every active member may do names the membership of the organization', async () => {
    const { id: member } = await acme.member()
    const decision = await check(member, 'groups:read')
    assert.deepEqual([decision.allowed, decision.through], [true, []])
    assert.deepEqual(decision.lost_by_ending, [
      { grant: 'organization_membership', assignment: null, group: null, source: null },
    ])
    assert.equal((await check(member, 'groups:write')).allowed, false)
  })

  it('reaches down from the organization to workspaces and projects, and never up or aside', async () => {
    const workspace = await acme.get('/workspaces/acme-space')
    const inside = await acme.post('/workspaces/acme-space/projects', { name: 'In', identifier: 'IN' })
    const outside = await acme.post('/projects', { name: 'Out' })
    const targets = ['organization', workspace.id, inside.id, outside.id]
    const reach = async (role: string, target: string) => {
      const { id: member } = await acme.member()
      await acme.post('/role_assignments', { role, member, target })
      const decisions = await Promise.all(targets.map((one) => check(member, 'app.anything', one)))
      return decisions.map((decision) => decision.allowed)
    }
    const admin = (kind: string) => predefined[`${kind} admin`]!
    assert.deepEqual(await reach(admin('organization'), 'organization'), [true, true, true, true])
    assert.deepEqual(await reach(admin('workspace'), workspace.id), [false, true, true, false])
    assert.deepEqual(await reach(admin('project'), inside.id), [false, false, true, false])
    assert.deepEqual(await reach(admin('project'), outside.id), [false, false, false, true])
  })

  it('of a member who is not active is no, with the grants that would give it', async () => {
    const { id: member } = await acme.member()
    await acme.post('/role_assignments', { role: roleId, member })
    const before = (await acme.lastChange()).at
    await acme.post(`/members/${member}/suspend`)
    const decision = await check(member, 'invoices.read')
    assert.deepEqual([decision.allowed, decision.member_status], [false, 'suspended'])
    assert.equal(decision.through.length, 1)
    assert.equal((await check(member, 'groups:read')).allowed, false)
    const then = await check(member, 'invoices.read', undefined, before)
    assert.deepEqual([then.allowed, then.member_status], [true, 'active'], 'then it was active')
    const suspended = (await acme.lastChange()).at
    await acme.post(`/members/${member}/reactivate`)
    const later = await check(member, 'invoices.read', undefined, suspended)
    assert.deepEqual([later.allowed, later.member_status], [false, 'suspended'])
  })

  it('in a batch answers up to 100 in their order', async () => {
    const { id: member } = await acme.member()
    const { id: clerk } = await acme.member()
    await acme.post('/role_assignments', { role: roleId, member: clerk })
    const one = (who: string) => ({ member: who, permission: 'invoices.read' })
    const checks = Array.from({ length: 100 }, (_, index) => one(index % 3 === 0 ? clerk : member))
    const { data } = await acme.post('/access/check_batch', { checks })
    assert.deepEqual(
      data.map((row: { allowed: boolean }) => row.allowed),
      checks.map((asked) => asked.member === clerk),
    )
    const refuse = async (more: object[], field: string, code = 'request.invalid', status = 400) => {
      const body = { checks: more }
      const refusal = await acme.refused('POST', '/access/check_batch', code, status, { body })
      assert.equal(refusal.field, field)
    }
    await refuse([...checks, one(member)], 'checks')
    await refuse([], 'checks')
    await refuse([one(clerk), { ...one(clerk), permission: 'members:wriet' }], 'checks[1].permission')
    const nobody = `mem_${'A'.repeat(22)}`
    await refuse([one(clerk), one(nobody)], 'checks[1].member', 'member.not_found', 404)
    const nowhere = { ...one(clerk), target: `prj_${'A'.repeat(22)}` }
    await refuse([nowhere], 'checks[0].target', 'project.not_found', 404)
  })

  it('of an unknown permission, member or target is refused by name', async () => {
    const { id: member } = await acme.member()
    const refuse = async (body: object, code: string, status: number) =>
      acme.refused('POST', '/access/check', code, status, { body })
    await refuse({ member, permission: 'members:wriet' }, 'request.invalid', 400)
    await refuse({ member, permission: 'x' }, 'request.invalid', 400)
    const permission = 'app.read'
    await refuse({ member: `mem_${'A'.repeat(22)}`, permission }, 'member.not_found', 404)
    await refuse({ member, permission, target: `wsp_${'A'.repeat(22)}` }, 'workspace.not_found', 404)
    await refuse({ member, permission, target: 'prj_x' }, 'project.not_found', 404)
    const asOf = new Date(Date.now() + 60_000).toISOString()
    await refuse({ member, permission, as_of: asOf }, 'request.invalid', 400)
  })
})

describe('the explanation of a member’s access', () => {
  it('lists grants and roles with target, source, cause, since and until, and what would have to end', async () => {
    const [member, group] = [await acme.member(), await acme.group({ name: 'Editors' })]
    const project = await acme.post('/projects', { name: 'Book' })
    await acme.add(group.id, member.id, { expires_at: '2998-01-01T00:00:00Z' })
    const role = predefined['project member']
    const shared = await acme.post('/role_assignments', {
      ...{ role, group: group.id, target: project.id },
      expires_at: '2999-01-01T00:00:00Z',
    })
    const { grants, roles, effective } = await acme.get(`/members/${member.id}/access`)
    assert.equal(effective, true)
    assert.deepEqual(
      grants.map((one: { grant: string; group: { name: string } }) => [one.grant, one.group.name]),
      [['group_membership', 'Editors']],
    )
    const [held] = roles
    assert.deepEqual(held.role, { id: role, key: 'member', name: 'Member' })
    assert.deepEqual(held.target, { type: 'project', id: project.id, name: 'Book' })
    assert.equal(held.until, '2998-01-01T00:00:00.000000Z', 'the earlier of the two ends')
    const [through] = held.through
    assert.deepEqual([through.assignment, through.source], [shared.id, 'manual'])
    assert.deepEqual([through.group.id, through.group.source], [group.id, 'manual'])
    assert.equal(held.since, through.since > through.group.since ? through.since : through.group.since)
    assert.deepEqual(held.lost_by_ending, [
      { grant: 'group_membership', assignment: null, group: group.id, source: 'manual' },
    ])
    const groups = await acme.get(`/members/${member.id}/groups`)
    assert.deepEqual([groups.data[0].id, groups.data[0].grants.length], [group.id, 1])
    const reaching = await acme.get(`/members/${member.id}/roles`)
    assert.deepEqual([reaching.data[0].id, reaching.data[0].group.name], [shared.id, 'Editors'])
  })

  it('as of a past moment lists what was held then, also what a role of that time gave', async () => {
    const member = await acme.member()
    const role = await acme.post('/roles', { name: 'Then', permissions: ['app.then'] })
    const { id } = await acme.post('/role_assignments', { role: role.id, member: member.id })
    const { since } = await acme.get(`/role_assignments/${id}`)
    await acme.ok('PATCH', `/roles/${role.id}`, { permissions: ['app.now'] })
    await acme.ok('DELETE', `/members/${member.id}`)
    const past = await acme.get(`/members/${member.id}/access?as_of=${since}`)
    assert.deepEqual([past.effective, past.roles.length], [true, 1])
    assert.equal((await check(member.id, 'app.then', undefined, since)).allowed, true)
    assert.equal((await check(member.id, 'app.now', undefined, since)).allowed, false)
    const now = await acme.get(`/members/${member.id}/access`)
    assert.deepEqual([now.effective, now.roles, now.grants], [false, [], []])
  })

  it('comes in pages for groups and roles, and of an unknown member not at all', async () => {
    const { id: member } = await acme.member()
    for (let n = 0; n < 3; n++) {
      const group = await acme.group()
      await acme.add(group.id, member)
      await acme.post('/role_assignments', { role: roleId, group: group.id })
    }
    for (const noun of ['groups', 'roles']) {
      const whole = (await acme.get(`/members/${member}/${noun}`)).data
      const first = await acme.get(`/members/${member}/${noun}?limit=2`)
      const rest = await acme.get(`/members/${member}/${noun}?limit=2&after=${first.next_cursor}`)
      assert.deepEqual([...first.data, ...rest.data], whole)
      assert.deepEqual([whole.length, rest.has_more], [3, false])
      const nobody = `/members/mem_${'A'.repeat(22)}/${noun}`
      await acme.refused('GET', nobody, 'member.not_found', 404)
    }
  })
})
