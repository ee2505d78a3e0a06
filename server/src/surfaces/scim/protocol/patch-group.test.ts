import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type GroupPatch, readGroupPatch } from './patch-group.ts'
import { readPatchRequest } from './patch-request.ts'
import { groupType } from './registry.ts'
import type { ScimType } from './scim-error.ts'

const fold = (...operations: unknown[]) => readGroupPatch(readPatchRequest({ Operations: operations }))
const members = (added: string[], removed: string[] = [], replaces = false) => ({ replaces, added, removed })
const none = members([])

describe('readGroupPatch', () => {
  const cases: [name: string, operations: unknown[], patch: GroupPatch][] = [
    [
      'B-92: Okta adds a member',
      [{ op: 'add', path: 'members', value: [{ value: 'u1', display: 'ann' }] }],
      { members: members(['u1']) },
    ],
    [
      'B-93: Entra adds a member with a null $ref',
      [{ op: 'Add', path: 'members', value: [{ $ref: null, value: 'u1' }] }],
      { members: members(['u1']) },
    ],
    [
      'B-94: a filter removes a member',
      [{ op: 'remove', path: 'members[value eq "u1"]' }],
      { members: members([], ['u1']) },
    ],
    [
      'B-94: a filter of several removes those',
      [{ op: 'Remove', path: 'Members[Value Eq "u1" or value eq "u2"]', value: null }],
      { members: members([], ['u1', 'u2']) },
    ],
    [
      'B-95: a removal with values removes only those',
      [{ op: 'Remove', path: 'members', value: [{ $ref: null, value: 'u1' }] }],
      { members: members([], ['u1']) },
    ],
    [
      'B-96: a removal without values removes all',
      [{ op: 'remove', path: 'members' }],
      { members: members([], [], true) },
    ],
    [
      'B-96: a removal of an empty list removes nobody',
      [{ op: 'remove', path: 'members', value: [] }],
      { members: none },
    ],
    [
      'B-97: a replacement is the exact set',
      [{ op: 'replace', path: 'members', value: [{ value: 'u1' }, { value: 'u2' }] }],
      { members: members(['u1', 'u2'], [], true) },
    ],
    [
      'B-97: a replacement without a path is the exact set',
      [{ op: 'replace', value: { members: [{ value: 'u1' }] } }],
      { members: members(['u1'], [], true) },
    ],
    [
      'B-97: a replacement by an empty list removes all',
      [{ op: 'replace', path: 'members', value: [] }],
      { members: members([], [], true) },
    ],
    [
      'B-98: an addition without a path',
      [{ op: 'add', value: { members: [{ value: 'u1' }] } }],
      { members: members(['u1']) },
    ],
    [
      'B-99: Okta renames with the id of the group',
      [{ op: 'replace', value: { id: 'g1', displayName: 'New' } }],
      { displayName: 'New', members: none },
    ],
    [
      'B-99: Entra renames',
      [{ op: 'Replace', path: 'displayName', value: 'New' }],
      { displayName: 'New', members: none },
    ],
    [
      'B-99: a rename and members together',
      [
        { op: 'replace', value: { displayName: 'New', schemas: [groupType.schema.id], meta: {} } },
        { op: 'add', path: `${groupType.schema.id}:members`, value: [{ value: 'u1' }] },
      ],
      { displayName: 'New', members: members(['u1']) },
    ],
    [
      'B-100: a removal, then an addition of one user',
      [
        { op: 'remove', path: 'members[value eq "u1"]' },
        { op: 'add', path: 'members', value: [{ value: 'u1' }] },
      ],
      { members: members(['u1']) },
    ],
    [
      'B-100: an addition, then a removal of one user',
      [
        { op: 'add', path: 'members', value: [{ value: 'u1' }] },
        { op: 'remove', path: 'members[value eq "u1"]' },
      ],
      { members: members([], ['u1']) },
    ],
    [
      'B-100: a replacement, then a removal and an addition',
      [
        { op: 'add', path: 'members', value: ['u0'] },
        { op: 'remove', path: 'members', value: ['u9'] },
        { op: 'replace', path: 'members', value: ['u1', 'u2'] },
        { op: 'remove', path: 'members', value: ['u1', 'u7'] },
        { op: 'add', path: 'members', value: ['u3'] },
      ],
      { members: members(['u2', 'u3'], [], true) },
    ],
    [
      'B-101: a member as a text',
      [{ op: 'add', path: 'members', value: 'u1' }],
      { members: members(['u1']) },
    ],
    [
      'B-101: members as texts',
      [{ op: 'add', path: 'members', value: ['u1', 'u2'] }],
      { members: members(['u1', 'u2']) },
    ],
    [
      'a member as an object',
      [{ op: 'add', path: 'members', value: { Value: 'u1' } }],
      { members: members(['u1']) },
    ],
    ['null members are no members', [{ op: 'replace', value: { members: null } }], { members: none }],
    [
      'an external id is set, the last one counts',
      [
        { op: 'add', path: 'externalId', value: 'x' },
        { op: 'replace', value: { externalId: 'Y' } },
      ],
      { externalId: 'Y', members: none },
    ],
    [
      'an external id is removed',
      [{ op: 'remove', path: 'externalId' }],
      { externalId: null, members: none },
    ],
    [
      'an empty external id is none',
      [{ op: 'replace', path: 'externalId', value: '' }],
      { externalId: null, members: none },
    ],
    [
      'unknown extensions and names are ignored',
      [
        { op: 'add', path: 'urn:acme:2.0:Group:x', value: 'x' },
        { op: 'add', value: { shoeSize: 5, 'urn:acme:2.0:Group': {} } },
      ],
      { members: none },
    ],
    ['B-70: no operations', [], { members: none }],
  ]
  for (const [name, operations, patch] of cases) {
    test(name, () => assert.deepEqual(fold(...operations), patch))
  }

  const refused: [name: string, scimType: ScimType, operation: unknown][] = [
    [
      'B-107: a group as a member',
      'invalidValue',
      { op: 'add', path: 'members', value: [{ value: 'g2', type: 'Group' }] },
    ],
    ['a member without an id', 'invalidValue', { op: 'add', path: 'members', value: [{ display: 'ann' }] }],
    ['a removal of a member without an id', 'invalidValue', { op: 'remove', path: 'members', value: [{}] }],
    ['a number as a member', 'invalidValue', { op: 'add', path: 'members', value: 5 }],
    ['an empty id in a filter', 'invalidValue', { op: 'remove', path: 'members[value eq ""]' }],
    ['a filter by a name', 'invalidFilter', { op: 'remove', path: 'members[display eq "ann"]' }],
    [
      'a filter that needs the members',
      'invalidFilter',
      { op: 'remove', path: 'members[not (value eq "u1")]' },
    ],
    ['a filter by another operator', 'invalidFilter', { op: 'remove', path: 'members[value sw "u"]' }],
    [
      'a change of a member',
      'mutability',
      { op: 'replace', path: 'members[value eq "u1"].value', value: 'u2' },
    ],
    [
      'a replacement of a member',
      'mutability',
      { op: 'replace', path: 'members[value eq "u1"]', value: 'u2' },
    ],
    ['a removal inside members', 'mutability', { op: 'remove', path: 'members.value' }],
    ['a removal of the name', 'mutability', { op: 'remove', path: 'displayName' }],
    ['an empty name', 'invalidValue', { op: 'replace', path: 'displayName', value: '' }],
    ['B-66: the id', 'mutability', { op: 'replace', path: 'id', value: 'x' }],
    ['an attribute of users', 'invalidPath', { op: 'replace', path: 'userName', value: 'x' }],
    ['SCIM-13: the prototype', 'invalidPath', { op: 'replace', path: '__proto__.members', value: 'x' }],
  ]
  for (const [name, scimType, operation] of refused) {
    test(`${name} is refused with ${scimType}`, () => {
      assert.throws(() => fold(operation), { status: 400, scimType })
    })
  }

  test('B-107: the message names the group', () => {
    const value = [{ value: 'u1' }, { value: 'g2', type: 'Group' }]
    assert.throws(() => fold({ op: 'add', path: 'members', value }), /"g2" is a group/)
  })

  test('SCIM-14: 10,000 members in one request are read, one more is refused', () => {
    const value = Array.from({ length: 5000 }, (_, n) => ({ value: `u${n}` }))
    const add = { op: 'add', path: 'members', value }
    assert.equal(fold(add, { ...add, op: 'remove' }).members.removed.length, 5000)
    assert.throws(() => fold(add, add, { op: 'remove', path: 'members[value eq "u1"]' }), { status: 413 })
  })

  test('the fold of operations is what applying them one after another to any group gives', () => {
    const ids = fc.subarray(['u1', 'u2', 'u3', 'u4'])
    const operation = fc.oneof(
      fc.record({
        op: fc.constantFrom('add', 'replace', 'remove'),
        path: fc.constant('members'),
        value: ids,
      }),
      fc.constant({ op: 'remove', path: 'members' }),
    )
    fc.assert(
      fc.property(ids, fc.array(operation, { maxLength: 6 }), (before, operations) => {
        let expected = before
        for (const one of operations) {
          const value = 'value' in one ? one.value : expected
          if (one.op === 'add') expected = [...expected, ...value]
          else if (one.op === 'replace') expected = value
          else expected = expected.filter((id) => !value.includes(id))
        }
        const { replaces, added, removed } = fold(...operations).members
        assert.ok(!added.some((id) => removed.includes(id)))
        const kept = replaces ? [] : before.filter((id) => !removed.includes(id))
        assert.deepEqual(new Set([...kept, ...added]), new Set(expected))
      }),
      { numRuns: 2000, seed: 20261122 },
    )
  })
})
