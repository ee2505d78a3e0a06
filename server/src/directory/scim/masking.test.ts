import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { maskFilter, maskPath, maskUrl } from './masked-expression.ts'
import { createMasking } from './masking.ts'

const nothing = () => {}
const ID = '0199f1a2-0000-7000-8000-00000000abcd'
const PASSWORD_LIKE_AN_ID = '0199f1a2-0000-7000-8000-000000000bad'

describe('the masking of a filter', () => {
  const cases: [string, string][] = [
    ['userName eq "alice@acme.example"', 'userName eq "•••"'],
    ['userName eq "say \\"alice\\" now"', 'userName eq "•••"'],
    ['userName eq "alice', 'userName eq "•••"'],
    ['userName eq alice', 'userName eq "•••"'],
    ['userName eq alice smith', 'userName eq "•••" •••'],
    ['alice', '•••'],
    ['active eq true and not (title pr)', 'active eq true and not (title pr)'],
    ['emails[type eq "work" and value co "@acme"]', 'emails[type eq "work" and value co "•••"]'],
    ['emails[type eq "alice"]', 'emails[type eq "•••"]'],
    [`members.value eq "${ID}" or id eq "${ID}"`, `members.value eq "${ID}" or id eq "${ID}"`],
    [`password eq "${ID}"`, 'password eq "•••"'],
    [
      'urn:ietf:params:scim:schemas:core:2.0:User:userName sw "al"',
      'urn:ietf:params:scim:schemas:core:2.0:User:userName sw "•••"',
    ],
    ['userName pr alice@acme.example', 'userName pr •••'],
    ['and alice', 'and •••'],
  ]
  for (const [given, masked] of cases) {
    it(`makes ${masked} of ${given}`, () => assert.equal(maskFilter(given, nothing), masked))
  }

  it('keeps the paths of operations, without the values in them', () => {
    assert.equal(maskPath('name.givenName', nothing), 'name.givenName')
    assert.equal(maskPath('emails[type eq "work"].value', nothing), 'emails[type eq "work"].value')
    assert.equal(maskPath('emails[value eq "a@b.example"].type', nothing), 'emails[value eq "•••"].type')
    assert.equal(maskPath('alice@acme.example', nothing), '•••')
  })

  it('ends in time for a text that is as unlike a filter as can be', () => {
    for (const hostile of [
      'urn:a:'.repeat(50_000),
      'a.'.repeat(100_000),
      'a '.repeat(100_000),
      '('.repeat(300_000),
    ]) {
      assert.ok(maskFilter(hostile, nothing).length < 1000)
    }
  })
})

describe('the masking of a URL', () => {
  it('keeps endpoints, ids, names and numbers, and nothing else', () => {
    const url = `/scim/v2/${ID}/Users/alice?filter=userName+eq+%22alice%22&attributes=userName,emails&startIndex=1&count=ten&secret=alice&alice=1`
    assert.equal(
      maskUrl(url, nothing),
      `/scim/v2/${ID}/Users/•••?filter=userName eq "•••"&attributes=userName,emails&startIndex=1&count=•••&•••=•••&•••=•••`,
    )
    assert.ok(!maskUrl('/scim/v2/Users/%61lice%zz?%zz', nothing).includes('lice'))
  })
})

/** A body that holds a person and a secret wherever a client could put them. */
const PERSON = [
  'Alice',
  'Liddell',
  'alice@wonder.example',
  '+44 1865 276150',
  'Queen',
  'hunter2',
  '4711',
  'Rabbit',
]

const user = {
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', 'Alice'],
  id: ID,
  externalId: 'alice@wonder.example',
  userName: 'alice@wonder.example',
  password: 'hunter2',
  active: true,
  displayName: 'Alice Liddell',
  name: { givenName: 'Alice', familyName: 'Liddell', formatted: ['Alice', { deep: 'Liddell' }] },
  emails: [{ value: 'alice@wonder.example', type: 'work', primary: true, display: 'Alice' }],
  phoneNumbers: [{ value: '+44 1865 276150', type: 'Queen' }],
  'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': {
    employeeNumber: 4711,
    manager: { value: ID, displayName: 'Queen' },
  },
  'alice@wonder.example': 'Rabbit',
  meta: { resourceType: 'User', location: 'https://x.example/alice' },
}

describe('the masking of a body', () => {
  it('keeps of a user what is no value', () => {
    assert.deepEqual(createMasking().body(user), {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', '•••'],
      id: ID,
      externalId: '•••',
      userName: '•••',
      password: '•••',
      active: true,
      displayName: '•••',
      name: { givenName: '•••', familyName: '•••', formatted: ['•••', { deep: '•••' }] },
      emails: [{ value: '•••', type: 'work', primary: true, display: '•••' }],
      phoneNumbers: [{ value: '•••', type: '•••' }],
      'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': {
        employeeNumber: '•••',
        manager: { value: ID, displayName: '•••' },
      },
      '•••': '•••',
      meta: { resourceType: 'User', location: '•••' },
    })
  })

  it('keeps of operations what was done to which attribute, and to which members', () => {
    const body = {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [
        { op: 'Replace', path: 'active', value: 'False' },
        { op: 'add', path: 'members', value: [{ value: ID, display: 'Alice' }] },
        { op: 'remove', path: `members[value eq "${ID}"]` },
        { op: 'replace', path: 'password', value: PASSWORD_LIKE_AN_ID },
        { op: 'replace', value: { active: false, userName: 'Alice', password: PASSWORD_LIKE_AN_ID } },
        { op: 'Alice', path: 'emails[value eq "Alice"].value', value: true },
      ],
    }
    assert.deepEqual(createMasking().body(body), {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [
        { op: 'Replace', path: 'active', value: 'False' },
        { op: 'add', path: 'members', value: [{ value: ID, display: '•••' }] },
        { op: 'remove', path: `members[value eq "${ID}"]` },
        { op: 'replace', path: 'password', value: '•••' },
        { op: 'replace', value: { active: false, userName: '•••', password: '•••' } },
        { op: '•••', path: 'emails[value eq "•••"].value', value: '•••' },
      ],
    })
  })

  it('keeps nothing personal of a user, whatever surrounds it', () => {
    const wrappings: ((inner: unknown) => unknown)[] = [
      (inner) => inner,
      (inner) => [inner],
      (inner) => ({ totalResults: 1, Resources: [inner] }),
      (inner) => ({ Operations: [{ op: 'add', value: inner }] }),
      (inner) => ({ Operations: [{ op: 'add', path: 'active', value: inner }] }),
      (inner) => ({ id: inner, value: inner, members: inner, type: inner, op: inner, schemas: [inner] }),
      (inner) => Array.from({ length: 200 }, () => inner),
      (inner) => Array.from({ length: 30 }).reduce((nested) => ({ active: nested, x: [nested] }), inner),
      () => 'Alice Liddell hunter2',
      () => 4711,
    ]
    for (const [index, wrap] of wrappings.entries()) {
      const text = JSON.stringify(createMasking().body(wrap(user)))
      assert.deepEqual(
        PERSON.filter((value) => text.toLowerCase().includes(value.toLowerCase())),
        [],
        `${index}: ${text}`,
      )
      assert.ok(text.length < 33_000)
    }
  })

  it('tells of a long list how long it is', () => {
    const members = Array.from({ length: 1000 }, () => ({ value: ID }))
    const masked = createMasking().body({ members }) as { members: unknown[] }
    assert.equal(masked.members.length, 51)
    assert.equal(masked.members.at(-1), '… and 950 more')
  })
})

describe('the masking of a sentence', () => {
  it('takes values out whatever characters they have', () => {
    const value = 'a-b\\c^d$e.f*g+h?i(j)k[l]m{n}o|p/q'
    const masking = createMasking()
    masking.body({ userName: value })
    assert.equal(masking.sentence(`The name ${value} is taken.`), 'The name ••• is taken.')
  })

  it('leaves out what the request held, quotations, addresses and long numbers', () => {
    const masking = createMasking()
    masking.url(`/scim/v2/${ID}/Users?filter=userName eq "Dodgson"`)
    masking.body(user)
    const cases: [string, string][] = [
      ['userName alice@wonder.example is taken.', 'userName ••• is taken.'],
      ['A user called ALICE LIDDELL is there.', 'A user called ••• is there.'],
      ['Dodgson is not there, but at most 200 are shown.', '••• is not there, but at most 200 are shown.'],
      ['"userName" must not be "somebody else".', '"userName" must not be "•••".'],
      ['It belongs to bob@other.example (tel. 0123456789).', 'It belongs to ••• (tel. •••'],
      ['The employee 4711 is there.', 'The employee ••• is there.'],
    ]
    for (const [given, masked] of cases) assert.equal(masking.sentence(given), masked)
  })

  it('is made whatever the length of what the request held', () => {
    for (const length of [500, 100_000, 1_000_000]) {
      const masking = createMasking()
      masking.body({ userName: 'Dodgson', displayName: 'a'.repeat(length) })
      assert.equal(masking.sentence('The name Dodgson is taken.'), 'The name ••• is taken.')
    }
  })

  it('is left out whole where a body is too large to know what it held', () => {
    const masking = createMasking()
    masking.body(Array.from({ length: 5000 }, (_, index) => ({ userName: `name ${index}` })))
    assert.equal(masking.sentence('name 4999 is taken.'), '•••')
  })
})
