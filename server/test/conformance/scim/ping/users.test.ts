import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { USER } from '../../../scim-client.ts'
import { type IdentityProvider, startIdentityProvider } from '../identity-provider.ts'

let ping: IdentityProvider
before(async () => {
  ping = await startIdentityProvider()
})

describe('Ping provisions people whose userName is no address', () => {
  it('B-44: the userName is kept as it is, and the address is that of the emails', async () => {
    for (const userName of ['ann', 'DOMAIN\\ann']) {
      const value = `${userName.length}@acme.example`
      const emails = [{ value, type: 'work', primary: true }]
      const user = await ping.expect(201, 'POST', '/Users', { schemas: [USER], userName, emails })
      assert.equal(user.userName, userName)
      assert.deepEqual(await ping.find(`userName eq ${JSON.stringify(userName.toUpperCase())}`), [user.id])
      const { data } = await ping.directory.get(`/members?email=${value}`)
      assert.deepEqual([data.length, data[0].email], [1, value])
    }
    const { id } = await ping.expect(201, 'POST', '/Users', { schemas: [USER], userName: 'nobody-writes-me' })
    assert.equal((await ping.expect(200, 'GET', `/Users/${id}`)).emails, undefined)
  })

  it('disables a person by a PUT of the whole user, and enables them again', async () => {
    const body = { schemas: [USER], userName: 'ben', displayName: 'Ben' }
    const user = await ping.expect(201, 'POST', '/Users', { ...body, active: true })
    const path = `/Users/${user.id}`
    assert.equal((await ping.expect(200, 'PUT', path, { ...body, active: false })).active, false)
    assert.equal((await ping.expect(200, 'PUT', path, { ...body, active: true })).active, true)
  })
})
