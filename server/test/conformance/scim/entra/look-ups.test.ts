import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { ENTERPRISE, USER } from '../../../scim-client.ts'
import { ENTRA, type IdentityProvider, startIdentityProvider } from '../identity-provider.ts'

let entra: IdentityProvider
// biome-ignore lint/suspicious/noExplicitAny: a body as the wire has it
let ann: any
before(async () => {
  entra = await startIdentityProvider(ENTRA)
  ann = await entra.user({
    ...{ userName: 'Ann@acme.example', externalId: 'X-1', title: 'Engineer', active: true },
    emails: [{ type: 'work', value: 'ann@acme.example', primary: true }],
  })
  await entra.user({ userName: 'other@acme.example', externalId: 'Y-1' })
})

describe('Entra looks users and groups up', () => {
  it('B-01: the connection test finds nobody: 200 and an empty list, never 404', async () => {
    const guid = '0f3c9c1e-a0b1-4b5f-9d5e-6a0a6a1b2c3d'
    const path = `/Users?filter=userName+eq+%22${guid}%22`
    const body = await entra.expect(200, 'GET', path)
    assert.deepEqual(body, {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
      ...{ totalResults: 0, startIndex: 1, itemsPerPage: 0, Resources: [] },
    })
  })

  it('B-09: flags in the base URL are for the other side: the call is served', async () => {
    const { base, token } = entra
    for (const flag of ['aadOptscim062020', 'AzureAdScimPatch2017', 'aadOptscim062020=']) {
      const typed = [
        `${base}/Users?${flag}`,
        `${base}/Users/${ann.id}?${flag}`,
        `${base}?${flag}/Users/${ann.id}`,
        `${base}/?${flag}/Users/${ann.id}`,
        `${base}?${flag}/Users?filter=userName+eq+%22ann@acme.example%22`,
        `${base}/Users?filter=userName+eq+%22ann@acme.example%22&${flag}`,
      ]
      for (const path of typed) {
        const { status, body } = await entra.app.call('GET', path, { key: token })
        assert.equal(status, 200, path)
        assert.ok(body.id === ann.id || body.Resources[0].id === ann.id, path)
      }
    }
  })

  it('B-11: names and operators are read in any letter case, and with the URN before the name', async () => {
    for (const filter of [
      'userName Eq "ann@acme.example"',
      'USERNAME eq "ann@acme.example"',
      `${USER}:userName eq "ann@acme.example"`,
      `${USER.toUpperCase()}:USERNAME EQ "ann@acme.example"`,
    ]) {
      assert.deepEqual(await entra.find(filter), [ann.id], filter)
    }
  })

  it('B-12: externalId is found in its exact letter case only', async () => {
    assert.deepEqual(await entra.find('externalId eq "X-1"'), [ann.id])
    assert.deepEqual(await entra.find('externalId eq "x-1"'), [])
  })

  it('B-13: a value without quotes is 400 invalidFilter', async () => {
    await entra.refused(400, 'invalidFilter', 'GET', '/Users?filter=externalId+eq+jyoung')
  })

  it('B-14: a user is found by an address, written in each of three ways', async () => {
    for (const filter of [
      'emails[type eq "work"].value eq "ann@acme.example"',
      'emails[type eq "work" and value eq "ANN@acme.example"]',
      'emails.value eq "ann@acme.example"',
      'emails eq "ann@acme.example"',
    ]) {
      assert.deepEqual(await entra.find(filter), [ann.id], filter)
    }
    assert.deepEqual(await entra.find('emails[type eq "home"].value eq "ann@acme.example"'), [])
  })

  it('B-15: managers and members are looked up before they are changed: only id and schemas come back', async () => {
    const boss = await entra.user()
    const worker = await entra.user({ [ENTERPRISE]: { manager: { value: boss.id } } })
    const group = await entra.group('B-15', [worker.id])
    const manager = (id: string, of: string) => `id eq "${id}" and manager eq "${of}"`
    assert.deepEqual(await entra.find(manager(worker.id, boss.id)), [worker.id])
    assert.deepEqual(await entra.find(manager(worker.id, ann.id)), [])
    assert.deepEqual(await entra.find(manager(boss.id, boss.id)), [])
    assert.deepEqual(await entra.find(`id eq "${worker.id}"`), [worker.id])
    const filter = encodeURIComponent(manager(worker.id, boss.id))
    const { Resources } = await entra.expect(200, 'GET', `/Users?filter=${filter}&attributes=id`)
    assert.deepEqual(Resources, [{ schemas: [USER, ENTERPRISE], id: worker.id }])
    for (const member of ['members eq', 'members.value eq', 'members[value eq']) {
      const has = (id: string) =>
        `id eq "${group.id}" and ${member} "${id}"${member.includes('[') ? ']' : ''}`
      assert.deepEqual(await entra.find(has(worker.id), '/Groups'), [group.id], member)
      assert.deepEqual(await entra.find(has(boss.id), '/Groups'), [], member)
    }
  })

  it('B-16: moments are compared as instants, with seven digits of a fraction', async () => {
    const since = (moment: string) => `(ActiVe eq true) and meta.lastmodified ge "${moment}"`
    const { lastModified } = ann.meta
    const next = new Date(Date.parse(lastModified) + 1000).toISOString()
    const all = await entra.find('(active eq true) and meta.lastModified ge "2026-01-01T00:00:00.0000000Z"')
    assert.ok(all.includes(ann.id))
    assert.ok((await entra.find(since('2026-01-01T00:00:00.0000000Z'))).includes(ann.id))
    assert.ok((await entra.find(since(lastModified))).includes(ann.id), 'at the very moment')
    const inBerlin = new Date(Date.parse(lastModified) + 3_600_000).toISOString().replace('Z', '0000+01:00')
    assert.ok((await entra.find(since(inBerlin))).includes(ann.id), 'the same instant elsewhere')
    const only = `id eq "${ann.id}" and meta.lastModified`
    assert.deepEqual(await entra.find(`${only} ge "${next.replace('Z', '0000Z')}"`), [])
    assert.deepEqual(await entra.find(`${only} lt "${next}"`), [ann.id])
  })

  it('B-17: a boolean in quotes is a boolean', async () => {
    const off = await entra.user({ active: false })
    for (const yes of ['"True"', '"true"', 'true', 'True']) {
      const found = await entra.find(`active eq ${yes}`)
      assert.deepEqual([found.includes(ann.id), found.includes(off.id)], [true, false], yes)
    }
    assert.deepEqual(await entra.find('active eq "False"'), [off.id])
    await entra.refused(400, 'invalidFilter', 'GET', '/Users?filter=active+eq+%22yes%22')
  })

  it('B-24: groups without their members are answered without looking at these', async () => {
    const group = await entra.group('B-24 Sales', [ann.id])
    const filter = encodeURIComponent('displayName eq "b-24 sales"')
    const texts = await entra.statementsOf(async () => {
      const list = await entra.expect(200, 'GET', `/Groups?excludedAttributes=members&filter=${filter}`)
      const one = await entra.expect(200, 'GET', `/Groups/${group.id}?excludedAttributes=members`)
      for (const shown of [list.Resources[0], one]) {
        assert.equal(shown.id, group.id)
        assert.ok(!('members' in shown))
      }
    })
    assert.ok(texts.some((text) => text.includes('scim_group')))
    assert.ok(!texts.some((text) => text.includes('scim_group_member')), texts.join('\n'))
    const whole = await entra.expect(200, 'GET', `/Groups/${group.id}`)
    assert.deepEqual(whole.members[0].value, ann.id)
  })

  it('B-25: of attributes that are asked for these are answered, and always id and schemas', async () => {
    const some = await entra.expect(200, 'GET', `/Users/${ann.id}?attributes=userName,emails`)
    assert.deepEqual(Object.keys(some).sort(), ['emails', 'id', 'schemas', 'userName'])
    const filtered = encodeURIComponent('emails[type eq "work"]')
    const emails = await entra.expect(200, 'GET', `/Users/${ann.id}?attributes=${filtered}`)
    assert.deepEqual(emails, { schemas: ann.schemas, id: ann.id, emails: ann.emails })
  })
})
