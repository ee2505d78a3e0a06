import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { formatTimestamp } from './database.ts'
import { part, SqlFragment, sql } from './sql.ts'

describe('the sql tag', () => {
  const find = (id: unknown) => sql`select 1 from t where id = ${id}`

  test('binds every value and puts none into the text', () => {
    const statement = sql`select ${"'; drop table t; --"}::text, ${null}, ${[1, 2]}::int[]`
    assert.equal(statement.text, 'select $1::text, $2, $3::int[]')
    assert.deepEqual(statement.values, ["'; drop table t; --", null, [1, 2]])
  })

  test('gives one text one name, whatever its values and wherever it stands', () => {
    assert.equal(find(1).name, find(2).name)
    assert.equal(find(1).name, sql`select 1 from t where id = ${3}`.name)
    assert.notEqual(find(1).name, sql`select 1 from u where id = ${1}`.name)
    assert.deepEqual([find(1).values, find(2).values], [[1], [2]])
  })

  test('keeps names within the 63 bytes that PostgreSQL tells apart', () => {
    assert.match(find(1).name, /^[\w-]{24}$/)
  })

  test('copies a fragment in and numbers the values around it', () => {
    const columns = new SqlFragment('a, b')
    const statement = sql`select ${columns} from t where a = ${1} and ${new SqlFragment('b is null')} or b = ${2}`
    assert.equal(statement.text, 'select a, b from t where a = $1 and b is null or b = $2')
    assert.deepEqual(statement.values, [1, 2])
  })

  test('binds the values of a part at its place, also of a part within', () => {
    const row = (id: number) => part`insert into t select ${id} where ${part`b = ${'inner'}`} returning a`
    const both = (id: number) => sql`with x as (${row(id)}) select ${'outer'} from x`
    assert.equal(
      both(1).text,
      'with x as (insert into t select $1 where b = $2 returning a) select $3 from x',
    )
    assert.deepEqual(
      [both(1).values, both(2).values],
      [
        [1, 'inner', 'outer'],
        [2, 'inner', 'outer'],
      ],
    )
  })

  test('a value that looks like a fragment is a value', () => {
    assert.deepEqual(find({ text: 'a, b' }).values, [{ text: 'a, b' }])
  })
})

describe('formatTimestamp', () => {
  const cases: [postgres: string, rfc3339: string][] = [
    ['2026-11-22 07:49:37.12+00', '2026-11-22T07:49:37.120000Z'],
    ['2026-11-22 07:49:37+00', '2026-11-22T07:49:37.000000Z'],
    ['2026-11-22 07:49:37.000001+00', '2026-11-22T07:49:37.000001Z'],
    ['2026-11-22 01:19:37.123456+05:30', '2026-11-21T19:49:37.123456Z'],
    ['2026-11-22 23:00:00-03', '2026-11-23T02:00:00.000000Z'],
    ['1900-01-01 00:00:00+00', '1900-01-01T00:00:00.000000Z'],
  ]
  for (const [postgres, rfc3339] of cases) {
    test(`${postgres} is ${rfc3339}`, () => assert.equal(formatTimestamp(postgres), rfc3339))
  }

  test('texts sort as their moments do', () => {
    const moments = ['2026-11-22 07:49:37+00', '2026-11-22 07:49:37.000001+00', '2026-11-22 07:49:37.1+00']
    const texts = moments.map(formatTimestamp)
    assert.deepEqual(texts.toSorted(), texts)
  })
})
