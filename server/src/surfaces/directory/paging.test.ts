import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'

let app: TestApp
let acme: DirectoryClient
/** Every list, with the number of things in it. */
let lists: [tail: string, count: number][]
const COUNT = 7

before(async () => {
  app = await startTestApp()
  const { path } = await app.organization('acme')
  acme = directoryClient(app, path)
  const group = await acme.group()
  const references = Array.from({ length: COUNT }, (_, index) => `p-${index}`)
  for (const reference of references) {
    const { id } = await acme.member({ external_reference_id: reference })
    await acme.post(`/members/${id}/suspend`)
  }
  for (let index = 1; index < COUNT; index++) await acme.group()
  for (let index = 1; index < COUNT; index++) await acme.key(['groups:read'])
  for (let index = 1; index < COUNT; index++) await acme.sync(group.id, references.slice(0, index))
  await acme.sync(group.id, references)
  await acme.ok('PATCH', '', { settings: { removal_brake: { member_sync: { max_removals: 0 } } } })
  let planId = ''
  for (let index = 0; index < COUNT; index++) planId = (await acme.sync(group.id, [])).held_plan
  for (let index = 0; index < COUNT; index++) {
    await acme.post('/workspaces', { name: `W${index}`, slug: `acme-${index}` })
    await acme.post('/workspaces/acme-0/projects', { name: `P${index}`, identifier: `P${index}` })
    const { id } = await acme.post('/projects', { name: `Own ${index}` })
    if (index < 3) await acme.post(`/projects/${id}/archive`)
  }
  const { number } = await acme.lastChange()
  lists = [
    ['/members', COUNT + 1],
    ['/members?status=suspended', COUNT],
    ['/groups', COUNT],
    [`/groups/${group.id}/members`, COUNT],
    [`/groups/${group.id}/members?as_of=${(await acme.lastChange()).at}`, COUNT],
    [`/groups/${group.id}/member_syncs`, 2 * COUNT],
    ['/plans', COUNT],
    [`/plans/${planId}/entries`, COUNT],
    ['/changes', number],
    ['/changes?order=desc', number],
    ['/api_keys', COUNT],
    ['/workspaces', COUNT],
    ['/workspaces/acme-0/projects', COUNT],
    ['/projects?workspace=acme-0', COUNT],
    ['/projects', 2 * COUNT - 3],
    ['/projects?include_archived=true', 2 * COUNT],
  ]
})

const withQuery = (tail: string, query: string) => `${tail}${tail.includes('?') ? '&' : '?'}${query}`

/** What tells an item of any list from the others. */
const keyOf = (item: Record<string, unknown>) => String(item.id ?? item.member)

describe('every list', () => {
  it('read page by page has each item once, in the order of one large page, for every size of page', async () => {
    for (const [tail, count] of lists) {
      const whole = await acme.get(withQuery(tail, 'limit=1000'))
      assert.deepEqual([whole.data.length, whole.has_more, whole.next_cursor], [count, false, null], tail)
      for (const limit of [1, 2, 3, count - 1, count, count + 1]) {
        const found = []
        let after = ''
        for (;;) {
          const page = await acme.get(withQuery(tail, `limit=${limit}${after}`))
          assert.deepEqual(Object.keys(page), ['data', 'has_more', 'next_cursor'])
          assert.ok(page.data.length === limit || !page.has_more, tail)
          assert.equal(page.has_more, page.next_cursor !== null)
          found.push(...page.data)
          if (!page.has_more) break
          after = `&after=${page.next_cursor}`
        }
        assert.deepEqual(found, whole.data, `${tail} limit ${limit}`)
        assert.equal(new Set(found.map(keyOf)).size, count, tail)
      }
    }
  })

  it('has 100 items a page unless asked otherwise, and up to 1,000', async () => {
    const large = directoryClient(app, (await app.organization('large')).path)
    await app.database.run({
      name: '',
      text: `insert into member (organization_id, id, external_reference_id, created_at, updated_at)
        select id, uuid_v7(), 'n' || n, now(), now() from organization, generate_series(1, 1200) n where slug = 'large'`,
      values: [],
    })
    assert.equal((await large.get('/members')).data.length, 100)
    assert.equal((await large.get('/members?limit=1000')).data.length, 1000)
  })

  it('refuses a limit that is out of range or no number, by the name of the field', async () => {
    for (const [tail] of lists) {
      for (const limit of ['0', '-1', '1001', '1e9', '1.5', 'ten', '', 'Infinity', '5&limit=6']) {
        const refusal = await acme.refused('GET', withQuery(tail, `limit=${limit}`), 'request.invalid', 400)
        assert.equal(refusal.field, 'limit', `${tail} ${limit}`)
        assert.match(refusal.detail, /^limit must be/)
      }
    }
  })

  it('refuses a cursor it did not give, by the name of the field', async () => {
    for (const [tail] of lists) {
      for (const cursor of [
        'x',
        'AAAA',
        '%20',
        Buffer.from('; drop').toString('base64url'),
        'x'.repeat(201),
      ]) {
        const refusal = await acme.refused('GET', withQuery(tail, `after=${cursor}`), 'request.invalid', 400)
        assert.equal(refusal.field, 'after', `${tail} ${cursor}`)
      }
    }
  })

  it('keeps its cursor good when the item it stands for is gone', async () => {
    const churn = directoryClient(app, (await app.organization('churn')).path)
    const members = []
    for (let index = 0; index < 5; index++) members.push((await churn.member()).id)
    const first = await churn.get('/members?limit=3')
    await churn.ok('DELETE', `/members/${first.data.at(-1).id}`)
    const rest = await churn.get(`/members?limit=10&after=${first.next_cursor}`)
    const ids = rest.data.map((row: { id: string }) => row.id)
    assert.deepEqual(ids, members.slice(2))
  })
})

describe('filters', () => {
  it('find a member by email in any case and by reference id, removed ones when asked for', async () => {
    const member = await acme.member({ email: 'Find.Me@acme.example', external_reference_id: 'find/me ü' })
    const find = async (query: string) =>
      (await acme.get(`/members?${query}`)).data.map((row: { id: string }) => row.id)
    const reference = `external_reference_id=${encodeURIComponent('find/me ü')}`
    for (const query of [
      'email=find.me@ACME.example',
      reference,
      `${reference}&email=find.me@acme.example`,
    ]) {
      assert.deepEqual(await find(query), [member.id], query)
    }
    assert.deepEqual(await find(`${reference}&email=other@acme.example`), [])
    assert.deepEqual(await find('email=find.me@acme.example&status=removed'), [])
    await acme.ok('DELETE', `/members/${member.id}`)
    assert.deepEqual(await find('email=find.me@acme.example'), [])
    assert.deepEqual(await find('email=find.me@acme.example&status=removed'), [member.id])
    await acme.refused('GET', '/members?email=nobody', 'request.invalid', 400)
    await acme.refused('GET', '/members?status=gone', 'request.invalid', 400)
  })
})
