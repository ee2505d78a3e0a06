import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { before, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { databaseState } from '../../../test/database-state.ts'
import { person, vitableClient } from '../../../test/vitable-client.ts'

const MEGABYTE = 1024 * 1024

let app: TestApp
let origin: string
let key: string
let vitablePath: string
let directoryPath: string
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  origin = await app.http.listen({ port: 0, host: '127.0.0.1' })
  const organization = await app.organization('acme')
  key = organization.key
  const groupId = await vitableClient(app, key).group()
  vitablePath = `/v1/groups/${groupId}/members/sync`
  directoryPath = `${organization.path}/groups/${groupId}/member_syncs`
})

const roster = (count: number) =>
  Array.from({ length: count }, (_, index) => person(`r-${index}`, { last_name: `Lovelace ${index}` }))

/** A roster as JSON of exactly this many bytes, filled up with a field that the dialect does not know. */
function rosterOfBytes(length: number): Buffer {
  const rows = roster(1000).map((row) => ({ ...row, filler: 'x'.repeat(length / 1000 - 200) }))
  const missing = length - Buffer.byteLength(JSON.stringify({ members: rows }))
  for (const [index, row] of rows.entries()) {
    row.filler += 'x'.repeat(Math.floor(missing / 1000) + (index < missing % 1000 ? 1 : 0))
  }
  const body = Buffer.from(JSON.stringify({ members: rows }))
  assert.equal(body.length, length)
  return body
}

interface Sent {
  status: number
  body: { message?: string; detail?: string; data?: unknown }
  /** Bytes handed to the socket by the time the answer came. */
  bytesSent: number
}

/** Sends a body in pieces over a real socket until the answer comes. */
function send(
  path: string,
  pieces: Iterable<Buffer>,
  headers: Record<string, string | number> = {},
  betweenPieces = async () => {},
): Promise<Sent> {
  return new Promise((resolve, reject) => {
    let bytesSent = 0
    let answered = false
    const request = httpRequest(
      new URL(path, origin),
      {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      },
      (response) => {
        answered = true
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk) => {
          text += chunk
        })
        response.on('end', () => {
          request.destroy()
          resolve({ status: response.statusCode!, body: JSON.parse(text), bytesSent })
        })
        response.on('error', reject)
      },
    )
    request.on('error', (error) => {
      if (!answered) reject(error)
    })
    void (async () => {
      for (const piece of pieces) {
        if (answered) return
        bytesSent += piece.length
        if (!request.write(piece)) {
          await Promise.race([new Promise((drained) => request.once('drain', drained)), setTimeout(200)])
        }
        await betweenPieces()
      }
      request.end()
    })()
  })
}

function* inPieces(body: Buffer, size = 64 * 1024) {
  for (let at = 0; at < body.length; at += size) yield body.subarray(at, at + size)
}

/** A roster whose 3rd row is wrong, and that then goes on for as long as anybody reads. */
function* endlessAfterABadRow() {
  const head = [person('e-1'), person('e-2'), { reference_id: 7 }].map((row) => JSON.stringify(row)).join()
  yield Buffer.from(`{"members":[${head},`)
  for (let index = 0; ; index++) {
    const rows = Array.from({ length: 200 }, (_, row) => JSON.stringify(person(`e-${index}-${row}`)))
    yield Buffer.from(`${rows.join()},`)
  }
}

/** Waits until every connection of the server is gone. */
async function connectionsEnd(): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    const open = await new Promise((resolve) =>
      app.http.server.getConnections((_error, count) => resolve(count)),
    )
    if (open === 0) return
    await setTimeout(10)
  }
  throw new Error('connections stay open')
}

async function writtenBy(work: () => Promise<void>): Promise<string[]> {
  const before = await databaseState(app.database)
  await work()
  const after = await databaseState(app.database)
  return Object.keys(after).filter((table) => after[table] !== before[table])
}

describe('the size of a roster', () => {
  it('may be 5,000 members in Vitable’s dialect', async () => {
    const body = { members: roster(5000) }
    const answer = await app.call('POST', vitablePath, { key, body })
    assert.equal(answer.status, 202)
  })

  it('may be 100,000 members in the Directory API', async () => {
    const members = Array.from({ length: 100_000 }, (_, index) => ({ external_reference_id: `d-${index}` }))
    const answer = await app.call('POST', directoryPath, { key, body: { members } })
    assert.equal(answer.status, 202)
    assert.equal(answer.body.member_count, 100_000)
  })

  it('may be exactly 8 MB in Vitable’s dialect, and not one byte more, told beforehand or found out', async () => {
    const whole = rosterOfBytes(8 * MEGABYTE)
    const over = rosterOfBytes(8 * MEGABYTE + 1)
    const chunked = { 'transfer-encoding': 'chunked' }
    for (const headers of [{ 'content-length': whole.length }, chunked]) {
      const answer = await send(vitablePath, inPieces(whole), headers)
      assert.equal(answer.status, 202, JSON.stringify(answer.body))
    }
    const written = await writtenBy(async () => {
      for (const headers of [{ 'content-length': over.length }, chunked]) {
        const answer = await send(vitablePath, inPieces(over), headers)
        assert.equal(answer.status, 413)
        assert.match(answer.body.message!, /8388608 bytes/)
      }
    })
    assert.deepEqual(written, [])
  })

  it('is refused by its Content-Length before a byte of it is sent', async () => {
    for (const [path, bytes] of [
      [vitablePath, 8 * MEGABYTE + 1],
      [directoryPath, 64 * MEGABYTE + 1],
    ] as const) {
      const wait = async () => void (await setTimeout(5))
      const answer = await send(
        path,
        inPieces(Buffer.alloc(MEGABYTE, 0x20), 1024),
        { 'content-length': bytes },
        wait,
      )
      assert.equal(answer.status, 413)
      assert.ok(answer.bytesSent < MEGABYTE)
    }
  })
})

describe('a refusal while the client is still sending', () => {
  it('is answered whole: a bad row early in an endless roster', async () => {
    const written = await writtenBy(async () => {
      const answer = await send(vitablePath, endlessAfterABadRow(), { 'transfer-encoding': 'chunked' })
      assert.equal(answer.status, 400)
      assert.match(answer.body.message!, /^members\[2\]\.reference_id must be a text/)
    })
    assert.deepEqual(written, [])
  })

  it('lets go of the connection when the client does', async () => {
    const headers = { 'transfer-encoding': 'chunked', connection: 'close' }
    for (const path of [vitablePath, directoryPath]) {
      assert.equal((await send(path, endlessAfterABadRow(), headers)).status, 400)
    }
    await connectionsEnd()
  })

  it('is answered whole before the roster has come: no credential, no such group, no such scope', async () => {
    const organization = '/directory/v1/organizations/acme'
    const reader = await app.call('POST', `${organization}/api_keys`, {
      body: { name: 'reader', scopes: ['groups:read'] },
    })
    const unknown = vitablePath.replace(/grp_[^/]+/, `grp_${'A'.repeat(22)}`)
    for (const [path, authorization, status] of [
      [vitablePath, 'Bearer wrong', 401],
      [directoryPath, 'Bearer wrong', 401],
      [vitablePath, `Bearer ${reader.body.key}`, 403],
      [directoryPath, `Bearer ${reader.body.key}`, 403],
      [unknown, `Bearer ${key}`, 404],
    ] as const) {
      const headers = { authorization, 'transfer-encoding': 'chunked' }
      const answer = await send(path, endlessAfterABadRow(), headers)
      assert.equal(answer.status, status, path)
    }
  })

  it('leaves the server answering others, and fetch reading the refusal', async () => {
    const body = Buffer.from(`{"members":[{"reference_id":7},${'{"reference_id":"x"},'.repeat(300_000)}{}]}`)
    const answers = await Promise.all(
      [vitablePath, directoryPath].map((path) =>
        fetch(new URL(path, origin), {
          method: 'POST',
          headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
          body,
        }),
      ),
    )
    for (const answer of answers) {
      assert.equal(answer.status, 400)
      assert.match(await answer.text(), /members\[0\]/)
    }
    const headers = { authorization: `Bearer ${key}` }
    assert.equal((await fetch(new URL('/v1/groups', origin), { headers })).status, 200)
  })

  it('of a client that hangs up in the middle of a roster writes nothing', async () => {
    const written = await writtenBy(async () => {
      await new Promise<void>((resolve) => {
        const request = httpRequest(new URL(vitablePath, origin), {
          method: 'POST',
          headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        })
        request.on('error', () => {})
        request.on('close', resolve)
        request.write(`{"members":[${JSON.stringify(person('h-1'))},`, () => request.destroy())
      })
      // The server has seen the end when it has answered another request on a connection opened later.
      await fetch(new URL('/healthz', origin))
    })
    assert.deepEqual(written, [])
  })
})
