import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ResourceDocument } from './attribute.ts'
import { readPatchRequest } from './patch-request.ts'
import { activeOnly, patchUser } from './patch-user.ts'
import { userType } from './registry.ts'

const core = userType.schema.id
const enterprise = userType.extensions[0]!.id

const patch = (document: ResourceDocument, ...operations: unknown[]) =>
  patchUser(document, readPatchRequest({ Operations: operations }))

const ann: ResourceDocument = {
  userName: 'ann@acme.example',
  active: true,
  name: { givenName: 'Ann', familyName: 'A' },
  title: 'Engineer',
  emails: [
    { value: 'ann@acme.example', type: 'work', primary: true },
    { value: 'ann@home.example', type: 'home' },
  ],
}
const workOnly = { ...ann, emails: [{ value: 'ann@acme.example', type: 'work', primary: true }] }
const without = (name: string) => {
  const { [name]: _, ...rest } = ann
  return rest
}
const workMail = 'emails[type eq "work"].value'

interface Case {
  readonly name: string
  readonly from?: ResourceDocument
  readonly operations: readonly unknown[]
  /** What differs from `from`. */
  readonly to: object
}

const cases: readonly Case[] = [
  {
    name: 'B-50: active without a path',
    operations: [{ op: 'replace', value: { active: false } }],
    to: { active: false },
  },
  {
    name: 'B-51: active as a text',
    operations: [{ op: 'Replace', path: 'active', value: 'False' }],
    to: { active: false },
  },
  {
    name: 'B-52: active as a boolean',
    operations: [{ op: 'replace', path: 'active', value: false }],
    to: { active: false },
  },
  {
    name: 'B-53: a value in a list of one',
    operations: [
      { op: 'Replace', path: 'active', value: [{ value: 'False' }] },
      { op: 'Replace', path: 'displayName', value: [{ $ref: null, value: 'New name' }] },
    ],
    to: { active: false, displayName: 'New name' },
  },
  {
    name: 'B-54: op in any letter case',
    operations: [
      { op: 'Add', path: 'nickName', value: 'A' },
      { OP: 'REPLACE', Path: 'locale', VALUE: 'de' },
      { op: 'Remove', path: 'title' },
    ],
    to: { nickName: 'A', locale: 'de', title: undefined },
  },
  {
    name: 'B-55: the work mail changes in place and stays primary',
    operations: [{ op: 'Replace', path: workMail, value: 'new@acme.example' }],
    to: {
      emails: [
        { value: 'new@acme.example', type: 'work', primary: true },
        { value: 'ann@home.example', type: 'home' },
      ],
    },
  },
  {
    name: 'B-56: a work mail is made where there is none',
    from: without('emails'),
    operations: [{ op: 'Replace', path: workMail, value: 'new@acme.example' }],
    to: { emails: [{ value: 'new@acme.example', type: 'work' }] },
  },
  {
    name: 'B-56: a mobile number and the parts of an address are made',
    operations: [
      { op: 'Add', path: 'phoneNumbers[type eq "mobile"].value', value: '+1 5' },
      { op: 'Replace', path: 'addresses[type eq "work"].postalCode', value: '10115' },
      { op: 'Add', path: 'addresses[type eq "work"].locality', value: 'Berlin' },
    ],
    to: {
      phoneNumbers: [{ type: 'mobile', value: '+1 5' }],
      addresses: [{ type: 'work', postalCode: '10115', locality: 'Berlin' }],
    },
  },
  {
    name: 'B-56: the flag of an entry may come before its value',
    from: without('emails'),
    operations: [
      { op: 'Add', path: 'emails[type eq "work"].primary', value: 'True' },
      { op: 'Add', path: workMail, value: 'new@acme.example' },
    ],
    to: { emails: [{ type: 'work', primary: true, value: 'new@acme.example' }] },
  },
  {
    name: 'B-57: a primary role is made, the quoted boolean is a boolean',
    from: { ...ann, roles: [{ value: 'user' }] },
    operations: [{ op: 'Replace', path: 'roles[primary eq "True"].value', value: 'admin' }],
    to: { roles: [{ value: 'user' }, { primary: true, value: 'admin' }] },
  },
  {
    name: 'B-57: the primary role changes in place',
    from: { ...ann, roles: [{ value: 'user', primary: true }, { value: 'x' }] },
    operations: [{ op: 'Replace', path: 'roles[primary eq "True"].value', value: 'admin' }],
    to: { roles: [{ value: 'admin', primary: true }, { value: 'x' }] },
  },
  {
    name: 'B-57: making an entry primary takes it from the others',
    operations: [{ op: 'Replace', path: 'emails[type eq "home"].primary', value: true }],
    to: {
      emails: [
        { value: 'ann@acme.example', type: 'work', primary: false },
        { value: 'ann@home.example', type: 'home', primary: true },
      ],
    },
  },
  {
    name: 'B-58: names without a path may be paths',
    operations: [
      {
        op: 'replace',
        value: {
          displayName: 'A',
          'name.givenName': 'B',
          [`${enterprise}:department`]: 'Eng',
          [`${enterprise}:manager.value`]: 'm1',
          [workMail]: 'x@acme.example',
        },
      },
    ],
    to: {
      displayName: 'A',
      name: { givenName: 'B', familyName: 'A' },
      [enterprise]: { department: 'Eng', manager: { value: 'm1' } },
      emails: [
        { value: 'x@acme.example', type: 'work', primary: true },
        { value: 'ann@home.example', type: 'home' },
      ],
    },
  },
  {
    name: 'B-59: a name is merged',
    operations: [{ op: 'replace', value: { name: { givenName: 'B' } } }],
    to: { name: { givenName: 'B', familyName: 'A' } },
  },
  {
    name: 'RFC 7644 3.5.2.3: a name with a path is merged, null clears a part',
    operations: [{ op: 'replace', path: 'name', value: { GivenName: null, middleName: 'M' } }],
    to: { name: { familyName: 'A', middleName: 'M' } },
  },
  {
    name: 'B-60: an extension is made by a path into it',
    operations: [{ op: 'Add', path: `${enterprise}:department`, value: 'Eng' }],
    to: { [enterprise]: { department: 'Eng' } },
  },
  {
    name: 'B-60: an extension is made by its URN as the path',
    operations: [{ op: 'Add', path: enterprise, value: { Department: 'Eng' } }],
    to: { [enterprise]: { department: 'Eng' } },
  },
  {
    name: 'B-60: an extension is made by its URN as a name, and merged',
    from: { ...ann, [enterprise]: { division: 'D' } },
    operations: [{ op: 'replace', value: { [enterprise]: { department: 'Eng' } } }],
    to: { [enterprise]: { division: 'D', department: 'Eng' } },
  },
  {
    name: 'an extension is removed by its URN, and by null',
    from: { ...ann, [enterprise]: { division: 'D', manager: { value: 'm1' } } },
    operations: [{ op: 'Remove', path: enterprise }],
    to: { [enterprise]: undefined },
  },
  {
    name: 'an extension that is null is removed',
    from: { ...ann, [enterprise]: { division: 'D', manager: { value: 'm1' } } },
    operations: [{ op: 'replace', value: { [enterprise]: null } }],
    to: { [enterprise]: undefined },
  },
  {
    name: 'B-61: a manager in a list of one, without the URN',
    operations: [{ op: 'Add', path: 'manager', value: [{ $ref: 'https://x.example/Users/9', value: '9' }] }],
    to: { [enterprise]: { manager: { value: '9' } } },
  },
  {
    name: 'B-61: a manager as a text',
    operations: [{ op: 'Add', path: `${enterprise}:manager`, value: '9' }],
    to: { [enterprise]: { manager: { value: '9' } } },
  },
  ...['', null, [], { value: '' }, [{ value: null }]].map((value) => ({
    name: `B-61: a manager of ${JSON.stringify(value)} is removed, and the empty extension with it`,
    from: { ...ann, [enterprise]: { manager: { value: '9' } } },
    operations: [{ op: 'Add', path: `${enterprise}:manager`, value }],
    to: { [enterprise]: undefined },
  })),
  {
    name: 'B-62: a text is removed',
    operations: [{ op: 'Remove', path: 'title' }],
    to: { title: undefined },
  },
  {
    name: 'B-62: an attribute of an extension is removed',
    from: { ...ann, [enterprise]: { department: 'Eng', division: 'D' } },
    operations: [{ op: 'remove', path: `${enterprise}:department` }],
    to: { [enterprise]: { division: 'D' } },
  },
  ...['', null, [], [{ value: null }]].map((value) => ({
    name: `B-62: a title of ${JSON.stringify(value)} is none`,
    operations: [{ op: 'replace', path: 'title', value }],
    to: { title: undefined },
  })),
  {
    name: 'B-62: an empty work mail takes its entry away',
    operations: [{ op: 'replace', path: workMail, value: '' }],
    to: { emails: [{ value: 'ann@home.example', type: 'home' }] },
  },
  {
    name: 'B-65: a user is renamed',
    operations: [{ op: 'replace', path: 'userName', value: 'new@acme.example' }],
    to: { userName: 'new@acme.example' },
  },
  {
    name: 'B-66: what is read-only is ignored where no path names it',
    operations: [
      {
        op: 'replace',
        value: { id: 'u1', schemas: [core], meta: { created: 'x' }, groups: [], displayName: 'A' },
      },
    ],
    to: { displayName: 'A' },
  },
  {
    name: 'B-68: a new primary mail takes it from the old one',
    operations: [{ op: 'add', path: 'emails', value: [{ value: 'new@acme.example', primary: true }] }],
    to: {
      emails: [
        { value: 'ann@acme.example', type: 'work', primary: false },
        { value: 'ann@home.example', type: 'home' },
        { value: 'new@acme.example', primary: true },
      ],
    },
  },
  {
    name: 'B-71: the URN of the core schema before a path, in any letter case',
    operations: [
      { op: 'replace', path: `${core}:name.familyName`, value: 'B' },
      { op: 'replace', path: `${core.toLowerCase()}:Name.GivenName`, value: 'C' },
      { op: 'replace', path: core, value: { title: 'T' } },
    ],
    to: { name: { familyName: 'B', givenName: 'C' }, title: 'T' },
  },
  {
    name: 'B-73: a formatted name stays as given',
    operations: [
      { op: 'replace', path: 'name.givenName', value: 'Anna' },
      { op: 'replace', path: 'name.formatted', value: 'X' },
    ],
    to: { name: { givenName: 'Anna', familyName: 'A', formatted: 'X' } },
  },
  {
    name: 'a removal with values removes only those',
    operations: [{ op: 'Remove', path: 'emails', value: [{ value: 'ann@home.example' }] }],
    to: { emails: workOnly.emails },
  },
  {
    name: 'RFC 7644 3.5.2.2: a filter removes the entries that fit',
    operations: [{ op: 'remove', path: 'emails[type eq "HOME" and value ew "home.example"]' }],
    to: { emails: workOnly.emails },
  },
  {
    name: 'RFC 7644 3.5.2.2: the last entry removed removes the list',
    operations: [{ op: 'remove', path: 'emails[value pr]' }],
    to: { emails: undefined },
  },
  {
    name: 'RFC 7644 3.5.2.2: one sub-attribute of entries is removed',
    operations: [
      { op: 'remove', path: 'emails[primary eq true].primary' },
      { op: 'remove', path: 'emails.type' },
    ],
    to: { emails: [{ value: 'ann@acme.example' }, { value: 'ann@home.example' }] },
  },
  {
    name: 'RFC 7644 3.5.2.3: a list is replaced whole',
    operations: [{ op: 'replace', path: 'emails', value: [{ value: 'x@acme.example' }] }],
    to: { emails: [{ value: 'x@acme.example' }] },
  },
  {
    name: 'RFC 7644 3.5.2.3: an entry is replaced whole, but stays what the filter found',
    operations: [{ op: 'replace', path: 'emails[type eq "work"]', value: { value: 'x@acme.example' } }],
    to: {
      emails: [
        { type: 'work', value: 'x@acme.example' },
        { value: 'ann@home.example', type: 'home' },
      ],
    },
  },
  {
    name: 'RFC 7644 3.5.2.1: an addition to an entry is merged',
    operations: [{ op: 'add', path: 'emails[value sw "ann@home"]', value: { display: 'Home' } }],
    to: { emails: [workOnly.emails[0], { value: 'ann@home.example', type: 'home', display: 'Home' }] },
  },
  {
    name: 'RFC 7644 3.5.2.3: a sub-attribute without a filter is that of every entry',
    operations: [{ op: 'replace', path: 'emails.display', value: 'Ann' }],
    to: { emails: (ann.emails as object[]).map((entry) => ({ ...entry, display: 'Ann' })) },
  },
  {
    name: 'the same value and type twice becomes one entry',
    operations: [
      { op: 'add', path: 'emails', value: { value: 'ann@home.example', type: 'home', display: 'H' } },
    ],
    to: { emails: [workOnly.emails[0], { value: 'ann@home.example', type: 'home', display: 'H' }] },
  },
  {
    name: 'a later operation sees what an earlier one did',
    operations: [
      { op: 'remove', path: 'emails' },
      { op: 'add', path: workMail, value: 'x@acme.example' },
      { op: 'replace', path: workMail, value: 'y@acme.example' },
    ],
    to: { emails: [{ type: 'work', value: 'y@acme.example' }] },
  },
]

describe('patchUser', () => {
  for (const { name, from = ann, operations, to } of cases) {
    test(name, () => {
      const before = structuredClone(from)
      const expected = Object.entries({ ...from, ...to }).filter(([, value]) => value !== undefined)
      assert.deepEqual(patch(from, ...operations), Object.fromEntries(expected))
      assert.deepEqual(from, before, 'the document given is not changed')
    })
  }

  const unchanged: [name: string, ...operations: unknown[]][] = [
    ['B-64: a removal that fits nothing', { op: 'remove', path: 'emails[type eq "fax"]' }],
    ['B-64: a removal of what is not there', { op: 'remove', path: 'nickName' }],
    [
      'B-64: a removal in an entry that is not there',
      { op: 'remove', path: 'emails[type eq "other"].value' },
    ],
    ['B-67: an entry that is there', { op: 'add', path: 'emails', value: [(ann.emails as object[])[1]] }],
    [
      'B-67: its value and type',
      { op: 'add', path: 'emails', value: [{ type: 'work', value: 'ann@acme.example' }] },
    ],
    ['B-70: no operations'],
    [
      'B-72: an unknown extension',
      { op: 'Add', path: 'urn:acme:custom:2.0:User:tags', value: [{ value: '1' }] },
    ],
    [
      'B-72: an unknown extension as a name',
      { op: 'add', value: { 'urn:acme:custom:2.0:User': { tags: 1 } } },
    ],
    ['unknown names without a path', { op: 'replace', value: { shoeSize: 5, 'name.x': 1, '': 2, '.': 3 } }],
    [
      'a password',
      { op: 'replace', path: 'password', value: 's3cret' },
      { op: 'replace', value: { password: 'x' } },
    ],
    [
      'the same values',
      { op: 'replace', value: { active: 'true', title: 'Engineer', name: { givenName: 'Ann' } } },
    ],
    [
      'there and back',
      { op: 'replace', path: 'title', value: 'x' },
      { op: 'replace', path: 'title', value: 'Engineer' },
    ],
    [
      'an empty value where no entry fits',
      { op: 'replace', path: 'emails[type eq "other"].value', value: '' },
    ],
    ['a removal of an empty list of values', { op: 'remove', path: 'emails', value: [] }],
    ['an addition of nothing', { op: 'add', path: 'emails', value: [] }],
    [
      'SCIM-13: names of the prototype without a path',
      JSON.parse(
        '{"op":"replace","value":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}',
      ),
      JSON.parse(`{"op":"add","value":{"${enterprise}":{"__proto__":{"polluted":1},"toString":"x"}}}`),
      JSON.parse('{"op":"add","value":{"name":{"__proto__":{"polluted":1}},"name.__proto__":1}}'),
    ],
  ]
  for (const [name, ...operations] of unchanged) {
    test(`${name} changes nothing`, () => {
      assert.equal(patch(ann, ...operations), ann)
      assert.equal(({} as { polluted?: unknown }).polluted, undefined)
    })
  }
})

describe('what a PATCH makes of active, without the user', () => {
  const only = (...operations: unknown[]) => activeOnly(readPatchRequest({ Operations: operations }))
  const active = { op: 'replace', path: 'active', value: false }

  test('is known where it says nothing else, and is what applying it makes of it', () => {
    for (const value of [true, false, 'True', 'false'])
      for (const operation of [
        { op: 'Replace', path: 'active', value },
        { op: 'add', path: 'ACTIVE', value },
        { op: 'replace', value: { active: value } },
        { op: 'replace', path: '', value: { Active: value } },
      ]) {
        assert.equal(only(operation), patch(ann, operation).active, JSON.stringify(operation))
      }
  })

  test('is not known where it says more, or another thing', () => {
    const others = [
      [],
      [active, active],
      [active, { op: 'replace', path: 'title', value: 'Lead' }],
      [{ op: 'remove', path: 'active' }],
      [{ op: 'replace', value: { active: false, title: 'Lead' } }],
      [{ op: 'replace', value: {} }],
      [{ op: 'replace', path: 'active', value: null }],
      [{ op: 'replace', path: 'active', value: 'perhaps' }],
      [{ op: 'replace', path: 'active', value: { active: false } }],
      [{ op: 'replace', path: 'title', value: true }],
    ]
    for (const operations of others) assert.equal(only(...operations), undefined, JSON.stringify(operations))
  })
})
