import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ResourceDocument } from './attribute.ts'
import { readPatchRequest } from './patch-request.ts'
import { patchUser } from './patch-user.ts'
import { userType } from './registry.ts'
import { ScimError, type ScimType } from './scim-error.ts'

const core = userType.schema.id
const enterprise = userType.extensions[0]!.id

const patch = (document: ResourceDocument, ...operations: unknown[]) =>
  patchUser(document, readPatchRequest({ Operations: operations }))

const ann: ResourceDocument = {
  userName: 'ann@acme.example',
  title: 'Engineer',
  emails: [
    { value: 'ann@acme.example', type: 'work', primary: true },
    { value: 'ann@home.example', type: 'home' },
  ],
}

describe('patchUser refuses', () => {
  const refused: [name: string, scimType: ScimType, operation: unknown][] = [
    [
      'B-56: an entry that its filter does not describe',
      'noTarget',
      { op: 'replace', path: 'emails[value eq "x"].display', value: 'x' },
    ],
    [
      'B-56: a type that is not canonical',
      'noTarget',
      { op: 'add', path: 'emails[type eq "fax"].value', value: 'x' },
    ],
    [
      'B-56: two conditions',
      'noTarget',
      { op: 'add', path: 'emails[type eq "other" and primary eq true].value', value: 'x' },
    ],
    [
      'B-56: an entry that is not primary',
      'noTarget',
      { op: 'add', path: 'roles[primary eq false].value', value: 'x' },
    ],
    ['B-65: an empty userName', 'invalidValue', { op: 'replace', path: 'userName', value: '' }],
    ['B-65: a null userName', 'invalidValue', { op: 'replace', value: { userName: null } }],
    ['RFC 7644 3.5.2.2: a removal of the userName', 'mutability', { op: 'remove', path: 'userName' }],
    ['B-66: the id', 'mutability', { op: 'replace', path: 'id', value: 'x' }],
    ['B-66: the time of creation', 'mutability', { op: 'replace', path: 'meta.created', value: 'x' }],
    ['B-66: the groups', 'mutability', { op: 'add', path: 'groups', value: [{ value: 'g1' }] }],
    ['B-66: one of the groups', 'mutability', { op: 'remove', path: 'groups[value eq "g1"]' }],
    ['B-66: the name of a manager', 'mutability', { op: 'add', path: 'manager.displayName', value: 'x' }],
    ['an unknown attribute', 'invalidPath', { op: 'add', path: 'shoeSize', value: 5 }],
    ['an unknown sub-attribute', 'invalidPath', { op: 'add', path: 'name.shoe', value: 5 }],
    [
      'an unknown sub-attribute of an entry',
      'invalidPath',
      { op: 'add', path: 'emails[type eq "work"].shoe', value: 5 },
    ],
    [
      'an unknown attribute of an extension',
      'invalidPath',
      { op: 'add', path: `${enterprise}:shoe`, value: 5 },
    ],
    ['a filter of one value', 'invalidPath', { op: 'add', path: 'name[type eq "work"]', value: 5 }],
    [
      'a filter behind a sub-attribute',
      'invalidPath',
      { op: 'add', path: 'emails.value[type eq "work"]', value: 5 },
    ],
    ['half a path', 'invalidFilter', { op: 'add', path: 'emails[type eq "work"', value: 'x' }],
    ['half a path as a name', 'invalidFilter', { op: 'add', value: { 'emails[type eq "work"': 'x' } }],
    ['a filter by what entries do not have', 'invalidFilter', { op: 'remove', path: 'emails[shoe eq "x"]' }],
    ['a filter by another type', 'invalidFilter', { op: 'remove', path: 'emails[primary eq "x"]' }],
    ['a core schema removed', 'invalidPath', { op: 'remove', path: core }],
    ['an extension that is a text', 'invalidValue', { op: 'add', path: enterprise, value: 'x' }],
    ['a text without a path', 'invalidValue', { op: 'add', value: 'x' }],
    ['a list without a path', 'invalidValue', { op: 'add', value: [{ title: 'x' }] }],
    ['a wrong value', 'invalidValue', { op: 'add', path: 'active', value: 'yes' }],
    ['two values for one', 'invalidValue', { op: 'add', path: 'title', value: ['a', 'b'] }],
    [
      'SCIM-18: a script as a photo',
      'invalidValue',
      { op: 'add', path: 'photos[type eq "photo"].value', value: 'javascript:x' },
    ],
    [
      'SCIM-13: a path to the prototype',
      'invalidPath',
      { op: 'add', path: '__proto__', value: { polluted: 1 } },
    ],
    [
      'SCIM-13: a path through the constructor',
      'invalidPath',
      { op: 'add', path: 'constructor.prototype', value: 1 },
    ],
    [
      'SCIM-13: a path to the prototype of an entry',
      'invalidPath',
      { op: 'add', path: 'emails[type eq "work"].__proto__', value: 1 },
    ],
  ]
  for (const [name, scimType, operation] of refused) {
    test(`${name} is refused with ${scimType}, and the operations before it undone`, () => {
      const before = structuredClone(ann)
      assert.throws(
        () => patch(ann, { op: 'replace', path: 'title', value: 'B-69' }, operation),
        (error) => {
          assert.ok(error instanceof ScimError, String(error))
          assert.deepEqual([error.status, error.scimType], [400, scimType])
          return true
        },
      )
      assert.deepEqual(ann, before)
    })
  }

  test('SCIM-14: a list does not grow past 100 entries, by whatever operations', () => {
    const roles = Array.from({ length: 60 }, (_, n) => ({ value: `r${n}` }))
    const more = roles.map(({ value }) => ({ value: `more ${value}` }))
    const operations = [roles, more].map((value) => ({ op: 'add', path: 'roles', value }))
    assert.equal((patch(ann, operations[0]).roles as unknown[]).length, 60)
    assert.throws(() => patch(ann, ...operations), { scimType: 'invalidValue' })
  })

  test('SCIM-14: more than 10,000 values in one request are refused', () => {
    const names = Array.from({ length: 2 ** 8 }, (_, bits) =>
      [...'nickname'].map((letter, at) => (bits & (1 << at) ? letter.toUpperCase() : letter)).join(''),
    )
    const value = Object.fromEntries(names.map((name) => [name, 'x']))
    const times = (count: number) => Array.from({ length: count }, () => ({ op: 'replace', value }))
    assert.equal(patch(ann, ...times(39)).nickName, 'x')
    assert.throws(() => patch(ann, ...times(40)), { status: 413 })
  })

  test('SCIM-12: more than 1,000 comparisons in the filters of one request are refused', () => {
    const where = Array.from({ length: 50 }, (_, n) => `value eq "${n}"`).join(' or ')
    const operation = { op: 'remove', path: `emails[not (not (${where}))]` }
    const times = (count: number) => Array.from({ length: count }, () => operation)
    assert.equal(patch(ann, ...times(20)), ann)
    assert.throws(() => patch(ann, ...times(20), { op: 'remove', path: 'emails[value eq "x"]' }), {
      status: 413,
    })
  })
})
