import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { parseEmail } from './email.ts'

function accepted(input: string): { address: string; key: string } {
  const result = parseEmail(input)
  if ('problem' in result) assert.fail(`${JSON.stringify(input)} ${result.problem}`)
  return result
}

function refused(input: string): string {
  const result = parseEmail(input)
  if (!('problem' in result)) assert.fail(`${JSON.stringify(input)} was accepted as ${result.address}`)
  return result.problem
}

const atext = [..."abcXYZ019!#$%&'*+/=?^_`{|}~-"]
const plainLocal = fc
  .array(fc.string({ unit: fc.constantFrom(...atext), minLength: 1, maxLength: 8 }), {
    minLength: 1,
    maxLength: 6,
  })
  .map((atoms) => atoms.join('.'))
const plainLabel = fc.stringMatching(/^[a-zA-Z0-9]([a-zA-Z0-9]|-[a-zA-Z0-9]){0,8}$/)
const plainDomain = fc
  .tuple(plainLabel, fc.constantFrom('com', 'ORG', 'co.uk', 'xn--p1ai', 'x1'))
  .map((labels) => labels.join('.'))
const plainEmail = fc.tuple(plainLocal, plainDomain).map((parts) => parts.join('@'))
// Letters whose case mapping is context-dependent, grows, or composes, among the rest of Unicode.
const unicodeLocal = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...'aZßẞİıIiςσΣJǰjȺⱥÅK\u030c\u0307\u0345\u0301ΐΑᾳᾼǅＡａ한각᾿😀.'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
  minLength: 1,
  maxLength: 20,
})
const anyEmail = fc.oneof(
  plainEmail,
  fc
    .tuple(unicodeLocal, fc.oneof(plainDomain, fc.constantFrom('Bücher.example', '例え.JP', 'ａ。com')))
    .map((parts) => parts.join('@')),
)
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom('@', '.', 'a', '-', '[', '"', 'xn--', '1', 'ü', '\u0000', '\ud800', '\u200d'),
    maxLength: 40,
  }),
  anyEmail,
)

describe('parseEmail', () => {
  test('keeps the local part as given and lower-cases the domain', () => {
    assert.deepEqual(parseEmail('Ann.Lee+x@Mail.Example.COM'), {
      address: 'Ann.Lee+x@mail.example.com',
      key: 'ann.lee+x@mail.example.com',
    })
  })

  test('stores an internationalized domain as lower-case A-labels', () => {
    assert.equal(accepted('a@BÜCHER.example').address, 'a@xn--bcher-kva.example')
    assert.deepEqual(accepted('a@XN--BCHER-KVA.example'), accepted('a@bücher.example'))
    assert.equal(accepted('用户@例え。jp').address, '用户@xn--r8jz45g.jp')
  })

  test('normalises the local part to NFC and never to NFKC', () => {
    assert.equal(accepted('ju\u0308rgen@example.com').address, 'j\u00fcrgen@example.com')
    assert.notEqual(accepted('ａnn@example.com').key, accepted('ann@example.com').key)
    assert.equal(accepted('ann@ｅxample.com').key, accepted('ann@example.com').key)
  })

  test('compares every sigma alike and keeps dotless i apart', () => {
    assert.equal(accepted('ΟΔΟΣ@example.com').key, accepted('οδος@example.com').key)
    assert.equal(accepted('οδοσ@example.com').key, accepted('οδος@example.com').key)
    assert.notEqual(accepted('ı@example.com').key, accepted('i@example.com').key)
  })

  const refusals: [rule: string, problem: RegExp, inputs: string[]][] = [
    ['anything but one @', /exactly one @/, ['', 'a', 'a.example.com', 'a@b@example.com', '@@']],
    ['an empty side', /name before|domain after/, ['@', 'a@', '@example.com']],
    ['dots that separate nothing', /dot before/, ['.a@b.co', 'a.@b.co', 'a..b@b.co', 'ü..b@b.co']],
    ['quoted local parts', /quoted/, ['"a"@example.com', '"a.b"@example.com']],
    [
      'comments and other specials',
      /such a character/,
      ['a(x)@b.co', 'a,b@b.co', '<a@b.co', 'a;\u037e@b.co', 'a\\b@b.co'],
    ],
    [
      'controls and spaces',
      /invisible/,
      ['a b@b.co', ' a@b.co', 'a@b.co\n', 'a\u0000@b.co', 'a\u007f@b.co', 'a\u00a0b@b.co', 'a@b\t.co'],
    ],
    [
      'bidi, zero-width and format characters',
      /invisible/,
      [
        'a\u202eb@b.co',
        'a\u200bb@b.co',
        'a\u200d@b.co',
        '\ufeffa@b.co',
        'a\u2066@b.co',
        'a\u00ad@b.co',
        'a@b\u00ad.co',
        'a\u{e0041}@b.co',
        'a\u3164@b.co',
        'a\u2800@b.co',
      ],
    ],
    [
      'text that lost its characters',
      /invisible/,
      ['a\ud800@b.co', '\udc00@b.co', 'a\ufffd@b.co', 'a@\ud800.co'],
    ],
    ['a combining mark without its letter', /combining mark/, ['\u0301a@b.co', 'a.\u0301b@b.co']],
    [
      'IP addresses',
      /IP address/,
      ['a@[127.0.0.1]', 'a@[IPv6:::1]', 'a@127.0.0.1', 'a@１.２.３.４', 'a@x.0x7f', 'a@example.123', 'a@ä.1'],
    ],
    ['a single label', /two labels/, ['a@localhost', 'a@com', 'a@ü']],
    ['empty labels', /empty label/, ['a@.com', 'a@b..com', 'a@b.com.', 'a@.']],
    ['hyphens at a label’s edge', /hyphen/, ['a@-b.com', 'a@b-.com', 'a@b.-com', 'a@b.com-', 'a@xn--.com']],
    [
      'other characters in the domain',
      /letters, digits, hyphens/,
      ['a@b_c.com', 'a@b.com/x', 'a@b.com:25', 'a@b%2e.com', 'a@b.com?ü', 'a@b!.com'],
    ],
    ['what no domain name can mean', /internationalized/, ['a@ex℀mple.com', 'a@\u0301x.com', 'a@xn--a.com']],
  ]
  for (const [rule, problem, inputs] of refusals) {
    test(`refuses ${rule}`, () => {
      for (const input of inputs) assert.match(refused(input), problem, JSON.stringify(input))
    })
  }

  test('measures every limit in octets, after the domain became A-labels', () => {
    accepted(`${'a'.repeat(64)}@example.com`)
    assert.match(refused(`${'a'.repeat(65)}@example.com`), /64 octets/)
    accepted(`${'ü'.repeat(32)}@example.com`)
    assert.match(refused(`${'ü'.repeat(33)}@example.com`), /64 octets/)
    accepted(`a@${'b'.repeat(63)}.com`)
    assert.match(refused(`a@${'b'.repeat(64)}.com`), /63 octets/)
    assert.match(refused(`a@ü${'b'.repeat(60)}.com`), /63 octets/)
    const domain = `${'b.'.repeat(94)}com`
    assert.equal(accepted(`${'a'.repeat(254 - 1 - domain.length)}@${domain}`).address.length, 254)
    assert.match(refused(`${'a'.repeat(254 - domain.length)}@${domain}`), /254 octets/)
    assert.match(refused(`a@${'b.'.repeat(1000)}com`), /254 octets/)
  })

  test('answers every string and throws for none', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const result = parseEmail(text)
        if ('problem' in result) assert.match(result.problem, /^must /)
        else assert.ok(result.address.includes('@'))
      }),
      { numRuns: 3000 },
    )
  })

  test('accepts every dot-atom at a host name', () => {
    fc.assert(fc.property(plainEmail, (email) => void accepted(email)))
  })

  test('parsing an address or a key again changes neither', () => {
    fc.assert(
      fc.property(anyEmail, (email) => {
        const result = parseEmail(email)
        if ('problem' in result) return
        assert.deepEqual(accepted(result.address), result)
        assert.deepEqual(accepted(result.key), { address: result.key, key: result.key })
      }),
      { numRuns: 3000 },
    )
  })

  test('every letter of Unicode keeps a stable key, alone and before a mark that composes', () => {
    for (let point = 0x80; point < 0x20000; point += 1) {
      for (const tail of ['', '\u030c', 'Σ']) {
        const result = parseEmail(`${String.fromCodePoint(point)}${tail}@b.co`)
        if ('key' in result) assert.equal(accepted(result.key).key, result.key, `U+${point.toString(16)}`)
      }
    }
  })

  test('case variants share a key', () => {
    fc.assert(
      fc.property(plainEmail, fc.infiniteStream(fc.boolean()), (email, upper) => {
        const variant = [...email]
          .map((c) => (upper.next().value ? c.toUpperCase() : c.toLowerCase()))
          .join('')
        assert.equal(accepted(variant).key, accepted(email).key)
      }),
    )
    fc.assert(
      fc.property(anyEmail, (email) => {
        const result = parseEmail(email)
        if ('key' in result) assert.equal(accepted(email.normalize('NFC').toLowerCase()).key, result.key)
      }),
    )
  })

  test('addresses that differ in more than case never share a key', () => {
    fc.assert(
      fc.property(plainEmail, plainEmail, (one, other) => {
        const alike = one.toLowerCase() === other.toLowerCase()
        assert.equal(accepted(one).key === accepted(other).key, alike)
      }),
    )
  })

  test('hostile strings cost no more per octet than ordinary ones', () => {
    // Ten million units each: with a quadratic rule this file would not end before its limit of minutes.
    for (const piece of [
      'a',
      '.',
      'a.',
      '@',
      'a@',
      '-',
      'xn--',
      'ü',
      '\u0301',
      '한',
      '\ud800',
      'a@b.',
      '!',
    ]) {
      refused(piece.repeat(Math.ceil(10_000_000 / piece.length)))
      refused(`a@${piece.repeat(Math.ceil(10_000_000 / piece.length))}`)
      for (let i = 0; i < 1000; i += 1) parseEmail(piece.repeat(254).slice(0, 254))
    }
  })
})
