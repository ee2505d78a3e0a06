import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { ResourceType } from './attribute.ts'
import { readGroup } from './read-group.ts'
import { readResource } from './read-resource.ts'
import { groupType, userType } from './registry.ts'
import { ScimError, type ScimType } from './scim-error.ts'

const core = userType.schema.id
const enterprise = userType.extensions[0]!.id

const user = (more: object) => ({ schemas: [core], userName: 'ann', ...more })
const readUser = (more: object) => {
  const { userName, ...rest } = readResource(userType, user(more))
  assert.equal(userName, 'ann')
  return rest
}

const anyText = fc.constantFrom('a', 'A', ' b ', 'ß\u030a', '', 'x@acme.example')
const anyBoolean = fc.constantFrom<unknown>(true, false, 'True', 'false', null)
const anyEntry = fc.record(
  { value: anyText, Type: fc.constantFrom('work', 'home', null), primary: anyBoolean, display: anyText },
  { requiredKeys: [] },
)
const listOf = (entry: fc.Arbitrary<unknown>) => fc.oneof(fc.array(entry, { maxLength: 6 }), entry)
const anyManager = fc.oneof(anyText, fc.record({ Value: anyText, displayName: anyText }), fc.constant(null))
/** Bodies that are accepted, in all the forms that values come in. */
const anyUserBody = fc.record(
  {
    USERNAME: fc.constantFrom('ann', 'Ann@acme.example'),
    active: anyBoolean,
    title: fc.oneof(anyText, fc.record({ value: anyText }), fc.array(anyText, { maxLength: 1 })),
    Name: fc.record({ givenName: anyText, FamilyName: anyText, other: anyText }, { requiredKeys: [] }),
    emails: listOf(fc.oneof(anyEntry, anyText)),
    Roles: listOf(anyEntry),
    addresses: listOf(
      fc.record({ locality: anyText, type: anyText, primary: anyBoolean }, { requiredKeys: [] }),
    ),
    [enterprise]: fc.record({ manager: anyManager, DEPARTMENT: anyText }, { requiredKeys: [] }),
    password: anyText,
    shoeSize: fc.anything(),
  },
  { requiredKeys: ['USERNAME'] },
)

function assertRefused(scimType: ScimType, read: () => unknown, detail = /./): void {
  assert.throws(read, (error) => {
    assert.ok(error instanceof ScimError, String(error))
    assert.equal(error.status, 400)
    assert.equal(error.scimType, scimType)
    assert.match(error.message, detail)
    return true
  })
}

describe('readResource', () => {
  const kept: [name: string, given: object, document: object][] = [
    [
      'B-30: Okta: the password and the groups are dropped',
      {
        name: { givenName: 'Ann', familyName: 'A' },
        emails: [{ primary: true, value: 'ann@acme.example', type: 'work' }],
        displayName: 'Ann A',
        locale: 'en-US',
        externalId: '00u1',
        groups: [],
        password: 'x9',
        active: true,
      },
      {
        name: { givenName: 'Ann', familyName: 'A' },
        emails: [{ primary: true, value: 'ann@acme.example', type: 'work' }],
        displayName: 'Ann A',
        locale: 'en-US',
        externalId: '00u1',
        active: true,
      },
    ],
    [
      'B-33: Entra: null is no value, an attribute of an extension is unknown without its URN',
      {
        active: true,
        roles: [],
        addresses: null,
        phoneNumbers: null,
        title: null,
        meta: { resourceType: 'User' },
        department: 'Sales',
        manager: 'm1',
        id: 'mine',
      },
      { active: true },
    ],
    [
      'B-34: a boolean may be a text where the schema has a boolean',
      { active: 'True', emails: [{ value: 'a@b.example', primary: 'false' }], title: 'true' },
      { active: true, emails: [{ value: 'a@b.example', primary: false }], title: 'true' },
    ],
    [
      'B-35: a manager is an id alone',
      { [enterprise]: { manager: 'm1' } },
      { [enterprise]: { manager: { value: 'm1' } } },
    ],
    [
      'B-35: a manager is an object',
      { [enterprise]: { manager: { value: 'm1', displayName: 'Max', $ref: '../Users/m1' } } },
      { [enterprise]: { manager: { value: 'm1' } } },
    ],
    [
      'B-35: names in an extension ignore letter case',
      { [enterprise.toUpperCase()]: { Manager: { Value: 'm1' }, Department: 'Eng' } },
      { [enterprise]: { manager: { value: 'm1' }, department: 'Eng' } },
    ],
    [
      'B-36: names ignore letter case',
      { Emails: [{ Primary: true, TYPE: 'work', value: 'a@b.example' }], DISPLAYNAME: 'Ann' },
      { emails: [{ primary: true, type: 'work', value: 'a@b.example' }], displayName: 'Ann' },
    ],
    [
      'B-37: two entries of one type stay, the same one twice does not',
      {
        emails: [
          { value: 'a@b.example', type: 'work' },
          { value: 'c@b.example', type: 'work' },
          { value: 'a@b.example', type: 'work' },
        ],
      },
      {
        emails: [
          { value: 'a@b.example', type: 'work' },
          { value: 'c@b.example', type: 'work' },
        ],
      },
    ],
    [
      'B-37: the last primary entry stays the one',
      {
        emails: [
          { value: 'a@b.example', primary: true },
          { value: 'c@b.example', primary: true },
          { value: 'd@b.example' },
        ],
      },
      {
        emails: [
          { value: 'a@b.example', primary: false },
          { value: 'c@b.example', primary: true },
          { value: 'd@b.example' },
        ],
      },
    ],
    [
      'B-38: an extension that is not registered is ignored, misspelt ones too',
      {
        'urn:ietf:params:scim:schemas:extension:enterprise:2.0User': { department: 'X' },
        'urn:acme:2.0:User': { a: [1] },
      },
      {},
    ],
    [
      'B-40: an extension needs no URN in schemas',
      { schemas: undefined, [enterprise]: { department: 'Eng' } },
      { [enterprise]: { department: 'Eng' } },
    ],
    ['B-40: the URN of an extension alone is no data', { schemas: [core, enterprise] }, {}],
    ['an extension of nulls is none', { [enterprise]: { department: null, manager: null } }, {}],
    ['an extension that is null is none', { [enterprise]: null }, {}],
    [
      'B-43: texts stay byte for byte',
      { phoneNumbers: [{ value: ' +49 (0) 30 / 12-3 ' }], displayName: 'A\u030angstro\u0308m  x' },
      { phoneNumbers: [{ value: ' +49 (0) 30 / 12-3 ' }], displayName: 'A\u030angstro\u0308m  x' },
    ],
    [
      'B-80: unknown sub-attributes are dropped, display stays',
      { emails: [{ value: 'a@b.example', display: 'Ann', verified: true }] },
      { emails: [{ value: 'a@b.example', display: 'Ann' }] },
    ],
    ['an entry that says nothing is none', { emails: [{ type: 'work', primary: true }, {}] }, {}],
    ['an empty text is no value', { title: '', name: { givenName: '' } }, {}],
    ['one entry needs no list', { emails: { value: 'a@b.example' } }, { emails: [{ value: 'a@b.example' }] }],
    ['an entry may be its value alone', { roles: ['admin'] }, { roles: [{ value: 'admin' }] }],
    [
      'an address of the web stays as it is',
      { profileUrl: 'HTTPS://acme.example/~ann?q=%20', photos: [{ value: 'http://acme.example/a.png' }] },
      { profileUrl: 'HTTPS://acme.example/~ann?q=%20', photos: [{ value: 'http://acme.example/a.png' }] },
    ],
  ]
  for (const [name, given, document] of kept) {
    test(name, () => assert.deepEqual(readUser(given), document))
  }

  const refused: [name: string, given: object, detail: RegExp][] = [
    ['B-34: a text that is no boolean', { active: 'yes' }, /^active must/],
    ['B-34: a number for a boolean', { active: 1 }, /^active must/],
    ['B-34: in an entry', { emails: [{ value: 'a', primary: 'x' }] }, /^emails\.primary must/],
    ['B-39: an empty userName', { userName: '' }, /^userName is required/],
    ['B-39: a blank userName', { userName: ' \t' }, /^userName is required/],
    ['B-39: a null userName', { userName: null }, /^userName is required/],
    ['a number for a text', { title: 5 }, /^title must be a string/],
    ['an object of no value for a complex attribute', { name: 'Ann' }, /^name must be an object/],
    ['a list for one value', { title: ['a', 'b'] }, /^title has one value/],
    ['a list in a list', { emails: [['a']] }, /^emails must/],
    ['an extension that is no object', { [enterprise]: 'x' }, /must be an object/],
    ['SCIM-18: a script as an address', { profileUrl: 'javascript:alert(1)' }, /^profileUrl must be an http/],
    ['SCIM-18: a script behind a space', { profileUrl: ' javascript:alert(1)//http://' }, /^profileUrl/],
    ['SCIM-18: a document as a photo', { photos: [{ value: 'data:text/html,x' }] }, /^photos\.value/],
    ['SCIM-18: an address without a host', { profileUrl: 'http://' }, /^profileUrl/],
    ['SCIM-18: a long userName', { userName: 'x'.repeat(256) }, /^userName must have at most 255/],
    ['SCIM-18: a long displayName', { displayName: 'x'.repeat(1_000_000) }, /^displayName must have at most/],
    [
      'SCIM-18: a long text of an extension',
      { [enterprise]: { division: 'x'.repeat(1025) } },
      /:division must/,
    ],
    ['SCIM-10: U+0000', { title: 'a\u0000b' }, /^title must not contain/],
    ['SCIM-10: half of a surrogate pair', { name: { givenName: '\ud800' } }, /^name\.givenName must not/],
    [
      'too many entries',
      { roles: Array.from({ length: 101 }, (_, n) => `r${n}`) },
      /^roles must have at most 100/,
    ],
    ['no base64', { x509Certificates: [{ value: 'a b' }] }, /^x509Certificates\.value must be base64/],
  ]
  for (const [name, given, detail] of refused) {
    test(`${name} is refused`, () => {
      assertRefused('invalidValue', () => readResource(userType, user(given)), detail)
    })
  }

  test('B-39: a user without a userName and a group without a displayName are refused', () => {
    assertRefused('invalidValue', () => readResource(userType, { schemas: [core] }), /^userName is required/)
    assertRefused('invalidValue', () => readResource(groupType, {}), /^displayName is required/)
  })

  test('B-39: a body that is no object is refused as syntax', () => {
    for (const body of [[], [user({})], 'x', 5, null, undefined]) {
      for (const type of [userType, groupType]) {
        assertRefused('invalidSyntax', () => readResource(type as ResourceType, body))
      }
    }
  })

  test('SCIM-13: names of the prototype reach nothing', () => {
    const body = JSON.parse(`{
      "userName": "ann",
      "__proto__": {"polluted": 1, "userName": "eve"},
      "constructor": {"prototype": {"polluted": 1}},
      "name": {"__proto__": {"polluted": 1}, "toString": "x", "givenName": "Ann"},
      "emails": [{"__proto__": {"polluted": 1}, "value": "a@b.example"}],
      "${enterprise}": {"__proto__": {"polluted": 1}, "prototype": 1}
    }`)
    const document = readResource(userType, body)
    assert.deepEqual(document, {
      userName: 'ann',
      name: { givenName: 'Ann' },
      emails: [{ value: 'a@b.example' }],
    })
    assert.equal(Object.getPrototypeOf(document), Object.prototype)
    assert.equal((document as { polluted?: unknown }).polluted, undefined)
    assert.equal(({} as { polluted?: unknown }).polluted, undefined)
  })

  test('reading what was read changes nothing', () => {
    fc.assert(
      fc.property(anyUserBody, (body) => {
        const document = readResource(userType, body)
        const written = { schemas: [core], id: 'u1', meta: {}, ...document }
        assert.deepEqual(readResource(userType, written), document)
      }),
      { numRuns: 2000, seed: 20261122 },
    )
  })
})

describe('readGroup', () => {
  test('B-90: the marker of Microsoft is accepted, and there are no members', () => {
    const schemas = [
      groupType.schema.id,
      'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group',
    ]
    const body = { schemas, externalId: '8aa1', displayName: 'Sales', meta: { resourceType: 'Group' } }
    assert.deepEqual(readGroup(body), { displayName: 'Sales', externalId: '8aa1', members: [] })
  })

  test('B-86: members come in every form that clients use, each once', () => {
    const members = [{ value: 'u1', display: 'Ann' }, 'u2', { Value: 'u3', $ref: null, type: 'User' }, 'u1']
    assert.deepEqual(readGroup({ DisplayName: 'Sales', Members: members }), {
      displayName: 'Sales',
      externalId: null,
      members: ['u1', 'u2', 'u3'],
    })
  })

  test('10,000 members are read, one more is refused', () => {
    const members = Array.from({ length: 10_000 }, (_, n) => ({ value: `u${n}`, type: 'User' }))
    assert.equal(readGroup({ displayName: 'All', members }).members.length, 10_000)
    members.push({ value: 'more', type: 'User' })
    assertRefused(
      'invalidValue',
      () => readGroup({ displayName: 'All', members }),
      /^members must have at most/,
    )
  })

  test('B-107: a group as a member is refused by its id', () => {
    const body = { displayName: 'A', members: [{ value: 'u1' }, { value: 'g2', type: 'group' }] }
    assertRefused('invalidValue', () => readGroup(body), /"g2" is a group/)
  })

  test('a member without an id, and a body that is no object, are refused', () => {
    for (const member of [{}, { value: '' }, null, 5, [], { value: 'a\u0000' }]) {
      assertRefused('invalidValue', () => readGroup({ displayName: 'A', members: [member] }))
    }
    assertRefused('invalidSyntax', () => readGroup([]))
  })
})
