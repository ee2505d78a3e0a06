import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { TextArrayBuilder } from './binary-array.ts'
import { DistinctTextArrayBuilder } from './distinct-text-array.ts'

/** Pushes all of them and compares each answer, and the array in the end, with what a Map tells. */
function assertAsMap(texts: readonly string[]): void {
  const builder = new DistinctTextArrayBuilder()
  const distinct = new TextArrayBuilder()
  const indexes = new Map<string, number>()
  for (const text of texts) {
    const known = indexes.get(text)
    assert.equal(builder.pushDistinct(text), known, JSON.stringify(text))
    if (known !== undefined) continue
    indexes.set(text, indexes.size)
    distinct.push(text)
  }
  assert.equal(builder.length, indexes.size)
  assert.deepEqual(builder.toBuffer(), distinct.toBuffer())
}

describe('an array of distinct texts', () => {
  test('takes each text once and tells where it is, for any texts', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 12 }),
      fc.string({ unit: fc.constantFrom('a', '\0', 'ü'), maxLength: 3 }),
      fc.nat(999).map((length) => 'x'.repeat(length * 5)),
    )
    fc.assert(fc.property(fc.array(text, { maxLength: 400, size: 'max' }), assertAsMap))
  })

  test('grows to a hundred thousand, and knows the first as well as the last', () => {
    const texts = Array.from({ length: 100_000 }, (_, index) => `ref-${index}`)
    assertAsMap([...texts, ...texts.slice(0, 2000), ...texts.slice(-2000)])
    for (const length of [1023, 1024, 1025, 2048, 2049]) {
      assertAsMap([...texts.slice(0, length), 'ref-0', `ref-${length - 1}`, 'new'])
    }
  })

  test('tells texts apart that begin alike, end alike or have the same letters', () => {
    assertAsMap(['', 'a', 'a\0', '\0a', 'aa', 'ab', 'ba', '', 'ba', 'x'.repeat(5000), 'x'.repeat(5001)])
  })

  test('of texts that a sum of their letters would not tell apart costs no more than of others', () => {
    // With one hash for all of them this file would not end before its limit of minutes.
    const builder = new DistinctTextArrayBuilder()
    for (let index = 0; index < 500_000; index++) {
      const bits = index.toString(2).padStart(20, '0')
      assert.equal(builder.pushDistinct(bits.replaceAll('0', 'ad').replaceAll('1', 'bc')), undefined)
    }
  })
})
