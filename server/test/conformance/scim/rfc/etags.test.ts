import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { GROUP, PATCH, USER } from '../../../scim-client.ts'
import { type IdentityProvider, startIdentityProvider } from '../identity-provider.ts'

let scim: IdentityProvider
before(async () => {
  scim = await startIdentityProvider()
})

const patchOf = (path: string, value: unknown) => ({
  schemas: [PATCH],
  Operations: [{ op: 'replace', path, value }],
})

describe('ETags', () => {
  it('are weak, stand in meta.version too, and move with every change and with no other request', async () => {
    for (const made of [await scim.user({ userName: 'moves' }), await scim.group('Moves')]) {
      const path = `/${made.meta.resourceType}s/${made.id}`
      assert.match(made.meta.version, /^W\/"\d+"$/)
      const read = await scim.call('GET', path)
      assert.equal(read.headers.etag, made.meta.version)
      const changed = await scim.expect(200, 'PATCH', path, patchOf('displayName', 'Other'))
      assert.notEqual(changed.meta.version, made.meta.version)
      const same = await scim.expect(200, 'PATCH', path, patchOf('displayName', 'Other'))
      assert.equal(same.meta.version, changed.meta.version)
    }
  })

  it('in If-None-Match spare the body: 304, until the resource has changed', async () => {
    const { id, meta } = await scim.user()
    const get = async (etag: string) => {
      const { status } = await scim.call('GET', `/Users/${id}`, { headers: { 'if-none-match': etag } })
      return status
    }
    assert.deepEqual(
      [await get(meta.version), await get('*'), await get(`"x", ${meta.version}`), await get('W/"999"')],
      [304, 304, 304, 200],
    )
    await scim.patch(`/Users/${id}`, { op: 'replace', path: 'title', value: 'T' })
    assert.equal(await get(meta.version), 200)
  })

  it('in If-Match refuse what was decided on an older state: 412, and nothing is changed', async () => {
    const member = await scim.user()
    for (const made of [await scim.user({ userName: 'match' }), await scim.group('Match', [member.id])]) {
      const path = `/${made.meta.resourceType}s/${made.id}`
      const isUser = made.meta.resourceType === 'User'
      const whole = isUser
        ? { schemas: [USER], userName: 'match-2' }
        : { schemas: [GROUP], displayName: 'Match 2' }
      const send = (method: string, etag: string, body?: unknown) =>
        scim.call(method, path, { headers: { 'if-match': etag }, ...(body === undefined ? {} : { body }) })
      const before = await scim.expect(200, 'GET', path)
      const first = await send('PATCH', before.meta.version, patchOf('displayName', 'Matched'))
      assert.equal(first.status, 200)
      for (const stale of [before.meta.version, 'W/"999"', '"nonsense"', 'nonsense', '']) {
        await scim.unchanged(path, async () => {
          for (const [method, body] of [
            ['PATCH', patchOf('displayName', 'Never')],
            ['PUT', whole],
            ['DELETE', undefined],
          ] as const) {
            assert.equal((await send(method, stale, body)).status, 412, `${method} ${stale}`)
          }
        })
      }
      assert.equal((await send('PUT', '*', whole)).status, 200)
      const { meta } = await scim.expect(200, 'GET', path)
      assert.equal((await send('DELETE', meta.version)).status, 204)
    }
  })
})
