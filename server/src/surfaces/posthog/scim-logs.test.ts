import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { openPosthogWorld, type PosthogWorld } from '../../../test/posthog-world.ts'
import type { ScimClient } from '../../directory/scim/authentication.ts'
import type { ScimRequestEntry } from '../../directory/scim/request-log.ts'

let world: PosthogWorld
before(async () => {
  world = await openPosthogWorld('acme')
})

let made = 0
async function connect(): Promise<{ logs: string; client: ScimClient }> {
  made += 1
  const domain = await world.verified(`d${made}.example`)
  await world.client.patch(`/domains/${domain.id}/`, { scim_enabled: true })
  const token = await world.client.act(`/domains/${domain.id}/scim/token/`)
  const connectionId = token.scim_base_url.split('/').at(-1)
  return {
    logs: `/domains/${domain.id}/scim/logs/`,
    client: await world.app.scim.authentication.authenticate(token.scim_bearer_token, connectionId),
  }
}

async function record(client: ScimClient, ...entries: Partial<ScimRequestEntry>[]): Promise<void> {
  const { connectionId } = client
  for (const entry of entries) {
    world.app.scim.requestLog.record({
      ...{ client, connectionId, method: 'GET', route: '/Users', url: `/scim/v2/${connectionId}/Users` },
      ...{ status: 200, durationMillis: 7, headers: {}, ...entry },
    })
  }
  await world.app.scim.requestLog.flush()
}

describe('the SCIM logs of a domain', () => {
  it('tell what its client asked, in the documented shape and without personal values', async () => {
    const { logs, client } = await connect()
    await record(client, {
      ...{ method: 'POST', status: 201, userId: '0199f1a2-0000-7000-8000-00000000aaaa' },
      headers: { 'user-agent': 'Okta SCIM Client 1.0.0', authorization: 'Bearer rcscim_x' },
      requestBody: { userName: 'alice', active: true },
      responseBody: { userName: 'alice' },
    })
    const { count, next, previous, results } = await world.client.get(logs)
    const [{ id, created_at: at, ...entry }] = results
    assert.deepEqual([count, next, previous, results.length], [1, null, null, 1])
    assert.ok(typeof id === 'string' && Date.parse(at) <= Date.now())
    assert.deepEqual(entry, {
      request_method: 'POST',
      request_path: `/scim/v2/${client.connectionId}/Users`,
      request_headers: { authorization: '•••', 'user-agent': 'Okta SCIM Client 1.0.0' },
      request_body: { userName: '•••', active: true },
      response_status: 201,
      response_body: { userName: '•••' },
      identity_provider: 'okta',
      duration_ms: 7,
    })
  })

  it('have filters for status, text and time, and pages with numbers', async () => {
    const { logs, client } = await connect()
    const entra = { 'user-agent': 'Microsoft Entra provisioning' }
    await record(
      client,
      { status: 200 },
      { status: 404, headers: entra },
      { status: 409, requestBody: { Operations: [{ op: 'remove', path: 'nickName' }] } },
      { status: 500, url: `/scim/v2/${client.connectionId}/Groups` },
    )
    const statuses = async (query: string): Promise<number[]> => {
      const { results } = await world.client.get(`${logs}?${query}`)
      return results.map((entry: { response_status: number }) => entry.response_status)
    }
    assert.deepEqual(await statuses(''), [500, 409, 404, 200])
    assert.deepEqual(await statuses('status_min=400'), [500, 409, 404])
    assert.deepEqual(await statuses('status_min=400&status_max=499'), [409, 404])
    assert.deepEqual(await statuses('status_max=399&search='), [200])
    assert.deepEqual(await statuses('search=NICKNAME'), [409])
    assert.deepEqual(await statuses('search=/groups'), [500])
    assert.deepEqual(await statuses('search=100%25'), [])
    assert.deepEqual(await statuses('before=2020-01-01T00:00:00Z'), [])
    assert.deepEqual(await statuses('after=2020-01-01T00:00:00Z&status_min=500'), [500])
    const second = await world.client.get(`${logs}?page=2&page_size=3`)
    assert.deepEqual([second.count, second.results.length, second.next], [4, 1, null])
    assert.match(second.previous, /page=1/)
    const first = await world.client.get(`${logs}?page_size=3`)
    assert.match(first.next, /page=2/)
    assert.equal(first.results[2].identity_provider, 'entra_id')
    await world.client.refused('GET', `${logs}?status_min=many`, [400, 'invalid_input', 'status_min'])
    await world.client.refused('GET', `${logs}?page=1000000`, [400, 'invalid_input', 'page'])
  })

  it('are of the client of that domain alone, and of a domain without a provider there are none', async () => {
    const [mine, other] = [await connect(), await connect()]
    await record(other.client, { status: 200 })
    assert.equal((await world.client.get(mine.logs)).count, 0)
    assert.equal((await world.client.get(other.logs)).count, 1)
    const bare = await world.client.post('/domains/', { domain: 'bare.example' })
    assert.equal((await world.client.get(`/domains/${bare.id}/scim/logs/`)).count, 0)
  })
})
