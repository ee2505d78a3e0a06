import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { ENTERPRISE, PATCH, USER } from '../../../scim-client.ts'
import { type IdentityProvider, OKTA, startIdentityProvider } from '../identity-provider.ts'

let okta: IdentityProvider
before(async () => {
  okta = await startIdentityProvider(OKTA)
})

const P = { schemas: [PATCH] }
const PASSWORD = 'x9-SeCreT'

/** A user as Okta's wizard apps create it. */
const annOf = (name: string) => ({
  schemas: [USER],
  ...{ userName: `${name}@acme.example`, name: { givenName: 'Ann', familyName: 'A' } },
  emails: [{ primary: true, value: `${name}@acme.example`, type: 'work' }],
  ...{ displayName: 'Ann A', locale: 'en-US', externalId: `00u-${name}`, groups: [], password: PASSWORD },
  active: true,
})

describe('Okta provisions users', () => {
  it('B-30: a user is created with its whole body; the password is kept nowhere and groups are ignored', async () => {
    const answer = await okta.call('POST', '/Users', { body: annOf('b30') })
    assert.equal(answer.status, 201)
    const { schemas, id, meta, ...rest } = answer.body
    const { password: _p, groups: _g, schemas: _s, ...sent } = annOf('b30')
    assert.deepEqual(rest, sent)
    assert.deepEqual(schemas, [USER])
    assert.equal(answer.headers.location, `https://rollcall.example${okta.base}/Users/${id}`)
    assert.equal(meta.resourceType, 'User')
    await okta.app.scim.requestLog.flush()
    const { database } = okta.app
    const names = `select table_name as name from information_schema.tables where table_schema = current_schema()`
    const tables = await database.rows<{ name: string }>({ name: '', text: names, values: [] })
    assert.ok(tables.some(({ name }) => name === 'scim_request'))
    for (const { name } of tables) {
      const text = `select count(*)::int as n from "${name}" t where t::text like '%' || $1 || '%'`
      const row = await database.row<{ n: number }>({ name: '', text, values: [PASSWORD] })
      assert.equal(row?.n, 0, name)
    }
  })

  it('B-31: the same userName in another letter case is 409 uniqueness', async () => {
    const first = await okta.user(annOf('b31'))
    const again = { ...annOf('other-b31'), userName: 'B31@ACME.example' }
    const detail = await okta.refused(409, 'uniqueness', 'POST', '/Users', again)
    assert.match(detail, /userName/)
    assert.deepEqual(await okta.find('userName eq "b31@acme.example"'), [first.id])
  })

  it('B-32: of two that create one user at the same moment one is 201 and the other 409', async () => {
    for (let round = 0; round < 5; round++) {
      const body = { schemas: [USER], userName: `b32-${round}@acme.example` }
      const both = await Promise.all([
        okta.call('POST', '/Users', { body }),
        okta.call('POST', '/Users', { body: { ...body, userName: body.userName.toUpperCase() } }),
      ])
      assert.deepEqual(both.map(({ status }) => status).sort(), [201, 409])
      assert.equal(both.find(({ status }) => status === 409)?.body.scimType, 'uniqueness')
      assert.equal((await okta.find(`userName eq "${body.userName}"`)).length, 1)
    }
  })

  it('B-41: a POST of a deactivated user is 409, and revives nobody', async () => {
    const user = await okta.user(annOf('b41'))
    await okta.patch(`/Users/${user.id}`, { op: 'replace', value: { active: false } })
    await okta.unchanged(`/Users/${user.id}`, () =>
      okta.refused(409, 'uniqueness', 'POST', '/Users', annOf('b41')),
    )
    assert.equal((await okta.expect(200, 'GET', `/Users/${user.id}`)).active, false)
  })

  it('B-50: catalogue apps deactivate by a PATCH without a path; the member loses its keys', async () => {
    const user = await okta.user(annOf('b50'))
    const { data } = await okta.directory.get('/members?email=b50@acme.example')
    const key = await okta.directory.key(['members:read'], { member_id: data[0].id })
    const reads = async () => (await okta.directory.send('GET', '/members', { key })).status
    assert.notEqual(await reads(), 401)
    const Operations = [{ op: 'replace', value: { active: false } }]
    const off = await okta.expect(200, 'PATCH', `/Users/${user.id}`, { ...P, Operations })
    assert.deepEqual([off.id, off.active, off.userName], [user.id, false, 'b50@acme.example'])
    assert.equal(await reads(), 401)
  })

  it('B-66: what is read-only is 400 mutability by its path, and ignored in a whole value', async () => {
    const user = await okta.user(annOf('b66'))
    const path = `/Users/${user.id}`
    for (const [target, value] of [
      ['id', 'x'],
      ['meta.created', '2020-01-01T00:00:00Z'],
      ['meta', {}],
      ['groups', [{ value: 'x' }]],
    ] as const) {
      const Operations = [{ op: 'replace', path: target, value }]
      await okta.refused(400, 'mutability', 'PATCH', path, { ...P, Operations })
    }
    const changed = await okta.patch(path, { op: 'replace', value: { id: user.id, displayName: 'New' } })
    assert.deepEqual([changed.id, changed.displayName], [user.id, 'New'])
    const other = await okta.patch(path, { op: 'replace', value: { id: 'another', displayName: 'Newer' } })
    assert.deepEqual([other.id, other.displayName], [user.id, 'Newer'])
  })

  it('B-80: wizard apps read, change one field and write everything back', async () => {
    const { id } = await okta.user({
      ...annOf('b80'),
      [ENTERPRISE]: { department: 'Eng', manager: { value: 'm' } },
    })
    const group = await okta.group('B-80', [id])
    const read = await okta.expect(200, 'GET', `/Users/${id}`)
    assert.equal(read.groups[0].value, group.id)
    read.name.familyName = 'Changed'
    read.emails[0].display = 'Ann A'
    read.emails[0].unheardOf = 'x'
    const written = await okta.expect(200, 'PUT', `/Users/${id}`, read)
    const { emails, meta, ...rest } = written
    const { emails: _, meta: before, ...asRead } = read
    assert.deepEqual(rest, asRead)
    assert.deepEqual([emails[0].value, emails[0].primary], ['b80@acme.example', true])
    assert.equal(meta.created, before.created)
    assert.notEqual(meta.version, before.version)
    assert.deepEqual(await okta.memberIdsOf(group.id), [id])
    await okta.unchanged(`/Users/${id}`, () => okta.expect(200, 'PUT', `/Users/${id}`, written))
  })

  it('B-82: a PUT with active false deactivates', async () => {
    const { id } = await okta.user(annOf('b82'))
    const off = await okta.expect(200, 'PUT', `/Users/${id}`, { ...annOf('b82'), active: false })
    assert.equal(off.active, false)
    const { data } = await okta.directory.get('/members?email=b82@acme.example')
    assert.equal(data[0].status, 'suspended')
  })

  it('B-110: assigned, unassigned and assigned again, a user is one and the same', async () => {
    const user = await okta.user(annOf('b110'))
    const path = `/Users/${user.id}`
    const kept = await okta.group('B-110 kept', [user.id])
    const left = await okta.group('B-110 left', [user.id])
    const member = (await okta.directory.get('/members?email=b110@acme.example')).data[0]
    const key = await okta.directory.key(['members:read'], { member_id: member.id })
    const since = (await okta.directory.lastChange()).number
    const active = (value: boolean) => okta.patch(path, { op: 'replace', value: { active: value } })
    await active(false)
    await okta.unchanged(path, () => active(false))
    await okta.patch(`/Groups/${left.id}`, { op: 'remove', path: `members[value eq "${user.id}"]` })
    assert.deepEqual(await okta.find('userName eq "b110@acme.example"'), [user.id])
    const back = await active(true)
    await okta.unchanged(path, () => active(true))
    assert.deepEqual([back.id, back.active], [user.id, true])
    const { groups } = await okta.expect(200, 'GET', path)
    assert.deepEqual(
      groups.map(({ value }: { value: string }) => value),
      [kept.id],
    )
    const again = (await okta.directory.get('/members?email=b110@acme.example')).data[0]
    assert.deepEqual([again.id, again.status], [member.id, 'active'])
    assert.equal((await okta.directory.send('GET', '/members', { key })).status, 401, 'old keys stay dead')
    const { data } = await okta.directory.get('/changes?order=desc&limit=10')
    const news = data.filter(({ number }: { number: number }) => number > since)
    assert.deepEqual(
      news.map(({ kind }: { kind: string }) => kind),
      ['member.reactivated', 'scim_group.provisioned', 'member.suspended'],
    )
  })
})
