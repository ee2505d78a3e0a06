import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { type Call, startTestApp, type TestApp } from '../../../test/app.ts'
import { type DatabaseState, databaseState } from '../../../test/database-state.ts'
import { vitableClient } from '../../../test/vitable-client.ts'

/** The routes that read rosters: what is wrong with one is refused on both, each in its own words. */
interface Target {
  readonly name: string
  readonly reference: string
  readonly rowsMax: number
  path: string
}
const vitable: Target = { name: 'Vitable', reference: 'reference_id', rowsMax: 5_000, path: '' }
const directory: Target = {
  name: 'the Directory API',
  reference: 'external_reference_id',
  rowsMax: 100_000,
  path: '',
}

let app: TestApp
let key: string
let untouched: DatabaseState
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  const organization = await app.organization('acme')
  key = organization.key
  const groupId = await vitableClient(app, key).group()
  vitable.path = `/v1/groups/${groupId}/members/sync`
  directory.path = `${organization.path}/groups/${groupId}/member_syncs`
  untouched = await databaseState(app.database)
})

/** Sends a roster that has to be refused, and asserts that nothing was written. */
async function refused(target: Target, given: Call, status: number, sentence: RegExp) {
  const answer = await app.call('POST', target.path, { key, ...given })
  const about = `${target.name}: ${JSON.stringify(answer.body)}`
  assert.equal(answer.status, status, about)
  const message = target === vitable ? answer.body.message : answer.body.detail
  assert.match(message, sentence, about)
  if (target === vitable) {
    assert.equal(answer.body.error, message)
    assert.match(answer.body.trace_id, /^req_/)
  } else {
    assert.match(String(answer.headers['content-type']), /^application\/problem\+json/)
    assert.equal(answer.body.status, status)
    assert.match(answer.body.code, /^(request|member_sync)\./)
  }
  assert.deepEqual(await databaseState(app.database), untouched, `${target.name} wrote something`)
}

const names = { first_name: 'Ada', last_name: 'Lovelace' }
const row = (target: Target, more: object = {}) => ({ [target.reference]: 'r-1', ...names, ...more })

for (const target of [vitable, directory]) {
  describe(`a roster of ${target.name}`, () => {
    it('without a list of members, or with a body that is none, is refused by that name', async () => {
      for (const body of [{}, { member: [] }]) {
        await refused(target, { body }, 400, /^members is required and must be a list\.$/)
      }
      for (const members of [null, {}, 'all', 5, true]) {
        await refused(target, { body: { members } }, 400, /^members must be a list\.$/)
      }
      for (const raw of ['[]', '[{"members":[]}]', 'null', '"members"', '12', 'true']) {
        await refused(target, { raw }, 400, /^The body must be a JSON object/)
      }
      await refused(target, {}, 400, /^members is required/)
      await refused(target, { raw: '', headers: jsonType }, 400, /./)
    })

    it('with a row of the wrong kind or form is refused with the place, the field and the rule', async () => {
      for (const bad of [null, 'r-1', 7, [], true]) {
        const body = { members: [row(target), bad] }
        await refused(target, { body }, 400, /^members\[1\] must be an object\.$/)
      }
      const reference = new RegExp(`^members\\[0\\]\\.${target.reference} (must|is required)`)
      for (const bad of [undefined, null, 7, {}, [], '', 'x'.repeat(256), true]) {
        await refused(
          target,
          { body: { members: [row(target, { [target.reference]: bad })] } },
          400,
          reference,
        )
      }
      for (const field of ['first_name', 'last_name', 'email']) {
        for (const bad of [7, {}, ['x'], true, 'x'.repeat(400)]) {
          const sentence = new RegExp(`^members\\[0\\]\\.${field} must`)
          await refused(target, { body: { members: [row(target, { [field]: bad })] } }, 400, sentence)
        }
      }
    })

    it('with a reference id twice is refused with both places', async () => {
      const sentence = new RegExp(
        `^members\\[2\\]\\.${target.reference} is the same as members\\[0\\]\\.${target.reference}`,
      )
      const rows = [row(target), row(target, { [target.reference]: 'r-2' }), row(target)]
      await refused(target, { body: { members: rows } }, 400, sentence)
    })

    it('with text that cannot be stored is refused with the field', async () => {
      const sentence = /^members\[0\]\.\w+ must be well-formed text without NUL characters\.$/
      for (const field of [target.reference, 'first_name', 'last_name', 'email']) {
        for (const bad of ['a\u0000b', '\ud800', 'a\udc00b', '\udc00\ud800']) {
          const given = { raw: JSON.stringify({ members: [row(target, { [field]: bad })] }) }
          await refused(target, given, 400, sentence)
        }
      }
    })

    it('nested deeper than 32, or with a number no number can hold, is refused', async () => {
      const deep = `${'['.repeat(40)}${']'.repeat(40)}`
      for (const raw of [
        `{"members":[{"${target.reference}":"r-1","x":${deep}}]}`,
        `{"x":${deep},"members":[]}`,
      ]) {
        await refused(target, { raw }, 400, /must not nest values more than 32 deep/)
      }
      const huge = `{"members":[{"${target.reference}":1e999,"first_name":"A","last_name":"B"}]}`
      await refused(target, { raw: huge }, 400, new RegExp(`${target.reference} must be a text`))
    })

    it('that is broken JSON, cut off or not UTF-8 is refused with the byte', async () => {
      const good = JSON.stringify({ members: [row(target)] })
      for (const raw of [
        good.slice(0, -1),
        good.slice(0, 30),
        `${good}]`,
        `${good} x`,
        good.replace(':', ' '),
        good.replace('[{', '[,{'),
        good.replace('}]', '},]'),
        `{"members":[${'{'.repeat(20)}`,
        "{'members':[]}",
        '{members:[]}',
        '\u0001',
      ]) {
        await refused(
          target,
          { raw },
          400,
          /^The body (is not valid JSON at byte \d+|must be a JSON object.*)\.$/,
        )
      }
      const invalid = Buffer.from(good)
      invalid[good.indexOf('Ada')] = 0xff
      await refused(target, { raw: invalid }, 400, /not valid UTF-8 at byte \d+/)
      const surrogate = Buffer.concat([Buffer.from(`{"members":[{"${target.reference}":"`), bytes('eda080')])
      await refused(target, { raw: Buffer.concat([surrogate, Buffer.from('"}]}')]) }, 400, /not valid UTF-8/)
      await refused(
        target,
        { raw: Buffer.concat([bytes('efbbbf'), Buffer.from(good)]) },
        400,
        /byte order mark/,
      )
    })

    it('in another media type is refused with 415', async () => {
      const raw = JSON.stringify({ members: [] })
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'nonsense']) {
        const sentence = /must be sent as Content-Type: application\/json/
        await refused(target, { raw, headers: { 'content-type': type } }, 415, sentence)
      }
    })

    it(`of ${target.rowsMax + 1} members is refused`, async () => {
      const rows = Array.from({ length: target.rowsMax + 1 }, (_, index) => ({
        [target.reference]: `n-${index}`,
        ...names,
      }))
      const sentence = new RegExp(`must have at most ${target.rowsMax} members`)
      await refused(target, { raw: JSON.stringify({ members: rows }) }, 400, sentence)
    })
  })
}

const jsonType = { 'content-type': 'application/json' }
const bytes = (hex: string) => Buffer.from(hex, 'hex')

describe('the two dialects of a roster', () => {
  it('differ in what they do with fields they do not know: the Directory API refuses them by name', async () => {
    const body = { members: [row(directory, { favourite_colour: 'blue' })] }
    await refused(directory, { body }, 400, /^members\[0\] has unknown fields: "favourite_colour"\.$/)
    const proto = `{"members":[{"external_reference_id":"r-1","__proto__":{"email":"a@b.example"}}]}`
    await refused(directory, { raw: proto }, 400, /^members\[0\] has unknown fields: "__proto__"\.$/)
  })

  it('require what the vendor requires: first_name and last_name are texts, and may be empty', async () => {
    for (const field of ['first_name', 'last_name']) {
      const sentence = new RegExp(`^members\\[0\\]\\.${field} (is required|must)`)
      for (const bad of [undefined, null]) {
        await refused(vitable, { body: { members: [row(vitable, { [field]: bad })] } }, 400, sentence)
      }
    }
  })

  it('take an address whole or not at all', async () => {
    const address = { address_line_1: '1 Main St', city: 'Austin', state: 'TX', zipcode: '78701' }
    for (const field of ['address_line_1', 'city', 'state', 'zipcode']) {
      for (const bad of [undefined, null, 5]) {
        const broken = { ...address, [field]: bad }
        const place = `members\\[0\\]\\.(attributes\\.)?address\\.${field}`
        const sentence = new RegExp(`^${place} (is required|must)`)
        await refused(vitable, { body: { members: [row(vitable, { address: broken })] } }, 400, sentence)
        const inDirectory = row(directory, { attributes: { address: broken } })
        await refused(directory, { body: { members: [inDirectory] } }, 400, sentence)
      }
    }
  })
})
