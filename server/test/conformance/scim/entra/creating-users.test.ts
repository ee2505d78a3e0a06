import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { ENTERPRISE, USER } from '../../../scim-client.ts'
import { ENTRA, type IdentityProvider, startIdentityProvider } from '../identity-provider.ts'

let entra: IdentityProvider
before(async () => {
  entra = await startIdentityProvider(ENTRA)
})

const post = (body: object) => entra.expect(201, 'POST', '/Users', body)

describe('Entra creates users', () => {
  it('B-33: nulls are no values, what is unknown at the top is ignored, and so is meta', async () => {
    const user = await post({
      schemas: [USER, ENTERPRISE],
      ...{ userName: 'b33@acme.example', active: true, roles: [], addresses: null, phoneNumbers: null },
      ...{ title: null, meta: { resourceType: 'User' }, department: null, manager: null },
    })
    const { id, meta, ...rest } = user
    assert.deepEqual(rest, { schemas: [USER], userName: 'b33@acme.example', active: true })
    assert.equal(meta.location, `https://rollcall.example${entra.base}/Users/${id}`)
  })

  it('B-33: department and manager at the top are not those of the enterprise extension', async () => {
    const user = await post({
      schemas: [USER, ENTERPRISE],
      ...{ userName: 'b33-top@acme.example', department: 'Eng', manager: 'somebody' },
    })
    assert.equal(user[ENTERPRISE], undefined)
    assert.deepEqual(user.schemas, [USER])
  })

  it('B-34: booleans as texts are booleans; any other text is 400 invalidValue', async () => {
    const user = await post({
      ...{ schemas: [USER], userName: 'b34@acme.example', active: 'True' },
      emails: [{ type: 'work', value: 'b34@acme.example', primary: 'true' }],
      addresses: [{ type: 'work', locality: 'Bonn', primary: 'False' }],
      roles: [{ value: 'admin', primary: 'TRUE' }],
    })
    const shown = await entra.expect(200, 'GET', `/Users/${user.id}`)
    for (const one of [user, shown]) {
      assert.equal(one.active, true)
      assert.equal(one.emails[0].primary, true)
      assert.equal(one.addresses[0].primary, false)
      assert.equal(one.roles[0].primary, true)
    }
    const off = await post({ schemas: [USER], userName: 'b34-off@acme.example', active: 'False' })
    assert.equal(off.active, false)
    const wrong = { schemas: [USER], userName: 'b34-wrong@acme.example' }
    for (const body of [
      { ...wrong, active: 'yes' },
      { ...wrong, active: 1 },
      { ...wrong, emails: [{ value: 'a@acme.example', primary: '1' }] },
    ]) {
      await entra.refused(400, 'invalidValue', 'POST', '/Users', body)
    }
    assert.deepEqual(await entra.find('userName eq "b34-wrong@acme.example"'), [])
  })

  it('B-35: a manager is a text or an object in any letter case, known or not', async () => {
    const id = '26118915-6090-4610-87e4-49d8ca9f808d'
    const enterprise = [
      { manager: id },
      { manager: { value: id } },
      { Manager: { Value: id }, Department: 'Eng' },
    ]
    for (const [index, data] of enterprise.entries()) {
      const userName = `b35-${index}@acme.example`
      const user = await post({ schemas: [USER, ENTERPRISE], userName, [ENTERPRISE]: data })
      const { manager, department } = user[ENTERPRISE]
      assert.deepEqual(manager, { value: id })
      assert.equal(department, 'Department' in data ? 'Eng' : undefined)
      assert.deepEqual(user.schemas, [USER, ENTERPRISE])
    }
  })

  it('B-36: names of attributes and of their parts are read in any letter case', async () => {
    const user = await post({
      schemas: [USER],
      ...{ UserName: 'b36@acme.example', DISPLAYNAME: 'B', NAME: { GIVENname: 'G' } },
      emails: [{ Primary: true, type: 'work', value: 'a@acme.example' }],
    })
    assert.deepEqual(
      [user.userName, user.displayName, user.name],
      ['b36@acme.example', 'B', { givenName: 'G' }],
    )
    assert.deepEqual(user.emails, [{ primary: true, type: 'work', value: 'a@acme.example' }])
  })

  it('B-38: extensions that nobody registered are ignored and left out, misprints of their names among them', async () => {
    const custom = 'urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User'
    const misprint = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0User'
    const user = await post({
      schemas: [USER, custom, misprint],
      ...{ userName: 'b38@acme.example', [custom]: { tag: 'x' }, [misprint]: { department: 'Eng' } },
    })
    assert.deepEqual(user.schemas, [USER])
    assert.deepEqual(Object.keys(user).sort(), ['active', 'id', 'meta', 'schemas', 'userName'])
  })

  it('B-43: values come back byte for byte', async () => {
    const given = {
      ...{ userName: 'B43.Mixed@Acme.Example', displayName: '  Ann \u00a0 Ä\u0308 ', title: 'Sr.\tDev' },
      phoneNumbers: [{ type: 'work', value: '+1 (206)  555 - 0100 ' }],
      emails: [{ type: 'work', value: 'Ann.MIXED@Acme.Example', primary: true }],
      addresses: [{ type: 'work', formatted: '1 Main St\r\nBonn\n', postalCode: ' 053 11' }],
    }
    const { id } = await post({ schemas: [USER], ...given })
    const {
      schemas: _schemas,
      id: _id,
      meta: _meta,
      active: _active,
      ...kept
    } = await entra.expect(200, 'GET', `/Users/${id}`)
    assert.deepEqual(kept, given)
  })
})
