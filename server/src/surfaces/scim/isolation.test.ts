import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { type Answer, startTestApp, type TestApp } from '../../../test/app.ts'
import { databaseState } from '../../../test/database-state.ts'
import { type Route, routesOf } from '../../../test/route-table.ts'
import {
  ENTERPRISE,
  openConnection,
  openScim,
  PATCH,
  type ScimTestClient,
} from '../../../test/scim-client.ts'

const UNKNOWN = '01990000-0000-7000-8000-00000000abcd'
const BULK = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'
const SEARCH = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest'

/** A connection with a user in a group. */
interface World {
  readonly scim: ScimTestClient
  readonly user: string
  readonly group: string
}

let app: TestApp
let routes: Route[]
/** Who is to be left alone, and the two who try: of another organization, and of the same one. */
let alpha: World
let intruders: World[]
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  routes = routesOf(app.http).filter(({ path }) => path.startsWith('/scim/v2/') && !path.endsWith('/Me'))
  const [first, second] = [await openScim(app, 'alpha'), await openScim(app, 'beta')]
  alpha = await world(first)
  intruders = [await world(second), await world(await openConnection(app, first.directory))]
})

async function world(scim: ScimTestClient): Promise<World> {
  const user = (await scim.user()).id
  return { scim, user, group: (await scim.group('Staff', [user])).id }
}

/** All that is stored, but for the log of requests and the notes of last uses. */
async function state(): Promise<object> {
  await app.scim.authentication.flushLastUses()
  const { scim_request: _, scim_token: __, ...rest } = await databaseState(app.database)
  return rest
}

/** An answer without the id that was asked for and what differs anyway. */
function comparable({ status, headers, body }: Answer, id: string): string {
  return JSON.stringify([status, headers['content-type'], body]).replaceAll(id, 'ID')
}

const operation = (op: string, path: string, value?: unknown) => ({
  body: { schemas: [PATCH], Operations: [{ op, path, ...(value === undefined ? {} : { value }) }] },
})

/** Requests of an intruder with an id that is not its own, by kind: where in the request it stands. */
function requestsWith(
  mine: World,
  user: string,
  group: string,
): [method: string, path: string, body?: object][] {
  const members = [{ value: user }]
  const filters = [`id eq "${user}"`, `groups.value eq "${group}"`, `groups eq "${group}"`]
  const groupFilters = [`id eq "${group}"`, `members.value eq "${user}"`, `members eq "${user}"`]
  const manager = { [ENTERPRISE]: { manager: { value: user } } }
  const bulk = (method: string, path: string, data?: object) => ({
    schemas: [BULK],
    Operations: [{ method, path, ...(data === undefined ? {} : { data }) }],
  })
  return [
    ['PATCH', `/Groups/${mine.group}`, operation('add', 'members', members).body],
    ['PATCH', `/Groups/${mine.group}`, operation('replace', 'members', members).body],
    ['PATCH', `/Groups/${mine.group}`, operation('remove', `members[value eq "${user}"]`).body],
    ['PUT', `/Groups/${mine.group}`, { displayName: 'Staff', members }],
    ['POST', '/Groups', { displayName: 'New', members }],
    ...filters.map((filter) => ['GET', `/Users?filter=${encodeURIComponent(filter)}`] as [string, string]),
    ...groupFilters.map(
      (filter) => ['GET', `/Groups?filter=${encodeURIComponent(filter)}`] as [string, string],
    ),
    ...filters.map(
      (filter) => ['POST', '/Users/.search', { schemas: [SEARCH], filter }] as [string, string, object],
    ),
    ...groupFilters.map(
      (filter) => ['POST', '/.search', { schemas: [SEARCH], filter }] as [string, string, object],
    ),
    ['POST', '/Bulk', bulk('DELETE', `/Users/${user}`)],
    ['POST', '/Bulk', bulk('DELETE', `/Groups/${group}`)],
    ['POST', '/Bulk', bulk('PUT', `/Users/${user}`, { userName: 'taken@over.example' })],
    ['POST', '/Bulk', bulk('PATCH', `/Users/${user}`, operation('replace', 'active', false).body)],
    ['POST', '/Bulk', bulk('PATCH', `/Groups/${group}`, operation('replace', 'displayName', 'Taken').body)],
    ['POST', '/Bulk', bulk('POST', '/Groups', { displayName: 'New', members })],
    ['PATCH', `/Users/${mine.user}`, operation('add', 'active', true).body],
    ['GET', `/Users/${user}?attributes=groups`],
    ['GET', `/Groups/${group}?attributes=members`],
    ['PUT', `/Users/${user}`, { userName: 'taken@over.example', ...manager }],
  ]
}

describe('a connection', () => {
  it('of which every route takes the token of another gets the answer of a connection that is not there', async () => {
    const before = await state()
    for (const { scim } of intruders) {
      for (const { method, path } of routes) {
        const at = (connection: string) =>
          path
            .replace('{connection}', connection)
            .replace('{id}', path.includes('Groups') ? alpha.group : alpha.user)
        const call = (connection: string) =>
          app.call(method, at(connection), { key: scim.token, ...(method === 'GET' ? {} : { body: {} }) })
        const [theirs, nobodys] = [await call(alpha.scim.connectionId), await call(UNKNOWN)]
        assert.equal(theirs.status, 401, `${method} ${path}`)
        assert.deepEqual(theirs.body, nobodys.body, `${method} ${path}`)
      }
    }
    assert.ok(routes.length >= 20, `only ${routes.length} routes were found`)
    assert.deepEqual(await state(), before)
  })

  it('gets for the ids of another, wherever they stand, exactly what unknown ids get, and changes nothing', async () => {
    for (const mine of intruders) {
      for (const { method, path } of routes.filter(
        ({ path }) => path.includes('{id}') && /Users|Groups/.test(path),
      )) {
        const id = path.includes('Groups') ? alpha.group : alpha.user
        const tail = path.replace('/scim/v2/{connection}', '')
        const body =
          method === 'PATCH'
            ? operation('replace', path.includes('Groups') ? 'displayName' : 'active', 'true').body
            : method === 'PUT'
              ? { userName: 'taken@over.example', displayName: 'Taken' }
              : undefined
        const call = (of: string) =>
          mine.scim.call(method, tail.replace('{id}', of), body === undefined ? {} : { body })
        const before = await state()
        const [theirs, nobodys] = [await call(id), await call(UNKNOWN)]
        assert.equal(theirs.status, 404, `${method} ${path}`)
        assert.equal(comparable(theirs, id), comparable(nobodys, UNKNOWN))
        assert.deepEqual(await state(), before)
      }
      const theirs = requestsWith(mine, alpha.user, alpha.group)
      const nobodys = requestsWith(mine, UNKNOWN, UNKNOWN)
      for (const [n, [method, path, body]] of theirs.entries()) {
        const before = await state()
        const given = (content?: object) => (content === undefined ? {} : { body: content })
        const foreign = await mine.scim.call(method, path, given(body))
        const unknown = await mine.scim.call(nobodys[n]![0], nobodys[n]![1], given(nobodys[n]![2]))
        const strip = (answer: Answer, ...ids: string[]) => {
          const text = ids.reduce((all, id) => all.replaceAll(id, 'ID'), comparable(answer, UNKNOWN))
          return text.replace(/"version":"[^"]*"|"lastModified":"[^"]*"/g, '')
        }
        const about = `${method} ${path} ${JSON.stringify(body)}`
        assert.equal(strip(foreign, alpha.user, alpha.group), strip(unknown), about)
        // What names nobody of its own and is no refusal has changed its own things at most: none here.
        assert.deepEqual(await state(), before, about)
      }
    }
  })

  it('may name as manager whomever it likes, which is a text and opens nothing', async () => {
    for (const { scim, user } of intruders) {
      const before = await alpha.scim.expect(200, 'GET', `/Users/${alpha.user}`)
      const named = async (value: string) => {
        const path = `${ENTERPRISE}:manager`
        const { meta: _, ...rest } = await scim.patch(`/Users/${user}`, {
          op: 'replace',
          path,
          value: { value },
        })
        return JSON.stringify(rest).replaceAll(value, 'ID')
      }
      assert.equal(await named(alpha.user), await named(UNKNOWN))
      assert.deepEqual(await alpha.scim.expect(200, 'GET', `/Users/${alpha.user}`), before)
    }
  })

  it('lists, counts and walks nobody but its own, and takes names that others have', async () => {
    for (const { scim, user, group } of intruders) {
      const users = await scim.expect(200, 'GET', '/Users?sortBy=userName')
      assert.deepEqual([users.totalResults, users.Resources.map(({ id }: { id: string }) => id)], [1, [user]])
      const groups = await scim.expect(200, 'GET', '/Groups?cursor=')
      assert.deepEqual(
        [groups.totalResults, groups.Resources.map(({ id }: { id: string }) => id)],
        [1, [group]],
      )
    }
    const page = await alpha.scim.expect(200, 'GET', '/Users?cursor=&count=1')
    const another = await alpha.scim.user()
    const next = (await alpha.scim.expect(200, 'GET', '/Users?cursor=&count=1')).nextCursor ?? page.nextCursor
    assert.ok(next !== undefined && another.id !== undefined)
    for (const { scim } of intruders) {
      const walked = await scim.expect(200, 'GET', `/Users?cursor=${next}&count=1`)
      assert.ok(!JSON.stringify(walked).includes(another.id))
    }
  })
})
