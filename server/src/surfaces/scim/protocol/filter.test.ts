import assert from 'node:assert/strict'
import { describe, mock, test } from 'node:test'
import { parseFilter, parseValuePath } from './filter.ts'
import type { Filter } from './filter-syntax.ts'
import { ScimError } from './scim-error.ts'

const eq = (path: string, value: string | number | boolean | null): Filter => ({
  kind: 'compare',
  path,
  op: 'eq',
  value,
})
const pr = (path: string): Filter => ({ kind: 'present', path })

function refusalOf(work: () => unknown): ScimError {
  try {
    work()
  } catch (error) {
    assert.ok(error instanceof ScimError, String(error))
    return error
  }
  return assert.fail('it was not refused')
}

describe('parseFilter', () => {
  const cases: [row: string, text: string, means: Filter][] = [
    ['B-01', 'userName eq "0f3c9c1e-random-guid"', eq('userName', '0f3c9c1e-random-guid')],
    ['B-11', 'userName Eq "a"', eq('userName', 'a')],
    ['B-11', 'USERNAME EQ "a"', eq('USERNAME', 'a')],
    [
      'B-11',
      'urn:ietf:params:scim:schemas:core:2.0:User:userName eq "a"',
      eq('urn:ietf:params:scim:schemas:core:2.0:User:userName', 'a'),
    ],
    [
      'B-14',
      'emails[type eq "work"].value eq "a"',
      { kind: 'some', path: 'emails', where: { kind: 'and', of: [eq('type', 'work'), eq('value', 'a')] } },
    ],
    ['B-15', 'members[value eq "1"]', { kind: 'some', path: 'members', where: eq('value', '1') }],
    [
      'B-16',
      '(ActiVe eq true) and meta.lastModified ge "2026-01-01T00:00:00.0000000Z"',
      {
        kind: 'and',
        of: [
          eq('ActiVe', true),
          { kind: 'compare', path: 'meta.lastModified', op: 'ge', value: '2026-01-01T00:00:00.0000000Z' },
        ],
      },
    ],
    [
      'B-18',
      String.raw`displayName eq "R&D \"core\" (EU) / 100%"`,
      eq('displayName', 'R&D "core" (EU) / 100%'),
    ],
    ['B-19', `userName eq "o'brien+x@acme.example"`, eq('userName', "o'brien+x@acme.example")],
    [
      'B-20',
      'title pr and (emails co "a" or userName sw "b") and not (active eq false)',
      {
        kind: 'and',
        of: [
          pr('title'),
          {
            kind: 'or',
            of: [
              { kind: 'compare', path: 'emails', op: 'co', value: 'a' },
              { kind: 'compare', path: 'userName', op: 'sw', value: 'b' },
            ],
          },
          { kind: 'not', of: eq('active', false) },
        ],
      },
    ],
    [
      'precedence',
      'a pr or b pr and not(c pr) or d pr',
      {
        kind: 'or',
        of: [pr('a'), { kind: 'and', of: [pr('b'), { kind: 'not', of: pr('c') }] }, pr('d')],
      },
    ],
    ['parentheses', '(a pr)and(b pr)', { kind: 'and', of: [pr('a'), pr('b')] }],
    ['spaces', ' \t a  PR \t', pr('a')],
    ['null', 'a eq null', eq('a', null)],
    ['numbers', 'a eq -1.5e+2', eq('a', -150)],
    ['names', 'manager.$ref pr', pr('manager.$ref')],
    ['a name that begins with a word', 'note pr', pr('note')],
    ['escapes', String.raw`a eq "\u00e9\ud83d\ude00\/\n"`, eq('a', 'é😀/\n')],
    [
      'SCIM-10',
      String.raw`userName eq "x\" or userName pr or userName eq \""`,
      eq('userName', 'x" or userName pr or userName eq "'),
    ],
    ['SCIM-10', `userName eq "'; drop table"`, eq('userName', "'; drop table")],
    ['SCIM-10', 'userName eq "%_"', eq('userName', '%_')],
  ]
  for (const [row, text, means] of cases) {
    test(`${row}: ${text}`, () => assert.deepEqual(parseFilter(text), means))
  }

  const refused: [row: string, text: string, why: RegExp][] = [
    ['B-13', 'externalId eq jyoung', /character 15: "jyoung" is no value: a text stands in double quotes/],
    ['B-21', 'foo zz "x"', /character 5: "zz" is no operator/],
    ['B-21', 'userName eq', /its end: a value is missing/],
    ['B-21', 'userName', /its end: an operator is missing/],
    ['B-21', '', /its end: the name of an attribute is missing/],
    ['B-21', '   ', /its end: the name of an attribute is missing/],
    ['SCIM-10', String.raw`a eq "\u0000"`, /character 6: .* that no attribute can have/],
    ['SCIM-10', String.raw`a eq "\ud800"`, /that no attribute can have/],
    ['SCIM-10', 'a eq "\udc00"', /that no attribute can have/],
    ['SCIM-11', 'emails[type[value pr] eq "x"]', /character 12/],
    ['SCIM-11', 'emails[emails[value pr]]', /a bracket inside a bracket is not allowed/],
    ['SCIM-11', 'emails[(emails[value pr])]', /a bracket inside a bracket is not allowed/],
    ['SCIM-11', 'not not (a pr)', /"not" is followed by parentheses/],
    ['SCIM-11', 'not a pr', /"not" is followed by parentheses/],
    ['SCIM-13', '__proto__ eq "x"', /"__proto__" is no name/],
    ['text', 'a eq "x', /character 6: the text that begins here has no closing quote/],
    ['text', String.raw`a eq "x\"`, /no closing quote/],
    ['text', String.raw`a eq "\x41"`, /a wrong escape/],
    ['text', 'a eq "\n"', /a wrong escape or a control character/],
    ['text', "a eq 'x'", /a value is missing/],
    ['numbers', 'a eq 1e999', /"1e999" is no value/],
    ['numbers', 'a eq 01', /"01" is no value/],
    ['numbers', 'a eq +1', /"\+1" is no value/],
    ['rest', 'a pr b', /character 6: "and", "or" or the end is missing/],
    ['rest', 'a pr)', /"and", "or" or the end is missing/],
    ['rest', 'a pr "x"', /the end is missing/],
    ['rest', 'a pr and', /the name of an attribute is missing/],
    ['rest', '(a pr', /its end: "and", "or" or "\)" is missing/],
    ['rest', 'a[b pr', /its end: "and", "or" or "\]" is missing/],
    ['rest', '()', /character 2: the name of an attribute is missing/],
    ['rest', 'a[]', /character 3: the name of an attribute is missing/],
    ['rest', 'a[b pr].', /the name of a sub-attribute is missing/],
    ['rest', 'a[b pr].c', /an operator is missing/],
    ['names', 'é pr', /the name of an attribute is missing/],
    ['names', '1a pr', /"1a" is no name of an attribute/],
    ['long words', `${'x'.repeat(3000)} ${'y'.repeat(1000)} "z"`, /"y{40}…" is no operator/],
  ]
  for (const [row, text, why] of refused) {
    test(`${row}: ${JSON.stringify(text.slice(0, 60))} is refused, saying where and why`, () => {
      const { status, scimType, message } = refusalOf(() => parseFilter(text))
      assert.deepEqual([status, scimType], [400, 'invalidFilter'])
      assert.match(message, why)
    })
  }

  test('SCIM-11: 4,096 octets, 20 parentheses inside one another and 50 comparisons are the most there can be', () => {
    const quoted = (octets: number) => `a eq "${'é'.repeat((octets - 8) / 2)}b"`
    const nested = (depth: number) => `${'('.repeat(depth)}a pr${')'.repeat(depth)}`
    const negated = (depth: number) => `${'not('.repeat(depth)}a pr${')'.repeat(depth)}`
    const bracketed = (depth: number) => `e[${nested(depth - 1)}]`
    const terms = (count: number) => Array(count).fill('a pr').join(' or ')
    for (const text of [quoted(4096), nested(20), negated(20), bracketed(20), terms(50)]) parseFilter(text)
    const beyond: [string, RegExp][] = [
      [quoted(4098), /longer than 4096 octets/],
      [nested(21), /more than 20/],
      [negated(21), /more than 20/],
      [bracketed(21), /more than 20/],
      [terms(51), /more than 50 comparisons/],
      [nested(5000), /longer/],
      [terms(5000), /longer/],
    ]
    for (const [text, why] of beyond) assert.match(refusalOf(() => parseFilter(text)).message, why)
  })

  // Every way the parser has to look at its text is counted, with the length that it goes over.
  function readsOf(text: string): number {
    let reads = 0
    const { charCodeAt, slice } = String.prototype
    const counted = [
      mock.method(String.prototype, 'charCodeAt', function (this: string, at: number) {
        reads++
        return charCodeAt.call(this, at)
      }),
      mock.method(String.prototype, 'slice', function (this: string, from?: number, to?: number) {
        const piece = slice.call(this, from, to)
        reads += piece.length
        return piece
      }),
    ]
    try {
      parseFilter(text)
    } catch (error) {
      assert.ok(error instanceof ScimError, String(error))
    } finally {
      for (const { mock } of counted) mock.restore()
    }
    return reads
  }

  const hostile: [name: string, text: (size: number) => string][] = [
    ['one name', (size) => 'a'.repeat(size)],
    ['a name and a mark', (size) => `${'a'.repeat(size - 1)}!`],
    ['dots', (size) => '.'.repeat(size)],
    ['a name of dots', (size) => `a${'.a'.repeat(size / 2 - 1)}`],
    ['quotes', (size) => `a eq ${'"'.repeat(size - 5)}`],
    ['backslashes', (size) => `a eq "${'\\'.repeat(size - 6)}`],
    ['a text without an end', (size) => `a eq "${'x'.repeat(size - 6)}`],
    ['spaces', (size) => `a pr${' '.repeat(size - 4)}`],
    ['parentheses', (size) => '('.repeat(size)],
    ['brackets', (size) => 'a['.repeat(size / 2)],
    ['not', (size) => 'not('.repeat(size / 4)],
    ['not without parentheses', (size) => 'not '.repeat(size / 4)],
    ['digits', (size) => `a eq ${'1'.repeat(size - 5)}x`],
    ['a long word in 20 parentheses', (size) => `${'('.repeat(20)}a pr ${'b'.repeat(size - 25)}`],
    ['and', (size) => 'a pr and '.repeat(size / 9)],
  ]
  for (const [name, text] of hostile) {
    test(`SCIM-12: ${name}: no character is read more than a few times`, () => {
      for (const size of [1024, 2048, 4096]) {
        const reads = readsOf(text(size))
        assert.ok(reads <= 12 * size, `${reads} reads of ${size} characters`)
      }
    })
  }

  test('SCIM-11: a filter of a megabyte is refused unread', () => {
    assert.equal(readsOf('a'.repeat(2 ** 20)), 0)
    assert.equal(readsOf('('.repeat(2 ** 20)), 0)
  })
})

describe('parseValuePath', () => {
  const cases: [text: string, path: string, where: Filter | null, sub: string | null][] = [
    ['emails', 'emails', null, null],
    [' name.givenName ', 'name.givenName', null, null],
    ['emails[type eq "work"]', 'emails', eq('type', 'work'), null],
    ['emails[type eq "work"].value', 'emails', eq('type', 'work'), 'value'],
    ['roles[primary eq "True"].value', 'roles', eq('primary', 'True'), 'value'],
    ['urn:x:2.0:User:emails[a pr].b', 'urn:x:2.0:User:emails', pr('a'), 'b'],
    ['members[value eq "]\\"["]', 'members', eq('value', ']"['), null],
  ]
  for (const [text, path, where, sub] of cases) {
    test(text, () => assert.deepEqual(parseValuePath(text), { path, where, sub }))
  }

  const refused: [text: string, scimType: string][] = [
    ['', 'invalidPath'],
    ['[type eq "work"]', 'invalidPath'],
    ['emails[type eq "work"].', 'invalidPath'],
    ['emails[type eq "work"]value', 'invalidPath'],
    ['emails[type eq "work"].value eq "x"', 'invalidPath'],
    ['emails value', 'invalidPath'],
    ['a'.repeat(4097), 'invalidPath'],
    ['emails[type eq "work"', 'invalidFilter'],
    ['emails[type eq work]', 'invalidFilter'],
    ['emails[]', 'invalidFilter'],
    ['emails[a[b pr]]', 'invalidFilter'],
    [`emails[${'('.repeat(20)}a pr${')'.repeat(20)}]`, 'invalidFilter'],
  ]
  for (const [text, scimType] of refused) {
    test(`${JSON.stringify(text.slice(0, 40))} is refused as ${scimType}`, () => {
      const refusal = refusalOf(() => parseValuePath(text))
      assert.deepEqual([refusal.status, refusal.scimType], [400, scimType])
    })
  }
})
