import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { GROUP, PATCH, USER } from '../../../scim-client.ts'
import { type IdentityProvider, startIdentityProvider } from '../identity-provider.ts'

let scim: IdentityProvider
before(async () => {
  scim = await startIdentityProvider()
})

const SCIM_JSON = { 'content-type': 'application/scim+json' }
const raw = (method: string, path: string, text: string | Buffer, headers: Record<string, string> = {}) =>
  scim.call(method, path, { raw: text, headers: { ...SCIM_JSON, ...headers } })
const searched = (filter: string) => scim.call('POST', '/Users/.search', { body: { filter } })
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
const nestedObjects = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`

describe('hostile filters', () => {
  it('SCIM-10: texts are compared as they are, or refused; no wildcard and no SQL is in them', async () => {
    const special = ['50%', 'a_b', 'a\\b', "x'); drop table scim_user; --", 'plain', '5000', 'axb']
    const ids = new Map<string, string>()
    for (const displayName of special) ids.set(displayName, (await scim.user({ displayName })).id)
    for (const text of special) {
      assert.deepEqual(await scim.find(`displayName eq ${JSON.stringify(text)}`), [ids.get(text)], text)
    }
    for (const [filter, names] of [
      ['displayName co "%"', ['50%']],
      ['displayName sw "50%"', ['50%']],
      ['displayName co "a_b"', ['a_b']],
      ['displayName ew "_b"', ['a_b']],
      ['displayName co "\\\\"', ['a\\b']],
      ['displayName sw "%"', []],
    ] as const) {
      assert.deepEqual(
        await scim.find(filter),
        names.map((name) => ids.get(name)),
        filter,
      )
    }
    const broken = 'userName eq "x\\" or userName pr or userName eq \\""'
    assert.deepEqual(await scim.find(broken), [])
    for (const value of ['"\\u0000"', '"a\\ud800b"', `"${'x'.repeat(10_240)}"`, '"\u0001"']) {
      const { status, body } = await searched(`userName eq ${value}`)
      assert.deepEqual([status, body.scimType], [400, 'invalidFilter'], value.slice(0, 20))
    }
    assert.equal((await scim.expect(200, 'GET', '/Users')).totalResults, special.length)
  })

  it('SCIM-11: what is too long, too deep or too much is 400', async () => {
    for (const filter of [
      `${'('.repeat(5000)}userName pr${')'.repeat(5000)}`,
      `${'('.repeat(21)}userName pr${')'.repeat(21)}`,
      Array(5000).fill('userName pr').join(' or '),
      Array(51).fill('title pr').join(' or '),
      `userName eq "${'x'.repeat(1_000_000)}"`,
      `${'not('.repeat(21)}userName pr${')'.repeat(21)}`,
      'emails[type eq "work" and emails[type eq "home"]]',
      'emails[emails[value pr]]',
    ]) {
      const { status, body } = await searched(filter)
      assert.deepEqual([status, body.scimType], [400, 'invalidFilter'], filter.slice(0, 40))
    }
    assert.deepEqual(await scim.find('not (not (userName pr)) and not (userName pr)'), [])
  })

  it('SCIM-12: runs of what makes expressions backtrack are 400, in filters and in paths', async () => {
    const { id } = await scim.user()
    for (const run of [
      'a'.repeat(4000),
      '['.repeat(4000),
      '"'.repeat(4001),
      '\\'.repeat(4000),
      'a.'.repeat(2000),
    ]) {
      for (const text of [`${run}!`, `userName eq "${run}`, `emails[${run}`, ` ${run} `]) {
        assert.equal((await searched(text)).status, 400, text.slice(0, 40))
        const Operations = [{ op: 'replace', path: text, value: 'x' }]
        const { status } = await scim.call('PATCH', `/Users/${id}`, {
          body: { schemas: [PATCH], Operations },
        })
        assert.equal(status, 400, text.slice(0, 40))
      }
    }
  })
})

describe('hostile bodies', () => {
  it("SCIM-13: names of JavaScript's own are names of nothing", async () => {
    const { id } = await scim.user()
    const path = `/Users/${id}`
    const names = [
      '__proto__',
      '__proto__.polluted',
      'constructor.prototype',
      'prototype',
      'toString',
      'constructor',
    ]
    for (const name of [...names, 'emails[__proto__ eq "x"].value', 'name.__proto__', 'urn:x:__proto__']) {
      const Operations = [{ op: 'add', path: name, value: { polluted: true } }]
      const { status } = await scim.call('PATCH', path, { body: { schemas: [PATCH], Operations } })
      assert.ok(status === 400 || (status === 200 && name.startsWith('urn:')), `${name} ${status}`)
      const value = `{"${name.replaceAll('"', '\\"')}":{"polluted":true}}`
      const operation = `{"op":"add","value":${value}}`
      for (const [method, to, text] of [
        ['PATCH', path, `{"schemas":["${PATCH}"],"Operations":[${operation}]}`],
        ['PUT', path, `{"schemas":["${USER}"],"userName":"kept",${value.slice(1)}`],
        ['PUT', path, `{"schemas":["${USER}"],"userName":"kept","name":${value},"${USER}":${value}}`],
      ] as const) {
        const answer = await raw(method, to, text)
        assert.ok(answer.status === 200 || answer.status === 400, `${text} ${answer.status}`)
      }
    }
    assert.equal(({} as { polluted?: unknown }).polluted, undefined)
    const shown = await scim.expect(200, 'GET', path)
    assert.ok(!JSON.stringify(shown).includes('polluted'))
  })

  it('SCIM-14: too many operations, members or octets, and values that are too deep are refused', async () => {
    const { id } = await scim.user()
    const group = await scim.group('SCIM-14')
    const patch = (operations: string) => `{"schemas":["${PATCH}"],"Operations":[${operations}]}`
    const operation = '{"op":"add","path":"title","value":"x"}'
    const add = (value: string) => patch(`{"op":"add","path":"members","value":${value}}`)
    const members = (count: number) => `[${Array(count).fill(`{"value":"${id}"}`).join(',')}]`
    for (const [path, text, statuses] of [
      [`/Users/${id}`, patch(Array(100_000).fill(operation).join(',')), [413]],
      [`/Users/${id}`, patch(Array(1001).fill(operation).join(',')), [413]],
      [`/Users/${id}`, patch(`{"op":"add","path":"title","value":"${'x'.repeat(20_000_000)}"}`), [413]],
      [`/Groups/${group.id}`, add(members(1_000_000)), [413]],
      [`/Groups/${group.id}`, add(members(10_001)), [400, 413]],
      [`/Users/${id}`, patch(`{"op":"add","path":"title","value":${nested(50_000)}}`), [400]],
      [`/Users/${id}`, patch(`{"op":"add","path":"emails","value":${nested(50_000)}}`), [400]],
      [`/Users/${id}`, patch(`{"op":"add","path":"name","value":${nestedObjects(50_000)}}`), [400]],
      [`/Users/${id}`, patch(`{"op":"add","value":${nestedObjects(50_000)}}`), [400]],
      [`/Users/${id}`, patch('{"op":"add","path":"active","value":1e999}'), [400]],
    ] as const) {
      const { status } = await raw('PATCH', path, text)
      assert.ok((statuses as readonly number[]).includes(status), `${text.slice(0, 120)}: ${status}`)
    }
    for (const value of [nested(50_000), nestedObjects(50_000)]) {
      const user = await raw(
        'POST',
        '/Users',
        `{"schemas":["${USER}"],"userName":"deep","unheardOf":${value}}`,
      )
      assert.ok(user.status === 400 || user.status === 201, String(user.status))
      if (user.status === 201) await scim.expect(204, 'DELETE', `/Users/${user.body.id}`)
      const data = `{"userName":"deep-bulk","unheardOf":${value}}`
      const bulk = `{"Operations":[{"method":"POST","path":"/Users","bulkId":"1","data":${data}}]}`
      assert.equal((await raw('POST', '/Bulk', bulk)).status, 400)
      assert.equal((await raw('POST', '/.search', `{"filter":${value}}`)).status, 400)
      assert.equal((await raw('POST', '/Bulk', value)).status, 400)
    }
    const twice = await raw('POST', '/Users', `{"userName":"once","userName":"twice","USERNAME":"thrice"}`)
    assert.equal(twice.status, 201)
    assert.equal(twice.body.userName, 'thrice', 'the last one counts, as in JSON itself')
    assert.deepEqual(await scim.memberIdsOf(group.id), [])
  })

  it('SCIM-15: a compressed body is not unpacked, and a body that trickles is cut off', async () => {
    const packed = gzipSync(Buffer.from(`{"userName":"${'x'.repeat(50_000_000)}"}`))
    const { status } = await raw('POST', '/Users', packed, { 'content-encoding': 'gzip' })
    assert.ok(status === 400 || status === 415, String(status))
    assert.equal(scim.app.http.server.requestTimeout, 60_000)
  })

  it('SCIM-18: texts of attributes are kept as texts; addresses are http or https; what is too long is 400', async () => {
    const texts = ['<img src=x onerror=alert(1)>', '=cmd()|x', '\u202Egpj.exe', '"; drop table x; --']
    for (const displayName of texts) {
      const user = await scim.user({ displayName })
      assert.equal((await scim.expect(200, 'GET', `/Users/${user.id}`)).displayName, displayName)
    }
    for (const address of [
      'javascript:alert(1)',
      'data:text/html,x',
      'JaVaScRiPt:x',
      ' javascript:x',
      'vbscript:x',
      '//x',
    ]) {
      for (const fields of [{ profileUrl: address }, { photos: [{ value: address }] }]) {
        const body = { schemas: [USER], userName: 'linked', ...fields }
        await scim.refused(400, 'invalidValue', 'POST', '/Users', body)
      }
    }
    for (const fields of [
      { displayName: 'x'.repeat(1_000_000) },
      { title: 'x'.repeat(1025) },
      { externalId: 'x'.repeat(256) },
      { emails: Array.from({ length: 101 }, (_, at) => ({ value: `${at}@x.example` })) },
    ]) {
      await scim.refused(400, 'invalidValue', 'POST', '/Users', {
        schemas: [USER],
        userName: 'long',
        ...fields,
      })
    }
    await scim.refused(400, 'invalidValue', 'POST', '/Groups', {
      schemas: [GROUP],
      displayName: 'x'.repeat(513),
    })
  })

  it('SCIM-22: one folding counts for uniqueness and for look-up; look-alikes of other letters are others', async () => {
    const composed = await scim.user({ userName: 'J\u00fcrgen' })
    const same = ['ju\u0308rgen', 'JU\u0308RGEN', 'J\u00dcRGEN']
    for (const userName of same) {
      await scim.refused(409, 'uniqueness', 'POST', '/Users', { schemas: [USER], userName })
      assert.deepEqual(await scim.find(`userName eq "${userName}"`), [composed.id])
    }
    const others = ['\uff4a\uff55rgen', 'jurgen', 'j\u00fcrgen.', 'isik', '\u0131s\u0131k']
    for (const userName of others) {
      const { id } = await scim.user({ userName })
      assert.deepEqual(await scim.find(`userName eq "${userName}"`), [id])
    }
  })
})
