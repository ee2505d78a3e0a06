import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { directoryClient } from '../../../test/directory-client.ts'

let app: TestApp
before(async () => {
  app = await startTestApp({ poolSize: 24 })
})

interface Change {
  id: string
  number: number
  at: string
  kind: string
}

describe('the change feed', () => {
  it('is without gaps under 20 writers, and a reader at its end never misses or repeats one', async () => {
    const client = directoryClient(app, (await app.organization('busy')).path)
    const [group, other] = [await client.group(), await client.group()]
    const WRITERS = 20
    const ROUNDS = 8
    let writing = true
    const seen: Change[] = []

    async function tail(): Promise<void> {
      let after = ''
      for (;;) {
        const stopAfterThis = !writing
        const page = await client.get(`/changes?limit=7${after}`)
        seen.push(...page.data)
        const last = page.data.at(-1)
        if (last !== undefined) after = `&after=${Buffer.from(String(last.number)).toString('base64url')}`
        if (stopAfterThis && page.data.length === 0) return
        await setImmediate()
      }
    }
    async function write(writer: number): Promise<void> {
      for (let round = 0; round < ROUNDS; round++) {
        const { id } = await client.member({ external_reference_id: `w-${writer}-${round}` })
        await client.add(group.id, id)
        if (round % 3 === 0) await client.ok('DELETE', `/groups/${group.id}/members/${id}`)
        if (round % 4 === 0) await client.group()
        // A refused request in between takes no number.
        await client.refused('POST', '/members', 'member.external_reference_id_taken', 409, {
          body: { external_reference_id: `w-${writer}-${round}` },
        })
        if (writer === 0) await client.sync(other.id, [`s-${round}`])
      }
    }
    const reader = tail()
    await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)))
    writing = false
    await reader

    assert.ok(seen.length > WRITERS * ROUNDS * 2)
    assert.deepEqual(
      seen.map(({ number }) => number),
      seen.map((_, index) => index + 1),
    )
    assert.equal(new Set(seen.map(({ id }) => id)).size, seen.length)
    for (const [index, { at }] of seen.entries()) {
      if (index > 0) assert.ok(at > seen[index - 1]!.at, `change ${index + 1} is later than the one before`)
    }
  })

  it('is read in both directions, filtered, page by page, with the same changes', async () => {
    const client = directoryClient(app, (await app.organization('pages')).path)
    const [group, member] = [await client.group(), await client.member()]
    for (let round = 0; round < 4; round++) {
      await client.add(group.id, member.id)
      await client.ok('DELETE', `/groups/${group.id}/members/${member.id}`)
      await client.member()
    }
    async function read(query: string): Promise<Change[]> {
      const found: Change[] = []
      let after = ''
      for (;;) {
        const page = await client.get(`/changes?limit=3&${query}${after}`)
        found.push(...page.data)
        assert.equal(page.has_more, page.next_cursor !== null)
        if (!page.has_more) return found
        after = `&after=${page.next_cursor}`
      }
    }
    const all = await read('order=asc')
    assert.deepEqual((await read('order=desc')).reverse(), all)
    const of = (...kinds: string[]) => all.filter(({ kind }) => kinds.includes(kind)).map(({ id }) => id)
    const ids = async (query: string) => (await read(query)).map(({ id }) => id)
    const moves = ['group.member_added', 'group.member_removed']
    assert.deepEqual(await ids(`group=${group.id}`), of('group.created', ...moves))
    assert.deepEqual(await ids('kind=group.member_added'), of('group.member_added'))
    assert.deepEqual((await ids(`member=${member.id}&kind=group.member_removed`)).length, 4)
    assert.deepEqual(
      await ids(`member=${member.id}&order=desc`),
      (await ids(`member=${member.id}`)).reverse(),
    )
  })

  it('names who did it: the root key, a key, a member through its key, the server', async () => {
    const client = directoryClient(app, (await app.organization('actors')).path)
    await client.group()
    assert.deepEqual((await client.lastChange()).actor, { kind: 'root', id: null })
    const made = await client.post('/api_keys', { name: 'k', scopes: ['*'] })
    await client.send('POST', '/groups', { key: made.key, body: { name: 'By a key' } })
    assert.deepEqual((await client.lastChange()).actor, { kind: 'api_key', id: made.id })
    const member = await client.member({ level: 'admin' })
    const key = await client.key(['*'], { member_id: member.id })
    await client.send('POST', '/groups', { key, body: { name: 'By a member' } })
    assert.deepEqual((await client.lastChange()).actor, { kind: 'member', id: member.id })
  })
})

describe('why somebody has access', () => {
  it('is each grant with its source, since when and until when, and the change that gave it', async () => {
    const client = directoryClient(app, (await app.organization('why')).path)
    const [group, second] = [await client.group({ name: 'A' }), await client.group({ name: 'B' })]
    const member = await client.member({ external_reference_id: 'why', level: 'admin' })
    const created = await client.lastChange()
    const until = new Date(Date.now() + 3_600_000).toISOString()
    await client.add(group.id, member.id, { expires_at: until })
    const added = await client.lastChange()
    const sync = await client.sync(second.id, ['why'])
    const { grants, effective } = await client.get(`/members/${member.id}/access`)
    assert.equal(effective, true)
    const told = grants.map((grant: { until: string | null }) => ({
      ...grant,
      until: grant.until === null ? null : new Date(grant.until).toISOString(),
    }))
    const root = { kind: 'root', id: null }
    const [, admin] = (await client.get('/roles?resource=organization')).data
    assert.deepEqual(told, [
      {
        grant: 'group_membership',
        group: { id: group.id, name: 'A' },
        role: null,
        target: null,
        source: 'manual',
        since: added.at,
        until,
        change: { id: added.id, kind: 'group.member_added', actor: root, cause: null },
      },
      {
        grant: 'group_membership',
        group: { id: second.id, name: 'B' },
        role: null,
        target: null,
        source: 'member_sync',
        since: (await client.get(`/changes/${sync.change}`)).at,
        until: null,
        change: {
          id: sync.change,
          kind: 'group.members_synced',
          actor: root,
          cause: { kind: 'member_sync', id: sync.id },
        },
      },
      {
        grant: 'role',
        group: null,
        role: { id: admin.id, key: 'admin', name: 'Admin' },
        target: { type: 'organization', id: null, name: null },
        source: 'manual',
        since: created.at,
        until: null,
        change: { id: created.id, kind: 'member.created', actor: root, cause: null },
      },
    ])
  })

  it('as of every moment of the past answers what a read at that moment answered, for ever', async () => {
    const client = directoryClient(app, (await app.organization('past')).path)
    const groups = [await client.group(), await client.group()]
    const member = await client.member({ external_reference_id: 'past' })
    const access = async (asOf = '') => {
      const { grants } = await client.get(`/members/${member.id}/access${asOf}`)
      // Until is known only afterwards.
      return grants.map(({ until: _, ...grant }: Record<string, unknown>) => grant)
    }
    const steps = [
      () => client.add(groups[0].id, member.id),
      () => client.sync(groups[0].id, ['past']),
      () => client.ok('PUT', `/members/${member.id}/level`, { level: 'admin' }),
      () => client.add(groups[1].id, member.id),
      () => client.ok('DELETE', `/groups/${groups[0].id}/members/${member.id}`),
      () => client.sync(groups[0].id, ['past']),
      () => client.ok('DELETE', `/groups/${groups[1].id}`),
      () => client.ok('DELETE', `/members/${member.id}`),
      () => client.post(`/members/${member.id}/restore`),
    ]
    const history: { at: string; grants: unknown }[] = []
    for (const step of steps) {
      await step()
      history.push({ at: (await client.lastChange()).at, grants: await access() })
    }
    for (let twice = 0; twice < 2; twice++) {
      for (const { at, grants } of history) assert.deepEqual(await access(`?as_of=${at}`), grants, at)
    }
    assert.deepEqual(await access('?as_of=2020-01-01T00:00:00Z'), [])
    const future = await client.refused(
      'GET',
      `/members/${member.id}/access?as_of=2999-01-01T00:00:00Z`,
      'request.invalid',
      400,
    )
    assert.equal(future.field, 'as_of')
  })
})
