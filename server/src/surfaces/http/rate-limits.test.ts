import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { type Answer, startTestApp, type TestApp } from '../../../test/app.ts'
import { databaseState } from '../../../test/database-state.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'
import { openAuthentication } from '../../directory/api-keys/authentication.ts'

let app: TestApp
before(async () => {
  app = await startTestApp({ withoutTasks: true })
})

interface Limited {
  readonly client: DirectoryClient
  /** A key that has not asked yet. */
  fresh(): Promise<string>
}

let organizations = 0
/** An organization whose keys are limited. */
async function limited(rateLimit: object): Promise<Limited> {
  const { path } = await app.organization(`limited-${++organizations}`)
  const client = directoryClient(app, path)
  await client.ok('PATCH', '', { settings: { rate_limit: rateLimit } })
  return { client, fresh: () => client.key(['*']) }
}

const RATE_HEADERS = ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset']
const rateOf = (answer: Answer) => RATE_HEADERS.map((name) => answer.headers[name]?.toString())

/** So slow that no test sees a second request come back. */
const SLOW = { requests_per_minute: 1 }

const surfaces = {
  directory: {
    get: ({ client }: Limited, key: string) => client.send('GET', '/groups', { key }),
    unknown: ({ client }: Limited, key: string) => client.send('GET', '/nothing', { key }),
    create: ({ client }: Limited, key: string) =>
      client.send('POST', '/groups', { key, body: { name: 'g' } }),
    codeOf: (answer: Answer) => answer.body.code,
  },
  vitable: {
    get: (_: Limited, key: string) => app.call('GET', '/v1/groups', { key }),
    unknown: (_: Limited, key: string) => app.call('GET', '/v1/groups/grp_x/nothing', { key }),
    create: (_: Limited, key: string) =>
      app.call('POST', '/v1/groups', { key, body: { name: 'g', external_reference_id: 'g' } }),
    codeOf: (answer: Answer) => answer.body.app_error_code,
  },
  openai: {
    get: (_: Limited, key: string) => app.call('GET', '/v1/organization/groups', { key }),
    unknown: (_: Limited, key: string) => app.call('GET', '/v1/projects/nothing/nothing', { key }),
    create: (_: Limited, key: string) =>
      app.call('POST', '/v1/organization/groups', { key, body: { name: 'g' } }),
    // Its own codes: `request.rate_limited` is called otherwise there.
    codeOf: (answer: Answer) =>
      answer.body.error.code === 'rate_limit_exceeded' ? 'request.rate_limited' : answer.body.error.code,
  },
}

for (const [name, surface] of Object.entries(surfaces)) {
  describe(`a rate limit on the ${name} surface`, () => {
    it('takes the burst, then refuses with 429 and says when to come back', async () => {
      const organization = await limited({ ...SLOW, burst: 3 })
      const key = await organization.fresh()
      for (const remaining of ['2', '1', '0']) {
        const answer = await surface.get(organization, key)
        assert.equal(answer.status, 200)
        assert.deepEqual(rateOf(answer).slice(0, 2), ['3', remaining])
        assert.equal(answer.headers['retry-after'], undefined)
      }
      const refused = await surface.get(organization, key)
      assert.deepEqual([refused.status, surface.codeOf(refused)], [429, 'request.rate_limited'])
      assert.deepEqual(rateOf(refused).slice(0, 2), ['3', '0'])
      const [seconds, millis] = [refused.headers['retry-after'], refused.headers['retry-after-ms']].map(
        Number,
      )
      assert.ok(millis! > 0 && millis! <= 60_000, `${millis}`)
      assert.equal(seconds, Math.ceil(millis! / 1000))
      const reset = Number(refused.headers['x-ratelimit-reset'])
      assert.ok(reset > 120 && reset <= 180, `${reset}`)
    })

    it('counts every answer, refusals of any other kind too', async () => {
      const organization = await limited({ ...SLOW, burst: 2 })
      const key = await organization.fresh()
      const unknown = await surface.unknown(organization, key)
      assert.deepEqual([unknown.status, ...rateOf(unknown).slice(0, 2)], [404, '2', '1'])
      await surface.get(organization, key)
      assert.equal((await surface.unknown(organization, key)).status, 429)
    })

    it('refuses without an effect', async () => {
      const organization = await limited({ ...SLOW, burst: 1 })
      const key = await organization.fresh()
      await surface.get(organization, key)
      const before = await databaseState(app.database)
      for (let repeat = 0; repeat < 3; repeat++) {
        assert.equal((await surface.create(organization, key)).status, 429)
      }
      assert.deepEqual(await databaseState(app.database), before)
    })

    it('lets a request pass again after the time it named', async () => {
      const organization = await limited({ requests_per_minute: 600, burst: 1 })
      const key = await organization.fresh()
      await surface.get(organization, key)
      let answer = await surface.get(organization, key)
      // On a slow machine the tenth of a second may have passed between the two.
      for (let tries = 0; answer.status !== 429 && tries < 50; tries++) {
        answer = await surface.get(organization, key)
      }
      assert.equal(answer.status, 429)
      assert.equal(answer.headers['retry-after'], '1')
      await setTimeout(Number(answer.headers['retry-after-ms']) + 1)
      assert.equal((await surface.get(organization, key)).status, 200)
    })

    it('leaves other keys alone: of the same organization, and of one without a limit', async () => {
      const organization = await limited({ ...SLOW, burst: 1 })
      const [key, other] = [await organization.fresh(), await organization.fresh()]
      const { key: unlimited } = await app.organization(`unlimited-${name}`)
      await surface.get(organization, key)
      assert.equal((await surface.get(organization, key)).status, 429)
      assert.equal((await surface.get(organization, other)).status, 200)
      for (let repeat = 0; repeat < 3; repeat++) {
        const answer = await app.call('GET', '/v1/groups', { key: unlimited })
        assert.deepEqual([answer.status, ...rateOf(answer)], [200, undefined, undefined, undefined])
      }
    })
  })
}

describe('the rate limit of a key', () => {
  it('is one for all surfaces, and for the access tokens that were issued for it', async () => {
    const organization = await limited({ ...SLOW, burst: 3 })
    const key = await organization.fresh()
    const body = { grant_type: 'client_credentials' }
    const token = (await app.call('POST', '/v1/auth/access-tokens', { key, body })).body.access_token
    assert.equal((await surfaces.vitable.get(organization, token)).status, 200)
    assert.equal((await surfaces.directory.get(organization, token)).status, 200)
    assert.equal((await surfaces.directory.get(organization, key)).status, 429)
    assert.equal((await surfaces.vitable.get(organization, token)).status, 429)
  })

  it('is not asked of who has no working key, and not of the root key', async () => {
    const organization = await limited({ ...SLOW, burst: 1 })
    for (let repeat = 0; repeat < 3; repeat++) {
      assert.equal((await organization.client.send('GET', '/groups')).status, 200)
      const stranger = await organization.client.send('GET', '/groups', { key: 'rck_nobody' })
      assert.deepEqual([stranger.status, ...rateOf(stranger)], [401, undefined, undefined, undefined])
    }
  })

  it('is set, changed and taken away at once in this process, within the cache time in others', async () => {
    const organization = await limited({ ...SLOW, burst: 1 })
    const { client } = organization
    const key = await organization.fresh()
    const other = await openAuthentication(app.database, 'root key of the other process')
    const limitElsewhere = async () => other.countRequest(await other.authenticate(key))?.limit
    const becomes = async (wanted: number | undefined) => {
      for (let tries = 0; tries < 200; tries++) {
        if ((await limitElsewhere()) === wanted) return true
        await setTimeout(25)
      }
      return false
    }
    assert.equal(await limitElsewhere(), 1)
    await surfaces.directory.get(organization, key)
    assert.equal((await surfaces.directory.get(organization, key)).status, 429)
    await client.ok('PATCH', '', { settings: { rate_limit: { requests_per_minute: 1_000_000, burst: 5 } } })
    const answer = await surfaces.directory.get(organization, key)
    assert.deepEqual([answer.status, rateOf(answer)[0]], [200, '5'])
    assert.ok(await becomes(5))
    await client.ok('PATCH', '', { settings: {} })
    assert.deepEqual(rateOf(await surfaces.directory.get(organization, key)), Array(3).fill(undefined))
    assert.ok(await becomes(undefined))
    await other.close()
  })

  it('is refused as a setting where it is not one, and shown as it was set', async () => {
    const { client } = await limited({ requests_per_minute: 1_000_000, burst: 1_000_000 })
    const before = (await client.get('')).settings
    assert.deepEqual(before, { rate_limit: { requests_per_minute: 1_000_000, burst: 1_000_000 } })
    for (const [rateLimit, field] of [
      [{}, 'settings.rate_limit.requests_per_minute'],
      [{ requests_per_minute: 0 }, 'settings.rate_limit.requests_per_minute'],
      [{ requests_per_minute: 1.5 }, 'settings.rate_limit.requests_per_minute'],
      [{ requests_per_minute: 1_000_001 }, 'settings.rate_limit.requests_per_minute'],
      [{ requests_per_minute: '5' }, 'settings.rate_limit.requests_per_minute'],
      [{ requests_per_minute: 1, burst: 0 }, 'settings.rate_limit.burst'],
      [{ requests_per_minute: 1, burst: 1_000_001 }, 'settings.rate_limit.burst'],
      [{ requests_per_minute: 1, burst: null }, 'settings.rate_limit.burst'],
      [{ requests_per_minute: 1, brust: 1 }, 'settings.rate_limit'],
      [null, 'settings.rate_limit'],
    ] as const) {
      const body = { settings: { rate_limit: rateLimit } }
      const refusal = await client.refused('PATCH', '', 'request.invalid', 400, { body })
      assert.equal(refusal.field, field, JSON.stringify(rateLimit))
    }
    assert.deepEqual((await client.get('')).settings, before)
  })
})
