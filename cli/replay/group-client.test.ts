import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { afterEach, describe, test } from 'node:test'
import { GroupClient } from './group-client.ts'
import { HttpClient } from './http-client.ts'
import { OrganizationClient } from './organization-client.ts'

type Fault =
  | 'answered'
  | 'lost before it was accepted'
  | 'accepted and then lost'
  | 'accepted, answered with 500'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections()
})

/** As much of the server as a group needs; each submit meets the next fault. */
class FaultyServer {
  readonly #faults: Fault[]
  submits = 0
  /** The member counts of the accepted submissions. */
  readonly accepted: number[] = []
  #hasGroup = false

  constructor(faults: Fault[]) {
    this.#faults = faults
  }

  async open(): Promise<GroupClient> {
    const server = createServer((request, response) => void this.#serve(request, response)).listen(
      0,
      '127.0.0.1',
    )
    servers.push(server)
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const organization = await OrganizationClient.open(
      new HttpClient(`http://127.0.0.1:${port}`, 'root'),
      'o',
      'o',
    )
    return (await GroupClient.open(organization, { path: 'o/team', reference: 'team' })).group
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString())
    const path = request.url!.split('?')[0]!
    const answer = (status: number, value: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    }
    if (path.endsWith('/members/sync')) return this.#submit(body, answer, () => request.socket.destroy())
    if (path.endsWith('/api_keys')) return answer(201, { key: 'key' })
    if (path.endsWith('/member_syncs'))
      return answer(200, { data: this.#listed().slice(0, 1), next_cursor: null })
    if (path.includes('/member_syncs/')) return answer(200, { result: { opened: 9, ended: 8, failures: [] } })
    if (request.method === 'POST') this.#hasGroup = true
    if (request.method === 'POST') return answer(201, { data: { id: 'vitable' } })
    if (path.includes('/members/sync/')) return answer(200, { data: { results: null } })
    return answer(200, { data: this.#hasGroup ? [{ id: 'g' }] : [], next_cursor: null })
  }

  #submit(body: { members: [] }, answer: (status: number, value: unknown) => void, drop: () => void): void {
    this.submits++
    const fault = this.#faults.shift()
    if (fault !== 'lost before it was accepted') this.accepted.push(body.members.length)
    if (fault === 'answered') answer(202, { data: { request_id: 'r' } })
    else if (fault === 'accepted, answered with 500') answer(500, {})
    else drop()
  }

  #listed() {
    return this.accepted.map((_, index) => ({ id: 's', position: index + 1 })).reverse()
  }
}

describe('a submit', () => {
  const people = new Set(['p0000000001', 'p0000000002'])

  test('that was accepted without an answer is not sent again, and its result is found', async () => {
    const server = new FaultyServer(['answered', 'accepted and then lost', 'accepted, answered with 500'])
    const group = await server.open()
    await group.submit(new Set())
    const lost = await group.submit(people)
    assert.deepEqual(await group.outcome(lost), { opened: 9, ended: 8, failures: [] })
    await group.submit(people)
    assert.equal(server.submits, 3)
    assert.deepEqual(server.accepted, [0, 2, 2])
    assert.deepEqual([group.accepted, group.unanswered], [3, { accepted: 2, resent: 0 }])
  })

  test('that never arrived is sent until it does, once', async () => {
    const server = new FaultyServer([
      'lost before it was accepted',
      'lost before it was accepted',
      'accepted and then lost',
      'lost before it was accepted',
      'answered',
    ])
    const group = await server.open()
    await group.submit(people)
    await group.submit(new Set())
    assert.equal(server.submits, 5)
    assert.deepEqual(server.accepted, [2, 0])
    assert.deepEqual([group.accepted, group.unanswered], [2, { accepted: 1, resent: 3 }])
  })

  test('is refused where others write to the same group', async () => {
    const server = new FaultyServer(['lost before it was accepted'])
    const group = await server.open()
    server.accepted.push(1, 1)
    await assert.rejects(group.submit(people), /2 member syncs that this replay did not send/)
  })
})
