import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { type Answer, startTestApp, type TestApp } from '../../../test/app.ts'
import { openScim, PATCH, type ScimTestClient } from '../../../test/scim-client.ts'

let app: TestApp
let beside: TestApp
let scim: ScimTestClient
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  beside = await startTestApp({ withoutTasks: true, beside: app })
  scim = await openScim(app, 'acme')
})

const processes = () => [app, beside]
const call = (process: TestApp, method: string, path: string, body: object): Promise<Answer> =>
  process.call(method, `${scim.base}${path}`, { key: scim.token, body })
const patch = (process: TestApp, id: string, path: string, value: unknown) =>
  call(process, 'PATCH', `/Users/${id}`, { schemas: [PATCH], Operations: [{ op: 'replace', path, value }] })
async function row<Row>(text: string, ...values: unknown[]): Promise<Row> {
  return (await app.database.row<Row>({ name: '', text, values }))!
}

describe('one connection through two processes', () => {
  it('gets each user once, loses no change of one, and leaves a history without a gap', async () => {
    const before = await row<{ deadlocks: number }>(
      'select deadlocks::integer from pg_stat_database where datname = current_database()',
    )
    for (let round = 0; round < 8; round++) {
      const names = ['a', 'b', 'c', 'd'].map((name) => `${name}-${round}@two.example`)
      const created = await Promise.all(
        processes().flatMap((process, at) =>
          (at === 0 ? names : names.toReversed()).map((userName) =>
            call(process, 'POST', '/Users', { userName }),
          ),
        ),
      )
      assert.deepEqual(
        created.map(({ status }) => status).toSorted(),
        [201, 201, 201, 201, 409, 409, 409, 409],
      )
      const ids = created.filter(({ status }) => status === 201).map(({ body }) => body.id as string)
      const changes = ids.flatMap((id) => [
        patch(app, id, 'title', 'Lead'),
        patch(beside, id, 'nickName', 'Al'),
        patch(app, id, 'active', false),
        patch(beside, id, 'locale', 'en-GB'),
      ])
      assert.deepEqual([...new Set((await Promise.all(changes)).map(({ status }) => status))], [200])
      for (const id of ids) {
        const user = await scim.expect(200, 'GET', `/Users/${id}`)
        assert.deepEqual(
          [user.title, user.nickName, user.active, user.locale, user.meta.version],
          ['Lead', 'Al', false, 'en-GB', 'W/"5"'],
        )
      }
    }
    const history = await row<Record<string, number>>(
      `select count(*)::integer as changes, (max(c.seq) - min(c.seq) + 1)::integer as numbers,
        count(distinct c.at)::integer as times, r.user_count::integer as users
       from scim_roster r join change c on c.organization_id = r.organization_id
       where r.connection_id = $1 group by r.user_count`,
      scim.connectionId,
    )
    assert.equal(history.users, 32)
    assert.deepEqual([history.numbers, history.times], [history.changes, history.changes])
    await app.database.run({ name: '', text: 'select pg_stat_force_next_flush()', values: [] })
    const after = await row<{ deadlocks: number }>(
      'select deadlocks::integer from pg_stat_database where datname = current_database()',
    )
    assert.deepEqual(after, before)
  })
})
