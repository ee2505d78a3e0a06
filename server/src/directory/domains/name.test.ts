import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseEmail } from '../members/email.ts'
import { parseDomainName } from './name.ts'
import { publicMailDomains } from './public-mail.ts'

describe('the name of a domain', () => {
  it('is kept in one form: lower-case A-labels without a dot at the end', () => {
    const forms: [string, string][] = [
      ['acme.example', 'acme.example'],
      ['  ACME.Example. ', 'acme.example'],
      ['bücher.de', 'xn--bcher-kva.de'],
      ['XN--BCHER-KVA.de', 'xn--bcher-kva.de'],
      ['ａｃｍｅ.example', 'acme.example'],
      ['acme。example。', 'acme.example'],
      ['team.acme.co.uk', 'team.acme.co.uk'],
      ['corp.internal', 'corp.internal'],
      ['acme.github.io', 'acme.github.io'],
    ]
    for (const [given, kept] of forms) assert.equal(parseDomainName(given), kept, given)
    // Looks like acme.example, and is another name.
    assert.equal(parseDomainName('аcme.example'), 'xn--cme-5cd.example')
  })

  it('is refused where it is not the name of a domain', () => {
    const wrong = [
      ...[
        '',
        '.',
        '..',
        'acme',
        'localhost',
        'acme..example',
        '.acme.example',
        '-acme.example',
        'acme-.example',
      ],
      ...[
        '127.0.0.1',
        '[::1]',
        '::1',
        '1.2.3.4.',
        '0x7f.1',
        'acme.123',
        'https://acme.example',
        'acme.example/x',
      ],
      ...[
        'acme.example:443',
        'a b.example',
        'acme_x.example',
        'x@acme.example',
        'x@y@acme.example',
        '*.acme.example',
      ],
      ...['acme.example\u0000', 'acme\u200b.example', 'xn--.example', 'acme.example?', '😀', 'a,b.example'],
      ...[`${'a'.repeat(64)}.example`, `${'a.'.repeat(100)}example`, 'ünï.x'.repeat(400)],
    ]
    for (const given of wrong) {
      const parsed = parseDomainName(given)
      assert.ok(typeof parsed !== 'string' && !parsed.isPublic, `${given}: ${JSON.stringify(parsed)}`)
    }
  })

  it('is refused where anybody gets names or mailboxes under it', () => {
    const open = [
      ...['co.uk', 'com.br', 'github.io', 'blogspot.com', 'CO.UK.', 'k12.ca.us'],
      ...[
        'gmail.com',
        'GMAIL.com',
        'mail.gmail.com',
        'outlook.com',
        'yahoo.co.uk',
        'icloud.com',
        'qq.com',
        'mailinator.com',
        // A provider's own name within a domain that is no provider's.
        'i.softbank.jp',
        'x.i.softbank.jp',
      ],
    ]
    for (const given of open) {
      const parsed = parseDomainName(given)
      assert.ok(typeof parsed !== 'string' && parsed.isPublic, `${given}: ${JSON.stringify(parsed)}`)
    }
  })

  it('is refused for every provider of mailboxes that is known, and for every name below one', () => {
    for (const provider of publicMailDomains) {
      for (const given of [provider, `mail.${provider}`]) {
        const parsed = parseDomainName(given)
        assert.ok(typeof parsed !== 'string' && parsed.isPublic, given)
      }
    }
    assert.equal(parseDomainName('softbank.jp'), 'softbank.jp')
  })

  it('is what stands behind the @ of an address of it, whatever it is written like', () => {
    fc.assert(
      fc.property(fc.domain(), (domain) => {
        const parsed = parseDomainName(domain.toUpperCase())
        const email = parseEmail(`ann@${domain}`)
        if (typeof parsed !== 'string' || 'problem' in email) return
        assert.equal(email.key, `ann@${parsed}`)
      }),
    )
  })

  it('parses to itself', () => {
    fc.assert(
      fc.property(fc.oneof(fc.domain(), fc.string({ unit: 'grapheme' })), (text) => {
        const parsed = parseDomainName(text)
        if (typeof parsed === 'string') assert.equal(parseDomainName(parsed), parsed)
      }),
    )
  })
})
