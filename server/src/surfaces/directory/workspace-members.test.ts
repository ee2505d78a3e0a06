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

let made = 0
/** A workspace with an owner of its own, so that others may leave it. */
async function workspace(more: object = {}) {
  made += 1
  const slug = `acme-${made}`
  const { id } = await acme.post('/workspaces', { name: `Space ${made}`, slug, ...more })
  const owner = await acme.member({ display_name: 'Owner' })
  await give(owner.id, 'workspace owner', id)
  const project = (identifier: string) =>
    acme.post(`/workspaces/${slug}/projects`, { name: `Project ${identifier}`, identifier })
  return { slug, id, owner: owner.id as string, path: `/workspaces/${slug}`, project }
}

const give = (member: string, role: string, target: string, more: object = {}) =>
  acme.post('/role_assignments', { role: roles[role], member, target, ...more })
const refusedGive = (member: string, role: string, target: string, code: string, status: number) =>
  acme.refused('POST', '/role_assignments', code, status, { body: { role: roles[role], member, target } })
const keyFor = (member: string) => acme.key(['*'], { member_id: member })
const rolesOf = async (path: string) =>
  (await acme.get(`${path}/members`)).data.map((row: { id: string; role: { key: string } }) => [
    row.id,
    row.role.key,
  ])

describe('the members of a workspace', () => {
  it('are those who have a role on it, directly or through a group, each with the highest', async () => {
    const { path, id, owner } = await workspace()
    const [{ id: both }, { id: via }, group] = [await acme.member(), await acme.member(), await acme.group()]
    await give(both, 'workspace guest', id)
    await acme.add(group.id, both)
    await acme.add(group.id, via)
    await acme.post('/role_assignments', { role: roles['workspace member'], group: group.id, target: id })
    assert.deepEqual(await rolesOf(path), [
      [owner, 'owner'],
      [both, 'member'],
      [via, 'member'],
    ])
    const first = await acme.get(`${path}/members?limit=2`)
    assert.deepEqual([first.data.length, first.has_more], [2, true])
    const rest = await acme.get(`${path}/members?limit=2&after=${first.next_cursor}`)
    assert.deepEqual(
      rest.data.map((row: { id: string }) => row.id),
      [via],
    )
  })
})

describe('the seats of a workspace', () => {
  it('are taken by active members who are no guests, and cannot be overdrawn on any door', async () => {
    const { path, id } = await workspace({ purchased_seats: 2 })
    const seats = async () => {
      const { purchased, used, guests } = await acme.get(`${path}/seats`)
      return [purchased, used, guests]
    }
    const [{ id: one }, { id: two }, { id: guest }] = [
      await acme.member(),
      await acme.member({ external_reference_id: 'two' }),
      await acme.member(),
    ]
    await give(guest, 'workspace guest', id)
    await give(one, 'workspace member', id)
    assert.deepEqual(await seats(), [2, 2, 1])
    const before = await databaseState(app.database)
    const refusal = await refusedGive(two, 'workspace member', id, 'workspace.seats_exhausted', 409)
    assert.deepEqual(refusal.context, { workspace: path.slice(12), purchased_seats: 2, used_seats: 3 })
    const put = { body: { role: roles['workspace member'] } }
    await acme.refused('PUT', `${path}/members/${guest}/role`, 'workspace.seats_exhausted', 409, put)
    const preview = { body: { role: roles['workspace member'], member: two, target: id } }
    await acme.refused('POST', '/role_assignments?preview=true', 'workspace.seats_exhausted', 409, preview)
    assert.deepEqual(await databaseState(app.database), before)

    await acme.post(`/members/${one}/suspend`)
    assert.deepEqual(await seats(), [2, 1, 1], 'who is suspended takes none')
    const group = await acme.group()
    await acme.post('/role_assignments', { role: roles['workspace member'], group: group.id, target: id })
    await acme.add(group.id, two)
    assert.deepEqual(await seats(), [2, 2, 1])
    await acme.refused('POST', `/members/${one}/reactivate`, 'workspace.seats_exhausted', 409)
    const more = { body: { member: guest } }
    await acme.refused('POST', `/groups/${group.id}/members`, 'workspace.seats_exhausted', 409, more)
    const sync = await acme.sync(group.id, ['two', 'three'])
    assert.equal(sync.status, 'failed')
    const fewer = { body: { purchased_seats: 1 } }
    const used = await acme.refused('PATCH', path, 'workspace.seats_exhausted', 409, fewer)
    assert.equal(used.field, 'purchased_seats')
    await acme.ok('PATCH', path, { purchased_seats: 3 })
    await acme.post(`/members/${one}/reactivate`)
    assert.deepEqual(await seats(), [3, 3, 1])
  })

  it('that are left go to as many as there are, however many ask at once', async () => {
    const { path, id } = await workspace({ purchased_seats: 6 })
    const people = await Promise.all(Array.from({ length: 20 }, () => acme.member()))
    const body = (member: string) => ({ role: roles['workspace member'], member, target: id })
    const answers = await Promise.all(
      people.map((one) => acme.send('POST', '/role_assignments', { body: body(one.id) })),
    )
    const won = answers.filter((answer) => answer.status === 201).length
    const refused = answers.filter((answer) => answer.body.code === 'workspace.seats_exhausted').length
    assert.deepEqual([won, refused], [5, 15])
    assert.equal((await acme.get(`${path}/seats`)).used, 6)
  })

  it('whose role has ended are free at once', async () => {
    const { id } = await workspace({ purchased_seats: 2 })
    const end = new Date(Date.now() + 2000).toISOString()
    const [{ id: one }, { id: two }] = [await acme.member(), await acme.member()]
    await give(one, 'workspace member', id, { expires_at: end })
    await refusedGive(two, 'workspace member', id, 'workspace.seats_exhausted', 409)
    while (Date.now() <= Date.parse(end)) await new Promise((resolve) => setTimeout(resolve, 20))
    await give(two, 'workspace member', id)
  })
})

describe('guests of a workspace', () => {
  it('get no more on its projects than guests may have', async () => {
    const { id, project } = await workspace()
    const { id: apollo } = await project('APO')
    const { id: guest } = await acme.member()
    await give(guest, 'workspace guest', id)
    await refusedGive(guest, 'project member', apollo, 'role.guest_limit', 409)
    await give(guest, 'project commenter', apollo)
  })

  it('keep on projects what guests may have when a member becomes one', async () => {
    const { path, id, project, owner } = await workspace()
    const [apollo, gemini] = [await project('APO'), await project('GEM')]
    const { id: member } = await acme.member()
    await give(member, 'workspace member', id)
    for (const one of [apollo, gemini]) await give(owner, 'project admin', one.id)
    await give(member, 'project admin', apollo.id)
    await give(member, 'project commenter', gemini.id)
    const preview = await acme.ok('PUT', `${path}/members/${member}/role?preview=true`, {
      role: roles['workspace guest'],
    })
    assert.deepEqual([preview.opened, preview.ended], [2, 2])
    const lowered = await acme.ok('PUT', `${path}/members/${member}/role`, { role: roles['workspace guest'] })
    assert.equal(lowered.role.key, 'guest')
    const { data } = await acme.get(`/role_assignments?member=${member}`)
    const held = data.map((row: { role: { key: string }; target: { type: string } }) => [
      row.target.type,
      row.role.key,
    ])
    assert.deepEqual(held.sort(), [
      ['project', 'commenter'],
      ['project', 'guest'],
      ['workspace', 'guest'],
    ])
  })
})

describe('offboarding from a workspace', () => {
  it('ends everything there and nothing elsewhere, as previewed, and is undone as one', async () => {
    const here = await workspace({ purchased_seats: 10 })
    const elsewhere = await workspace()
    const { id: member } = await acme.member()
    const [apollo, gemini] = [await here.project('APO'), await here.project('GEM')]
    const other = await elsewhere.project('OTH')
    await give(member, 'workspace member', here.id)
    await give(member, 'workspace member', elsewhere.id)
    await give(member, 'project member', apollo.id, { expires_at: '2999-01-01T00:00:00Z' })
    await give(member, 'project member', other.id)
    const [giving, plain] = [await acme.group(), await acme.group()]
    await acme.post('/role_assignments', {
      role: roles['project viewer'],
      group: giving.id,
      target: gemini.id,
    })
    for (const group of [giving, plain]) await acme.add(group.id, member)
    const access = async () => {
      const { roles: held, grants } = await acme.get(`/members/${member}/access`)
      return {
        roles: held.map((one: { role: { id: string }; target: object; until: string }) => [
          one.role.id,
          one.target,
          one.until,
        ]),
        grants: grants.length,
      }
    }
    const before = await access()
    assert.equal(before.roles.length, 5)
    const path = `${here.path}/members/${member}?remove_seat=true`
    const preview = await acme.ok('DELETE', `${path}&preview=true`)
    assert.deepEqual([preview.ended, preview.opened], [3, 0])
    assert.deepEqual(preview.change.detail, { workspace: here.id, seats_removed: 1 })
    await acme.ok('DELETE', path)
    const change = await acme.lastChange()
    assert.deepEqual([change.kind, change.ended], ['workspace.member_removed', 3])
    const after = await access()
    assert.deepEqual([after.roles.length, after.grants], [2, 3])
    assert.equal((await acme.get(`${here.path}/seats`)).purchased, 9)
    await acme.refused('DELETE', path, 'workspace.not_member', 404)
    const undone = await acme.post(`/changes/${change.id}/undo`)
    assert.deepEqual([undone.opened, undone.refused], [3, []])
    assert.deepEqual(await access(), before)
    assert.equal((await acme.get(`${here.path}/seats`)).purchased, 10)
    await acme.refused('POST', `/changes/${change.id}/undo`, 'change.already_undone', 409)
  })

  it('of the sole admin of projects is refused, naming them, until somebody else is admin', async () => {
    const { path, id, project, owner } = await workspace()
    const [apollo, gemini, done] = [await project('APO'), await project('GEM'), await project('DON')]
    const { id: member } = await acme.member()
    await give(member, 'workspace member', id)
    for (const one of [apollo, gemini, done]) await give(member, 'project admin', one.id)
    await acme.post(`/projects/${done.id}/archive`)
    const refusal = await acme.refused('DELETE', `${path}/members/${member}`, 'project.sole_admin', 409)
    assert.deepEqual(
      refusal.context.projects.map((one: { name: string }) => one.name),
      ['Project APO', 'Project GEM'],
    )
    for (const tail of [`/members/${member}/suspend`]) {
      await acme.refused('POST', tail, 'project.sole_admin', 409)
    }
    await acme.refused('DELETE', `/members/${member}`, 'project.sole_admin', 409)
    for (const one of [apollo, gemini]) await give(owner, 'project admin', one.id)
    await acme.ok('DELETE', `${path}/members/${member}`)
  })

  it('is refused for oneself, for who ranks higher, and for the last admin of the workspace', async () => {
    const { path, id, owner } = await workspace()
    const [{ id: admin }, { id: member }] = [await acme.member(), await acme.member()]
    await give(admin, 'workspace admin', id)
    await give(member, 'workspace member', id)
    const key = await keyFor(admin)
    const as = { key }
    await acme.refused('DELETE', `${path}/members/${admin}`, 'member.unchangeable_self', 409, as)
    await acme.refused('DELETE', `${path}/members/${owner}`, 'member.outranks', 403, as)
    const memberKey = { key: await keyFor(member) }
    await acme.refused('DELETE', `${path}/members/${admin}`, 'permission.denied', 403, memberKey)
    assert.equal((await acme.send('DELETE', `${path}/members/${member}`, as)).status, 204)
    assert.equal((await acme.send('POST', `${path}/leave`, as)).status, 204)
    await acme.refused('DELETE', `${path}/members/${owner}`, 'workspace.sole_admin', 409)
  })

  it('lets no admin of the workspace make an owner of it', async () => {
    const { path, id } = await workspace()
    const [{ id: admin }, { id: member }] = [await acme.member(), await acme.member()]
    await give(admin, 'workspace admin', id)
    await give(member, 'workspace member', id)
    const as = { key: await keyFor(admin) }
    const put = { ...as, body: { role: roles['workspace owner'] } }
    await acme.refused('PUT', `${path}/members/${member}/role`, 'member.outranks', 403, put)
    const body = { role: roles['workspace owner'], member, target: id }
    await acme.refused('POST', '/role_assignments', 'member.outranks', 403, { ...as, body })
    const lower = { ...as, body: { role: roles['workspace admin'] } }
    assert.equal((await acme.send('PUT', `${path}/members/${member}/role`, lower)).status, 200)
  })

  it('of two admins at the same time leaves one of them', async () => {
    for (let round = 0; round < 10; round++) {
      const { path, id, project, owner } = await workspace()
      const apollo = await project('APO')
      const { id: second } = await acme.member()
      await give(second, 'workspace owner', id)
      for (const one of [owner, second]) await give(one, 'project admin', apollo.id)
      const answers = await Promise.all([
        acme.send('DELETE', `${path}/members/${owner}`),
        acme.send('PUT', `${path}/members/${second}/role`, { body: { role: roles['workspace guest'] } }),
      ])
      const statuses = answers.map((answer) => answer.status)
      assert.equal(statuses.filter((status) => status < 300).length, 1, JSON.stringify(answers))
      const refused = answers.find((answer) => answer.status >= 300)!
      assert.match(refused.body.code, /\.sole_admin$/)
    }
  })
})
