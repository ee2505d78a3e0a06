import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type CertificateOptions, fingerprintOf, makeCertificate } from '../../../test/certificate.ts'
import { certificateFacts, parseCertificate } from './certificate.ts'

const DAY = 86_400_000

function problemOf(text: string): string {
  const parsed = parseCertificate(text)
  return 'problem' in parsed ? parsed.problem : 'none'
}

describe('a certificate', () => {
  const { pem } = makeCertificate({ name: 'idp.acme.example' })
  const bare = pem.replace(/-----.*-----/g, '')

  it('is taken with or without its BEGIN and END lines, and kept in one form', () => {
    const forms = [pem, bare, bare.replace(/\s/g, ''), pem.replaceAll('\n', '\r\n'), `\n  ${pem}  \n`]
    for (const form of forms) assert.deepEqual(parseCertificate(form), { pem }, form)
  })

  it('shows its subject, its fingerprint, its dates and its key', () => {
    const notBefore = new Date('2026-01-01T00:00:00Z')
    const notAfter = new Date('2027-01-01T00:00:00Z')
    const keys: [CertificateOptions['key'], { type: string; size: string }][] = [
      [2048, { type: 'RSA', size: '2048' }],
      [3072, { type: 'RSA', size: '3072' }],
      ['P-256', { type: 'EC', size: 'P-256' }],
      ['P-384', { type: 'EC', size: 'P-384' }],
      ['P-521', { type: 'EC', size: 'P-521' }],
    ]
    for (const [key, shown] of keys) {
      const made = makeCertificate({ name: 'idp.acme.example', key: key!, notBefore, notAfter })
      const parsed = parseCertificate(made.pem)
      assert.ok('pem' in parsed, JSON.stringify(parsed))
      assert.deepEqual(certificateFacts(parsed.pem, new Date('2026-06-01T00:00:00Z')), {
        subject: 'CN=idp.acme.example',
        fingerprint: fingerprintOf(made.pem),
        notBefore: '2026-01-01T00:00:00.000Z',
        notAfter: '2027-01-01T00:00:00.000Z',
        isExpired: false,
        key: shown,
      })
    }
  })

  it('that is past its end is taken, and shown as expired', () => {
    const old = makeCertificate({
      notBefore: new Date(Date.now() - 2 * DAY),
      notAfter: new Date(Date.now() - DAY),
    })
    assert.deepEqual(parseCertificate(old.pem), { pem: old.pem })
    assert.equal(certificateFacts(old.pem, new Date()).isExpired, true)
  })

  it('without an end, or without a subject, is one like others', () => {
    // RFC 5280 §4.1.2.5 and §4.2.1.6.
    const endless = parseCertificate(makeCertificate({ notAfter: '99991231235959Z' }).pem)
    assert.ok('pem' in endless)
    const { notAfter, isExpired } = certificateFacts(endless.pem, new Date())
    assert.deepEqual([notAfter, isExpired], ['9999-12-31T23:59:59.000Z', false])
    const unnamed = parseCertificate(makeCertificate({ hasEmptySubject: true }).pem)
    assert.ok('pem' in unnamed)
    assert.equal(certificateFacts(unnamed.pem, new Date()).subject, '')
  })

  it('is refused where its dates are none, or before every certificate', () => {
    for (const notAfter of ['20559999999999Z', 'xxxxxxxxxxxxxxx', '20600101000000+', '00000101000000Z']) {
      assert.match(problemOf(makeCertificate({ notAfter }).pem), /must have dates/, notAfter)
    }
  })

  it('is refused by a sentence or shown, whatever bytes of it were changed', () => {
    const bytes = [...Buffer.from(bare, 'base64')]
    const change = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255))
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const changed = Buffer.from(bytes)
        for (const [place, byte] of changes) changed[place] = byte
        const parsed = parseCertificate(changed.toString('base64'))
        if ('problem' in parsed) return
        const facts = certificateFacts(parsed.pem, new Date())
        for (const date of [facts.notBefore, facts.notAfter]) assert.match(date, /^\d{4}-/)
      }),
      { numRuns: 1000 },
    )
  })

  it('with a short key is refused by the size of the key', () => {
    assert.match(problemOf(makeCertificate({ key: 1024 }).pem), /at least 2048 bits, this one has 1024/)
    assert.match(problemOf(makeCertificate({ key: 2047 }).pem), /at least 2048 bits, this one has 2047/)
    assert.match(problemOf(makeCertificate({ key: 'secp224r1' }).pem), /P-256.*secp224r1/)
    assert.match(problemOf(makeCertificate({ key: 'prime192v1' }).pem), /P-256.*prime192v1/)
  })

  it('that is signed over a digest with known collisions is refused by the name of the digest', () => {
    assert.match(problemOf(makeCertificate({ key: 2048, digest: 'sha1' }).pem), /sha1WithRSA/i)
    assert.match(problemOf(makeCertificate({ key: 2048, digest: 'md5' }).pem), /md5WithRSA/i)
    assert.match(problemOf(makeCertificate({ digest: 'sha1' }).pem), /SHA1/)
  })

  it('is what it has to be: nothing else in PEM, no key, no two of them, nothing behind it', () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const pkcs1 = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
    const spki = publicKey.export({ type: 'spki', format: 'pem' }).toString()
    assert.match(problemOf(pkcs8), /private key/)
    assert.match(problemOf(pkcs1), /private key/)
    assert.match(problemOf(spki), /not a public key/)
    assert.match(problemOf(pem + pem), /not several/)
    const der = Buffer.from(bare, 'base64')
    const broken = [
      ...[
        '',
        ' ',
        'x',
        'not a certificate',
        'QUJD',
        '<xml/>',
        'https://idp.example/cert.pem',
        '-----BEGIN CERTIFICATE-----',
      ],
      ...[Buffer.concat([der, Buffer.from('more')]), der.subarray(0, -1), der.subarray(1)].map((bytes) =>
        bytes.toString('base64'),
      ),
      pem.replace('END CERTIFICATE', 'END X509 CRL'),
    ]
    for (const text of broken) assert.match(problemOf(text), /must be a certificate/, text)
    assert.match(problemOf('A'.repeat(20_001)), /at most 20000/)
  })

  // A reading that goes back and forth over them would not end: their lengths cubed are hours.
  it('is read in one go, however much space or armour a text has that is none', () => {
    const space = '\n'.repeat(19_000)
    for (const text of [
      `-----BEGIN CERTIFICATE-----${space}x!`,
      `-----BEGIN CERTIFICATE-----\n${' A'.repeat(9_000)}\n-----END`,
      `A${space}!`,
      `-----BEGIN ${'A '.repeat(9_000)}-----`,
    ]) {
      assert.match(problemOf(text), /must be a certificate/)
    }
  })
})
