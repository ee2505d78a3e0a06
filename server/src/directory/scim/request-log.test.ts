import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { pino } from 'pino'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { countStatements } from '../../../test/count-statements.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'
import { type Database, openDatabase } from '../../platform/postgres/database.ts'
import { decodeId, idPrefixes } from '../../surfaces/http/prefixed-id.ts'
import type { ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { sweep } from '../sweep.tasks.ts'
import type { ScimClient } from './authentication.ts'
import { anyScimRequest, listScimRequests, type ScimRequestFilter } from './request.ts'
import { openScimRequestLog, type ScimRequestEntry } from './request-log.ts'

let app: TestApp
let acme: DirectoryClient
let acmeId: string
let globexId: string
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  const [one, two] = [await app.organization('acme'), await app.organization('globex')]
  acme = directoryClient(app, one.path, one.key)
  acmeId = decodeId(idPrefixes.organization, one.id)!
  globexId = decodeId(idPrefixes.organization, two.id)!
})

const silent = pino({ level: 'silent' })
const USER = '0199f1a2-0000-7000-8000-00000000aaaa'
const GROUP = '0199f1a2-0000-7000-8000-00000000bbbb'

async function connect(): Promise<ScimClient> {
  const { id } = await acme.post('/identity_providers', { name: 'Okta', scim: { enabled: true } })
  const { token } = await acme.post(`/identity_providers/${id}/scim_tokens`)
  return await app.scim.authentication.authenticate(token, decodeId(idPrefixes.identityProvider, id)!)
}

function entry(client: ScimClient, more: Partial<ScimRequestEntry> = {}): ScimRequestEntry {
  const { connectionId } = client
  return {
    ...{ client, connectionId, method: 'GET', route: '/Users/:id', url: `/scim/v2/${connectionId}/Users` },
    ...{ status: 200, durationMillis: 12.4, headers: {}, ...more },
  }
}

const reader = (organizationId = acmeId, db: Database = app.database): ReadContext => ({
  ...{ db, organizationId, actor: { kind: 'root' } },
})

async function list(filter: Partial<ScimRequestFilter>, context = reader()) {
  return await listScimRequests(context, { ...anyScimRequest, ...filter }, { beforeId: null, limit: 1000 })
}

describe('the log of SCIM requests', () => {
  it('tells what a client asked, with which token, and why it was refused', async () => {
    const client = await connect()
    const before = Date.now()
    app.scim.requestLog.record(
      entry(client, {
        method: 'POST',
        route: '/Users',
        status: 409,
        scimType: 'uniqueness',
        detail: 'The userName "alice@acme.example" is taken.',
        userId: USER,
        groupId: GROUP,
        headers: {
          authorization: 'Bearer rcscim_secret',
          'user-agent': 'Okta SCIM Client 1.0.0',
          cookie: 'x=y',
        },
        requestBody: { userName: 'alice@acme.example', active: true },
        responseBody: { status: '409', detail: 'The userName "alice@acme.example" is taken.' },
      }),
    )
    await app.scim.requestLog.flush()
    const [row, ...others] = await list({ connectionId: client.connectionId })
    assert.deepEqual(others, [])
    const { id, created_at: at, ...rest } = row!
    assert.ok(id > '0' && Date.parse(at) >= before && Date.parse(at) <= Date.now())
    assert.deepEqual(rest, {
      organization_id: acmeId,
      connection_id: client.connectionId,
      token_id: client.tokenId,
      token_hint: client.tokenHint,
      method: 'POST',
      route: '/Users',
      path: `/scim/v2/${client.connectionId}/Users`,
      status: 409,
      duration_ms: 12,
      scim_type: 'uniqueness',
      reason: 'The userName "•••" is taken.',
      user_id: USER,
      group_id: GROUP,
      headers: { authorization: '•••', 'user-agent': 'Okta SCIM Client 1.0.0' },
      request_body: { userName: '•••', active: true },
      response_body: { status: '409', detail: 'The userName "•••" is taken.' },
      times: 1,
    })
  })

  it('holds no secret and no personal value in any column, wherever a client puts them', async () => {
    const client = await connect()
    const secrets = ['Alice', 'alice@acme.example', 'hunter2', 'rcscim_secret']
    const everywhere = secrets.join(' ')
    app.scim.requestLog.record(
      entry(client, {
        method: everywhere,
        url: `/scim/v2/${everywhere}/Users?filter=${encodeURIComponent(`userName eq "${everywhere}"`)}&${everywhere}`,
        status: 400,
        scimType: everywhere,
        detail: everywhere,
        userId: everywhere,
        groupId: everywhere,
        headers: {
          authorization: everywhere,
          cookie: everywhere,
          'user-agent': 'alice@acme.example',
          accept: 'alice@acme.example',
          'content-type': 'alice@acme.example',
          'content-length': everywhere,
          'x-secret': everywhere,
        },
        requestBody: {
          userName: everywhere,
          password: 'hunter2',
          displayName: 'Alice',
          nested: [everywhere],
        },
        responseBody: { detail: everywhere, emails: [{ value: 'alice@acme.example', type: 'Alice' }] },
      }),
    )
    await app.scim.requestLog.flush()
    const stored = await app.database.rows<{ text: string }>({
      name: '',
      text: 'select s::text as text from scim_request s where connection_id = $1',
      values: [client.connectionId],
    })
    assert.equal(stored.length, 1)
    const text = stored[0]!.text.toLowerCase()
    assert.deepEqual(
      secrets.filter((secret) => text.includes(secret.toLowerCase())),
      [],
    )
  })

  it('costs a request no statement, and hundreds of them one', async () => {
    const client = await connect()
    const log = openScimRequestLog(app.database, silent)
    const asked = await countStatements(app.database, async () => {
      for (let count = 0; count < 400; count++) log.record(entry(client))
    })
    assert.equal(asked, 0)
    const counted = { statements: 0 }
    const counting = {
      ...app.database,
      run: (statement: Parameters<Database['run']>[0]) => {
        counted.statements += 1
        return app.database.run(statement)
      },
    }
    const other = openScimRequestLog(counting, silent)
    for (let count = 0; count < 400; count++) other.record(entry(client))
    await other.close()
    assert.equal(counted.statements, 1)
    await log.close()
    assert.equal((await list({ connectionId: client.connectionId })).length, 800)
  })

  it('is written without being asked, and what is left when it is closed', async () => {
    const client = await connect()
    const log = openScimRequestLog(app.database, silent)
    log.record(entry(client))
    while ((await list({ connectionId: client.connectionId })).length === 0) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    log.record(entry(client))
    await log.close()
    assert.equal((await list({ connectionId: client.connectionId })).length, 2)
  })

  it('waits in bounded memory while the database is away: the oldest go, and their number is told', async () => {
    const client = await connect()
    let isAway = true
    const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    const flaky = {
      ...app.database,
      run: async (statement: Parameters<Database['run']>[0]) => {
        if (isAway) throw away
        return await app.database.run(statement)
      },
    }
    const lines: { dropped?: number }[] = []
    const told = pino({ level: 'warn' }, { write: (line) => void lines.push(JSON.parse(line)) })
    const log = openScimRequestLog(flaky, told, 10_000)
    for (let count = 0; count < 100; count++) log.record(entry(client, { durationMillis: count }))
    await log.flush()
    for (let count = 100; count < 120; count++) log.record(entry(client, { durationMillis: count }))
    await log.flush()
    isAway = false
    await log.close()
    const durations = (await list({ connectionId: client.connectionId })).map((row) => row.duration_ms)
    assert.ok(durations.length >= 10 && durations.length < 40, String(durations.length))
    assert.deepEqual(
      durations,
      Array.from({ length: durations.length }, (_, index) => 119 - index),
      'the newest are there, in their order',
    )
    const dropped = lines.reduce((sum, line) => sum + (line.dropped ?? 0), 0)
    assert.equal(dropped + durations.length, 120)
  })

  it('does not hold up the answers of a server whose database cannot be reached at its end', async () => {
    const nowhere = openDatabase({ connectionString: 'postgres://nobody@127.0.0.1:1/none' })
    const log = openScimRequestLog(nowhere, silent)
    log.record(entry(await connect()))
    await log.close()
    await nowhere.close()
  })
})

describe('a refused credential', () => {
  const refused = (connectionId: string): ScimRequestEntry => ({
    ...{ client: null, connectionId, method: 'GET', route: '/Users', url: `/scim/v2/${connectionId}/Users` },
    ...{ status: 401, durationMillis: 1, headers: { authorization: 'Bearer hunter2' } },
    detail: 'The SCIM token does not work here: it is unknown, expired or revoked, or SCIM is off.',
    requestBody: { userName: 'alice' },
  })

  it('stands in the log of the connection that the path names, without the body that came with it', async () => {
    const { connectionId } = await connect()
    app.scim.requestLog.record(refused(connectionId))
    await app.scim.requestLog.flush()
    const [row] = await list({ connectionId })
    assert.deepEqual(
      [row!.organization_id, row!.token_id, row!.token_hint, row!.status, row!.request_body],
      [acmeId, null, null, 401, null],
    )
    assert.match(row!.reason!, /unknown, expired or revoked/)
    assert.deepEqual(await list({ connectionId }, reader(globexId)), [])
  })

  it('is not written where the path names no connection', async () => {
    const log = openScimRequestLog(app.database, silent)
    log.record(refused('0199f1a2-0000-7000-8000-00000000cccc'))
    log.record(refused('no id'))
    const { connectionId } = await connect()
    log.record(refused(connectionId))
    await log.close()
    const count = await app.database.row<{ count: number }>({
      name: '',
      text: `select count(*) as count from scim_request where connection_id = '0199f1a2-0000-7000-8000-00000000cccc'`,
      values: [],
    })
    assert.equal(count!.count, 0)
    assert.equal((await list({ connectionId })).length, 1)
  })

  it('that is sent in a flood fills no disk: a bounded number of rows, and one that counts the rest', async () => {
    const [flooded, quiet] = [await connect(), await connect()]
    const log = openScimRequestLog(app.database, silent)
    for (let count = 0; count < 5000; count++) log.record(refused(flooded.connectionId))
    log.record(refused(quiet.connectionId))
    log.record(entry(flooded))
    await log.close()
    const rows = await list({ connectionId: flooded.connectionId, status: { min: 401, max: 401 } })
    assert.equal(rows.length, 31)
    assert.equal(
      rows.reduce((sum, row) => sum + row.times, 0),
      5000,
    )
    assert.equal(
      (await list({ connectionId: flooded.connectionId, status: { min: 200, max: 299 } })).length,
      1,
    )
    assert.equal((await list({ connectionId: quiet.connectionId })).length, 1)
  })

  it('that names ever other connections is bounded as well, and takes no room from others', async () => {
    const client = await connect()
    const log = openScimRequestLog(app.database, silent)
    for (let count = 0; count < 3000; count++) {
      log.record(refused(`0199f1a2-0000-7000-8000-${String(count).padStart(12, '0')}`))
    }
    log.record(entry(client))
    await log.close()
    assert.equal((await list({ connectionId: client.connectionId })).length, 1)
  })
})

describe('the list of SCIM requests', () => {
  it('has filters for connection, user, group, status and time, and goes on after a row', async () => {
    const [one, other] = [await connect(), await connect()]
    const log = openScimRequestLog(app.database, silent)
    const noted: [ScimClient, Partial<ScimRequestEntry>][] = [
      [one, { status: 200, userId: USER }],
      [one, { status: 201, groupId: GROUP }],
      [one, { status: 404, userId: USER }],
      [one, { status: 400 }],
      [one, { status: 503 }],
      [other, { status: 404, userId: USER }],
    ]
    for (const [client, more] of noted) log.record(entry(client, more))
    await log.close()
    const connectionId = one.connectionId
    const statuses = async (filter: Partial<ScimRequestFilter>) =>
      (await list({ connectionId, ...filter })).map((row) => row.status)
    assert.deepEqual(await statuses({}), [503, 400, 404, 201, 200])
    assert.deepEqual(await statuses({ userId: USER }), [404, 200])
    assert.deepEqual(await statuses({ groupId: GROUP }), [201])
    assert.deepEqual(await statuses({ status: { min: 400, max: 499 } }), [400, 404])
    assert.deepEqual(await statuses({ status: { min: 200, max: 299 } }), [201, 200])
    assert.deepEqual(await statuses({ status: { min: 404, max: 404 } }), [404])
    assert.deepEqual(await statuses({ userId: USER, status: { min: 404, max: 404 } }), [404])
    assert.deepEqual(await statuses({ from: new Date(Date.now() + 1000) }), [])
    assert.deepEqual(await statuses({ to: new Date(Date.now() - 60_000) }), [])
    const rows = await list({ connectionId })
    const middle = new Date(rows[2]!.created_at)
    const expected = (isIn: (at: number) => boolean) =>
      rows.filter((row) => isIn(Date.parse(row.created_at))).map((row) => row.status)
    assert.deepEqual(
      await statuses({ from: middle }),
      expected((at) => at >= middle.getTime()),
    )
    assert.deepEqual(
      await statuses({ to: middle }),
      expected((at) => at < middle.getTime()),
    )
    const filter = { ...anyScimRequest, connectionId }
    const next = await listScimRequests(reader(), filter, { beforeId: rows[1]!.id, limit: 2 })
    assert.deepEqual(
      next.map((row) => row.id),
      [rows[2]!.id, rows[3]!.id],
    )
  })

  it('shows nothing of another organization, whatever is asked for', async () => {
    const client = await connect()
    const log = openScimRequestLog(app.database, silent)
    log.record(entry(client, { userId: USER, groupId: GROUP }))
    await log.close()
    for (const filter of [{}, { connectionId: client.connectionId }, { userId: USER }, { groupId: GROUP }]) {
      assert.deepEqual(await list(filter, reader(globexId)), [])
    }
  })

  it('is for those who may change identity providers', async () => {
    const actor = { ...reader().actor, kind: 'api_key', scopes: ['identity_providers:read'], permissions: [] }
    await assert.rejects(list({}, { ...reader(), actor: actor as never }), (error: unknown) => {
      return error instanceof DirectoryError && error.code === 'permission.denied'
    })
  })

  it('forgets what is older than 30 days, or than is set, and nothing else', async () => {
    const client = await connect()
    const log = openScimRequestLog(app.database, silent)
    for (let count = 0; count < 3; count++) log.record(entry(client))
    await log.close()
    const rows = await list({ connectionId: client.connectionId })
    for (const [index, days] of [29, 31].entries()) {
      await app.database.run({
        name: '',
        text: `update scim_request set created_at = now() - make_interval(days => $2) where id = $1`,
        values: [rows[index]!.id, days],
      })
    }
    await sweep(app.directory)
    const left = await list({ connectionId: client.connectionId })
    assert.deepEqual(
      left.map((row) => row.id),
      [rows[0]!.id, rows[2]!.id],
    )
    await sweep({ ...app.directory, scimRequestDays: 28 })
    const rest = await list({ connectionId: client.connectionId })
    assert.deepEqual(
      rest.map((row) => row.id),
      [rows[2]!.id],
    )
  })
})
