import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { sql } from '#src/platform/postgres/sql.ts'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { openScim, type ScimTestClient } from '../../../test/scim-client.ts'

const USERS = 1500

let app: TestApp
let scim: ScimTestClient
before(async () => {
  app = await startTestApp()
  scim = await openScim(app, 'acme')
  const { id } = await scim.user()
  // Rows like that of the first, as far as lists are concerned.
  await app.database.run(sql`
    insert into member (organization_id, id, email, email_key, created_at, updated_at)
    select organization_id, uuid_v7(), 'm' || i || '@x.example', 'm' || i || '@x.example', now(), now()
    from scim_user, generate_series(2, ${USERS}::integer) i where id = ${id}`)
  await app.database.run(sql`
    insert into scim_user (organization_id, id, connection_id, member_id, seq, user_name, user_name_key, active, document,
      search, email_keys, created_at, updated_at)
    select u.organization_id, uuid_v7(), u.connection_id, m.id, substring(m.email from '\\d+')::integer, m.email, m.email,
      true, '{"userName":"' || m.email || '"}', '{}', '{}', now(), now()
    from scim_user u join member m on m.organization_id = u.organization_id and m.email like 'm%@x.example'
    where u.id = ${id}`)
  await app.database.run(sql`update scim_roster set last_user_seq = ${USERS}, user_count = ${USERS}`)
})

async function namesAt(startIndex: number): Promise<string[]> {
  const { Resources } = await scim.expect(200, 'GET', `/Users?startIndex=${startIndex}&count=3`)
  return Resources.map((user: { userName: string }) => user.userName)
}

describe('a page far from any that was read', () => {
  it('begins at its position, from the end backwards as well', async () => {
    for (const startIndex of [1498, 1250, 1001, 999, 502, 250, 2]) {
      const expected = [0, 1, 2].map((place) => `m${startIndex + place}@x.example`)
      assert.deepEqual(await namesAt(startIndex), expected)
    }
  })

  it('begins at its position after deletions have moved it', async () => {
    const { Resources } = await scim.expect(200, 'GET', '/Users?startIndex=700&count=2')
    for (const { id } of Resources) await scim.expect(204, 'DELETE', `/Users/${id}`)
    assert.deepEqual(await namesAt(1400), ['m1402@x.example', 'm1403@x.example', 'm1404@x.example'])
    assert.deepEqual(await namesAt(699), ['m699@x.example', 'm702@x.example', 'm703@x.example'])
  })
})
