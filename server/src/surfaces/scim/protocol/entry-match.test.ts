import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { findByName } from './attribute-path.ts'
import { matchesEntry } from './entry-match.ts'
import { parseValuePath } from './filter.ts'
import { userType } from './registry.ts'

const emails = findByName(userType.schema.attributes, 'emails')!
const certificates = findByName(userType.schema.attributes, 'x509Certificates')!
const entry = { value: 'Ann@ACME.example', type: 'work', primary: true }

const matches = (filter: string, attribute = emails, of: object = entry) =>
  matchesEntry(attribute, of as Readonly<Record<string, unknown>>, parseValuePath(`x[${filter}]`).where!)

describe('matchesEntry', () => {
  const fitting = [
    'type eq "work"',
    'TYPE EQ "WORK"',
    'value eq "ann@acme.example"',
    'value ne "x"',
    'value co "@Acme"',
    'value sw "ANN"',
    'value ew ".Example"',
    'value gt "ann"',
    'value ge "ANN@acme.example"',
    'value lt "b"',
    'value le "ann@acme.example"',
    'primary eq true',
    'primary eq "True"',
    'primary ne false',
    'type pr',
    'display eq null',
    'type ne null',
    'display ne "x"',
    'type eq "work" and primary eq true',
    'type eq "home" or primary eq true',
    'not (type eq "home")',
  ]
  for (const filter of fitting) {
    test(`${filter} fits`, () => {
      assert.equal(matches(filter), true)
      assert.equal(matches(`not (${filter})`), false)
    })
  }

  const other = [
    'type eq "works"',
    'value gt "b"',
    'display pr',
    'display gt ""',
    'type eq null',
    'primary eq "false"',
  ]
  for (const filter of other) {
    test(`${filter} does not fit`, () => assert.equal(matches(filter), false))
  }

  test('an entry that does not say it is primary is not', () => {
    assert.equal(matches('primary eq false', emails, { value: 'x' }), true)
    assert.equal(matches('primary ne true', emails, { value: 'x' }), true)
    assert.equal(matches('primary eq true', emails, { value: 'x' }), false)
  })

  test('what is exact in case is compared so', () => {
    assert.equal(matches('value eq "QUJD"', certificates, { value: 'QUJD' }), true)
    assert.equal(matches('value eq "qujd"', certificates, { value: 'QUJD' }), false)
  })

  test('B-21: what cannot be compared is refused', () => {
    for (const filter of [
      'shoe eq "x"',
      'shoe pr',
      'value eq 5',
      'primary eq "yes"',
      'primary gt true',
      'value gt null',
    ]) {
      assert.throws(() => matches(filter), { status: 400, scimType: 'invalidFilter' }, filter)
    }
    assert.throws(() => matches('value co "QU"', certificates), { scimType: 'invalidFilter' })
  })
})
