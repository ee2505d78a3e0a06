import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { countStatements } from '../../../test/count-statements.ts'
import { directoryClient } from '../../../test/directory-client.ts'
import { openAuthentication } from '../../directory/api-keys/authentication.ts'
import { createHttpServer } from '../../http-server.ts'

let app: TestApp
before(async () => {
  app = await startTestApp({ withoutTasks: true })
})

const ALL = '/directory/v1/organizations'

/** The same database behind another process's memory. */
async function otherProcess() {
  const authentication = await openAuthentication(app.database, 'root key of the other process')
  const http = await createHttpServer({
    directory: app.directory,
    authentication,
    scim: app.scim,
    log: app.http.log as never,
  })
  return {
    async status(path: string, key: string): Promise<number> {
      const headers = { authorization: `Bearer ${key}` }
      return (await http.inject({ method: 'GET', url: path, headers })).statusCode
    },
    async close() {
      await http.close()
      await authentication.close()
    },
  }
}

async function until(condition: () => Promise<boolean>): Promise<boolean> {
  for (let tries = 0; tries < 200; tries++) {
    if (await condition()) return true
    await setTimeout(25)
  }
  return false
}

describe("a request with an organization's own key", () => {
  it('that reads one thing is one statement, by slug and by id, once the key is known', async () => {
    const { id, path, key } = await app.organization('counted')
    const client = directoryClient(app, path, key)
    const [member, group] = [await client.member(), await client.group()]
    const tails = ['', '/members', `/members/${member.id}`, '/groups', `/groups/${group.id}`, '/api_keys']
    for (const base of [path, `${ALL}/${id}`]) {
      for (const tail of tails) {
        const get = async () => assert.equal((await app.call('GET', base + tail, { key })).status, 200)
        // A key is known for a moment only: of three requests in a row, two find it known.
        const counts = [
          await countStatements(app.database, get),
          await countStatements(app.database, get),
          await countStatements(app.database, get),
        ]
        assert.deepEqual(counts.toSorted()[1], 1, `${base}${tail}: ${counts}`)
      }
    }
  })

  it('sees no other organization, by slug or by id, and its own by no other name', async () => {
    const mine = await app.organization('mine')
    const theirs = await app.organization('theirs')
    const unknown = `org_${'A'.repeat(22)}`
    for (const org of [theirs.slug, theirs.id, 'nobody', unknown, 'MINE', ' mine']) {
      const path = `${ALL}/${encodeURIComponent(org)}`
      for (const tail of ['', '/members']) {
        const answer = await app.call('GET', path + tail, { key: mine.key })
        assert.deepEqual([answer.status, answer.body.code], [404, 'organization.not_found'], org)
      }
    }
  })

  it('finds it under its new slug at once, in every process, and under its id always', async () => {
    const { id, path, key } = await app.organization('old-slug')
    const other = await otherProcess()
    assert.equal(await other.status(path, key), 200)
    const renamed = await app.call('PATCH', path, { key, body: { slug: 'new-slug' } })
    assert.equal(renamed.status, 200)
    assert.equal((await app.call('GET', `${ALL}/new-slug`, { key })).status, 200)
    assert.equal((await app.call('GET', path, { key })).status, 404)
    assert.equal(await other.status(`${ALL}/new-slug`, key), 200)
    assert.equal(await other.status(`${ALL}/${id}`, key), 200)
    assert.ok(await until(async () => (await other.status(path, key)) === 404))
    await other.close()
  })

  it('under a slug that another organization took over never sees that one', async () => {
    const first = await app.organization('passed-on')
    const other = await otherProcess()
    assert.equal(await other.status(first.path, first.key), 200)
    await app.call('PATCH', first.path, { key: first.key, body: { slug: 'moved-away' } })
    const second = await app.organization('passed-on')
    const seen = await app.call('GET', second.path, { key: first.key })
    assert.deepEqual([seen.status, seen.body.code], [404, 'organization.not_found'])
    // The other process may still take the old slug for the first organization's, never for the second's.
    const answer = await other.status(`${second.path}/members/${second.ownerId}`, first.key)
    assert.equal(answer, 404)
    await other.close()
  })

  it('is refused after the deletion: at once in its process, within the cache time in others', async () => {
    const { path, key } = await app.organization('gone')
    const other = await otherProcess()
    assert.equal(await other.status(path, key), 200)
    assert.equal((await app.call('DELETE', path, { key })).status, 200)
    assert.equal((await app.call('GET', path, { key })).status, 401)
    assert.ok(await until(async () => (await other.status(path, key)) === 401))
    await other.close()
  })

  it('that was looked up just before a change of it is looked up again after', async () => {
    const { path, key } = await app.organization('raced')
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    let asked = () => {}
    const found = new Promise<void>((resolve) => {
      asked = resolve
    })
    // A database whose first answer is read before the deletion and arrives after it.
    let first = true
    const slow = {
      ...app.database,
      row: async (statement: Parameters<typeof app.database.row>[0]) => {
        const row = await app.database.row(statement)
        if (first) {
          first = false
          asked()
          await held
        }
        return row
      },
    } as typeof app.database
    const authentication = await openAuthentication(slow, 'another root key')
    const before = authentication.authenticate(key)
    await found
    assert.equal((await app.call('DELETE', path, { key })).status, 200)
    authentication.forget()
    release()
    assert.equal((await before).kind, 'api_key')
    await assert.rejects(authentication.authenticate(key), { code: 'authentication.invalid' })
    await authentication.close()
  })
})
