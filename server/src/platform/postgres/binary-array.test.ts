import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import pg from 'pg'
import { freshDatabase } from '../../../test/harness.ts'
import { decodeUuidArray, encodeUuidArray, TextArrayBuilder, UuidArrayBuilder } from './binary-array.ts'

function textArray(values: (string | null)[]): TextArrayBuilder {
  const builder = new TextArrayBuilder()
  for (const value of values) builder.push(value)
  return builder
}

function uuidArray(values: (string | null)[]): UuidArrayBuilder {
  const builder = new UuidArrayBuilder()
  for (const value of values) builder.push(value)
  return builder
}

// Everything but U+0000, which PostgreSQL has no text for.
const wellFormedText = fc.string({ unit: 'binary', maxLength: 60 }).map((value) => value.replaceAll('\0', ''))
const uuid = fc.uuid()
const notUuids = [
  '',
  '00000000-0000-7000-8000-00000000000',
  '00000000-0000-7000-8000-0000000000000',
  '00000000-0000-7000-8000-00000000000g',
  '00000000-0000-7000-8000-00000000000\u0130',
  '000000000000-7000-8000-000000000000-',
  '00000000:0000-7000-8000-000000000000',
  '{0000000-0000-7000-8000-000000000000',
  '00000000000070008000000000000000',
]

describe('binary arrays, read by PostgreSQL', () => {
  let client: pg.Client

  before(async () => {
    const { connectionString } = await freshDatabase()
    client = new pg.Client({ connectionString })
    await client.connect()
  })
  after(() => client.end())

  async function echo(
    array: Buffer,
    type: 'text' | 'uuid',
  ): Promise<{ values: (string | null)[]; literal: string }> {
    const text = `select $1::${type}[]::text[] as values, $1::${type}[]::text as literal`
    return (await client.query<{ values: (string | null)[]; literal: string }>(text, [array])).rows[0]!
  }

  test('a text array is what was pushed, for any text and nulls', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(wellFormedText), { maxLength: 40 }), async (values) => {
        assert.deepEqual((await echo(textArray(values).toBuffer(), 'text')).values, values)
      }),
      { numRuns: 300 },
    )
  })

  test('a UUID array is what was pushed, in lower case', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(uuid), { maxLength: 40 }), async (values) => {
        const shouted = values.map((value) => value?.toUpperCase() ?? null)
        assert.deepEqual((await echo(uuidArray(shouted).toBuffer(), 'uuid')).values, values)
      }),
      { numRuns: 300 },
    )
  })

  test('an array equals the one SQL makes, its bounds included', async () => {
    assert.equal((await echo(textArray([]).toBuffer(), 'text')).literal, '{}')
    assert.equal((await echo(uuidArray([]).toBuffer(), 'uuid')).literal, '{}')
    assert.equal((await echo(encodeUuidArray([]), 'uuid')).literal, '{}')
    assert.equal(
      (await echo(textArray([null, '', 'null', 'a"b', '{}']).toBuffer(), 'text')).literal,
      '{NULL,"","null","a\\"b","{}"}',
    )
    const { rows } = await client.query(
      `select $1::text[] = array['a', 'é'] as same, array_lower($1::text[], 1) as lower`,
      [textArray(['a', 'é']).toBuffer()],
    )
    assert.deepEqual(rows, [{ same: true, lower: 1 }])
  })

  test('decoding gives back what PostgreSQL sends', async () => {
    const ids = Array.from(
      { length: 1000 },
      (_, index) => `00000000-0000-7000-8000-${String(index).padStart(12, '0')}`,
    )
    const sent = await client.query(
      `select array_send(array_agg(id order by place)) as ids, array_send(array[]::uuid[]) as none
         from unnest($1::uuid[]) with ordinality as t(id, place)`,
      [encodeUuidArray(ids)],
    )
    assert.deepEqual(decodeUuidArray(sent.rows[0].ids), ids)
    assert.deepEqual(decodeUuidArray(sent.rows[0].none), [])
  })

  test('arrays far larger than the first buffer arrive whole', async () => {
    const values = Array.from({ length: 50_000 }, (_, index) => (index % 7 === 0 ? null : `ref-é-${index}`))
    const { rows } = await client.query(
      'select count(*)::int as rows, count(value)::int as texts, count(distinct value)::int as different from unnest($1::text[]) as t(value)',
      [textArray(values).toBuffer()],
    )
    const texts = values.filter((value) => value !== null).length
    assert.deepEqual(rows, [{ rows: 50_000, texts, different: texts }])
  })
})

describe('binary arrays', () => {
  test('count every element, and tell whether one is not null', () => {
    const builder = new TextArrayBuilder()
    assert.deepEqual([builder.length, builder.hasValues], [0, false])
    builder.push(null)
    assert.deepEqual([builder.length, builder.hasValues], [1, false])
    builder.push('')
    assert.deepEqual([builder.length, builder.hasValues], [2, true])
    assert.equal(uuidArray([null]).hasValues, false)
  })

  test('encoding ids at once and one by one gives the same bytes, and decoding gives the ids', () => {
    fc.assert(
      fc.property(fc.array(uuid, { maxLength: 100 }), (ids) => {
        const encoded = encodeUuidArray(ids)
        assert.deepEqual(uuidArray(ids).toBuffer(), encoded)
        assert.deepEqual(decodeUuidArray(encoded), ids)
      }),
    )
  })

  test('refuse text that is no UUID and keep what was pushed before', () => {
    const id = '00000000-0000-7000-8000-000000000001'
    for (const text of notUuids) {
      const builder = uuidArray([id])
      assert.throws(() => builder.push(text), TypeError)
      assert.throws(() => encodeUuidArray([text]), TypeError)
      assert.deepEqual(decodeUuidArray(builder.toBuffer()), [id])
    }
  })

  test('refuse to decode anything but whole ids', () => {
    const id = '00000000-0000-7000-8000-000000000001'
    const whole = encodeUuidArray([id, id])
    for (let length = 0; length < whole.length; length += 1) {
      assert.throws(() => decodeUuidArray(whole.subarray(0, length)), TypeError)
    }
    for (const other of [
      uuidArray([id, null]),
      uuidArray([null]),
      textArray(['0123456789abcdef']),
      textArray([]),
    ]) {
      assert.throws(() => decodeUuidArray(other.toBuffer()), TypeError)
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        assert.throws(() => decodeUuidArray(Buffer.from(bytes)), TypeError)
      }),
    )
  })
})
