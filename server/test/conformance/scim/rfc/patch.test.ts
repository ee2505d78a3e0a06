import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { PATCH, USER } from '../../../scim-client.ts'
import { type IdentityProvider, startIdentityProvider } from '../identity-provider.ts'

let scim: IdentityProvider
before(async () => {
  scim = await startIdentityProvider()
})

const refused = (scimType: string, id: string, ...Operations: object[]) =>
  scim.refused(400, scimType, 'PATCH', `/Users/${id}`, { schemas: [PATCH], Operations })

describe('PATCH of a user', () => {
  it('B-59: parts of a name are merged into it', async () => {
    const { id } = await scim.user({ name: { givenName: 'A', familyName: 'F' } })
    const { name } = await scim.patch(`/Users/${id}`, { op: 'replace', value: { name: { givenName: 'B' } } })
    assert.deepEqual(name, { givenName: 'B', familyName: 'F' })
  })

  it('B-63: a removal without a path is 400 noTarget', async () => {
    const { id } = await scim.user({ title: 'T' })
    await scim.unchanged(`/Users/${id}`, () => refused('noTarget', id, { op: 'remove' }))
    await refused('noTarget', id, { op: 'remove', path: '' })
  })

  it('B-64: a removal that fits nothing succeeds and changes nothing', async () => {
    const { id } = await scim.user({ emails: [{ type: 'work', value: 'b64@acme.example' }] })
    for (const path of ['emails[type eq "fax"]', 'emails[type eq "fax"].value', 'title', 'phoneNumbers']) {
      await scim.unchanged(`/Users/${id}`, () => scim.patch(`/Users/${id}`, { op: 'remove', path }))
    }
  })

  it('B-67: an addition of what is there changes nothing, lastModified least of all', async () => {
    const emails = [{ type: 'work', value: 'b67@acme.example' }]
    const { id } = await scim.user({ emails, title: 'T', name: { givenName: 'G' } })
    for (const operation of [
      { op: 'add', path: 'emails', value: emails },
      { op: 'add', path: 'emails', value: emails[0] },
      { op: 'add', value: { emails, title: 'T' } },
      { op: 'replace', path: 'emails', value: emails },
      { op: 'replace', path: 'name', value: { givenName: 'G' } },
      { op: 'replace', path: 'active', value: true },
    ]) {
      const answer = await scim.unchanged(`/Users/${id}`, () => scim.patch(`/Users/${id}`, operation))
      assert.deepEqual(answer.emails, emails)
    }
  })

  it('B-68: an entry that is added as primary is the only one', async () => {
    const { id } = await scim.user({ emails: [{ type: 'work', value: 'b68@acme.example', primary: true }] })
    const value = [{ type: 'home', value: 'b68-home@acme.example', primary: true }]
    const { emails } = await scim.patch(`/Users/${id}`, { op: 'add', path: 'emails', value })
    assert.deepEqual(emails, [{ type: 'work', value: 'b68@acme.example', primary: false }, ...value])
  })

  it('B-69: when the last of three operations is refused, none has happened', async () => {
    const { id } = await scim.user({ userName: 'b69', title: 'T', displayName: 'D' })
    const good = [
      { op: 'replace', path: 'title', value: 'U' },
      { op: 'remove', path: 'displayName' },
    ]
    for (const [scimType, bad] of [
      ['invalidPath', { op: 'replace', path: 'unheardOf', value: 'x' }],
      ['invalidPath', { op: 'replace', path: '][', value: 'x' }],
      ['invalidFilter', { op: 'replace', path: 'emails[type zz "work"].value', value: 'x' }],
      ['invalidValue', { op: 'replace', path: 'active', value: 'perhaps' }],
      ['invalidValue', { op: 'replace', path: 'title' }],
      ['mutability', { op: 'remove', path: 'userName' }],
      ['invalidSyntax', { op: 'jump', path: 'title' }],
    ] as const) {
      await scim.unchanged(`/Users/${id}`, () => refused(scimType, id, ...good, bad))
    }
    const shown = await scim.expect(200, 'GET', `/Users/${id}`)
    assert.deepEqual([shown.title, shown.displayName], ['T', 'D'])
  })

  it('B-71: the whole URN before a name is read, in any letter case', async () => {
    const { id } = await scim.user({ name: { givenName: 'G', familyName: 'A' } })
    const rename = async (path: string, value: string) =>
      (await scim.patch(`/Users/${id}`, { op: 'replace', path, value })).name
    assert.deepEqual(await rename(`${USER}:name.familyName`, 'B'), { givenName: 'G', familyName: 'B' })
    const lower = 'urn:ietf:params:scim:schemas:core:2.0:user:Name.FamilyName'
    assert.deepEqual(await rename(lower, 'C'), { givenName: 'G', familyName: 'C' })
  })

  it('B-73: a formatted name is stored as given, and never made from its parts', async () => {
    const { id } = await scim.user()
    const given = await scim.patch(`/Users/${id}`, { op: 'replace', path: 'name.givenName', value: 'G' })
    assert.deepEqual(given.name, { givenName: 'G' })
    const formatted = { op: 'replace', path: 'name.formatted', value: 'X' }
    assert.deepEqual((await scim.patch(`/Users/${id}`, formatted)).name, { givenName: 'G', formatted: 'X' })
    const again = await scim.patch(`/Users/${id}`, { op: 'replace', path: 'name.givenName', value: 'H' })
    assert.deepEqual(again.name, { givenName: 'H', formatted: 'X' })
  })

  it('B-74: with attributes asked for, the answer is 200 with those', async () => {
    const user = await scim.user()
    const body = { schemas: [PATCH], Operations: [{ op: 'replace', path: 'title', value: 'T' }] }
    const answer = await scim.expect(200, 'PATCH', `/Users/${user.id}?attributes=userName`, body)
    assert.deepEqual(answer, { schemas: [USER], id: user.id, userName: user.userName })
  })
})
