import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { userType } from './registry.ts'
import { emailKeys, searchDocument } from './search-document.ts'

const enterprise = userType.extensions[0]!.id

describe('searchDocument', () => {
  test('B-10, B-12: texts are folded where letter case does not count, and nowhere else', () => {
    const document = {
      userName: 'Ann@ACME.example',
      externalId: 'X1',
      active: true,
      profileUrl: 'https://acme.example/Ann',
      name: { givenName: 'ΣΑΣ', familyName: 'A\u030a' },
      emails: [{ value: 'Ann@ACME.example', type: 'Work', primary: false }, { display: 'X' }],
      x509Certificates: [{ value: 'QUJD', display: 'Card' }],
      [enterprise]: { department: 'R&D', manager: { value: 'M1' } },
    }
    assert.deepEqual(searchDocument(userType, document), {
      userName: 'ann@acme.example',
      externalId: 'X1',
      active: true,
      profileUrl: 'https://acme.example/Ann',
      name: { givenName: 'σασ', familyName: 'å' },
      emails: [{ value: 'ann@acme.example', type: 'work', primary: false }, { display: 'x' }],
      x509Certificates: [{ value: 'QUJD', display: 'card' }],
      [enterprise]: { department: 'r&d', manager: { value: 'M1' } },
    })
  })

  test('no attribute that clients write is a moment or a number, which would have to be written in one way', () => {
    const written = [userType.schema, ...userType.extensions]
      .flatMap(({ attributes }) => attributes)
      .filter(({ mutability }) => mutability !== 'readOnly')
      .flatMap((attribute) => [attribute, ...(attribute.subAttributes ?? [])])
    assert.deepEqual(
      written.filter(({ type }) => type === 'dateTime' || type === 'integer' || type === 'decimal'),
      [],
    )
  })
})

describe('emailKeys', () => {
  test('B-14: each address once, folded', () => {
    const emails = [
      { value: 'Ann@ACME.example' },
      { value: 'ann@acme.EXAMPLE', type: 'x' },
      { display: 'x' },
      { value: 'b@x.example' },
    ]
    assert.deepEqual(emailKeys({ emails }), ['ann@acme.example', 'b@x.example'])
    assert.deepEqual(emailKeys({ userName: 'ann' }), [])
  })
})
