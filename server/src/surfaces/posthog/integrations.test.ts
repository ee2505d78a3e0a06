import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { openPosthogWorld, type PosthogWorld, uuidOf } from '../../../test/posthog-world.ts'

let world: PosthogWorld
before(async () => {
  world = await openPosthogWorld('acme')
})

let connected = 0
async function connect(more: object = {}): Promise<string> {
  const config = { type: 'connectable', region: 'eu' }
  const body = {
    kind: 'hosting',
    integration_id: `i${++connected}`,
    config,
    secrets: { token: 'hush' },
    ...more,
  }
  return uuidOf((await world.directory.post('/integrations', body)).id)
}

async function project(): Promise<string> {
  return uuidOf((await world.directory.post('/projects', { name: 'P', identifier: `P${++connected}` })).id)
}

describe('an integration', () => {
  it('is shown without its secrets', async () => {
    const id = await connect()
    const { created_at, updated_at, ...shown } = await world.client.get(`/integrations/${id}/`)
    assert.deepEqual(shown, {
      ...{ id, kind: 'hosting', integration_id: `i${connected}`, created_by: null },
      config: { type: 'connectable', region: 'eu' },
    })
    assert.equal(created_at, updated_at)
  })

  it('maps environments to projects; one left out is the production one', async () => {
    const { client } = world
    const path = `/integrations/${await connect()}/`
    const [production, preview] = [await project(), await project()]
    const mapped = await client.patch(`${path}environment-mapping/`, { production, preview })
    assert.deepEqual(mapped.config, {
      ...{ type: 'connectable', region: 'eu' },
      environment_mapping: { production, preview, development: production },
    })
    assert.deepEqual(await client.get(path), mapped)
  })

  it('refuses a mapping that is none', async () => {
    const { client } = world
    const path = `/integrations/${await connect()}/environment-mapping/`
    const unknown = '01990000-0000-7000-8000-00000000abcd'
    await client.refused('PATCH', path, [400, 'required', 'production'], {})
    for (const production of [unknown, 7, 'x']) {
      await client.refused('PATCH', path, [400, 'invalid_input', 'production'], { production })
    }
    const other = `/integrations/${await connect({ config: { type: 'marketplace' } })}/environment-mapping/`
    await client.refused('PATCH', other, [400, 'not_connectable', null], { production: await project() })
  })

  it('is disconnected by an admin, and read by everybody', async () => {
    const path = `/integrations/${await connect()}/`
    const member = await world.memberKey(1)
    const { kind } = await member.client.get(path)
    assert.equal(kind, 'hosting')
    await member.client.refused('DELETE', path, [403, 'permission_denied', null])
    await (await world.memberKey(8)).client.remove(path)
    await world.client.refused('GET', path, [404, 'not_found', null])
  })

  it('is not created here', async () => {
    await world.client.refused('POST', '/integrations/', [404, 'not_found', null], { kind: 'x' })
  })
})
