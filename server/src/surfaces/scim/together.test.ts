import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { holdOpen, untilWaiting } from '../../../test/campaigns/pauses.ts'
import { statementsOf } from '../../../test/count-statements.ts'
import { openScim, PATCH, type ScimTestClient } from '../../../test/scim-client.ts'

let app: TestApp
let scim: ScimTestClient
before(async () => {
  app = await startTestApp({ withoutTasks: true, poolSize: 12 })
  scim = await openScim(app, 'acme')
})

const replace = (path: string, value: unknown) => ({
  body: { schemas: [PATCH], Operations: [{ op: 'replace', path, value }] },
})
const post = (userName: string, fields: object = {}) =>
  scim.call('POST', '/Users', { body: { userName, ...fields } })
const patch = (id: string, path: string, value: unknown) =>
  scim.call('PATCH', `/Users/${id}`, replace(path, value))
const statuses = (answers: readonly { status: number }[]) => answers.map(({ status }) => status)
const numbered = (count: number) => Array.from({ length: count }, (_, number) => number)

async function rows<Row>(text: string, ...values: unknown[]): Promise<Row[]> {
  return await app.database.rows<Row>({ name: '', text, values })
}
/** What the organization's history says of its last changes, the oldest first. */
async function lastChanges(count: number): Promise<{ seq: number; kind: string; member_id: string }[]> {
  const latest = await rows<{ seq: number; kind: string; member_id: string }>(
    `select c.seq, c.kind, c.member_id from change c join scim_roster r on r.organization_id = c.organization_id
     where r.connection_id = $1 order by c.seq desc limit $2`,
    scim.connectionId,
    count,
  )
  return latest.toReversed()
}

describe('changes of users that come together', () => {
  it('are written by fewer statements than they are, each with a change of its own', async () => {
    const texts = await statementsOf(app.database, async () => {
      const answers = await Promise.all(numbered(8).map((n) => post(`together-${n}@acme.example`)))
      assert.deepEqual(statuses(answers), Array(8).fill(201))
      const ids = answers.map(({ body }) => body.id as string)
      const changed = await Promise.all(ids.map((id) => patch(id, 'active', false)))
      assert.deepEqual(statuses(changed), Array(8).fill(200))
      assert.ok(changed.every(({ body }) => body.active === false))
    })
    const writing = texts.filter((text) => text.includes('insert into change'))
    assert.ok(writing.length >= 2 && writing.length < 12, String(writing.length))
    const changes = await lastChanges(16)
    assert.deepEqual(
      changes.map(({ kind }) => kind),
      [...Array(8).fill('member.created'), ...Array(8).fill('member.suspended')],
    )
    assert.deepEqual(
      changes.map(({ seq }) => seq - changes[0]!.seq),
      numbered(16),
    )
    assert.equal(new Set(changes.slice(0, 8).map((change) => change.member_id)).size, 8)
  })

  it('are refused alone: the others are written', async () => {
    await scim.user({ userName: 'taken@acme.example' })
    const names = ['one', 'two', 'taken', 'three', 'four', 'five']
    const answers = await Promise.all(names.map((name) => post(`${name}@acme.example`)))
    assert.deepEqual(statuses(answers), [201, 201, 409, 201, 201, 201])
    const list = await scim.expect(200, 'GET', '/Users?count=1000')
    assert.equal(list.Resources.length, list.totalResults)
    for (const [n, { body }] of answers.entries()) {
      if (n !== 2) await scim.expect(200, 'GET', `/Users/${body.id}`)
    }
  })

  it('of one user lose nothing of each other', async () => {
    const { id } = await scim.user()
    const paths = ['title', 'nickName', 'name.givenName', 'name.familyName', 'locale', 'userType']
    for (let round = 0; round < 10; round++) {
      const answers = await Promise.all(paths.map((path) => patch(id, path, `${path} ${round}`)))
      assert.deepEqual(statuses(answers), Array(6).fill(200))
      const user = await scim.expect(200, 'GET', `/Users/${id}`)
      const kept = [user.title, user.nickName, user.name.givenName, user.name.familyName, user.locale]
      assert.deepEqual(
        [...kept, user.userType],
        paths.map((path) => `${path} ${round}`),
      )
      assert.equal(user.meta.version, `W/"${1 + 6 * (round + 1)}"`)
    }
  })

  it('of one version go through once', async () => {
    const { id, meta } = await scim.user()
    const answers = await Promise.all(
      numbered(6).map((n) =>
        scim.call('PATCH', `/Users/${id}`, {
          ...replace('title', `Title ${n}`),
          headers: { 'if-match': meta.version },
        }),
      ),
    )
    assert.deepEqual(statuses(answers).toSorted(), [200, 412, 412, 412, 412, 412])
  })

  it('wait for whoever gives a member something meanwhile, and see it', async () => {
    const { id } = await scim.user()
    const others = await Promise.all(numbered(3).map(() => scim.user()))
    const [person] = await rows<{ organization_id: string; member_id: string }>(
      'select organization_id, member_id from scim_user where id = $1',
      id,
    )
    const held = await holdOpen(app.connectionString)
    await held.query('select 1 from member where organization_id = $1 and id = $2 for key share', [
      person!.organization_id,
      person!.member_id,
    ])
    const waiting = patch(id, 'active', false)
    const free = await Promise.all(others.map((other) => patch(other.id, 'active', false)))
    assert.deepEqual(statuses(free), [200, 200, 200], 'nobody else waits')
    await untilWaiting(app.database, 1)
    await held.query(
      `insert into api_key (organization_id, id, name, hint, scopes, member_id, created_at)
       values ($1, gen_random_uuid(), 'late', 'late', '{}', $2, now())`,
      [person!.organization_id, person!.member_id],
    )
    await held.commit()
    assert.equal((await waiting).status, 200)
    const keys = await rows<{ revoked: boolean }>(
      'select revoked_at is not null as revoked from api_key where member_id = $1',
      person!.member_id,
    )
    assert.deepEqual(keys, [{ revoked: true }])
  })
})

describe('rules that hold for changes of users that come together', () => {
  const uuidsOf = async (client: ScimTestClient, names: readonly string[]) => {
    const users = await Promise.all(names.map((name) => client.user({ userName: name })))
    return users.map((user) => user.id as string)
  }
  const setActive = (client: ScimTestClient, ids: readonly string[], value: boolean) =>
    Promise.all(ids.map((id) => client.call('PATCH', `/Users/${id}`, replace('active', value))))

  it('leave the last owner, of two who are deactivated at once', async () => {
    const own = await openScim(app, 'owners')
    const names = ['first@owners-two.example', 'second@owners-two.example']
    const ids = await uuidsOf(own, names)
    const { data } = await own.directory.get('/members?limit=100')
    const isOurs = ({ email }: { email: string }) => names.includes(email)
    for (const { id } of data.filter(isOurs)) {
      await own.directory.ok('PUT', `/members/${id}/level`, { level: 'owner' })
    }
    const root = data.find((member: { email: string }) => !isOurs(member))
    await own.directory.ok('DELETE', `/members/${root.id}`)
    const answers = await setActive(own, ids, false)
    assert.equal(answers.filter(({ status }) => status === 200).length, 1)
    const refused = answers.find(({ status }) => status !== 200)
    assert.match(refused!.body.detail, /owner/)
  })

  it('end what is pending of the addresses of those who are deactivated at once', async () => {
    const own = await openScim(app, 'invited')
    const names = ['a', 'b', 'c'].map((name) => `${name}@invited.example`)
    // Invited before they are provisioned: whoever is a member is not invited.
    const invited = [
      await own.directory.post('/invitations', { email: names[0] }),
      await own.directory.post('/invitations', { email: names[1] }),
    ]
    const ids = await uuidsOf(own, names)
    assert.deepEqual(statuses(await setActive(own, ids, false)), [200, 200, 200])
    for (const { id } of invited) {
      assert.equal((await own.directory.get(`/invitations/${id}`)).status, 'revoked')
    }
  })

  it('give the last seat once, of four who are activated at once', async () => {
    const own = await openScim(app, 'last-seat')
    const names = ['a', 'b', 'c', 'd'].map((name) => `${name}@last-seat.example`)
    const ids = await uuidsOf(own, names)
    await own.group('Seated', ids)
    const groups = (await own.directory.get('/groups')).data
    const group = groups.find(({ name }: { name: string }) => name === 'Seated')
    await setActive(own, ids, false)
    const space = await own.directory.post('/workspaces', {
      name: 'S',
      slug: 'last-seat',
      purchased_seats: 1,
    })
    const { data: roles } = await own.directory.get('/roles?resource=workspace')
    const role = roles.find(({ key }: { key: string }) => key === 'member').id
    await own.directory.post('/role_assignments', { role, group: group.id, target: space.id })
    const answers = await setActive(own, ids, true)
    assert.deepEqual(statuses(answers).toSorted(), [200, 400, 400, 400])
  })
})
