import assert from 'node:assert/strict'
import { get, type IncomingMessage } from 'node:http'
import { before, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { countScimStatements, openScim, PATCH, type ScimTestClient } from '../../../test/scim-client.ts'

const MEMBERS = 100_000

let app: TestApp
let scim: ScimTestClient
let groupId: string
/** Users who are in no group. */
let free: string[]
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  scim = await openScim(app, 'acme')
  groupId = (await scim.group('Everybody')).id
  await fill()
  free = (
    await app.database.rows<{ id: string }>({
      name: '',
      text: `select id from scim_user u where not exists (select from scim_group_member m where m.user_id = u.id) order by id`,
      values: [],
    })
  ).map(({ id }) => id)
})

const run = (text: string, ...values: unknown[]) => app.database.run({ name: '', text, values })

/** 100,000 users in the group, and 20,000 in none, as if they had been provisioned one by one. */
async function fill(): Promise<void> {
  await run(`insert into member (organization_id, id, email, email_key, created_at, updated_at)
    select organization_id, uuid_v7(), 'p' || n || '@x.example', 'p' || n || '@x.example', now(), now()
    from scim_roster, generate_series(1, ${MEMBERS + 20_000}) n`)
  await run(`insert into scim_user (organization_id, id, connection_id, member_id, seq, user_name, user_name_key, active,
      document, search, email_keys, created_at, updated_at)
    select m.organization_id, uuid_v7(), r.connection_id, m.id, row_number() over (order by m.id), m.email, m.email_key,
      true, '{"userName":"' || m.email || '"}', '{}', '{}', now(), now()
    from member m join scim_roster r using (organization_id) where m.email_key like '%@x.example'`)
  await run(
    `insert into scim_group_member (organization_id, group_id, user_id)
    select organization_id, $1, id from scim_user order by id limit ${MEMBERS}`,
    groupId,
  )
  await run(
    `insert into group_membership (organization_id, group_id, member_id, source_id, opened_change)
    select u.organization_id, $1, u.member_id, r.source_id, (select id from change order by seq desc limit 1)
    from scim_group_member sm join scim_user u on u.id = sm.user_id
    join scim_roster r on r.organization_id = u.organization_id`,
    groupId,
  )
  await run(`update scim_group set member_count = ${MEMBERS}`)
  await run(`update scim_roster set user_count = ${MEMBERS + 20_000}, last_user_seq = ${MEMBERS + 20_000}`)
  await run('analyze')
}

const add = (ids: readonly string[]) => ({
  op: 'add',
  path: 'members',
  value: ids.map((value) => ({ value })),
})
const patch = (...operations: object[]) =>
  scim.call('PATCH', `/Groups/${groupId}?excludedAttributes=members`, {
    body: { schemas: [PATCH], Operations: operations },
  })

/** Rows of the connection's tables that were read or written since the server started, as PostgreSQL counts them. */
async function touched(table: string): Promise<number> {
  const row = await app.database.row<{ rows: number }>({
    name: '',
    text: `select (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) + n_tup_ins + n_tup_del)::integer as rows
      from pg_stat_user_tables where relname = $1`,
    values: [table],
  })
  return row!.rows
}
/** What some work touches of a table. Each connection of the pool has to tell what it knows. */
async function touching(table: string, work: () => Promise<unknown>): Promise<number> {
  const settle = () =>
    Promise.all(Array.from({ length: 40 }, () => run('select pg_stat_force_next_flush(), pg_sleep(0.005)')))
  await settle()
  const before = await touched(table)
  await work()
  await settle()
  return (await touched(table)) - before
}

describe('a group of 100,000 members', () => {
  it('takes 100 and 10,000 members in the same number of statements, and gives them up again', async () => {
    const counted = async (operation: object) =>
      await countScimStatements(app, async () => {
        const answer = await patch(operation)
        assert.equal(answer.status, 200, JSON.stringify(answer.body))
      })
    const both = async (ids: readonly string[]) => [
      await counted(add(ids)),
      await counted({ ...add(ids), op: 'remove' }),
    ]
    const few = await both(free.slice(0, 100))
    assert.deepEqual(await both(free.slice(0, 10_000)), few)
    assert.ok(Math.max(...few) <= 5, String(few))
    const row = await app.database.row<object>({
      name: '',
      text: `select member_count, (select count(*)::integer from group_membership) as granted from scim_group`,
      values: [],
    })
    assert.deepEqual(row, { member_count: MEMBERS, granted: MEMBERS })
  })

  it('is changed by 100 members at the price of 100, not of 100,000', async () => {
    const ids = free.slice(0, 100)
    for (const table of ['scim_group_member', 'group_membership', 'scim_user', 'member']) {
      const joined = await touching(table, () => patch(add(ids)))
      const left = await touching(table, () => patch({ ...add(ids), op: 'remove' }))
      assert.ok(joined < 2000 && left < 2000, `${table}: ${joined} ${left}`)
    }
  })

  it('is read without its members at the price of one row', async () => {
    const read = (query: string) => scim.expect(200, 'GET', query)
    const rows = await touching('scim_group_member', async () => {
      const group = await read(`/Groups/${groupId}?excludedAttributes=members`)
      assert.equal(group.members, undefined)
      await read(`/Groups/${groupId}?attributes=displayName`)
      await read('/Groups?excludedAttributes=members')
      await read(
        '/Groups?filter=displayName eq "everybody"&excludedAttributes=members'.replaceAll(' ', '%20'),
      )
    })
    assert.equal(rows, 0)
  })
  it('comes whole to who reads it slowly, while others hang up in the middle of it', async () => {
    const url = await app.http.listen({ host: '127.0.0.1', port: 0 })
    const asked = () =>
      new Promise<IncomingMessage>((resolve, reject) => {
        const headers = { authorization: `Bearer ${scim.token}` }
        get(`${url}${scim.base}/Groups/${groupId}`, { headers }, resolve).on('error', reject)
      })
    const readSlowly = async () => {
      const pieces: Buffer[] = []
      for await (const piece of await asked()) {
        if (pieces.push(piece) % 64 === 0) await setTimeout(1)
      }
      return Buffer.concat(pieces)
    }
    const hangUp = async () => {
      const answer = await asked()
      await new Promise((resolve) => answer.once('data', resolve))
      answer.destroy()
    }
    const [first, ...others] = (
      await Promise.all([readSlowly(), hangUp(), readSlowly(), hangUp(), hangUp(), readSlowly()])
    ).filter((text) => text !== undefined)
    const { members } = JSON.parse(first!.toString())
    assert.equal(new Set(members.map(({ value }: { value: string }) => value)).size, MEMBERS)
    for (const text of others) assert.ok(text.equals(first!))
  })
})
