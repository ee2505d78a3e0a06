import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foldText } from './fold.ts'

const CODE_POINTS = [...Array(0x110000).keys()].filter((code) => code < 0xd800 || code > 0xdfff)
const MARKS = CODE_POINTS.filter((code) => /\p{M}/u.test(String.fromCodePoint(code)) && code < 0x370)
const CASED = CODE_POINTS.filter((code) => /\p{Changes_When_Lowercased}/u.test(String.fromCodePoint(code)))

const assertStable = (text: string) => {
  const folded = foldText(text)
  assert.equal(foldText(folded), folded, JSON.stringify(text))
}

test('folding what is folded changes nothing, for every code point and every capital with a mark', () => {
  for (const code of CODE_POINTS) assertStable(String.fromCodePoint(code))
  for (const letter of CASED) {
    for (const mark of MARKS) assertStable(String.fromCodePoint(letter, mark))
  }
})

test('texts that differ in letter case or in normal form alone are the same, look-alikes are not (SCIM-22)', () => {
  const same: [string, string][] = [
    ['ANN@ACME.EXAMPLE', 'ann@acme.example'],
    ['\u00c9', 'e\u0301'],
    ['J\u030c', '\u01f0'],
    ['ΟΔΟΣ', 'οδος'],
    ['οδοσ', 'οδος'],
    ['İ', 'i\u0307'],
    ['\u{10400}', '\u{10428}'],
    ['\u212a', 'k'],
    ['\u1100\u1161\u11a8', '\uac01'],
  ]
  const different: [string, string][] = [
    ['ı', 'i'],
    ['İ', 'i'],
    ['ß', 'ss'],
    ['ａ', 'a'],
    ['ﬁ', 'fi'],
    ['e', '\u00e9'],
    ['ann.', 'ann'],
    ['ann ', 'ann'],
  ]
  for (const [a, b] of same) assert.equal(foldText(a), foldText(b), `${a} ${b}`)
  for (const [a, b] of different) assert.notEqual(foldText(a), foldText(b), `${a} ${b}`)
})
