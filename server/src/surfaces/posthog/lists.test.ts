import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { openPosthogWorld, type PosthogWorld } from '../../../test/posthog-world.ts'

const MEMBERS = 25

let world: PosthogWorld
before(async () => {
  world = await openPosthogWorld('acme')
  for (let count = 1; count < MEMBERS; count++) await world.directory.member()
})

const HOST = 'https://rollcall.example'
const members = (query: string) => world.client.get(`/members/${query}`)
const idsOf = ({ results }: { results: { id: string }[] }) => results.map(({ id }) => id)

/** The page that a link leads to. */
async function follow(link: string) {
  assert.ok(link.startsWith(`${HOST}/`), link)
  const { status, body } = await world.app.call('GET', link.slice(HOST.length), { key: world.key })
  assert.equal(status, 200, JSON.stringify(body))
  return body
}

describe('a list', () => {
  it('has 100 items on a page unless asked otherwise, and tells how many there are', async () => {
    const all = await members('')
    assert.deepEqual([all.count, all.next, all.previous, all.results.length], [MEMBERS, null, null, MEMBERS])
  })

  it('is read whole by following next, and back by following previous', async () => {
    for (const order of ['joined_at', '-joined_at']) {
      const all = idsOf(await members(`?order=${order}`))
      const path = `/api/organizations/@current/members/?order=${order}&`
      let page = await members(`?order=${order}&limit=10`)
      assert.equal(page.next, `${HOST}${path}limit=10&offset=10`)
      const seen = idsOf(page)
      while (page.next !== null) {
        page = await follow(page.next)
        assert.equal(page.count, MEMBERS)
        seen.push(...idsOf(page))
      }
      assert.deepEqual(seen, all)
      assert.equal(page.previous, `${HOST}${path}limit=10&offset=10`)
      const first = await follow((await follow(page.previous)).previous)
      assert.deepEqual([idsOf(first), first.previous], [all.slice(0, 10), null])
    }
  })

  it('goes on after a row where it is too far to be counted to', async () => {
    const all = idsOf(await members('?order=joined_at'))
    const page = await members(`?order=joined_at&limit=10&offset=10000&after=${all[9]}`)
    assert.deepEqual(idsOf(page), all.slice(10, 20))
    const { searchParams } = new URL(page.next)
    assert.deepEqual(
      ['offset', 'after', 'order'].map((name) => searchParams.get(name)),
      ['10010', all[19], 'joined_at'],
    )
    const last = await follow(page.next)
    assert.deepEqual([idsOf(last), last.next], [all.slice(20), null])
  })

  it('past its end is empty, not refused', async () => {
    const { count, results } = await members('?offset=10000')
    assert.deepEqual([count, results], [MEMBERS, []])
  })

  it('of every kind has the same pages', async () => {
    const { client, directory } = world
    for (const name of ['a', 'b', 'c']) {
      await client.post('/domains/', { domain: `${name}.example` })
      await client.post('/identity_provider_configs/', { name })
      await client.post('/invites/', { target_email: `${name}@people.example` })
      await client.post('/roles/', { name })
      await directory.post('/integrations', { kind: name })
    }
    for (const path of ['/domains', '/identity_provider_configs', '/invites', '/roles', '/integrations']) {
      const all = await client.get(`${path}/`)
      assert.deepEqual([all.count, all.results.length], [3, 3], path)
      const first = await client.get(`${path}/?limit=2`)
      assert.deepEqual([first.count, first.results.length, first.previous], [3, 2, null], path)
      const second = await follow(first.next)
      assert.deepEqual([...idsOf(first), ...idsOf(second)], idsOf(all), path)
      assert.equal(second.next, null)
    }
  })

  it('refuses what is no number or too far, and takes a limit that is too large as the largest', async () => {
    const { client } = world
    for (const [query, field] of [
      ['limit=x', 'limit'],
      ['limit=0', 'limit'],
      ['limit=1.5', 'limit'],
      ['offset=-1', 'offset'],
      ['offset=10001', 'offset'],
      ['offset=10001&after=x', 'after'],
    ] as const) {
      await client.refused('GET', `/members/?${query}`, [400, 'invalid_input', field])
    }
    assert.equal((await members('?limit=5000')).results.length, MEMBERS)
    assert.equal((await members('?limit=&offset=')).results.length, MEMBERS)
  })
})
