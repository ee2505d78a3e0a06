import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { chunks, limits, read, refusal } from '../../../test/json-rows-reading.ts'
import { JsonRowsError, readJsonRows } from '../json-rows.ts'
import { jsonDepthMax, jsonRestBytesMax, jsonRowBytesMax } from './json-text.ts'

describe('readJsonRows', () => {
  test('accepts as many rows, as deep and as long ones as allowed, and not one more', async () => {
    const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`
    const deepest = `{"members":[${deep(jsonDepthMax - 2)}],"a":${deep(jsonDepthMax - 1)}}`
    assert.equal((await read(deepest)).rows?.length, 1)

    assert.equal((await read('{"members":[1,2,3]}', { rowsMax: 3 })).rows?.length, 3)
    assert.equal((await refusal('{"members":[1,2,3,4]}', { rowsMax: 3 })).reason, 'too_many_rows')
    assert.deepEqual((await read('{"members":[ ]}', { rowsMax: 0 })).rows, [])
    const one = await refusal('{"members":[1]}', { rowsMax: 0 })
    assert.equal(one.message, 'must have at most 0 members')

    const row = `"${'a'.repeat(jsonRowBytesMax - 2)}"`
    for (const lengths of [[1e9], [65536], [1000]]) {
      assert.equal((await read(`{"members":[1,${row},${row}]}`, {}, lengths)).rows?.length, 3)
      const long = await read(`{"members":[1,${row} ,2]}`, {}, lengths).catch((error: unknown) => error)
      assert.ok(long instanceof JsonRowsError && long.reason === 'too_large', String(long))
      assert.match(long.message, /in members\[1\]$/)
    }

    const body = '{"members":[1]}'
    assert.equal((await read(body, { bytesMax: body.length })).rows?.length, 1)
    assert.equal((await refusal(body, { bytesMax: body.length - 1 })).reason, 'too_large')

    const rest = (length: number) =>
      `{"a":"${'a'.repeat(length - '{"a":"","members":[]}'.length)}","members":[1]}`
    assert.equal((await read(rest(jsonRestBytesMax))).rows?.length, 1)
    assert.equal((await refusal(rest(jsonRestBytesMax + 1))).reason, 'too_large')
  })

  test('stops reading at once when a limit is passed', async () => {
    for (const [reason, options] of [
      ['too_large', { bytesMax: 5000 }],
      ['too_many_rows', { rowsMax: 500 }],
    ] as const) {
      let given = 0
      let ended = false
      const endless = async function* () {
        try {
          yield Buffer.from('{"members":[')
          for (; ; given += 1) yield Buffer.from('1,'.repeat(100))
        } finally {
          ended = true
        }
      }
      await assert.rejects(readJsonRows(endless(), { ...limits, ...options, onRows: () => {} }), { reason })
      assert.ok(given < 30 && ended)
    }
  })

  test('ends the reading with whatever onRows or the source throws', async () => {
    const onRows = () => assert.fail('not this row')
    await assert.rejects(
      readJsonRows(chunks(Buffer.from('{"members":[1]}'), [4]), { ...limits, onRows }),
      /not this row/,
    )
    const aborted = async function* () {
      yield Buffer.from('{"members":[1')
      throw new Error('aborted')
    }
    await assert.rejects(readJsonRows(aborted(), { ...limits, onRows }), /aborted/)
  })

  test('gives the event loop its turn after every slice, even if all bytes are there at once', async () => {
    const row = JSON.stringify({ external_reference_id: 'ref-000001', email: 'ann@example.com' })
    const body = Buffer.from(`{"members":[${`${row},`.repeat(60_000)}${row}]}`)
    for (const lengths of [[body.length], [64]]) {
      let turns = 0
      let reading = true
      const tick = () => {
        turns += 1
        if (reading) setImmediate(tick)
      }
      setImmediate(tick)
      let rowsAtOnceMax = 0
      const onRows = (rows: unknown[]) => {
        rowsAtOnceMax = Math.max(rowsAtOnceMax, rows.length)
      }
      const { rowCount } = await readJsonRows(chunks(body, lengths), { ...limits, onRows })
      reading = false
      assert.equal(rowCount, 60_001)
      assert.ok(rowsAtOnceMax <= Math.ceil(limits.sliceBytes / row.length))
      assert.ok(turns >= body.length / limits.sliceBytes, `${turns} turns`)
    }
  })
})
