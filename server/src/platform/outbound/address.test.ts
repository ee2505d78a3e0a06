import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { addressScope, plainAddress } from './address.ts'

const scopeOf = (address: string) => addressScope(plainAddress(address)!)

const V4 = {
  loopback: ['127.0.0.1', '127.255.255.254', '127.0.0.0'],
  internal: [
    ...[
      '0.0.0.0',
      '0.1.2.3',
      '10.0.0.1',
      '10.255.255.255',
      '100.64.0.1',
      '100.127.255.255',
      '169.254.169.254',
    ],
    ...[
      '172.16.0.1',
      '172.31.255.255',
      '192.0.0.170',
      '192.0.2.1',
      '192.88.99.1',
      '192.168.0.1',
      '198.18.0.1',
    ],
    ...['198.19.255.255', '198.51.100.7', '203.0.113.9', '224.0.0.1', '239.255.255.255', '240.0.0.1'],
    ...['255.255.255.255'],
  ],
  public: [
    ...[
      '1.1.1.1',
      '8.8.8.8',
      '9.255.255.255',
      '11.0.0.0',
      '100.63.255.255',
      '100.128.0.0',
      '126.255.255.255',
    ],
    ...[
      '128.0.0.0',
      '169.253.255.255',
      '169.255.0.0',
      '172.15.255.255',
      '172.32.0.0',
      '192.0.1.0',
      '192.167.0.1',
    ],
    ...['192.169.0.1', '198.17.255.255', '198.20.0.0', '203.0.114.0', '223.255.255.255'],
  ],
} as const

const V6 = {
  loopback: ['::1', '0:0:0:0:0:0:0:1'],
  internal: [
    ...[
      '::',
      'fe80::1',
      'fe80::1%eth0',
      'febf::1',
      'fec0::1',
      'fc00::1',
      'fd00:ec2::254',
      'ff02::1',
      'ff0e::1',
    ],
    ...['100::1', '2001::1', '2001:1ff::1', '2001:db8::1', '2002:7f00:1::', '2002:808:808::', '3fff::1'],
    ...['64:ff9b:1::a00:1', '::127.0.0.1', '5f00::1', '4000::1', '::ffff:0:127.0.0.1'],
  ],
  public: ['2606:4700::1111', '2a00:1450:4001::200e', '2001:200::1', '2001:4860:4860::8888', '3ffe::1'],
} as const

describe('an address', () => {
  for (const table of [V4, V6]) {
    for (const [scope, addresses] of Object.entries(table)) {
      for (const address of addresses) {
        it(`${address} is ${scope}`, () => assert.equal(scopeOf(address), scope))
      }
    }
  }

  it('that wraps an IPv4 address (mapped, NAT64) is what it wraps, in every spelling', () => {
    for (const [scope, addresses] of Object.entries(V4)) {
      for (const address of addresses) {
        const [a, b, c, d] = address.split('.').map(Number) as [number, number, number, number]
        const hex = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
        const forms = [`::ffff:${address}`, `::FFFF:${hex}`, `0:0:0:0:0:ffff:${hex}`, `64:ff9b::${address}`]
        for (const form of [...forms, `64:ff9b:0:0:0:0:${hex}`]) {
          assert.equal(plainAddress(form), address, form)
          assert.equal(scopeOf(form), scope, form)
        }
      }
    }
  })

  it('of IPv6 outside of global unicast is never public, unless it wraps a public one', () => {
    const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 })
    fc.assert(
      fc.property(groups, (parts) => {
        const address = parts.map((part) => part.toString(16)).join(':')
        const plain = plainAddress(address)!
        if (plain.includes('.') || parts[0]! >> 13 === 1) return
        assert.notEqual(addressScope(plain), 'public', address)
      }),
    )
  })

  it('has one plain form, whatever zeros and case it is written with', () => {
    const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 })
    fc.assert(
      fc.property(groups, (parts) => {
        const short = plainAddress(parts.map((part) => part.toString(16)).join(':'))
        const long = plainAddress(
          parts.map((part) => part.toString(16).toUpperCase().padStart(4, '0')).join(':'),
        )
        assert.equal(short, long)
        assert.equal(plainAddress(short!), short)
      }),
    )
  })

  it('is none where the text is a name, a number or half an address', () => {
    for (const text of ['', 'example.com', '2130706433', '0x7f.1', '127.1', '1.2.3', ':::', '1:2', '[::1]']) {
      assert.equal(plainAddress(text), undefined, text)
    }
  })
})
