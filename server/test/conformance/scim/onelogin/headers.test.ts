import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { type IdentityProvider, startIdentityProvider } from '../identity-provider.ts'

let onelogin: IdentityProvider
before(async () => {
  onelogin = await startIdentityProvider({ 'user-agent': '' })
})

describe('OneLogin says nothing of itself', () => {
  it('B-08: requests with an empty User-Agent are served', async () => {
    const user = await onelogin.user()
    assert.deepEqual(await onelogin.find(`userName eq "${user.userName}"`), [user.id])
    await onelogin.patch(`/Users/${user.id}`, { op: 'replace', path: 'active', value: false })
    await onelogin.expect(204, 'DELETE', `/Users/${user.id}`)
  })
})
