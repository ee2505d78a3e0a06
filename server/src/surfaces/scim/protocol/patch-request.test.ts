import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readPatchRequest } from './patch-request.ts'

const one = (operation: unknown) => readPatchRequest({ Operations: [operation] })[0]

describe('readPatchRequest', () => {
  test('B-54, B-70: names and op are read in any letter case', () => {
    const body = { SCHEMAS: [], operations: [{ OP: 'REPLACE', Path: 'title', vaLue: 'x' }] }
    assert.deepEqual(readPatchRequest(body), [{ op: 'replace', path: 'title', value: 'x' }])
  })

  test('B-70: no operations are none', () => {
    assert.deepEqual(readPatchRequest({ Operations: [] }), [])
  })

  test('an empty path and a null path are no path', () => {
    for (const path of ['', null]) {
      assert.deepEqual(one({ op: 'add', path, value: {} }), { op: 'add', path: undefined, value: {} })
    }
  })

  test('null is a value of an addition, and none of a removal', () => {
    assert.deepEqual(one({ op: 'add', path: 'title', value: null }), {
      op: 'add',
      path: 'title',
      value: null,
    })
    assert.deepEqual(one({ op: 'remove', path: 'members', value: null }), {
      op: 'remove',
      path: 'members',
      value: undefined,
    })
  })

  for (const body of [null, [], 'x', {}, { Operations: null }, { Operations: {} }, { Operations: ['x'] }]) {
    test(`B-39: ${JSON.stringify(body)} is refused as syntax`, () => {
      assert.throws(() => readPatchRequest(body), { status: 400, scimType: 'invalidSyntax' })
    })
  }

  for (const op of ['move', '', null, 1, 'constructor']) {
    test(`B-54: op ${JSON.stringify(op)} is refused as syntax`, () => {
      assert.throws(() => one({ op, path: 'title', value: 'x' }), { status: 400, scimType: 'invalidSyntax' })
    })
  }

  test('B-63: a removal without a path has no target', () => {
    assert.throws(() => one({ op: 'remove' }), { status: 400, scimType: 'noTarget' })
    assert.throws(() => one({ op: 'Remove', path: '' }), { status: 400, scimType: 'noTarget' })
  })

  test('a path that is no text, and an addition without a value, are refused', () => {
    assert.throws(() => one({ op: 'add', path: 5, value: 'x' }), { status: 400, scimType: 'invalidPath' })
    assert.throws(() => one({ op: 'add', path: 'title' }), { status: 400, scimType: 'invalidValue' })
  })

  test('SCIM-14: 1,000 operations are read, one more is refused', () => {
    const operations = Array.from({ length: 1000 }, () => ({ op: 'remove', path: 'title' }))
    assert.equal(readPatchRequest({ Operations: operations }).length, 1000)
    const more = { Operations: [...operations, operations[0]] }
    assert.throws(() => readPatchRequest(more), { status: 413, scimType: undefined })
  })
})
