import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { openScim, type ScimTestClient } from '../../../test/scim-client.ts'

let app: TestApp
before(async () => {
  app = await startTestApp({ withoutTasks: true })
})

const SIZE = 60
const PAGE = 7

/** A connection with users, every third of whom will be deleted while somebody walks. */
async function open(slug: string) {
  const scim: ScimTestClient = await openScim(app, slug)
  const ids: string[] = []
  for (let n = 0; n < SIZE; n++) {
    // Names in another order than that of creation, some of them none.
    const displayName = n % 4 === 0 ? {} : { displayName: `Name ${(n * 37) % SIZE}` }
    ids.push((await scim.user({ userName: `p${n}@${slug}.example`, ...displayName })).id)
  }
  const leaving = ids.filter((_, n) => n % 3 === 0)
  return { scim, slug, staying: ids.filter((id) => !leaving.includes(id)), leaving }
}
type World = Awaited<ReturnType<typeof open>>

/** Between two pages: one is deleted, and one is created. */
async function disturb({ scim, slug, leaving }: World, page: number): Promise<void> {
  const id = page % 2 === 0 ? leaving.shift() : leaving.pop()
  if (id !== undefined) await scim.expect(204, 'DELETE', `/Users/${id}`)
  await scim.user({ userName: `new-${page}@${slug}.example`, displayName: `Name ${page}` })
}

async function walk(
  world: World,
  query: string,
  disturbs: boolean,
): Promise<{ ids: string[]; totals: number[] }> {
  const ids: string[] = []
  const totals: number[] = []
  let cursor: string | undefined = ''
  for (let page = 0; cursor !== undefined; page++) {
    const url = `/Users?count=${PAGE}${query}&cursor=${encodeURIComponent(cursor)}`
    const answer: { Resources: { id: string }[]; totalResults: number; nextCursor?: string } =
      await world.scim.expect(200, 'GET', url)
    ids.push(...answer.Resources.map(({ id }) => id))
    totals.push(answer.totalResults)
    cursor = answer.nextCursor
    if (disturbs && cursor !== undefined) await disturb(world, page)
    assert.ok(page < 200, 'the walk does not end')
  }
  return { ids, totals }
}

const ORDERS = [
  '',
  '&sortBy=displayName',
  '&sortBy=displayName&sortOrder=descending',
  '&sortBy=meta.created',
  '&filter=active%20eq%20true',
]

describe('a walk by cursor', () => {
  for (const [n, query] of ORDERS.entries()) {
    it(`meets whoever stays exactly once while others come and go (${query || 'no order'})`, async () => {
      const world = await open(`cursor-${n}`)
      const { ids } = await walk(world, query, true)
      assert.equal(new Set(ids).size, ids.length, 'nobody twice')
      assert.deepEqual(
        world.staying.filter((id) => !ids.includes(id)),
        [],
        'nobody lost',
      )
      const { ids: after, totals } = await walk(world, query, false)
      assert.equal(new Set(totals).size, 1)
      assert.equal(after.length, totals[0])
    })
  }

  it('refuses a cursor of another list, one made up, and one with a value of another kind, by name', async () => {
    const { scim } = await open('forged')
    const { nextCursor } = await scim.expect(200, 'GET', '/Users?count=1&cursor=&sortBy=active')
    const refused = (query: string) => scim.call('GET', `/Users?${query}`)
    assert.equal((await refused(`cursor=${nextCursor}`)).body.scimType, 'invalidCursor')
    assert.equal((await refused('cursor=nonsense')).body.scimType, 'invalidCursor')
    const opened = JSON.parse(Buffer.from(nextCursor, 'base64url').toString())
    for (const value of ['no boolean', 'a\u0000b']) {
      const forged = Buffer.from(JSON.stringify({ ...opened, value })).toString('base64url')
      const answer = await refused(`sortBy=active&cursor=${forged}`)
      assert.equal(answer.status, 400, JSON.stringify(answer.body))
    }
  })
})

describe('a walk by index', () => {
  it('has the right total on every page and everybody once where nothing moves, new ones at the end', async () => {
    const world = await open('index')
    const { scim } = world
    const ids: string[] = []
    for (let start = 1; ; start += PAGE) {
      const page = await scim.expect(200, 'GET', `/Users?startIndex=${start}&count=${PAGE}`)
      assert.equal(page.startIndex, start)
      if (page.Resources.length === 0) break
      ids.push(...page.Resources.map(({ id }: { id: string }) => id))
      const { totalResults } = await scim.expect(200, 'GET', '/Users?count=0')
      assert.equal(totalResults, page.totalResults)
      if (start < 30) await scim.user({ userName: `later-${start}@index.example` })
    }
    assert.equal(ids.length, SIZE + 5)
    assert.deepEqual(new Set(ids).size, ids.length)
  })

  it('shows after deletions what is there, whatever was read before', async () => {
    const { scim, leaving } = await open('moved')
    const read = async () => {
      const ids: string[] = []
      for (let start = 1; start <= SIZE; start += PAGE) {
        const page = await scim.expect(200, 'GET', `/Users?startIndex=${start}&count=${PAGE}`)
        ids.push(...page.Resources.map(({ id }: { id: string }) => id))
      }
      return ids
    }
    const before = await read()
    for (const id of leaving) await scim.expect(204, 'DELETE', `/Users/${id}`)
    assert.deepEqual(
      await read(),
      before.filter((id) => !leaving.includes(id)),
    )
  })

  it('costs the same at the end of 50,000 users as at their beginning', async () => {
    const scim = await openScim(app, 'long')
    const run = (text: string) => app.database.run({ name: '', text, values: [] })
    await run(`insert into member (organization_id, id, created_at, updated_at)
      select r.organization_id, uuid_v7(), now(), now()
      from scim_roster r, generate_series(1, 50000) where r.connection_id = '${scim.connectionId}'`)
    await run(`insert into scim_user (organization_id, id, connection_id, member_id, seq, user_name, user_name_key, active,
        document, search, email_keys, created_at, updated_at)
      select m.organization_id, uuid_v7(), r.connection_id, m.id, row_number() over (order by m.id), m.id, m.id,
        true, '{"userName":"x"}', '{}', '{}', now(), now()
      from member m join scim_roster r on r.organization_id = m.organization_id
      where r.connection_id = '${scim.connectionId}' and m.email is null`)
    await run(
      `update scim_roster set user_count = 50000, last_user_seq = 50000 where connection_id = '${scim.connectionId}'`,
    )
    await run('analyze')
    const fetched = async () => {
      await Promise.all(
        Array.from({ length: 40 }, () => run('select pg_stat_force_next_flush(), pg_sleep(0.005)')),
      )
      const row = await app.database.row<{ rows: number }>({
        name: '',
        text: `select (seq_tup_read + idx_tup_fetch)::integer as rows from pg_stat_user_tables where relname = 'scim_user'`,
        values: [],
      })
      return row!.rows
    }
    const cost = async (query: string) => {
      const before = await fetched()
      const page = await scim.expect(200, 'GET', `/Users?count=100${query}`)
      assert.deepEqual([page.Resources.length, page.totalResults], [100, 50_000])
      return (await fetched()) - before
    }
    const first = await cost('&startIndex=1')
    for (let start = 101; start < 1000; start += 100)
      assert.ok((await cost(`&startIndex=${start}`)) <= first + 10)
    const seq = 49_900
    const { nextCursor } = await scim.expect(200, 'GET', '/Users?count=1&cursor=')
    const opened = JSON.parse(Buffer.from(nextCursor, 'base64url').toString())
    const last = Buffer.from(JSON.stringify({ ...opened, seq })).toString('base64url')
    assert.ok((await cost(`&cursor=${last}`)) <= first + 10)
  })
})
