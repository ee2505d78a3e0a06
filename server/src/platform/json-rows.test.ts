import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { read, refusal } from '../../test/json-rows-reading.ts'

describe('readJsonRows', () => {
  test('hands on elements of every type as they are', async () => {
    const { rows } = await read(
      '{"members":[null,1,"a",[],{},[{"members":[1]}],-0.5e1,true]}',
      { sliceBytes: 1 },
      [1],
    )
    assert.deepEqual(rows, [null, 1, 'a', [], {}, [{ members: [1] }], -5, true])
  })

  test('tells an empty array from no array', async () => {
    assert.deepEqual(await read(' { "members" : [ \n ] } '), { rows: [], rest: {} })
    assert.deepEqual(await read('{"a":1}'), { rows: undefined, rest: { a: 1 } })
    assert.deepEqual(await read('{}'), { rows: undefined, rest: {} })
    assert.deepEqual(await read('{"members":{"members":[1]}}'), {
      rows: undefined,
      rest: { members: { members: [1] } },
    })
  })

  test('keeps members on both sides of the rows, the last of two alike as JSON.parse does', async () => {
    const body =
      '{"a":[1,{"members":[9]}],"b":"members","members":[1,2],"c":{"members":[3]},"a":2,"__proto__":4}'
    const { rows, rest } = await read(body, { sliceBytes: 3 }, [2])
    assert.deepEqual(rows, [1, 2])
    assert.deepEqual(rest, JSON.parse('{"a":2,"b":"members","c":{"members":[3]},"__proto__":4}'))
  })

  test('knows the key through escapes', async () => {
    assert.deepEqual((await read('{"mem\\u0062ers":[1],"members\\u0000":[2]}', {}, [1])).rows, [1])
    assert.equal((await refusal('{"members":[1],"\\u006dembers":[2]}')).reason, 'duplicate_key')
    assert.equal((await refusal('{"members":1,"members":[2]}')).reason, 'duplicate_key')
    assert.deepEqual((await read('{"é\\"":[1]}', { rowsKey: 'é"' }, [1])).rows, [1])
  })
})
