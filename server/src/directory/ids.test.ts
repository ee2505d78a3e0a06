import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { formatUuid, uuidBytes, uuidV7 } from '../platform/uuid.ts'
import { decodeId, encodeId, idPrefixes } from '../surfaces/http/prefixed-id.ts'

const uuid = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => formatUuid(Buffer.from(bytes)))

describe('uuidV7', () => {
  test('rises strictly, also within a millisecond and when its counter runs over', () => {
    const ids = Array.from({ length: 50_000 }, uuidV7)
    // Not deepEqual: of 50,000 texts out of order it would compute the difference for minutes.
    assert.equal(
      ids.findIndex((id, index) => index > 0 && id <= ids[index - 1]!),
      -1,
    )
  })

  test('rises strictly when the clock goes back', (context) => {
    const now = Date.now()
    context.mock.method(Date, 'now', () => now)
    const before = uuidV7()
    context.mock.method(Date, 'now', () => now - 60_000)
    assert.ok(uuidV7() > before)
  })

  test('has the version, the variant and the time of RFC 9562', (context) => {
    const now = Date.now() + 10_000
    context.mock.method(Date, 'now', () => now)
    const id = uuidV7()
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.equal(Number.parseInt(id.slice(0, 13).replace('-', ''), 16), now)
  })

  test('text and bytes are two forms of one value', () => {
    fc.assert(fc.property(uuid, (id) => assert.equal(formatUuid(uuidBytes(id)), id)))
  })
})

describe('prefixed ids', () => {
  test('come back as the UUID they stand for', () => {
    fc.assert(
      fc.property(uuid, fc.constantFrom(...Object.values(idPrefixes)), (id, prefix) => {
        assert.equal(decodeId(prefix, encodeId(prefix, id)), id)
      }),
    )
  })

  test('have one form: every other text is refused or another id', () => {
    const change = fc.record({ at: fc.nat(25), by: fc.string({ unit: 'grapheme', maxLength: 2 }) })
    fc.assert(
      fc.property(uuid, change, (id, { at, by }) => {
        const written = encodeId('mem_', id)
        const other = written.slice(0, at) + by + written.slice(at + 1)
        const decoded = decodeId('mem_', other)
        if (other !== written) assert.notEqual(decoded, id)
        if (decoded !== undefined) assert.equal(encodeId('mem_', decoded), other)
      }),
      { numRuns: 2000 },
    )
  })

  test('refuse the unused bits of the last character, padding, other alphabets and other prefixes', () => {
    const id = encodeId('mem_', '00000000-0000-7000-8000-000000000000')
    assert.equal(id, 'mem_AAAAAAAAcACAAAAAAAAAAA')
    for (const other of [
      'mem_AAAAAAAAcACAAAAAAAAAAB',
      `${id}==`,
      'mem_AAAAAAAAcACAAAAAAAAAA+',
      'grp_AAAAAAAAcACAAAAAAAAAAA',
      'MEM_AAAAAAAAcACAAAAAAAAAAA',
      ` ${id}`,
      id.slice(0, -1),
      '',
    ]) {
      assert.equal(decodeId('mem_', other), undefined, other)
    }
  })
})
