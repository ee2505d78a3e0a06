import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { holdOpen, untilWaiting } from '../../../test/campaigns/pauses.ts'
import { openConnection, openScim, PATCH, type ScimTestClient } from '../../../test/scim-client.ts'

let app: TestApp
let scim: ScimTestClient
before(async () => {
  app = await startTestApp({ withoutTasks: true, poolSize: 12 })
  scim = await openScim(app, 'acme')
})

const add = (...ids: string[]) => ({ op: 'add', path: 'members', value: ids.map((value) => ({ value })) })
const remove = (id: string) => ({ op: 'remove', path: `members[value eq "${id}"]` })
const patched = (...Operations: object[]) => ({ body: { schemas: [PATCH], Operations } })
const active = (value: boolean) => patched({ op: 'replace', path: 'active', value })
const statuses = (answers: readonly { status: number }[]) => answers.map(({ status }) => status)

async function row(text: string, ...values: unknown[]): Promise<Record<string, number>> {
  return (await app.database.row<Record<string, number>>({ name: '', text, values }))!
}
/** Deadlocks in this database that PostgreSQL had to end, from now on. */
async function deadlocks(): Promise<number> {
  await app.database.run({ name: '', text: 'select pg_stat_force_next_flush()', values: [] })
  const found = await row(
    `select deadlocks::integer as deadlocks from pg_stat_database where datname = current_database()`,
  )
  return found.deadlocks!
}
/** Memberships of groups or users that are not there. */
async function dangling(): Promise<number> {
  const found = await row(`select count(*)::integer as count from scim_group_member m
    left join scim_group g on g.organization_id = m.organization_id and g.id = m.group_id
    left join scim_user u on u.organization_id = m.organization_id and u.id = m.user_id
      and u.connection_id = g.connection_id
    where g.id is null or u.id is null`)
  return found.count!
}
async function users(count: number, client = scim): Promise<string[]> {
  const made: string[] = []
  for (let n = 0; n < count; n++) made.push((await client.user()).id)
  return made
}

describe('many clients at once', () => {
  it('of one group lose nothing of what they add and remove', async () => {
    const ids = await users(30)
    const group = await scim.group('Busy', ids.slice(0, 10))
    const calls = Array.from({ length: 10 }, (_, n) =>
      scim.call('PATCH', `/Groups/${group.id}`, patched(add(ids[10 + n]!, ids[20 + n]!), remove(ids[n]!))),
    )
    assert.deepEqual([...new Set(statuses(await Promise.all(calls)))], [200])
    assert.deepEqual(await scim.memberIdsOf(group.id), ids.slice(10).toSorted())
    const kept = await row(
      `select member_count, version, (select count(*)::integer from group_membership where group_id = $1) as granted
        from scim_group where id = $1`,
      group.id,
    )
    assert.deepEqual(kept, { member_count: 20, version: 12, granted: 20 })
  })

  it('who create one user a hundred times make one, and the others learn that it is there', async () => {
    const body = { userName: 'everybody@acme.example' }
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => scim.call('POST', '/Users', { body })),
    )
    const refused = answers.filter(({ status }) => status !== 201)
    assert.equal(refused.length, 99)
    for (const { status, body: refusal } of refused)
      assert.deepEqual([status, refusal.scimType], [409, 'uniqueness'])
    const { count } = await row(
      `select user_count::integer as count from scim_roster where connection_id = $1`,
      scim.connectionId,
    )
    assert.equal(count, (await scim.expect(200, 'GET', '/Users?count=0')).totalResults)
  })

  it('who create one group, or rename others to its name, make one of that name', async () => {
    const others = [await scim.group('Other 1'), await scim.group('Other 2')]
    const ids = await users(2)
    const before = await deadlocks()
    const answers = await Promise.all([
      ...[1, 2, 3].map(() =>
        scim.call('POST', '/Groups', {
          body: { displayName: 'One name', members: ids.map((value) => ({ value })) },
        }),
      ),
      ...others.map(({ id }) =>
        scim.call(
          'PATCH',
          `/Groups/${id}`,
          patched({ op: 'replace', path: 'displayName', value: 'ONE NAME' }),
        ),
      ),
    ])
    assert.equal(answers.filter(({ status }) => status < 300).length, 1, JSON.stringify(statuses(answers)))
    assert.deepEqual([...new Set(statuses(answers).filter((status) => status >= 300))], [409])
    assert.equal(await deadlocks(), before)
  })

  it('of users and groups together deadlock nowhere, and what remains is sound', async () => {
    const before = await deadlocks()
    const second = await openConnection(app, scim.directory)
    for (let round = 0; round < 6; round++) {
      const ids = await users(8)
      const groups = [
        await scim.group(`Mixed A ${round}`, ids.slice(0, 4)),
        await scim.group(`Mixed B ${round}`),
      ]
      const [first, other] = groups.map(({ id }) => `/Groups/${id}`) as [string, string]
      const { data } = await scim.directory.get('/members?limit=1000')
      const last = data.at(-1).id
      const { userName } = await scim.expect(200, 'GET', `/Users/${ids[3]}`)
      const answers = await Promise.all([
        scim.call('PATCH', first, patched(add(...ids))),
        scim.call('PATCH', other, patched(add(...ids.toReversed()))),
        scim.call('DELETE', `/Users/${ids[0]}`),
        scim.call('PATCH', `/Users/${ids[0]}`, active(false)),
        scim.call('PATCH', `/Users/${ids[1]}`, active(false)),
        scim.call('PUT', `/Users/${ids[2]}`, {
          body: { userName: `renamed-${round}@acme.example`, active: false },
        }),
        scim.call('POST', '/Users', { body: { userName: `renamed-${round}@acme.example` } }),
        second.call('POST', '/Users', { body: { userName: `renamed-${round}@acme.example` } }),
        scim.call('POST', '/Groups', {
          body: { displayName: `Mixed C ${round}`, members: ids.map((value) => ({ value })) },
        }),
        scim.call('DELETE', first),
        scim.call('DELETE', `/Users/${ids[3]}`),
        scim.call('POST', '/Users', { body: { userName } }),
        scim.directory.send('DELETE', `/members/${last}`),
        scim.directory.send('POST', `/members/${data.at(-2).id}/merge`, { body: { from: data.at(-3).id } }),
      ])
      assert.ok(
        Math.max(...statuses(answers)) < 500,
        JSON.stringify(answers.map(({ status, body }) => [status, body?.detail])),
      )
    }
    assert.equal(await deadlocks(), before)
    const wrong = await row(`select
        (select count(*)::integer from scim_group g where member_count <> (
          select count(*) from scim_group_member m where m.group_id = g.id)) as counts,
        (select count(*)::integer from scim_roster r where user_count <> (
          select count(*) from scim_user u where u.connection_id = r.connection_id)) as users,
        (select count(*)::integer from scim_roster r where group_count <> (
          select count(*) from scim_group u where u.connection_id = r.connection_id)) as groups,
        (select count(*)::integer from group_membership gm join member m on m.id = gm.member_id
          where m.status = 'removed') as removed`)
    assert.deepEqual(wrong, { counts: 0, users: 0, groups: 0, removed: 0 })
    assert.equal(await dangling(), 0)
  })
})

describe('a request that meets another half-way', () => {
  /** What a change of the organization takes last. */
  const COUNTER = `select 1 from change_counter c join organization o on o.id = c.organization_id and o.slug = 'acme'
    for update of c`

  /** Runs the first as far as what is held, and the second as far as it comes meanwhile. */
  async function meeting(
    first: () => Promise<{ status: number }>,
    second: () => Promise<{ status: number }>,
    holding: string = COUNTER,
  ) {
    const held = await holdOpen(app.connectionString)
    await held.query(holding)
    const one = first()
    await untilWaiting(app.database, 1)
    const two = second()
    await untilWaiting(app.database, 2)
    await held.rollback()
    return statuses(await Promise.all([one, two]))
  }

  it('adds to a group nobody whose DELETE comes first, and says so', async () => {
    const [id] = await users(1)
    const group = await scim.group('Met 1')
    const before = await deadlocks()
    const deleted = () => scim.call('DELETE', `/Users/${id}`)
    const added = () => scim.call('PATCH', `/Groups/${group.id}`, patched(add(id!)))
    assert.deepEqual(await meeting(deleted, added), [204, 400])
    assert.deepEqual(await scim.memberIdsOf(group.id), [])
    assert.equal(await deadlocks(), before)
  })

  it('deletes with its membership whom a group adds first', async () => {
    const [id] = await users(1)
    const group = await scim.group('Met 2')
    const before = await deadlocks()
    const added = () => scim.call('PATCH', `/Groups/${group.id}`, patched(add(id!)))
    const deleted = () => scim.call('DELETE', `/Users/${id}`)
    assert.deepEqual(await meeting(added, deleted), [200, 204])
    assert.deepEqual(await scim.memberIdsOf(group.id), [])
    assert.equal(await deadlocks(), before)
  })

  it('adds nobody to a group whose DELETE comes first, and deletes with it whom it adds before', async () => {
    const before = await deadlocks()
    for (const order of ['deleted', 'added'] as const) {
      const [id] = await users(1)
      const group = await scim.group(`Met ${order}`)
      const deleted = () => scim.call('DELETE', `/Groups/${group.id}`)
      const added = () => scim.call('PATCH', `/Groups/${group.id}`, patched(add(id!)))
      const answers = await (order === 'deleted' ? meeting(deleted, added) : meeting(added, deleted))
      assert.deepEqual(answers, order === 'deleted' ? [204, 404] : [200, 204])
      assert.equal(await dangling(), 0)
    }
    assert.equal(await deadlocks(), before)
  })

  it('adds nobody to a group of a connection that is deleted first, and leaves nobody in one that is deleted then', async () => {
    const before = await deadlocks()
    for (const order of ['deleted', 'added'] as const) {
      const other = await openConnection(app, scim.directory)
      const { id } = await other.user()
      const group = await other.group(`Met of a connection, ${order}`)
      const deleted = () => scim.directory.send('DELETE', `/identity_providers/${other.providerId}`)
      const added = () => other.call('PATCH', `/Groups/${group.id}`, patched(add(id)))
      const answers = await (order === 'deleted' ? meeting(deleted, added) : meeting(added, deleted))
      assert.deepEqual(answers, order === 'deleted' ? [204, 404] : [200, 204])
      assert.equal(await dangling(), 0)
    }
    assert.equal(await deadlocks(), before)
  })

  it('adds nobody for whom the group, given a role meanwhile, has no seat', async () => {
    const before = await deadlocks()
    const acme = scim.directory
    const space = await acme.post('/workspaces', { name: 'Met', slug: 'met-space', purchased_seats: 1 })
    const { data: roles } = await acme.get('/roles?resource=workspace')
    const role = roles.find(({ key }: { key: string }) => key === 'member').id
    const ids = await users(2)
    const group = await scim.group('Met seats')
    const managed = (await acme.get('/groups?limit=1000')).data.find(
      ({ name }: { name: string }) => name === 'Met seats',
    )
    const given = () =>
      acme.send('POST', '/role_assignments', { body: { role, group: managed.id, target: space.id } })
    const added = () => scim.call('PATCH', `/Groups/${group.id}`, patched(add(...ids)))
    assert.deepEqual(await meeting(given, added), [201, 400])
    assert.deepEqual(await scim.memberIdsOf(group.id), [])
    assert.equal(await deadlocks(), before)
  })

  it('adds who is not yet in a group, whoever else it is told to add once more', async () => {
    const ids = await users(3)
    const group = await scim.group('Met again', ids.slice(0, 1))
    const added = (...of: string[]) => scim.call('PATCH', `/Groups/${group.id}`, patched(add(...of)))
    assert.deepEqual(
      await meeting(
        () => added(ids[1]!),
        () => added(...ids),
      ),
      [200, 200],
    )
    assert.deepEqual(await scim.memberIdsOf(group.id), ids.toSorted())
    const found = await row(
      `select member_count, version, (select count(*)::integer from group_membership where group_id = $1) as granted,
         (select count(*)::integer from change where group_id = $1) as changes
        from scim_group where id = $1`,
      group.id,
    )
    // Created with the first, who came to it at once; then two changes, and none for who was there.
    assert.deepEqual(found, { member_count: 3, version: 4, granted: 3, changes: 3 })
    assert.equal((await added(ids[0]!)).status, 200)
    const after = await row('select version from scim_group where id = $1', group.id)
    assert.deepEqual(after, { version: 4 })
  })

  it('touches nothing of a group that another connection names, while its own deletes it', async () => {
    const before = await deadlocks()
    const other = await openConnection(app, scim.directory)
    const { id } = await other.user()
    const member = (await scim.user()).id
    for (const change of [add(id), { op: 'remove', path: 'members', value: [{ value: member }] }]) {
      const group = await scim.group(`Met by a stranger, ${change.op}`, [member])
      const deleted = () => scim.call('DELETE', `/Groups/${group.id}`)
      const held = await holdOpen(app.connectionString)
      await held.query('select 1 from org_group where id = $1 for update', [group.id])
      const deletion = deleted()
      await untilWaiting(app.database, 1)
      assert.equal((await other.call('PATCH', `/Groups/${group.id}`, patched(change))).status, 404)
      await held.rollback()
      assert.equal((await deletion).status, 204)
    }
    assert.equal(await deadlocks(), before)
  })

  it('deletes an owner who is being deactivated, and deactivates nobody who is being deleted', async () => {
    const before = await deadlocks()
    for (const order of ['deactivated', 'deleted'] as const) {
      const userName = `second-${order}@acme.example`
      const { id } = await scim.user({ userName })
      const { data } = await scim.directory.get(`/members?email=${userName}`)
      await scim.directory.ok('PUT', `/members/${data[0].id}/level`, { level: 'owner' })
      await scim.directory.key(['*'], { member_id: data[0].id })
      const off = () => scim.call('PATCH', `/Users/${id}`, active(false))
      const gone = () => scim.call('DELETE', `/Users/${id}`)
      // Held where the deactivation has the user already, and has still to look at the owners.
      const keys = 'select 1 from api_key where member_id is not null for update'
      const answers = await (order === 'deactivated' ? meeting(off, gone, keys) : meeting(gone, off))
      assert.deepEqual(answers, order === 'deactivated' ? [200, 204] : [204, 404])
    }
    assert.equal(await deadlocks(), before)
  })

  it('creates a group with somebody who is being removed by hand, without a grant', async () => {
    const { id, userName } = await scim.user()
    const { data } = await scim.directory.get(`/members?email=${userName}`)
    const before = await deadlocks()
    const removed = () => scim.directory.send('DELETE', `/members/${data[0].id}`)
    const created = () =>
      scim.call('POST', '/Groups', { body: { displayName: 'Met 3', members: [{ value: id }] } })
    assert.deepEqual(await meeting(removed, created), [200, 201])
    const { granted } = await row(
      `select count(*)::integer as granted from group_membership where member_id in (
      select member_id from scim_user where id = $1)`,
      id,
    )
    assert.equal(granted, 0)
    assert.equal(await deadlocks(), before)
  })
})

describe('what all of them have done', () => {
  it('was no deadlock, even one that was tried again and told by nobody', async () => {
    // A session tells its counts when it is idle, within a second.
    await setTimeout(1100)
    assert.equal(await deadlocks(), 0)
  })
})
