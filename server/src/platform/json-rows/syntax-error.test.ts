import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { findJsonSyntaxError } from './syntax-error.ts'

describe('findJsonSyntaxError', () => {
  test('finds an error if and only if JSON.parse does', () => {
    const pieces = [
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"',
      '\\',
      '1',
      '-',
      '0',
      '.5',
      'e+1',
      'true',
      'nul',
      'null',
      ' ',
      '\n',
      '\u000b',
      '"\\u00e9"',
      'é',
    ]
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 8 }), (parts) => {
        const body = Buffer.from(parts.join(''))
        let valid = true
        try {
          JSON.parse(body.toString())
        } catch {
          valid = false
        }
        assert.equal(findJsonSyntaxError(body) === -1, valid, body.toString())
      }),
      { numRuns: 20_000 },
    )
  })

  test('keeps no more than a list of brackets for any nesting', () => {
    assert.equal(findJsonSyntaxError(Buffer.from('['.repeat(1e6))), 1e6)
  })
})
