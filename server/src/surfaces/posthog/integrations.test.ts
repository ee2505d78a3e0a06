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
    const [production, preview] = [await world.project(), await world.project()]
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
    await client.refused('PATCH', path, [400, 'required', 'production'], {})
    const numbers = [Number.MAX_SAFE_INTEGER, 0, -1, 1.5, 2 ** 53, 1e300]
    const uuid = '01990000-0000-7000-8000-00000000abcd'
    for (const production of [...numbers, uuid, null, true]) {
      await client.refused('PATCH', path, [400, 'invalid_input', 'production'], { production })
    }
    const other = `/integrations/${await connect({ config: { type: 'marketplace' } })}/environment-mapping/`
    await client.refused('PATCH', other, [400, 'not_connectable', null], {
      production: await world.project(),
    })
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
