import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { vitableClient } from '../../../test/vitable-client.ts'

let app: TestApp
before(async () => {
  app = await startTestApp({ withoutTasks: true })
})

interface Page {
  data: { id: string; name: string }[]
  pagination: { page: number; limit: number; total: number; total_pages: number }
}

async function organizationWithGroups(slug: string, count: number) {
  const { key, path } = await app.organization(slug)
  const client = vitableClient(app, key)
  const ids: string[] = []
  for (let index = 1; index <= count; index++) ids.push(await client.group(`Group ${index}`))
  const pages: number[] = []
  const read = async (page: number, limit: number): Promise<Page> => {
    const answer = await app.call('GET', `/v1/groups?page=${page}&limit=${limit}`, { key })
    assert.equal(answer.status, 200)
    pages.push(page)
    return answer.body
  }
  return { key, path, ids, read, pages }
}
type Reader = (page: number, limit: number) => Promise<Page>

/** The earlier generation of SDKs: `page >= total_pages`, or an empty page, is the end. */
async function readUntilTotal(read: Reader, limit: number): Promise<string[]> {
  const found: string[] = []
  for (let page = 1; ; page++) {
    const { data, pagination } = await read(page, limit)
    found.push(...data.map((group) => group.id))
    if (data.length === 0 || page >= (pagination.total_pages ?? 1)) return found
  }
}

/** The current generation: only an empty page is the end. */
async function readUntilEmpty(read: Reader, limit: number): Promise<string[]> {
  const found: string[] = []
  for (let page = 1; ; page++) {
    const { data } = await read(page, limit)
    if (data.length === 0) return found
    found.push(...data.map((group) => group.id))
  }
}

describe('both generations of SDKs', () => {
  it('read 3 groups in pages of 2: one asks for 2 pages, the other for a third, empty one', async () => {
    const { ids, read, pages } = await organizationWithGroups('three', 3)
    assert.deepEqual(await readUntilTotal(read, 2), ids)
    assert.deepEqual(pages.splice(0), [1, 2])
    assert.deepEqual(await readUntilEmpty(read, 2), ids)
    assert.deepEqual(pages, [1, 2, 3])
  })

  it('read no groups, and a number of groups that fills its pages, to the same end', async () => {
    const none = await organizationWithGroups('none', 0)
    const full = await organizationWithGroups('full', 4)
    for (const read of [readUntilTotal, readUntilEmpty]) {
      assert.deepEqual(await read(none.read, 2), [])
      assert.deepEqual(await read(full.read, 2), full.ids)
      assert.deepEqual(await read(full.read, 1), full.ids)
      assert.deepEqual(await read(full.read, 100), full.ids)
    }
  })

  it('see each group once when groups appear and disappear between two whole readings', async () => {
    const { key, path, ids, read } = await organizationWithGroups('moving', 7)
    await readUntilEmpty(read, 2)
    for (const gone of [ids[0], ids[4]]) {
      assert.equal((await app.call('DELETE', `${path}/groups/${gone}`)).status, 204)
    }
    const added = await vitableClient(app, key).group('Group 8')
    const expected = [...ids.filter((id) => id !== ids[0] && id !== ids[4]), added]
    for (const limit of [1, 2, 3, 100]) {
      assert.deepEqual(await readUntilEmpty(read, limit), expected)
      assert.deepEqual(await readUntilTotal(read, limit), expected)
    }
    const deletion = (await app.call('GET', `${path}/changes?kind=group.deleted`)).body.data[0]
    assert.equal((await app.call('POST', `${path}/changes/${deletion.id}/undo`)).status, 200)
    assert.deepEqual(await readUntilEmpty(read, 2), [ids[0], ...expected])
  })
})

describe('a page', () => {
  it('past the end is 200 with no data and the true totals', async () => {
    const { read } = await organizationWithGroups('past', 3)
    for (const page of [3, 4, 1000, 1_000_000]) {
      assert.deepEqual(await read(page, 2), {
        data: [],
        pagination: { page, limit: 2, total: 3, total_pages: 2 },
      })
    }
  })

  it('has 20 groups unless asked otherwise, in the order of their creation', async () => {
    const { key, ids } = await organizationWithGroups('twenty', 21)
    const first = (await app.call('GET', '/v1/groups', { key })).body
    assert.deepEqual(
      first.data.map((group: { id: string }) => group.id),
      ids.slice(0, 20),
    )
    assert.deepEqual(first.pagination, { page: 1, limit: 20, total: 21, total_pages: 2 })
  })

  it('is refused with 400 for a limit or page that is out of range or no number', async () => {
    const { key } = await organizationWithGroups('range', 1)
    const wrong = {
      limit: ['0', '101', '-1', '1.5', 'ten', '', '1e9', 'NaN', '1&limit=2'],
      page: ['0', '-1', '1.5', 'x', ''],
    }
    for (const [name, values] of Object.entries(wrong)) {
      for (const value of values) {
        const { status, body } = await app.call('GET', `/v1/groups?${name}=${value}`, { key })
        assert.equal(status, 400, `${name}=${value}`)
        assert.match(body.message, new RegExp(`^${name} must be`))
      }
    }
    for (const limit of [1, 100]) {
      assert.equal((await app.call('GET', `/v1/groups?limit=${limit}`, { key })).status, 200)
    }
  })
})

describe('the external_reference_id filter', () => {
  it('finds the one group that has exactly this reference id, and says so in its totals', async () => {
    const { key, ids } = await organizationWithGroups('filter', 3)
    const find = (query: string) => app.call('GET', `/v1/groups?${query}`, { key })
    const reference = encodeURIComponent('ref of Group 2')
    const found = (await find(`external_reference_id=${reference}`)).body
    assert.deepEqual(
      found.data.map((group: { id: string }) => group.id),
      [ids[1]],
    )
    assert.deepEqual(found.pagination, { page: 1, limit: 20, total: 1, total_pages: 1 })
    const past = (await find(`external_reference_id=${reference}&page=2`)).body
    assert.deepEqual(past, { data: [], pagination: { page: 2, limit: 20, total: 1, total_pages: 1 } })
    for (const other of ['ref%20of%20Group', 'REF%20of%20Group%202', 'unknown', '%25']) {
      const none = (await find(`external_reference_id=${other}`)).body
      assert.deepEqual(none.data, [], other)
      assert.equal(none.pagination.total, 0)
    }
  })

  it('does not find a group of another organization', async () => {
    const { key } = await organizationWithGroups('filter-mine', 0)
    await organizationWithGroups('filter-theirs', 1)
    const found = await app.call('GET', `/v1/groups?external_reference_id=ref%20of%20Group%201`, { key })
    assert.deepEqual(found.body.data, [])
  })
})
