import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromMicros, toMicros } from './instant.ts'

test('a moment keeps its microseconds on the way there and back', () => {
  for (const text of [
    '2026-11-22T07:49:37.120000Z',
    '1999-12-31T23:59:59.999999Z',
    '2026-11-22T00:00:00.000001Z',
  ]) {
    assert.equal(fromMicros(toMicros(text)), text)
  }
  const moment = toMicros('2026-11-22T00:00:00.000000Z')
  assert.equal(fromMicros(moment - 1), '2026-11-21T23:59:59.999999Z')
  assert.equal(fromMicros(moment + 1), '2026-11-22T00:00:00.000001Z')
  assert.throws(() => toMicros('2026-11-22T07:49:37+01:00'), /not a time in UTC/)
})
