import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { ENTERPRISE, USER } from '../../../scim-client.ts'
import { type IdentityProvider, startIdentityProvider } from '../identity-provider.ts'

let scim: IdentityProvider
before(async () => {
  scim = await startIdentityProvider()
})

describe('creating a user', () => {
  it('B-37: exact repetitions are dropped, two of a type stay, and the last that is primary is the only one', async () => {
    const [one, two] = [
      { type: 'work', value: '1@b37.example' },
      { type: 'work', value: '2@b37.example' },
    ]
    const { emails } = await scim.user({ userName: 'b37', emails: [one, two, one] })
    assert.deepEqual(emails, [one, two])
    const both = await scim.user({
      ...{ userName: 'b37-primary' },
      emails: [
        { ...one, value: '3@b37.example', primary: true },
        { ...two, value: '4@b37.example', primary: true },
      ],
    })
    assert.deepEqual(
      both.emails.map(({ primary }: { primary: boolean }) => primary),
      [false, true],
    )
    const { data } = await scim.directory.get('/members?email=4@b37.example')
    assert.equal(data.length, 1, 'the member has the primary address')
  })

  it('B-39: no userName is 400 invalidValue; a body that is no object is 400 invalidSyntax', async () => {
    for (const userName of [undefined, null, '', '  ']) {
      await scim.refused(400, 'invalidValue', 'POST', '/Users', { schemas: [USER], userName })
    }
    for (const raw of ['{"userName": "x"', 'userName=x', '[]', '"x"', 'null', '1', '{"a":1,}', '']) {
      const headers = { 'content-type': 'application/scim+json' }
      const { status, body } = await scim.call('POST', '/Users', { raw, headers })
      assert.deepEqual([status, body.scimType], [400, 'invalidSyntax'], raw)
    }
    await scim.refused(400, 'invalidSyntax', 'POST', '/Users', [{ userName: 'x' }])
  })

  it('B-40: schemas may be missing, and the extension among them too: they are seen in the body', async () => {
    const bare = await scim.expect(201, 'POST', '/Users', {
      userName: 'b40',
      [ENTERPRISE]: { department: 'Eng' },
    })
    assert.deepEqual([bare.schemas, bare[ENTERPRISE]], [[USER, ENTERPRISE], { department: 'Eng' }])
    const core = await scim.user({ userName: 'b40-core', [ENTERPRISE]: { department: 'Eng' } })
    assert.deepEqual(core.schemas, [USER, ENTERPRISE])
    const odd = await scim.expect(201, 'POST', '/Users', { schemas: 'none', userName: 'b40-odd' })
    assert.deepEqual(odd.schemas, [USER])
  })

  it('B-42: after a hard delete the same user is new, with a new id', async () => {
    const first = await scim.user({ userName: 'b42@acme.example', externalId: 'b42' })
    await scim.expect(204, 'DELETE', `/Users/${first.id}`)
    const second = await scim.user({ userName: 'b42@acme.example', externalId: 'b42' })
    assert.notEqual(second.id, first.id)
    await scim.refused(404, undefined, 'GET', `/Users/${first.id}`)
    assert.deepEqual(await scim.find('externalId eq "b42"'), [second.id])
  })
})

describe('replacing a user', () => {
  it('B-81: a PUT without active changes no state: it revives nobody and suspends nobody', async () => {
    for (const active of [true, false]) {
      const userName = `b81-${active}`
      const { id } = await scim.user({ userName, active })
      const put = await scim.expect(200, 'PUT', `/Users/${id}`, { schemas: [USER], userName, title: 'T' })
      assert.deepEqual([put.active, put.title], [active, 'T'])
      const nothing = { schemas: [USER], userName, title: 'T', active: null }
      assert.equal((await scim.expect(200, 'PUT', `/Users/${id}`, nothing)).active, active)
    }
  })

  it('B-83: what a PUT leaves out is cleared, the enterprise extension too', async () => {
    const userName = 'b83'
    const { id } = await scim.user({
      ...{ userName, displayName: 'D', title: 'T', externalId: 'E', [ENTERPRISE]: { department: 'Eng' } },
      emails: [{ value: 'b83@acme.example' }],
    })
    const put = await scim.expect(200, 'PUT', `/Users/${id}`, { schemas: [USER], userName })
    assert.deepEqual(Object.keys(put).sort(), ['active', 'id', 'meta', 'schemas', 'userName'])
    assert.deepEqual(await scim.find('externalId eq "E"'), [])
    assert.deepEqual(await scim.find('emails eq "b83@acme.example"'), [])
    assert.deepEqual(put.schemas, [USER])
  })

  it('B-84: a PUT without a userName is 400 invalidValue, and changes nothing', async () => {
    const { id } = await scim.user({ title: 'T' })
    await scim.unchanged(`/Users/${id}`, () =>
      scim.refused(400, 'invalidValue', 'PUT', `/Users/${id}`, { schemas: [USER], title: 'U' }),
    )
  })

  it('B-85: a PUT to an id that is none is 404, and creates nothing', async () => {
    const body = { schemas: [USER], userName: 'b85' }
    for (const id of ['01990000-0000-7000-8000-00000000abcd', 'b85', '1']) {
      await scim.refused(404, undefined, 'PUT', `/Users/${id}`, { ...body, id })
    }
    assert.deepEqual(await scim.find('userName eq "b85"'), [])
  })
})
