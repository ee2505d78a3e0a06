import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { ENTERPRISE, PATCH, USER } from '../../../scim-client.ts'
import { ENTRA, type IdentityProvider, startIdentityProvider } from '../identity-provider.ts'

let entra: IdentityProvider
before(async () => {
  entra = await startIdentityProvider(ENTRA)
})

const P = { schemas: [PATCH] }
const MANAGER = '26118915-6090-4610-87e4-49d8ca9f808d'

describe('Entra changes users', () => {
  it('B-51: "Replace" of active with the text "False" deactivates, and the member with it', async () => {
    const user = await entra.user()
    const Operations = [{ op: 'Replace', path: 'active', value: 'False' }]
    const off = await entra.expect(200, 'PATCH', `/Users/${user.id}`, { ...P, Operations })
    assert.equal(off.active, false)
    const { data } = await entra.directory.get(`/members?email=${user.userName}`)
    assert.equal(data[0].status, 'suspended')
    await entra.unchanged(`/Users/${user.id}`, () =>
      entra.expect(200, 'PATCH', `/Users/${user.id}`, { ...P, Operations }),
    )
  })

  it('B-52: with aadOptscim062020 the same is a boolean', async () => {
    const user = await entra.user()
    const off = await entra.patch(`/Users/${user.id}`, { op: 'replace', path: 'active', value: false })
    assert.equal(off.active, false)
    const on = await entra.patch(`/Users/${user.id}`, { op: 'replace', path: 'active', value: true })
    assert.deepEqual([on.active, on.id], [true, user.id])
  })

  it('B-53: a list of one {value} stands for the value of an attribute that has one', async () => {
    const { id } = await entra.user({ displayName: 'Old name' })
    const off = await entra.patch(`/Users/${id}`, {
      op: 'Replace',
      path: 'active',
      value: [{ value: 'False' }],
    })
    assert.equal(off.active, false)
    const value = [{ $ref: null, value: 'New name' }]
    const renamed = await entra.patch(`/Users/${id}`, { op: 'Replace', path: 'displayName', value })
    assert.equal(renamed.displayName, 'New name')
  })

  it('B-54: the word of an operation is read in any letter case; another word is 400 invalidSyntax', async () => {
    const { id } = await entra.user()
    const added = await entra.patch(`/Users/${id}`, { op: 'Add', path: 'title', value: 'A' })
    assert.equal(added.title, 'A')
    const replaced = await entra.patch(`/Users/${id}`, { op: 'REPLACE', path: 'title', value: 'B' })
    assert.equal(replaced.title, 'B')
    const removed = await entra.patch(`/Users/${id}`, { op: 'Remove', path: 'title' })
    assert.ok(!('title' in removed))
    for (const op of ['move', '', 'adds']) {
      const Operations = [{ op, path: 'title', value: 'C' }]
      await entra.refused(400, 'invalidSyntax', 'PATCH', `/Users/${id}`, { ...P, Operations })
    }
  })

  it('B-55: the work address changes where it stands; others and primary stay', async () => {
    const home = { type: 'home', value: 'home@acme.example' }
    const { id } = await entra.user({
      emails: [home, { type: 'work', value: 'old@acme.example', primary: true, display: 'Work' }],
    })
    const path = 'emails[type eq "work"].value'
    const { emails } = await entra.patch(`/Users/${id}`, { op: 'Replace', path, value: 'new@acme.example' })
    assert.deepEqual(emails, [
      home,
      { type: 'work', value: 'new@acme.example', primary: true, display: 'Work' },
    ])
  })

  it('B-56: an entry of a canonical type that is missing is made; one of no such type is 400 noTarget', async () => {
    for (const op of ['Add', 'Replace']) {
      const { id } = await entra.user()
      const changed = await entra.patch(
        `/Users/${id}`,
        { op, path: 'emails[type eq "work"].value', value: `${op}@acme.example` },
        { op, path: 'phoneNumbers[type eq "mobile"].value', value: '+49 1' },
        { op, path: 'addresses[type eq "work"].postalCode', value: '53111' },
      )
      assert.deepEqual(changed.emails, [{ type: 'work', value: `${op}@acme.example` }])
      assert.deepEqual(changed.phoneNumbers, [{ type: 'mobile', value: '+49 1' }])
      assert.deepEqual(changed.addresses, [{ type: 'work', postalCode: '53111' }])
    }
    const { id } = await entra.user()
    for (const path of [
      'emails[type eq "castle"].value',
      'emails[type ne "work"].value',
      'emails[value eq "x"].type',
    ]) {
      const Operations = [{ op: 'Replace', path, value: 'work' }]
      await entra.refused(400, 'noTarget', 'PATCH', `/Users/${id}`, { ...P, Operations })
    }
  })

  it('B-57: a quoted boolean in a path is one; the primary entry is made, and others are primary no more', async () => {
    const { id } = await entra.user({ roles: [{ value: 'reader' }] })
    const path = 'roles[primary eq "True"].value'
    const made = await entra.patch(`/Users/${id}`, { op: 'Replace', path, value: 'admin' })
    assert.deepEqual(made.roles, [{ value: 'reader' }, { primary: true, value: 'admin' }])
    const again = await entra.patch(`/Users/${id}`, { op: 'Replace', path, value: 'owner' })
    assert.deepEqual(again.roles, [{ value: 'reader' }, { primary: true, value: 'owner' }])
    const added = { op: 'Add', path: 'roles', value: [{ value: 'third', primary: 'True' }] }
    const { roles } = await entra.patch(`/Users/${id}`, added)
    const primary = (role: { primary?: boolean }) => role.primary === true
    assert.deepEqual(roles.filter(primary), [{ value: 'third', primary: true }])
  })

  it('B-58: names in a value without a path may be paths themselves', async () => {
    const { id } = await entra.user({
      name: { familyName: 'F' },
      emails: [{ type: 'work', value: 'old@acme.example' }],
    })
    const changed = await entra.patch(`/Users/${id}`, {
      op: 'replace',
      value: {
        ...{ displayName: 'A', 'name.givenName': 'B', [`${ENTERPRISE}:department`]: 'Eng' },
        'emails[type eq "work"].value': 'x@acme.example',
      },
    })
    assert.equal(changed.displayName, 'A')
    assert.deepEqual(changed.name, { familyName: 'F', givenName: 'B' })
    assert.deepEqual(changed[ENTERPRISE], { department: 'Eng' })
    assert.deepEqual(changed.emails, [{ type: 'work', value: 'x@acme.example' }])
  })

  it('B-60: the enterprise extension is made by the first value of it, in each of three ways', async () => {
    for (const operation of [
      { op: 'Add', path: `${ENTERPRISE}:department`, value: 'Eng' },
      { op: 'Add', path: ENTERPRISE, value: { department: 'Eng' } },
      { op: 'Add', value: { [ENTERPRISE]: { department: 'Eng' } } },
    ]) {
      const user = await entra.user()
      assert.deepEqual(user.schemas, [USER])
      const changed = await entra.patch(`/Users/${user.id}`, operation)
      assert.deepEqual([changed.schemas, changed[ENTERPRISE]], [[USER, ENTERPRISE], { department: 'Eng' }])
    }
  })

  it('B-61: a manager is set by a list or a text, and removed by an empty text or null', async () => {
    const { id } = await entra.user()
    const managerAfter = async (operation: { op: string; path: string; value?: unknown }) =>
      (await entra.patch(`/Users/${id}`, operation))[ENTERPRISE]?.manager
    const list = [{ $ref: `https://rollcall.example${entra.base}/Users/${MANAGER}`, value: MANAGER }]
    assert.equal((await managerAfter({ op: 'Add', path: 'manager', value: list })).value, MANAGER)
    const path = `${ENTERPRISE}:manager`
    for (const nothing of ['', null]) {
      assert.equal(await managerAfter({ op: 'Replace', path, value: nothing }), undefined)
      assert.deepEqual(await managerAfter({ op: 'Add', path, value: MANAGER }), { value: MANAGER })
    }
    const gone = await entra.patch(`/Users/${id}`, { op: 'Remove', path })
    assert.deepEqual([gone.schemas, gone[ENTERPRISE]], [[USER], undefined])
  })

  it('B-62: what is removed or cleared has no key in the answer', async () => {
    for (const operation of [
      { op: 'Remove', path: 'title' },
      { op: 'remove', path: `${ENTERPRISE}:department` },
      { op: 'replace', path: 'title', value: '' },
      { op: 'Replace', path: 'title', value: null },
    ]) {
      const { id } = await entra.user({ title: 'T', [ENTERPRISE]: { department: 'Eng' } })
      const changed = await entra.patch(`/Users/${id}`, operation)
      const isTitle = operation.path === 'title'
      assert.deepEqual(['title' in changed, ENTERPRISE in changed], [!isTitle, isTitle])
      const shown = await entra.expect(200, 'GET', `/Users/${id}`)
      assert.deepEqual(shown, changed)
    }
  })

  it('B-65: a user is renamed; to a name that is taken it is 409 uniqueness', async () => {
    const user = await entra.user({ userName: 'b65@acme.example' })
    const taken = await entra.user({ userName: 'B65-taken@acme.example' })
    const rename = (value: string) => ({ ...P, Operations: [{ op: 'replace', path: 'userName', value }] })
    const renamed = await entra.expect(200, 'PATCH', `/Users/${user.id}`, rename('new-b65@acme.example'))
    assert.deepEqual([renamed.id, renamed.userName], [user.id, 'new-b65@acme.example'])
    await entra.refused(409, 'uniqueness', 'PATCH', `/Users/${user.id}`, rename('b65-TAKEN@acme.example'))
    assert.deepEqual(await entra.find('userName eq "b65-taken@acme.example"'), [taken.id])
    assert.deepEqual(await entra.find('userName eq "b65@acme.example"'), [])
  })

  it('B-70: no operations change nothing; the list is read under a lower-case name', async () => {
    const { id } = await entra.user({ title: 'T' })
    const path = `/Users/${id}`
    await entra.unchanged(path, () => entra.expect(200, 'PATCH', path, { ...P, Operations: [] }))
    const operations = [{ op: 'replace', path: 'title', value: 'U' }]
    const changed = await entra.expect(200, 'PATCH', path, { ...P, operations })
    assert.equal(changed.title, 'U')
  })

  it('B-72: a custom extension that nobody registered is ignored with 200', async () => {
    const { id } = await entra.user()
    const path = 'urn:ietf:params:scim:schemas:extension:acme:custom:2.0:User:tags'
    const Operations = [{ op: 'Add', path, value: [{ value: '1' }] }]
    await entra.unchanged(`/Users/${id}`, () =>
      entra.expect(200, 'PATCH', `/Users/${id}`, { ...P, Operations }),
    )
  })
})
